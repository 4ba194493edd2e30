// npm jose, as its documentation shows for a JWKS URL.

import { createRemoteJWKSet, jwtVerify } from "jose";
import { check } from "./check.mjs";

await check("jose", async (jwksUri, { token, issuer, audience }) => {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: "at+jwt" });
  return payload;
});
