// npm jose, as docs/verify-our-tokens.md prints it: `run` has put that into printed.mjs.

import { check } from "./check.mjs";
import { verifier } from "./printed.mjs";

await check("jose", async (jwksUri, { token, issuer, audience }) => verifier(jwksUri, { issuer, audience })(token));
