// The page as a whole: the door before it, the frame around it, and which screen is in the frame.

import { SignedOut, sentence } from "./api.js";
import { frameFor } from "./frame.js";
import { keysScreen } from "./keys.js";
import { newKeyScreen } from "./new-key.js";
import { overviewScreen } from "./organization.js";
import * as session from "./session.js";
import { firstStep, signInAgain } from "./sign-in.js";

import { Notice, announce, fill, h, told } from "./ui.js";

/**
 * @typedef {import("./api.js").Organization} Organization
 * @typedef {object} Context what a screen knows of where it is
 * @property {AbortSignal} signal when it is left
 * @property {() => Organization} organization as it was seen last
 * @property {() => Promise<Organization>} look asks for it anew, and shows its mode
 * @property {(organization: Organization) => void} show takes over what an answer said of it
 * @property {(hash: string) => void} go
 * @property {() => void} refocus to the screen's title, when what had the focus is gone
 * @typedef {{title: string, content: Node, refresh?: () => void}} Screen
 */

/** @type {Record<string, (context: Context) => Screen>} */
const SCREENS = { "#/": overviewScreen, "#/keys": keysScreen, "#/keys/new": newKeyScreen };

/** Looked at again when the page was hidden for longer, in milliseconds: somebody may have switched the environment meanwhile. */
const STALE = 30_000;

/** Said only of what takes longer, in milliseconds: what comes at once would flicker. */
const NOTICEABLE = 400;

const pageElement = /** @type {HTMLElement} */ (document.getElementById("page"));
const door = /** @type {HTMLElement} */ (document.getElementById("door"));

/** Ends with whatever is shown: a screen, or the door. */
let current = new AbortController();
/** @type {ReturnType<typeof frameFor> | null} */
let frame = null;
/** @type {Screen | null} */
let screen = null;
/** @type {ReturnType<typeof signInAgain> | null} */
let again = null;

function leave() {
  current.abort();
  current = new AbortController();
  screen = null;
  again = null;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  return current.signal;
}

/** The sign-in. @param {string} [said] what happened before */
function showDoor(said) {
  const signal = leave();
  frame = null;
  session.forget();
  document.title = "Sign in · Syncgram Pay";
  fill(pageElement, door);
  firstStep({ place: steps(), signal, email: "", done: enter, said });
  return signal;
}

/** Where the steps of signing in are. @returns {HTMLElement} */
function steps() {
  return /** @type {HTMLElement} */ (door.querySelector("main"));
}

/** From the door into the frame: whose organization it is has to be known first, so that its mode stands there from the beginning. */
async function enter() {
  const signal = leave();
  const notice = new Notice();
  const welcome = () => {
    if (signal.aborted || welcomed.isConnected) return;
    if (!door.isConnected) fill(pageElement, door);
    fill(steps(), welcomed);
    title.focus();
  };
  const title = h("h1", { tabindex: "-1" }, "Welcome");
  const welcomed = h("section", { class: "steps" }, title, h("p", { class: "lead" }, "Your organization is being fetched."), notice.element);
  const late = setTimeout(welcome, NOTICEABLE);
  try {
    const organization = await told(notice, "Loading…", () => session.call("GET", "organizations/me"));
    if (signal.aborted) return;
    frame = frameFor({ organization, person: session.person(), signOut });
    fill(pageElement, frame.element);
    showScreen();
  } catch (error) {
    if (signal.aborted || error instanceof SignedOut) return;
    welcome();
    notice.failed(h("p", {}, sentence(error)),
      h("div", { class: "buttons" },
        h("button", { class: "button", type: "button", click: enter }, "Try again"),
        h("button", { class: "button plain", type: "button", click: () => signOut(notice) }, "Sign out")));
  } finally {
    clearTimeout(late);
  }
}

/** @param {Notice} notice */
async function signOut(notice) {
  try {
    await told(notice, "Signing you out…", session.signOut);
  } catch (error) {
    notice.failed(h("p", {}, `You are still signed in. ${sentence(error)}`));
  }
}

function showScreen() {
  if (!frame) return;
  const made = SCREENS[location.hash] ?? overviewScreen;
  const signal = leave();
  screen = made({
    signal,
    organization: () => /** @type {NonNullable<typeof frame>} */ (frame).organization,
    look,
    show,
    go: (hash) => {
      location.hash = hash;
    },
    refocus: () => frame?.title()?.focus(),
  });
  frame.fill(screen.content, location.hash || "#/");
  name();
  scrollTo(0, 0);
  frame.title()?.focus();
}

/** @returns {Promise<Organization>} */
async function look() {
  const organization = await session.call("GET", "organizations/me");
  show(organization);
  return organization;
}

/** @param {Organization} organization */
function show(organization) {
  if (!frame) return;
  const before = frame.organization.current_env;
  frame.show(organization);
  name();
  if (before !== organization.current_env) announce(`Your organization is in ${organization.current_env} mode now.`);
}

/** A tab's name says the mode too: tabs are told apart by nothing else. */
function name() {
  if (frame && screen) {
    const mode = frame.organization.current_env === "live" ? "Live mode" : "Test mode";
    document.title = `${screen.title} · ${mode} · Syncgram Pay`;
  }
}

/** Looks again without a word, and draws the screen anew if it has become wrong. @param {boolean} [drawAnew] in any case */
async function lookAgain(drawAnew = false) {
  if (!frame) return;
  const before = frame.organization.current_env;
  try {
    const now = await look();
    if (drawAnew || now.current_env !== before) screen?.refresh?.();
  } catch {
    // The next call of the screen's own will say it.
  }
}

/** The overview is next. Not by a change of the hash: that would draw a screen in the frame that is being left. */
function fromTheStart() {
  history.replaceState(null, "", "#/");
}

session.page.left = (where) => {
  fromTheStart();
  showDoor(where === "here" ? "You are signed out, in every tab." : "You signed out in another tab.");
};
session.page.switched = () => {
  fromTheStart();
  enter();
};
session.page.changed = () => lookAgain(true);
session.page.joined = async () => {
  if (frame && !again) return;
  try {
    if (!(await session.restore())) return;
    if (again) again.close(true);
    else enter();
  } catch {
    // Then one signs in here.
  }
};
session.page.signInAgain = async () => {
  if (!frame) {
    showDoor("Your session is over. Sign in again.");
    throw new SignedOut();
  }
  again ??= signInAgain(frame.person.user.email);
  const mine = again;
  try {
    await mine.ended;
  } catch (error) {
    // Unless the page has gone elsewhere meanwhile.
    if (again === mine) showDoor("Your session is over. Sign in again.");
    throw error;
  } finally {
    if (again === mine) again = null;
  }
};

addEventListener("hashchange", showScreen);

let hiddenAt = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = Date.now();
  else if (Date.now() - hiddenAt > STALE) lookAgain();
});

// A page that is left may come back from the browser's memory as it was: it is emptied before, and begun anew after.
addEventListener("pagehide", () => {
  leave();
  if (frame) frame.fill(h("p", {}), location.hash);
  else fill(steps(), h("p", {}));
});
addEventListener("pageshow", (event) => {
  if (event.persisted) start();
});

/** Takes up the session, if there is one. Whoever was not here before can sign in meanwhile. */
async function start() {
  if (frame) fill(pageElement, door);
  frame = null;
  const signal = session.wasHere() ? leave() : showDoor();
  try {
    if (!(await told(firstNotice(), "One moment…", session.restore))) {
      if (!signal.aborted && session.wasHere()) showDoor();
    } else if (!signal.aborted) await enter();
  } catch (error) {
    if (!signal.aborted) showDoor(`We could not see whether you are signed in. ${sentence(error)}`);
  }
}

/** The document's own, which is there before any script; or one that nobody sees. */
function firstNotice() {
  const element = session.wasHere() && door.querySelector(".notice");
  const [status, alert] = element ? element.children : [];
  return element ? Object.assign(new Notice(), { element, status, alert }) : new Notice();
}

start();
