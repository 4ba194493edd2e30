// What stands around every screen: the mode, the organization, the ways to the screens, and the way out.

import { MODES } from "./organization.js";
import { Notice, fill, h } from "./ui.js";

/** @typedef {import("./api.js").Organization} Organization */

const WAYS = [["#/", "Overview"], ["#/keys", "API keys"]];

/**
 * @param {{organization: Organization, person: import("./session.js").Person, signOut: (notice: Notice) => void}} options
 */
export function frameFor({ organization, person, signOut }) {
  const bar = h("div", { class: "mode", role: "region", "aria-label": "Mode" });
  const nameOfOrganization = h("span", { class: "org-name" });
  const links = WAYS.map(([hash, text]) => h("a", { href: hash }, text));
  const notice = new Notice();
  const main = h("main", { class: "main", id: "main", tabindex: "-1" });
  const element = h("div", { class: "frame" },
    h("a", { class: "skip", href: "#main", click: (/** @type {Event} */ event) => {
      // The address is the screen's: a jump must not change it.
      event.preventDefault();
      main.focus();
    } }, "Skip to the content"),
    bar,
    h("header", { class: "top" },
      h("div", { class: "top-row" },
        h("p", { class: "brand" }, mark(), h("span", { class: "brand-name" }, "Syncgram Pay"), nameOfOrganization),
        h("div", { class: "account" },
          h("p", { class: "who" }, h("span", { class: "who-name" }, person.user.full_name),
            h("span", { class: "who-mail" }, `${person.user.email} · ${person.role}`)),
          h("button", { class: "button small", type: "button", click: () => signOut(notice) }, "Sign out"))),
      h("nav", { class: "ways", "aria-label": "Screens" }, links),
      h("div", { class: "top-notice" }, notice.element)),
    main);

  const frame = {
    element,
    person,
    organization,
    /** @param {Organization} now */
    show(now) {
      frame.organization = now;
      const mode = MODES[now.current_env];
      bar.className = `mode mode-${now.current_env}`;
      fill(bar, h("strong", {}, mode.name), h("span", {}, mode.means));
      nameOfOrganization.textContent = now.name;
    },
    /** @param {Node} content @param {string} hash */
    fill(content, hash) {
      notice.clear();
      fill(main, content);
      for (const link of links) {
        const here = link.hash === hash || (link.hash === "#/keys" && hash === "#/keys/new");
        if (here) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
    },
    /** @returns {HTMLElement | null} */
    title: () => main.querySelector("h1"),
  };
  frame.show(organization);
  return frame;
}

function mark() {
  // The document's own, so that it is drawn in one place only.
  return /** @type {Node} */ (document.querySelector(".mark")?.cloneNode(true) ?? "");
}
