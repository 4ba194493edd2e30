// Verifies access tokens of Syncgram Pay with the keys that its discovery document leads to: no call to us for a request, no secret.
// What this cannot see: ../README.md.

import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";

// Our key set says `max-age=300`, and a key is public for a day at least before it signs: so nothing older than this is needed, and a
// key that was withdrawn is believed for no longer.
const KEYS_LIVE_MS = 300_000;
// A `kid` that is not in the key set has it fetched again, but whoever makes up a thousand of them causes one fetch, not a thousand.
const BETWEEN_UNKNOWN_KIDS_MS = 30_000;
const FETCH_WITHIN_MS = 5_000;
// Ours are below 1 KB. Nothing longer is worth reading.
const LONGEST_TOKEN = 4096;
// For clocks that differ a little.
const LEEWAY_SECONDS = 5;
const LIVES_SECONDS = 900;

/** The token is nobody's: 401. */
export class NotAuthentic extends Error {}

/** It could not be found out: 503, not 401, or a client would throw a good token away. */
export class Unavailable extends Error {}

// What jose throws about the token. Whatever else it throws is about the keys, and so nothing that the caller did.
const ABOUT_THE_TOKEN = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

/**
 * A function that gives the claims of an access token, or throws one of the two errors above. Make one and keep it: it holds the keys.
 *
 * @param {{issuer: string, audience: string, fetch?: typeof fetch}} options whom we trust and who we are: both from our own
 *   configuration, never from a token. `fetch` is for tests.
 */
export function verifier({ issuer, audience, fetch = globalThis.fetch }) {
  issuer = issuer.replace(/\/$/, "");
  let keys; // a promise, so that calls at the same time wait for one fetch

  async function discover() {
    const answer = await fetch(secure(`${issuer}/.well-known/openid-configuration`), {
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_WITHIN_MS),
    });
    if (answer.status !== 200) throw new Error(`the discovery document: ${answer.status}`);
    const metadata = await answer.json();
    // OpenID Connect Discovery 1.0, section 4.3: else whoever can answer at one address speaks for another.
    if (metadata.issuer !== issuer) throw new Error(`the discovery document is of another issuer: ${metadata.issuer}`);
    return createRemoteJWKSet(new URL(secure(metadata.jwks_uri)), {
      cacheMaxAge: KEYS_LIVE_MS,
      cooldownDuration: BETWEEN_UNKNOWN_KIDS_MS,
      timeoutDuration: FETCH_WITHIN_MS,
      [customFetch]: fetch,
    });
  }

  return async function verify(token) {
    if (token.length > LONGEST_TOKEN) throw new NotAuthentic("too long");
    try {
      keys ??= discover();
      const { payload } = await jwtVerify(token, await keys, {
        issuer,
        audience,
        // One algorithm, whatever the token's header says, and one kind of token (RFC 9068): an id token is none.
        algorithms: ["ES256"],
        typ: "at+jwt",
        requiredClaims: ["sub", "exp", "iat", "jti", "sid", "org", "role"],
        maxTokenAge: LIVES_SECONDS,
        clockTolerance: LEEWAY_SECONDS,
      });
      return payload;
    } catch (error) {
      if (ABOUT_THE_TOKEN.some((kind) => error instanceof kind)) throw new NotAuthentic(error.code, { cause: error });
      // The next call tries again, from the beginning if it did not get that far.
      if (await failed(keys)) keys = undefined;
      throw new Unavailable("the keys cannot be read", { cause: error });
    }
  };
}

const failed = (promise) => promise.then(() => false, () => true);

/** Keys that came in the clear could be anybody's. On one machine nobody is on the way. */
function secure(url) {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && hostname !== "127.0.0.1" && hostname !== "localhost") throw new Error(`not https: ${url}`);
  return url;
}
