// What can go wrong with a call, and the sentence that says what to do about it.

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
