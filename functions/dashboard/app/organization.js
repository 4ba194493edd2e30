// The organization at a glance: its mode and the switch, what is missing for going live, its key, and who it is.

import { call, mayWrite, person, tellOfChange } from "./session.js";
import { CallingForm, PATHS, fill, h, icon, loaded, openDialog, when } from "./ui.js";

/** @typedef {import("./api.js").Organization} Organization @typedef {import("./api.js").Key} Key @typedef {import("./api.js").Env} Env */

/** What the two modes are called, and what they mean. Said in words, for whoever does not see the colours. */
export const MODES = {
  test: { name: "Test mode", means: "Keys made now move no real money.", other: "live" },
  live: { name: "Live mode", means: "Keys made now move real money.", other: "test" },
};

/** @param {import("./api.js").Env} env */
export function modeBadge(env) {
  return h("span", { class: `badge badge-${env}` }, env === "live" ? "Live" : "Test");
}

const ONBOARDING = {
  NOT_STARTED: "Not started. Give Syncgram Pay the details of your business to begin.",
  IN_PROGRESS: "In progress. Some details of your business are still missing or being checked.",
  COMPLETED: "Completed.",
};
const PAYMENTS = {
  DISABLED: "Not enabled yet. Syncgram Pay enables payments once it knows your business.",
  ENABLED: "Enabled.",
};

/** @param {import("./main.js").Context} context @returns {import("./main.js").Screen} */
export function overviewScreen(context) {
  const place = h("div", { class: "sections overview" });
  const refresh = () => loaded(place, context.signal, fetched, drawn);
  const fetched = () => Promise.all([context.look(), call("GET", "auth/api-keys?limit=1")]);
  /** @param {[Organization, import("./api.js").KeyPage]} values */
  const drawn = ([organization, page]) => {
    const switched = () => {
      refresh();
      context.refocus();
    };
    return [
      modeSection(context, organization, switched),
      organization.current_env === "test" && goingLive(organization),
      keySection(page.keys[0]),
      details(organization),
    ].filter((part) => part !== false);
  };
  refresh();
  return {
    title: "Overview",
    content: h("div", { class: "screen" },
      h("h1", { tabindex: "-1" }, context.organization().name),
      h("p", { class: "lead" }, `Hello ${person().user.full_name}. This is where your organization stands.`), place),
    refresh,
  };
}

/** @param {Organization} organization */
function mayGoLive(organization) {
  return organization.onboarding_status === "COMPLETED" && organization.payments_status === "ENABLED";
}

/** @param {import("./main.js").Context} context @param {Organization} organization @param {() => void} switched */
function modeSection(context, organization, switched) {
  const env = organization.current_env;
  const to = env === "live" ? "test" : "live";
  const offered = mayWrite() && (to === "test" || mayGoLive(organization));
  const why = mayWrite() ? "Live mode opens when everything under “Going live” is done."
    : "Only an owner or an admin of your organization can switch it.";
  return section("Mode", h("div", { class: "row" },
    h("div", { class: "grow" },
      h("p", { class: "big" }, h("span", { class: `swatch swatch-${env}` }), MODES[env].name),
      h("p", { class: "muted" }, env === "live"
        ? "New keys are live keys: what your servers do with them moves real money."
        : "New keys are test keys: build and try everything, no real money moves.")),
    offered
      ? h("button", { class: "button", type: "button", click: () => askToSwitch(context, to, switched) }, `Switch to ${to} mode…`)
      : h("p", { class: "muted why" }, why)));
}

/** @param {Organization} organization */
function goingLive(organization) {
  const steps = /** @type {const} */ ([
    ["Your business is known to us", ONBOARDING[organization.onboarding_status], organization.onboarding_status === "COMPLETED"],
    ["Payments are enabled", PAYMENTS[organization.payments_status], organization.payments_status === "ENABLED"],
  ]);
  const left = steps.filter(([, , done]) => !done).length;
  const words = left === 0 ? "Everything is done: your organization may switch to live mode."
    : `${left === 1 ? "One thing is" : "Two things are"} missing. Contact Syncgram Pay support if you wait for us.`;
  return section("Going live", h("p", { class: "muted" }, words),
    h("ul", { class: "steps-list" }, steps.map(([name, state, done]) =>
      h("li", { class: done ? "step done" : "step" }, icon(done ? PATHS.done : PATHS.missing),
        h("div", {}, h("p", { class: "step-name" }, name, h("span", { class: "visually-hidden" }, done ? ", done" : ", missing")),
          h("p", { class: "muted" }, state))))));
}

/** @param {Key | undefined} newest */
function keySection(newest) {
  const active = newest?.status === "active" ? newest : null;
  return section("API key", active
    ? h("div", { class: "row" },
        h("div", { class: "grow" },
          h("p", { class: "big" }, modeBadge(active.env), h("span", { class: "name" }, active.key_name)),
          h("p", { class: "muted" }, h("code", {}, active.hint), " · ",
            ...(active.expires_at ? ["expires ", when(active.expires_at)] : ["does not expire"]))),
        h("a", { class: "button", href: "#/keys" }, "Manage keys"))
    : h("div", { class: "row" },
        h("p", { class: "grow muted" }, "No active key. Your servers need one to call Syncgram Pay."),
        mayWrite() ? h("a", { class: "button primary", href: "#/keys/new" }, "Create a key")
          : h("p", { class: "muted why" }, "Only an owner or an admin can create one.")));
}

/** @param {Organization} organization */
function details(organization) {
  const country = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });
  const rows = /** @type {[string, string | Node][]} */ ([
    ["Organization ID", h("code", {}, organization.id)],
    ["Country", country.of(organization.country) ?? organization.country],
    ["With Syncgram Pay since", when(organization.created_at)],
    ["Your role", person().role],
  ]);
  const list = h("dl", { class: "facts" });
  fill(list, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const made = section("Details", list);
  made.classList.add("aside");
  return made;
}

/** @param {string} title @param {...(Node | string)} content */
function section(title, ...content) {
  return h("section", { class: "card" }, h("h2", {}, title), ...content);
}

/** What is said before a switch. */
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
function askToSwitch(context, to, done) {
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
