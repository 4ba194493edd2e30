// Breaks the page on purpose, once for each thing that is tested, and expects the test to notice: `BREAKS=1 tests/browser/run`.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** @type {[string, string, string, string, string][]} test file, beginning of the test's name, file of the app, what stands there, what is put there */
const BREAKS = [
  ["walk", "the whole walk", "keys.js", "if (!right) return name.input.focus();", ""],
  ["walk", "the whole walk", "new-key.js", "navigator.clipboard.writeText(shown.textContent", "navigator.clipboard.writeText(created.key_name"],
  ["walk", "the whole walk", "main.js", "  frame.show(organization);\n", ""],
  ["walk", "earlier keys come", "keys.js", "items[0]?.focus();", ""],
  ["session", "two tabs whose session is over", "main.js", "if (again) again.close(true);", "if (again) return;"],
  ["walk", "all of it by the keyboard", "main.js", "  scrollTo(0, 0);\n  frame.title()?.focus();", "  scrollTo(0, 0);"],
  ["walk", "all of it by the keyboard", "new-key.js", "  title.focus();", ""],
  ["walk", "whoever may only look", "session.js", `["owner", "admin"]`, `["owner", "admin", "viewer"]`],
  ["session", "two tabs that need", "session.js", "navigator.locks.request(LOCK, rotate)", "rotate()"],
  ["session", "a refresh whose answer is lost", "session.js", "remembered(PENDING) ?? this.memory ?? crypto.randomUUID()", "crypto.randomUUID()"],
  ["session", "a refresh whose answer is lost", "session.js", "remembered(PENDING) ?? this.memory", "this.memory"],
  ["session", "the session ends while", "session.js", "await page.signInAgain();", "throw error;"],
  ["session", "the session ends while", "sign-in.js", "dialog.showModal();", "dialog.show();"],
  ["session", "an access token that expires", "session.js", "error.status === 401 && tries < 3", "error.status === 402"],
  ["session", "a refresh comes before", "session.js", "Date.now() < access.freshUntil", "true"],
  ["session", "whoever signs in again in place", "session.js", "if (whose !== asker) throw new SignedOut();", ""],
  ["session", "signing out in one tab", "session.js", `tabs.postMessage("signed-out");`, ""],
  ["session", "who is offline", "session.js", "if (error instanceof Refused && error.status === 401) return false;\n    throw error;", "return true;"],
  ["session", "a switch in one tab", "organization.js", "tellOfChange();", ""],
  ["session", "no token is in any storage", "session.js", `remember(SEEN, "yes");`, "remember(SEEN, access_token);"],
  ["session", "no token is in any storage", "session.js", "  whose = user.id;\n", "  whose = user.id;\n  document.documentElement.dataset.token = access_token;\n"],
  ["key", "the key is gone", "new-key.js", `shown.textContent = "";`, "window.last = created.key;"],
  ["key", "the key is gone", "new-key.js", "  title.focus();", "  window.last = created.key;\n  title.focus();"],
  ["key", "a page with the key", "main.js", `addEventListener("pagehide", () => {`, `addEventListener("never", () => {`],
  ["key", "a reload does not", "new-key.js", "  title.focus();", "  title.focus();\n  sessionStorage.setItem('kept', created.key);"],
  ["network", "offline and back", "ui.js", `addEventListener("online", again`, `addEventListener("never", again`],
  ["network", "what takes long", "ui.js", "const SLOW = 4_000;", "const SLOW = 40_000;"],
  ["network", "what failed can be tried again", "ui.js", "click: () => loaded(place", "click: () => void (place"],
  ["network", "a page that is no answer", "api.js", "return JSON.parse(text) ?? {};\n  } catch {\n    return {};", "return JSON.parse(text) ?? {};\n  } catch {\n    return null;"],
  ["network", "a creation whose answer is lost", "new-key.js", "if (JSON.stringify(asked) !== before) ", ""],
  ["network", "the page opens while", "main.js", "if (!signal.aborted) showDoor(`We could not", "if (false) showDoor(`We could not"],
  ["network", "the organization that cannot", "main.js", "click: enter }", "click: showDoor }"],
  ["network", "a form sends once", "ui.js", "if (this.running || this.waiting) return;", ""],
  ["limits", "a wrong password", "sign-in.js", "() => send(\"POST\", \"auth/login\"", "() => (address.value = \"\", send)(\"POST\", \"auth/login\""],
  ["limits", "fields are looked at", "sign-in.js", "if (wrong.some(Boolean)) {", "if (false) {"],
  ["limits", "each wrong code", "sign-in.js", "triesLeft -= 1;", ""],
  ["limits", "ten wrong codes", "ui.js", "this.waiting = true;", ""],
  ["limits", "ten wrong codes", "ui.js", "      this.ready();\n      this.notice.working(\"You can", "      this.notice.working(\"You can"],
  ["limits", "a new code can be had", "sign-in.js", "      left -= 1;", ""],
  ["limits", "a code asked for too soon", "sign-in.js", "if (error instanceof Refused && error.retryAfter) hold(error.retryAfter);", ""],
  ["limits", "a person creates one key", "ui.js", "error.status === 429", "error.status === 428"],
  ["limits", "a key that somebody else", "api.js", "  active_key_exists:", "  other:"],
  ["limits", "names and numbers", "new-key.js", "[...name].length", "name.length"],
  ["looks", "every screen in the light", "app.css", "--muted: #535a75", "--muted: #a0a6bc"],
  ["looks", "every screen in the light", "app.css", ".facts code {", ".facts code { white-space: nowrap; overflow-wrap: normal; min-width: 30rem; display: block;"],
  ["looks", "every screen in the dark", "app.css", "--danger: #ff9b93", "--danger: #802018"],
  ["looks", "every screen in the dark", "ui.js", "h(\"label\", { for: id }, label)", "h(\"label\", {}, label)"],
  ["first-paint", "the first paint", "index.html", "type=\"submit\" disabled", "type=\"submit\""],
  ["first-paint", "the first paint", "app.css", ".notice-status { min-height: 1.5em;", ".button { min-height: 9rem } .steps:has(input:enabled) .button { min-height: 1rem } .notice-status { min-height: 1.5em;"],
  ["first-paint", "everything together", "icon.svg", "<svg ", `<!--${"pay".repeat(20_000)}--><svg `],
  ["first-paint", "a second visit", "main.js", "start();\n", "start();\nfetch(`dashboard/${Math.random()}`);\n"],
  ["first-paint", "the policy holds", "index.html", "</body>", "<p style=\"color: red\"></p></body>"],
];

const only = new RegExp(process.env.ONLY ?? "");
const chosen = BREAKS.filter(([, name]) => only.test(name));
let unnoticed = 0;
for (const [file, name, asset, from, into] of chosen) {
  const patches = asset === "app.css" ? [{ file: "index.html", from, to: into }] : [{ file: asset, from, to: into }];
  const { status, stdout } = spawnSync(process.execPath, ["--test", `--test-name-pattern=${name}`, join(here, `${file}.test.mjs`)], {
    env: { ...process.env, BREAK: JSON.stringify(patches), PATIENCE: "4000", SCREENS: join(here, "screens-of-breaks") }, encoding: "utf8",
  });
  // That the page is not served at all would be noticed by any test.
  const asMeant = !stdout.includes("nothing to break") && /^# fail [1-9]/m.test(stdout);
  const why = /error: (?:\|-\s*)?(.*)/.exec(stdout)?.[1] ?? "";
  if (status === 0 || !asMeant) unnoticed += 1;
  console.log(`${status === 0 || !asMeant ? "NOT NOTICED" : "noticed"}: ${name}: ${asset}: ${JSON.stringify(from).slice(0, 60)}: ${why.slice(0, 110)}`);
}
console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
process.exitCode = unnoticed > 0 ? 1 : 0;
