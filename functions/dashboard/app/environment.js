// Switching the environment: asked once more, in words that say what it means.

import { h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { call, tellOfChange } from "./session.js";
import { CallingForm } from "./waiting.js";

/** @typedef {import("./api.js").Env} Env */

const TEXTS = {
  live: {
    title: "Switch to live mode?",
    text: "Keys that you create from then on move real money. The whole organization is switched, for everybody in it.",
    key: "An active test key stays a test key. To get a live one, revoke it and create a new key.",
    button: "Switch to live mode",
  },
  test: {
    title: "Switch to test mode?",
    text: "Keys that you create from then on move no real money. The whole organization is switched, for everybody in it.",
    key: "An active live key keeps working, with real money, until you revoke it.",
    button: "Switch to test mode",
  },
};

/**
 * @param {import("./main.js").Context} context
 * @param {Env} to
 * @param {() => void} done
 */
export function askToSwitch(context, to, done) {
  const texts = TEXTS[to];
  const { dialog, signal } = openDialog(texts.title, context.signal);
  const button = h("button", { class: `button ${to === "live" ? "live" : "primary"}`, type: "submit" }, texts.button);
  const calling = new CallingForm({ signal, button, busy: "Switching…" });
  dialog.append(h("form", {
    class: "form", method: "post",
    submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      calling.run(
        () => call("PUT", `organizations/${context.organization().id}/environment`, { env: to }),
        (organization) => {
          context.show(organization);
          tellOfChange();
          dialog.close();
          done();
        },
      );
    },
  },
  h("p", {}, texts.text), h("p", {}, texts.key),
  h("div", { class: "buttons" },
    h("button", { class: "button", type: "button", autofocus: true, click: () => dialog.close() }, "Cancel"), button),
  calling.notice.element));
  dialog.showModal();
}
