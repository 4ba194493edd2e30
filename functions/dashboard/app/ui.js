// The parts that every screen is made of: elements, fields, notices and dialogs; and what a person sees of time, which is a call that goes
// on, one that takes long, one that failed, and waits that are counted down.
//
// Text is text and never markup: nothing here takes HTML, and no attribute that runs or styles anything is set.

import { Refused, SignedOut, sentence } from "./api.js";

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Properties */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. A function is a listener for the event of that name; `true` is an attribute without a value; `false`, `null` and
 * `undefined` are no attribute.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...shown(children));
  return element;
}

/**
 * A small picture drawn in one line, beside words that say the same: nothing is read out for it.
 * @param {string} path of a 16 by 16 grid
 */
export function icon(path) {
  const picture = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  for (const [name, value] of [["viewBox", "0 0 16 16"], ["aria-hidden", "true"], ["class", "icon"]]) picture.setAttribute(name, value);
  line.setAttribute("d", path);
  picture.append(line);
  return picture;
}

/** The pictures that are used. */
export const PATHS = {
  done: "M3 8.5 6.5 12 13 4.5",
  missing: "M8 4.5v4.2M8 11.3v.2",
  copy: "M6 6h7.5v7.5H6zM3.5 10h-1V2.5H10v1",
};

/**
 * Puts `children` in the place of what `parent` holds.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...shown(children));
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function shown(children) {
  return /** @type {(Node | string)[]} */ (
    children.flat().filter((child) => child !== null && child !== undefined && child !== false)
  );
}

let counted = 0;

/** An id that no other element has. @param {string} what */
export function uniqueId(what) {
  counted += 1;
  return `${what}-${counted}`;
}

/** Reads `text` out without moving the focus. @param {string} text */
export function announce(text) {
  const region = document.getElementById("announcements");
  if (region) region.textContent = text;
}

/**
 * What the page says of a thing that goes on or went wrong, at the end of its form. Its place is kept free, and nothing stands below it
 * that would have to make room.
 */
export class Notice {
  constructor() {
    // An alert for what went wrong, a status for what goes on: a screen reader interrupts for the first only.
    this.status = h("p", { class: "notice-status", role: "status" });
    this.alert = h("div", { class: "notice-alert", role: "alert" });
    this.element = h("div", { class: "notice" }, this.status, this.alert);
  }

  /** @param {string} text what goes on */
  working(text) {
    this.alert.replaceChildren();
    this.status.textContent = text;
  }

  /** @param {...Child} content what went wrong, and what to do */
  failed(...content) {
    this.status.textContent = "";
    fill(this.alert, h("div", { class: "alert" }, ...content));
  }

  clear() {
    this.status.textContent = "";
    this.alert.replaceChildren();
  }
}

/**
 * A text field with its label, what it is for, and what is wrong with it.
 * @param {{label: string, name: string, hint?: string, after?: Child} & Properties} options what is no property of the field's own is an
 *   attribute of the input
 */
export function field({ label, name, hint, after, ...attributes }) {
  const id = uniqueId(name);
  const input = h("input", {
    id, name, "aria-describedby": `${id}-hint ${id}-error`, spellcheck: "false", autocapitalize: "none", ...attributes,
  });
  const error = h("p", { class: "field-error", id: `${id}-error` });
  const element = h("div", { class: "field" },
    h("label", { for: id }, label), hint && h("p", { class: "hint", id: `${id}-hint` }, hint), input, after, error);
  return { element, input, wrong: wrongness(input, error) };
}

/**
 * Says, or with an empty text takes back, what is wrong with a field.
 * @param {HTMLElement} input
 * @param {HTMLElement} error
 * @returns {(text: string) => void}
 */
export function wrongness(input, error) {
  return (text) => {
    error.textContent = text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
}

/**
 * A time of the API's in words, in the reader's own zone.
 * @param {string} rfc3339
 * @param {boolean} [withTime]
 */
export function when(rfc3339, withTime = false) {
  const style = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", ...(withTime ? { timeStyle: "short" } : {}) });
  return h("time", { datetime: rfc3339, title: rfc3339 }, style.format(new Date(rfc3339)));
}

/**
 * Makes a dialog, to be filled and then shown. The browser keeps the focus in it, closes it with Escape, and gives the focus back.
 * @param {string} title
 * @param {AbortSignal} screen when the screen behind it is left, it is closed
 * @returns {{dialog: HTMLDialogElement, signal: AbortSignal}} `signal`: when it is closed
 */
export function openDialog(title, screen) {
  const id = uniqueId("dialog");
  const closed = new AbortController();
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": id }, h("h2", { id }, title));
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
  });
  document.body.append(dialog);
  return { dialog, signal: AbortSignal.any([screen, closed.signal]) };
}

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
