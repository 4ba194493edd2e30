// A question in front of the screen. The browser keeps the focus in it, closes it with Escape, and gives the focus back.

import { h, uniqueId } from "./dom.js";

/**
 * Makes a dialog, to be filled and then shown.
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
