// What a person sees of time: a call that goes on, one that takes long, one that failed, and waits that are counted down.

import { Refused, SignedOut, sentence } from "./errors.js";
import { Notice, fill, h } from "./dom.js";

/** After this a call is called slow, in milliseconds. */
const SLOW = 4_000;

/**
 * Runs `work`, and says in `notice` that it goes on and, after a while, that it takes long.
 * @template T
 * @param {Notice} notice
 * @param {string} text what goes on
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function told(notice, text, work) {
  notice.working(text);
  const slow = setTimeout(() => notice.working("This takes longer than usual. Still trying…"), SLOW);
  try {
    return await work();
  } finally {
    clearTimeout(slow);
    notice.status.textContent = "";
  }
}

/**
 * A part of the page that has to be fetched: it loads, it takes long, it failed and can be tried again, or it is there.
 * @template T
 * @param {Element} place
 * @param {AbortSignal} signal when it is not wanted any more
 * @param {() => Promise<T>} fetched
 * @param {(value: T) => (Node | string)[]} drawn
 */
export async function loaded(place, signal, fetched, drawn) {
  const notice = new Notice();
  place.setAttribute("aria-busy", "true");
  fill(place, h("div", { class: "loading" }, notice.element));
  try {
    const value = await told(notice, "Loading…", fetched);
    if (!signal.aborted) fill(place, ...drawn(value));
  } catch (error) {
    if (signal.aborted || error instanceof SignedOut) return;
    const again = h("button", { type: "button", class: "button", click: () => loaded(place, signal, fetched, drawn) }, "Try again");
    notice.failed(h("p", {}, sentence(error)), again);
    retryWhenOnline(signal, error, () => again.isConnected && again.click());
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/**
 * Tries again by itself as soon as the browser is online, if that was what was wrong.
 * @param {AbortSignal} signal
 * @param {unknown} error
 * @param {() => void} again
 */
function retryWhenOnline(signal, error, again) {
  if (error instanceof Error && "offline" in error && error.offline) addEventListener("online", again, { once: true, signal });
}

/**
 * Counts down by whole seconds, at once and every second until none are left or it is called off.
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @param {(left: number) => void} each
 */
export function countDown(seconds, signal, each) {
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    if (signal.aborted) return;
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    each(left);
    // A sleeping machine skips ticks: what is left is always reckoned from the end.
    if (left > 0) setTimeout(tick, 1000 - ((Date.now() - (end - left * 1000)) % 1000 || 0));
  };
  tick();
}

/** `0:07`, `14:59`, `1:00:00`. @param {number} seconds */
export function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * A form that calls the API: one call at a time, what goes on and what went wrong at its end, and a wait where the API asks for one.
 * What was typed stays whatever happens.
 */
export class CallingForm {
  /**
   * @param {{signal: AbortSignal, button: HTMLButtonElement, busy: string}} options
   */
  constructor({ signal, button, busy }) {
    this.signal = signal;
    this.button = button;
    this.busy = busy;
    this.label = button.textContent ?? "";
    this.notice = new Notice();
    this.running = false;
    this.waiting = false;
    /** @type {AbortController | null} */
    this.wait = null;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {(value: T) => void} done
   * @param {(error: unknown) => string | Node[] | null} [explain] a better sentence than the general one
   */
  async run(work, done, explain = () => null) {
    if (this.running || this.waiting) return;
    this.running = true;
    // Not `disabled`: that would take the focus away from who uses the keyboard.
    this.button.setAttribute("aria-disabled", "true");
    try {
      const value = await told(this.notice, this.busy, work);
      this.ready();
      if (!this.signal.aborted) done(value);
    } catch (error) {
      this.ready();
      if (this.signal.aborted || error instanceof SignedOut) return;
      this.fail(error, explain(error) ?? sentence(error));
    }
  }

  ready() {
    this.running = false;
    this.button.removeAttribute("aria-disabled");
  }

  /** @param {unknown} error @param {string | Node[]} text */
  fail(error, text) {
    const content = typeof text === "string" ? [h("p", {}, text)] : text;
    if (error instanceof Refused && error.status === 429 && error.retryAfter) this.hold(error.retryAfter, content);
    else this.notice.failed(...content);
  }

  /**
   * Lets nobody send before `seconds` are over.
   * @param {number} seconds
   * @param {(Node | string)[]} content
   */
  hold(seconds, content) {
    this.wait?.abort();
    this.wait = new AbortController();
    this.waiting = true;
    this.button.setAttribute("aria-disabled", "true");
    // The seconds are for the eyes: read out one by one they would drown everything else.
    const left = h("span", { class: "countdown", "aria-hidden": "true" });
    const sentenceOfWait = h("span", { class: "visually-hidden" }, `You can try again in ${inWords(seconds)}.`);
    this.notice.failed(...content, h("p", {}, left, sentenceOfWait));
    countDown(seconds, AbortSignal.any([this.signal, this.wait.signal]), (rest) => {
      left.textContent = `You can try again in ${clock(rest)}.`;
      if (rest > 0) return;
      this.waiting = false;
      this.ready();
      this.notice.working("You can try again now.");
    });
  }
}

/** `42 seconds`, `15 minutes`. @param {number} seconds */
export function inWords(seconds) {
  const [number, unit] = seconds < 90 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}
