// Creating a key, and showing it: once, and only while this screen is there.

import { Refused, Unreachable } from "./api.js";
import { modeBadge } from "./organization.js";
import { call, mayWrite, tellOfChange } from "./session.js";

import { CallingForm, PATHS, announce, field, fill, h, icon, loaded, uniqueId, when } from "./ui.js";

/** @typedef {import("./api.js").CreatedKey} CreatedKey @typedef {import("./api.js").Env} Env */
/** @typedef {import("./main.js").Context} Context */

/** As the API has them. */
const LONGEST_NAME = 255;
const MOST_DAYS = 3650;
const NOT_IN_NAMES = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const LIFETIMES = [["30", "30 days"], ["90", "90 days"], ["365", "1 year"], ["other", "Another number of days"], ["never", "It does not expire"]];

/** @param {Context} context @returns {import("./main.js").Screen} */
export function newKeyScreen(context) {
  const place = h("div", { class: "sections" });
  const title = h("h1", { tabindex: "-1" }, "Create a key");
  const lead = h("p", { class: "lead" }, "It is for your servers. Give every place that uses keys its own name, so that you know later what a key was for.");
  const fetched = () => Promise.all([context.look(), call("GET", "auth/api-keys?limit=1")]);
  /** @type {((env: Env) => void) | null} */
  let modeIs = null;
  loaded(place, context.signal, fetched, ([organization, page]) => {
    if (!mayWrite()) return [instead("Your role can look at keys, and not create them.", "Ask an owner or an admin of your organization to create one.")];
    if (page.keys[0]?.status === "active") {
      return [instead(`There is an active key: ${page.keys[0].key_name}.`, "Your organization has one active key at a time. Revoke that one first, then come back.")];
    }
    const form = keyForm(context, (created) => {
      modeIs = null;
      showOnce({ context, created, place, title, lead });
    });
    modeIs = form.modeIs;
    modeIs(organization.current_env);
    return [form.element];
  });
  return {
    title: "Create a key",
    content: h("div", { class: "screen narrow" }, title, lead, place),
    // What was typed stays: only what is said of the mode changes.
    refresh: () => modeIs?.(context.organization().current_env),
  };
}

/** @param {string} what @param {string} todo */
function instead(what, todo) {
  return h("section", { class: "card empty" }, h("h2", {}, what), h("p", {}, todo), h("a", { class: "button", href: "#/keys" }, "Go to API keys"));
}

/** @param {Context} context @param {(created: CreatedKey) => void} done */
function keyForm(context, done) {
  const name = field({ label: "Name", name: "key_name", type: "text", hint: "What will use it, such as “Checkout server”.", autocomplete: "off", autocapitalize: "sentences" });
  const id = uniqueId("lifetime");
  const lifetime = h("select", { id, name: "lifetime", "aria-describedby": `${id}-hint` },
    LIFETIMES.map(([value, text]) => h("option", { value, selected: value === "365" }, text)));
  const hint = h("p", { class: "hint", id: `${id}-hint` });
  const days = field({ label: "Days until it expires", name: "days", type: "text", inputmode: "numeric", maxlength: 4, autocomplete: "off" });
  const mode = h("p", { class: "form-mode" });
  const button = h("button", { class: "button primary", type: "submit" }, "Create the key");
  const calling = new CallingForm({ signal: context.signal, button, busy: "Creating…" });
  const chosen = () => (lifetime.value === "never" ? null : Number(lifetime.value === "other" ? days.input.value || NaN : lifetime.value));
  const tell = () => {
    days.element.hidden = lifetime.value !== "other";
    const number = chosen();
    fill(hint, ...(number === null ? ["It works until you revoke it. A key that expires does less harm when it leaks."]
      : isLifetime(number) ? ["It stops working on ", when(new Date(Date.now() + number * 86_400_000).toISOString()), "."] : [" "]));
  };
  lifetime.addEventListener("change", tell);
  days.input.addEventListener("input", tell);
  tell();

  const request = repeatable();
  const element = h("form", {
    class: "card form", method: "post", novalidate: true,
    submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const typed = name.input.value.trim();
      const number = chosen();
      const wrongName = whatIsWrong(typed);
      const wrongDays = number === null || isLifetime(number) ? "" : `Type a whole number from 1 to ${MOST_DAYS}.`;
      name.wrong(wrongName);
      days.wrong(wrongDays);
      if (wrongName || wrongDays) return (wrongName ? name : days).input.focus();
      const asked = { key_name: typed, ...(number === null ? {} : { expires_in_days: number }) };
      calling.run(() => request(asked), done, (error) => explained(error, name.wrong));
    },
  },
  mode, name.element,
  h("div", { class: "field" }, h("label", { for: id }, "Expiry"), lifetime, hint),
  days.element,
  h("div", { class: "buttons" }, h("a", { class: "button", href: "#/keys" }, "Cancel"), button),
  calling.notice.element);
  return {
    element,
    /** @param {Env} env */
    modeIs: (env) => fill(mode, modeBadge(env), env === "live" ? "This will be a live key: it moves real money." : "This will be a test key: no real money moves."),
  };
}

/** @param {number} days */
function isLifetime(days) {
  return Number.isInteger(days) && days >= 1 && days <= MOST_DAYS;
}

/** @param {string} name */
function whatIsWrong(name) {
  if (!name) return "Give the key a name.";
  if ([...name].length > LONGEST_NAME) return `Make the name shorter: ${LONGEST_NAME} characters at most.`;
  return NOT_IN_NAMES.test(name) ? "The name has an invisible character in it. Type it anew." : "";
}

/** @param {unknown} error @param {(text: string) => void} wrong @returns {string | null} */
function explained(error, wrong) {
  if (error instanceof Unreachable) {
    return `${error.offline ? "You are offline" : "Syncgram Pay did not answer"}. Send it again as it is: you will not get two keys.`;
  }
  if (!(error instanceof Refused)) return null;
  const aboutName = error.fields.find(({ field: named }) => named === "key_name");
  if (aboutName) wrong(`The name ${aboutName.message}.`);
  if (error.code === "rate_limited") return "A person can create one key a minute.";
  if (error.code === "onboarding_incomplete") return "Your organization may not have live keys yet. The overview lists what is missing.";
  return null;
}

/**
 * Asks for a key so that the same form, sent again, gives the same key: whether the first try was carried out is not known when its answer
 * was lost. Another form is another request.
 */
function repeatable() {
  let before = "";
  let idempotencyKey = "";
  return async (/** @type {object} */ asked) => {
    if (JSON.stringify(asked) !== before) idempotencyKey = crypto.randomUUID();
    before = JSON.stringify(asked);
    const created = await call("POST", "auth/api-keys", { ...asked, idempotency_key: idempotencyKey });
    // It gets the key for a day: nothing keeps it once the key is shown.
    before = idempotencyKey = "";
    return created;
  };
}

/**
 * Shows the key. When the screen is left, it is gone from the page, and nothing here refers to it any more.
 * @param {{context: Context, created: CreatedKey, place: Element, title: HTMLElement, lead: HTMLElement}} options
 */
function showOnce({ context, created, place, title, lead }) {
  tellOfChange();
  const { env, key_name } = created;
  const shown = h("code", {}, created.key);
  const copied = h("p", { class: "copied", role: "status" });
  const copy = h("button", { class: "button primary", type: "button" }, icon(PATHS.copy), "Copy the key");
  context.signal.addEventListener("abort", () => {
    shown.textContent = "";
    created.key = "";
  });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent ?? "");
      copied.textContent = "Copied. Paste it where your server reads its secrets, now.";
    } catch {
      getSelection()?.selectAllChildren(shown);
      copied.textContent = "Your browser did not let us copy it. It is selected: press Ctrl+C, or ⌘C on a Mac.";
    }
  });
  title.textContent = "Here is your key";
  fill(lead, "This is the only time that you see it. When you leave this page it is gone, and nobody can bring it back.");
  fill(place, h("section", { class: "card once" },
    h("p", { class: "big" }, modeBadge(env), h("span", { class: "name" }, key_name)),
    env !== context.organization().current_env && h("p", { class: "remark" }, `The mode was switched meanwhile: this is a ${env} key.`),
    h("div", { class: "key", role: "group", "aria-label": "Your key" }, shown),
    h("div", { class: "copy-row" }, copy, copied),
    h("h2", {}, "Where to put it"),
    h("ul", { class: "advice" },
      h("li", {}, "In your server's secret store, or in an environment variable such as ", h("code", {}, "SYNCGRAM_API_KEY"), "."),
      h("li", {}, "Never in an app, a web page, a repository, a ticket or a chat: whoever has it acts as your organization."),
      h("li", {}, "If it ever leaks, revoke it here. It is refused from the very next request.")),
    h("h2", {}, "Try it"),
    h("p", { class: "muted" }, "On your server, with the variable set, this shows your organization:"),
    h("pre", { tabindex: "0", role: "region", "aria-label": "A command to try the key" },
      h("code", {}, `curl -H "Authorization: Bearer $SYNCGRAM_API_KEY" \\\n  ${new URL("api/v1/organizations/me", document.baseURI)}`)),
    h("div", { class: "buttons" }, h("a", { class: "button", href: "#/keys" }, "I have put it away"))));
  context.look().catch(() => {});
  announce("The key was created. Copy it now: it is shown only this once.");
  title.focus();
}
