// npm aws-jwt-verify: its generic verifier, not Cognito's.

import { JwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { check } from "./check.mjs";

// Its own fetcher speaks HTTPS alone, and a devstack has no certificate: the documented way out is another fetcher.
const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };

await check("aws-jwt-verify", async (jwksUri, { token, issuer, audience }) => {
  const jwksCache = new SimpleJwksCache({ fetcher });
  return JwtVerifier.create({ jwksUri, issuer, audience }, { jwksCache }).verify(token);
});
