// One call to the API, and what can go wrong with it. Every address is relative to the document, so it works under any stage's path.

/** Longer than any answer takes: the gateway gives up after 29 seconds. In milliseconds. */
const PATIENCE = 30_000;

/**
 * @typedef {{id: string, email: string, full_name: string, hasOnboarded: boolean}} User
 * @typedef {{challenge_id: string, method: string, expires_at: string, backup_code_allowed: boolean, user: User}} Challenge
 * @typedef {{access_token: string, expires_in: number, user: User}} Tokens
 * @typedef {"test" | "live"} Env
 * @typedef {{id: string, name: string, onboarding_status: "NOT_STARTED" | "IN_PROGRESS" | "COMPLETED",
 *   payments_status: "DISABLED" | "ENABLED", current_env: Env, country: string, created_at: string}} Organization
 * @typedef {{api_key_id: string, key_name: string, env: Env, hint: string, status: "active" | "revoked" | "expired",
 *   created_at: string, expires_at: string | null, revoked_at: string | null}} Key
 * @typedef {{keys: Key[], next_cursor: string | null}} KeyPage
 * @typedef {{api_key_id: string, key: string, key_name: string, env: Env, created_at: string, expires_at: string | null}} CreatedKey
 */

/**
 * Sends a request and gives the answer's data.
 * @param {string} method
 * @param {string} path below `api/v1/`
 * @param {{body?: object, token?: string, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 * @throws {Refused} the API answered, and refused
 * @throws {Unreachable} no answer came
 */
export async function send(method, path, { body, token, headers = {} } = {}) {
  const [status, text, retryAfter] = await exchange(`api/v1/${path}`, {
    method,
    headers: {
      // Makes `verify`, `refresh` and `logout` keep the refresh token in a cookie that no script sees.
      "X-Syncgram-Client": "dashboard",
      ...(body ? { "Content-Type": "application/json" } : {}),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: body && JSON.stringify(body),
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (status === 204) return null;
  const envelope = parsed(text);
  if (status < 300 && envelope.success === true) return envelope.data;
  throw new Refused(status, envelope.error ?? {}, retryAfter);
}

/** @param {string} url @param {RequestInit} request @returns {Promise<[number, string, number | null]>} */
async function exchange(url, request) {
  try {
    const response = await fetch(url, request);
    const seconds = Number(response.headers.get("Retry-After"));
    return [response.status, await response.text(), seconds > 0 ? Math.ceil(seconds) : null];
  } catch {
    throw new Unreachable();
  }
}

/** Whatever answers in our place, such as a proxy's page, is a refusal without a code. @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** The API answered, and refused. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, request_id?: string, fields?: {field: string, message: string}[]}} error
   * @param {number | null} retryAfter seconds
   */
  constructor(status, error, retryAfter) {
    super(error.message ?? "");
    this.status = status;
    this.code = error.code ?? "";
    this.requestId = error.request_id ?? "";
    this.fields = error.fields ?? [];
    this.retryAfter = retryAfter;
  }
}

/** No answer came, so nobody knows whether it was carried out. */
export class Unreachable extends Error {
  constructor() {
    super();
    this.offline = !navigator.onLine;
  }
}

/** There is no session any more, and nobody signed in again. */
export class SignedOut extends Error {}

/** @type {Record<string, string>} */
const SENTENCES = {
  invalid_credentials: "The email address or the password is wrong. Check both and try again.",
  invalid_code: "That code is not right, or it was used already. Type the newest one from your mailbox.",
  too_many_attempts: "There were too many wrong tries, so signing in is paused for this address.",
  rate_limited: "That was too soon after the last time.",
  organization_suspended: "Your organization is suspended. Contact Syncgram Pay support to find out why.",
  insufficient_role: "Your role does not allow this. Ask an owner or an admin of your organization to do it.",
  onboarding_incomplete: "Your organization cannot use live mode yet. The overview lists what is missing.",
  active_key_exists: "Your organization has an active key already. Revoke it first, then create a new one.",
  idempotency_mismatch: "An earlier try may have created a key. Go to API keys and look before you create another.",
  idempotency_spent: "The key that this created was revoked since. Go to API keys and create a new one.",
  not_found: "This does not exist any more. Reload the page to see what is there now.",
  request_blocked: "A protection rule refused this request. Contact Syncgram Pay support if it happens again.",
  origin_not_allowed: "The dashboard works at its own address only. Ask whoever gave you this one for the right one.",
  wrong_organization: "This belongs to another organization. Sign out and sign in with the right account.",
};

/** The sentence for people. @param {unknown} error */
export function sentence(error) {
  if (error instanceof Unreachable) {
    return error.offline
      ? "You are offline. Check your connection, then try again."
      : "Syncgram Pay did not answer. Check your connection, then try again.";
  }
  if (error instanceof Refused) {
    const known = SENTENCES[error.code];
    if (known) return known;
    if (error.status === 503 || error.status >= 500) return "Syncgram Pay is not available for the moment. Wait a few seconds, then try again.";
    const reference = error.requestId ? ` Tell support this reference: ${error.requestId}.` : "";
    return `This did not work, and trying again may not help.${reference}`;
  }
  return "Something went wrong on this page. Reload it and try again.";
}
