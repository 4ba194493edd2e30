// The verifier of infra/examples/verifies-itself, with everything log_in.py prints, and with keys that cannot be read or do not exist.

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
    expect("a token of 1 MB", await thrown(verify(token + "A".repeat(1_000_000))), NotAuthentic);
  },
});
