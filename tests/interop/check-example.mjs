// The verifier of infra/examples/verifies-itself, with everything log_in.py prints, and with keys that cannot be read or do not exist.

import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { NotAuthentic, Unavailable, verifier } from "./verify.mjs";
import { check, given } from "./check.mjs";

const { jwks_uri: jwksUri, genuine } = given;
const metadataOf = (issuer) => `${issuer}/.well-known/openid-configuration`;

/** Leads an issuer's discovery to the devstack's keys, and counts what is asked. */
function network(issuer, metadata = { issuer, jwks_uri: jwksUri }) {
  const asked = { metadata: 0, keys: 0, away: false };
  const fetch = async (url, options) => {
    const discovery = String(url) === metadataOf(issuer);
    asked[discovery ? "metadata" : "keys"] += 1;
    if (asked.away) throw new TypeError("fetch failed");
    return discovery ? Response.json(metadata) : globalThis.fetch(url, options);
  };
  return { asked, fetch };
}

/** Tokens signed as they should be, with keys made here: what is wrong with each is one thing that no signature shows. */
async function ourKinds(issuer, audience, expect) {
  const [ec, rsa] = [await generateKeyPair("ES256"), await generateKeyPair("RS256")];
  const keys = [
    { ...(await exportJWK(ec.publicKey)), kid: "ec" },
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa" },
  ];
  const metadata = { issuer, jwks_uri: jwksUri };
  const fetch = async (url) => Response.json(String(url) === metadataOf(issuer) ? metadata : { keys });
  const verify = verifier({ issuer, audience, fetch });
  const now = Math.floor(Date.now() / 1000);
  const right = { sub: "usr_1", jti: "1", sid: "ses_1", org: "org_1", role: "viewer", iss: issuer, aud: audience, iat: now, exp: now + 900 };
  const sign = (claims, header = {}, key = ec.privateKey) =>
    new SignJWT({ ...right, ...claims }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "ec", ...header }).sign(key);
  expect("a token as ours are", await thrown(verify(await sign({}))), "nothing");
  for (const [what, token] of [
    ["another kind of token", sign({}, { typ: "JWT" })],
    ["no kind of token", sign({}, { typ: undefined })],
    ["another algorithm", sign({}, { alg: "RS256", kid: "rsa" }, rsa.privateKey)],
    ["no organization", sign({ org: undefined })],
    ["no end", sign({ exp: undefined })],
    ["an end long after the beginning", sign({ iat: now - 1000, exp: now + 900 })],
    ["not yet begun", sign({ nbf: now + 60 })],
    ["from the future", sign({ iat: now + 60 })],
    ["longer than any of ours", sign({ role: "x".repeat(5000) })],
  ])
    expect(what, await thrown(verify(await token)), NotAuthentic);
}

const thrown = (promise) =>
  promise.then(
    () => "nothing",
    (error) => error.constructor,
  );

await check("jose", async (_, { token, issuer, audience }) => verifier({ issuer, audience, fetch: network(issuer).fetch })(token), {
  label: "infra/examples/verifies-itself",
  more: async (wrong) => {
    const { token, issuer, audience } = genuine;
    const expect = (what, found, expected) => found === expected || wrong.push(`${what}: ${found?.name ?? found}, not ${expected?.name ?? expected}`);

    // One fetch of each, however many ask; a made-up `kid` has the keys fetched once more at most, a hundred of them no more often.
    const { asked, fetch } = network(issuer);
    const verify = verifier({ issuer, audience, fetch });
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect("fetches for 20 genuine tokens", `${asked.metadata} ${asked.keys}`, "1 1");
    const [header, ...rest] = token.split(".");
    const withKid = (kid) => {
      const members = { ...JSON.parse(Buffer.from(header, "base64url")), kid };
      return [Buffer.from(JSON.stringify(members)).toString("base64url"), ...rest].join(".");
    };
    for (let n = 0; n < 100; n++) expect("an unknown key", await thrown(verify(withKid(`unknown-${n}`))), NotAuthentic);
    expect("no flood of fetches", asked.metadata + asked.keys <= 3, true);

    // What cannot be found out is no 401, and is tried again.
    const later = network(issuer);
    const recovering = verifier({ issuer, audience, fetch: later.fetch });
    later.asked.away = true;
    expect("nobody answers", await thrown(recovering(token)), Unavailable);
    later.asked.away = false;
    expect("somebody answers again", await thrown(recovering(token)), "nothing");

    const other = network(issuer, { issuer: "https://issuer.example", jwks_uri: jwksUri });
    expect("another issuer's document", await thrown(verifier({ issuer, audience, fetch: other.fetch })(token)), Unavailable);
    const clear = network("http://issuer.example");
    expect("keys in the clear", await thrown(verifier({ issuer: "http://issuer.example", audience, fetch: clear.fetch })(token)), Unavailable);
    expect("no fetch in the clear", clear.asked.metadata, 0);
    await ourKinds(issuer, audience, expect);
  },
});
