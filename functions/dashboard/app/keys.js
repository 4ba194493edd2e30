// The API keys: the active one, the earlier ones, and revoking.

import { Refused } from "./api.js";
import { modeBadge } from "./organization.js";
import { call, mayWrite, tellOfChange } from "./session.js";

import { CallingForm, field, fill, h, loaded, openDialog, when } from "./ui.js";

/** @typedef {import("./api.js").Key} Key @typedef {import("./api.js").KeyPage} KeyPage */
/** @typedef {import("./main.js").Context} Context */

/** Expires within this many days: time for a new one. */
const SOON = 14;
const DAY = 86_400_000;

/** @param {Context} context @returns {import("./main.js").Screen} */
export function keysScreen(context) {
  const place = h("div", { class: "sections" });
  const fetched = () => Promise.all([context.look(), call("GET", "auth/api-keys")]);
  const refresh = () => loaded(place, context.signal, fetched, ([organization, page]) => drawn(context, organization.current_env, page, refresh));
  refresh();
  return {
    title: "API keys",
    content: h("div", { class: "screen" },
      h("h1", { tabindex: "-1" }, "API keys"),
      h("p", { class: "lead" }, "Your servers show a key with every call. Your organization has one active key at a time."), place),
    refresh,
  };
}

/** @param {Context} context @param {import("./api.js").Env} env @param {KeyPage} page @param {() => void} refresh */
function drawn(context, env, page, refresh) {
  const active = page.keys.find((key) => key.status === "active");
  const earlier = page.keys.filter((key) => key !== active);
  const revoked = () => {
    refresh();
    context.refocus();
  };
  return [
    active ? activeKey(context, env, active, revoked) : noKey(env, earlier.length > 0),
    ...(earlier.length > 0 ? [earlierKeys(context, earlier, page.next_cursor)] : []),
  ];
}

/** @param {Context} context @param {import("./api.js").Env} env @param {Key} key @param {() => void} revoked */
function activeKey(context, env, key, revoked) {
  const daysLeft = key.expires_at ? (Date.parse(key.expires_at) - Date.now()) / DAY : Infinity;
  return h("section", { class: "card" },
    h("h2", {}, "Active key"),
    h("p", { class: "big" }, modeBadge(key.env), h("span", { class: "name" }, key.key_name)),
    h("dl", { class: "facts" },
      fact("Key", h("code", {}, key.hint)),
      fact("Created", when(key.created_at, true)),
      fact("Expires", key.expires_at ? when(key.expires_at, true) : "Never")),
    daysLeft < SOON && h("p", { class: "remark" }, "It expires soon. Plan to revoke it and to create the next one, then give that to your servers."),
    key.env !== env && h("p", { class: "remark" },
      `This is a ${key.env} key, and your organization is in ${env} mode. It keeps working${key.env === "live" ? ", with real money," : ""} until you revoke it.`),
    mayWrite()
      ? h("div", { class: "row" },
          h("p", { class: "grow muted" }, "To get a new key, revoke this one first."),
          h("button", { class: "button danger", type: "button", click: () => askToRevoke(context, key, revoked) }, "Revoke…"))
      : h("p", { class: "muted" }, "Only an owner or an admin of your organization can revoke it."));
}

/** @param {import("./api.js").Env} env @param {boolean} hadSome */
function noKey(env, hadSome) {
  return h("section", { class: "card empty" },
    h("h2", {}, hadSome ? "No active key" : "No key yet"),
    h("p", {}, hadSome
      ? "All earlier keys are revoked or expired, so your servers cannot call Syncgram Pay now."
      : "With a key, your servers can call Syncgram Pay. You see it once, put it where only your servers read it, and name it after what uses it."),
    h("p", { class: "muted" }, `Your organization is in ${env} mode, so the next key is a ${env} key.`),
    mayWrite()
      ? h("a", { class: "button primary", href: "#/keys/new" }, "Create a key")
      : h("p", { class: "muted" }, "Only an owner or an admin of your organization can create one: ask one of them."));
}

/** @param {Context} context @param {Key[]} keys @param {string | null} cursor */
function earlierKeys(context, keys, cursor) {
  const list = h("ul", { class: "earlier" }, keys.map(earlierKey));
  const more = h("div", { class: "more" });
  /** @param {string | null} next */
  const offer = (next) => fill(more, next && h("button", {
    class: "button", type: "button",
    click: () => loaded(more, context.signal, () => call("GET", `auth/api-keys?cursor=${encodeURIComponent(next)}`), (page) => {
      const items = page.keys.map(earlierKey);
      list.append(...items);
      // The button is gone: whoever used the keyboard goes on with what it brought.
      items[0]?.focus();
      queueMicrotask(() => offer(page.next_cursor));
      return [];
    }),
  }, "Show more"));
  offer(cursor);
  return h("section", { class: "card" }, h("h2", {}, "Earlier keys"), list, more);
}

/** @param {Key} key */
function earlierKey(key) {
  const end = key.revoked_at ?? key.expires_at;
  return h("li", { tabindex: "-1" },
    h("p", { class: "earlier-name" }, modeBadge(key.env), h("span", { class: "name" }, key.key_name)),
    h("p", { class: "muted" }, h("code", {}, key.hint)),
    h("p", { class: "muted" }, key.status === "revoked" ? "Revoked " : "Expired ", end && when(end)));
}

/** @param {string} name @param {Node | string} value */
function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

/** @param {Context} context @param {Key} key @param {() => void} done */
function askToRevoke(context, key, done) {
  const { dialog, signal } = openDialog("Revoke this key?", context.signal);
  const button = h("button", { class: "button danger", type: "submit" }, "Revoke the key");
  const calling = new CallingForm({ signal, button, busy: "Revoking…" });
  const name = field({ label: "Type the key's name to go on", name: "key-name", type: "text", autocomplete: "off", autofocus: true });
  dialog.append(h("form", {
    class: "form", method: "post", novalidate: true,
    submit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const right = same(name.input.value, key.key_name);
      name.wrong(right ? "" : `That is not its name. Type ${key.key_name} to revoke it, or cancel.`);
      if (!right) return name.input.focus();
      calling.run(() => call("DELETE", `auth/api-keys/${key.api_key_id}`), () => {
        tellOfChange();
        dialog.close();
        done();
      }, (error) => (error instanceof Refused && error.code === "not_found" ? "This key does not exist any more. Cancel, and reload the page." : null));
    },
  },
  h("p", {}, "Every call with ", h("strong", { class: "name" }, key.key_name), ` (${key.hint}) is refused from the very next one on. This cannot be undone.`),
  key.env === "live" && h("p", { class: "remark" }, "It is a live key: your servers take no payments until they have a new one."),
  name.element,
  h("div", { class: "buttons" },
    h("button", { class: "button", type: "button", click: () => dialog.close() }, "Cancel"), button),
  calling.notice.element));
  dialog.showModal();
}

/** Whether two names look the same to whoever types one. @param {string} one @param {string} other */
function same(one, other) {
  const plain = (/** @type {string} */ text) => text.normalize("NFC").trim();
  return plain(one) === plain(other);
}
