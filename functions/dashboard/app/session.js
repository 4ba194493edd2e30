// The session of this browser. The refresh token is in a cookie that no script sees, the access token in this module and nowhere else.
//
// Tabs share the cookie. Whoever changes it (a sign-in, a refresh, a sign-out) holds the lock meanwhile, so no tab sends a refresh token
// that another is about to replace: that would look like theft and end the session.

import { Refused, SignedOut, Unreachable, send } from "./api.js";

/** @typedef {import("./api.js").User} User */
/** @typedef {"owner" | "admin" | "viewer"} Role */
/** @typedef {{user: User, role: Role}} Person */

const LOCK = "syncgram-session";
/** What is in `localStorage`: no token, ever. */
const SEEN = "syncgram-was-here";
const PENDING = "syncgram-refresh";
/** Refreshed this long before it ends, in milliseconds: a call on a slow line has to arrive with it. */
const MARGIN = 60_000;
/** Pauses before a refresh without an answer is sent again, in milliseconds. */
const PAUSES = [500, 2_000];

const tabs = new BroadcastChannel("syncgram-dashboard");

/** @type {{token: string, freshUntil: number, person: Person} | null} */
let access = null;
/** Whose session it is or, while it has ended, was. @type {string | null} */
let whose = null;
/** @type {Promise<void> | null} */
let refreshing = null;

/** What the page does when something happens to the session. Set once, by `main.js`. */
export const page = {
  /** The session is over while something is under way. Resolves when the same person signed in again. @returns {Promise<void>} */
  signInAgain: () => Promise.reject(new SignedOut()),
  /** Somebody signed out. @param {"here" | "elsewhere"} _where */
  left(_where) {},
  /** The session is another person's now. */
  switched() {},
  /** Another tab signed in. */
  joined() {},
  /** Another tab changed what this one shows. */
  changed() {},
};

tabs.addEventListener("message", ({ data }) => {
  if (data === "signed-out" && whose) {
    forget();
    page.left("elsewhere");
  }
  if (data === "signed-in") page.joined();
  if (data === "changed" && access) page.changed();
});

/** Who is signed in. @returns {Person} */
export function person() {
  if (!access) throw new SignedOut();
  return access.person;
}

/** Whether they may create and revoke keys and switch the environment. The API looks again, at every write. */
export function mayWrite() {
  return ["owner", "admin"].includes(person().role);
}

/** Leaves a session that is over behind, with all that was under way in it. */
export function forget() {
  access = null;
  whose = null;
}

/** The session is over, and nothing of it is asked for again. */
function over() {
  access = null;
  pending.forget();
  remember(SEEN, null);
}

/** Tells the other tabs that what they show may be out of date. */
export function tellOfChange() {
  tabs.postMessage("changed");
}

/**
 * Takes up the session that the cookie stands for, if there is one.
 * @returns {Promise<boolean>}
 */
export async function restore() {
  try {
    await refresh();
    return true;
  } catch (error) {
    if (error instanceof SignedOut) return false;
    throw error;
  }
}

/**
 * The second step of signing in.
 * @param {string} challengeId
 * @param {string} code
 */
export async function verify(challengeId, code, kind = "primary") {
  await navigator.locks.request(LOCK, async () => {
    keep(await send("POST", "auth/login/2fa/verify", { body: { challenge_id: challengeId, code, code_type: kind } }));
    pending.forget();
  });
  tabs.postMessage("signed-in");
}

/** Ends the session, for every tab. @throws {Unreachable} and then it is not over */
export async function signOut() {
  await navigator.locks.request(LOCK, async () => {
    // Twice: the token may have ended sooner than this machine's clock says. Over already is as good.
    if (!(await ended())) {
      staleNow();
      await ended();
    }
    over();
    forget();
    tabs.postMessage("signed-out");
  });
  page.left("here");
}

/** One try, with the lock held. Gives whether the session is over. @returns {Promise<boolean>} */
async function ended() {
  try {
    if (!isFresh()) await rotate();
    await send("POST", "auth/logout", { token: access?.token });
    return true;
  } catch (error) {
    if (error instanceof SignedOut) return true;
    if (error instanceof Refused && error.status === 401) return false;
    throw error;
  }
}

/**
 * Calls a protected route. A session that is over is begun again in place, and then the call is made again: what was typed is not lost.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  const asker = whose;
  for (let tries = 0; ; tries += 1) {
    try {
      if (!isFresh()) await refresh();
      // Nobody sends what another person began.
      if (whose !== asker) throw new SignedOut();
      return await send(method, path, { body, token: access?.token });
    } catch (error) {
      if (error instanceof SignedOut && whose === asker) await page.signInAgain();
      // The token ended sooner than this machine's clock says, or its session did.
      else if (error instanceof Refused && error.status === 401 && tries < 3) staleNow();
      else throw error;
    }
  }
}

function isFresh() {
  return access !== null && Date.now() < access.freshUntil;
}

function staleNow() {
  if (access) access.freshUntil = 0;
}

/** One refresh at a time: in this tab by the promise, among tabs by the lock. */
function refresh() {
  refreshing ??= navigator.locks.request(LOCK, rotate).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/**
 * Asks for new tokens. To be called with the lock held.
 * @throws {SignedOut} there is no session
 */
async function rotate() {
  for (let tries = 0; ; tries += 1) {
    try {
      const tokens = await send("POST", "auth/refresh", { headers: { "Idempotency-Key": pending.key() } });
      pending.forget();
      keep(tokens);
      return;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        over();
        throw new SignedOut();
      }
      const again = error instanceof Unreachable ? !error.offline : error instanceof Refused && error.status >= 500;
      if (!again || tries >= PAUSES.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSES[tries]));
    }
  }
}

/** @param {import("./api.js").Tokens} tokens */
function keep({ access_token, expires_in, user }) {
  const before = whose;
  const claims = JSON.parse(atob(access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  access = {
    token: access_token,
    freshUntil: Date.now() + expires_in * 1000 - MARGIN,
    // Read, not believed: it decides what is offered, the API decides what is done.
    person: { user, role: claims.role },
  };
  whose = user.id;
  remember(SEEN, "yes");
  if (before && before !== whose) page.switched();
}

/**
 * Whether a session was begun here and not ended, as far as the browser remembers. It is a hint, for what to show first: the cookie alone
 * tells, and only the API can read it.
 */
export function wasHere() {
  return remembered(SEEN) !== null;
}

/**
 * The `Idempotency-Key` of the refresh that has no answer yet. It is kept over a reload, and for the other tabs: the answer may be lost
 * when the rotation is done, and only the same key gets the same successor again; any other would look like theft. By itself it opens
 * nothing.
 */
const pending = {
  memory: /** @type {string | null} */ (null),

  key() {
    const key = remembered(PENDING) ?? this.memory ?? crypto.randomUUID();
    this.memory = key;
    remember(PENDING, key);
    return key;
  },

  forget() {
    this.memory = null;
    remember(PENDING, null);
  },
};

/** @param {string} name @returns {string | null} */
function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    // A browser may forbid it.
    return null;
  }
}

/** @param {string} name @param {string | null} value */
function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Then a reload in the middle of a refresh may cost the session.
  }
}
