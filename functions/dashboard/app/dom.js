// Building the page. Text is text and never markup: nothing here takes HTML, and no attribute that runs or styles anything is set.

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
