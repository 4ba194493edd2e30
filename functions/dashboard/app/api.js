// One call to the API. Every address is relative to the document, so it works under any stage's path.

import { Refused, Unreachable } from "./errors.js";

/** Longer than any answer takes: the gateway gives up after 29 seconds. In milliseconds. */
const PATIENCE = 30_000;

/**
 * @typedef {{id: string, email: string, full_name: string, hasOnboarded: boolean}} User
 * @typedef {{challenge_id: string, method: string, expires_at: string, user: User}} Challenge
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
