// One session for all tabs of a browser: it survives races, lost answers and expiry, it ends everywhere at once, and no script can read
// what it is made of.

import assert from "node:assert/strict";
import { ACORN, BIRCH, createKey, devstack, fromTheStart, goTo, keyOn, moveClock, onOverview, open, signIn, signedIn, stage, test } from "./browser.mjs";
import { to } from "./proxy.mjs";

/** Longer than an access token lives, in seconds. */
const EXPIRED = 901;
const REFRESH = to("POST", "/auth/refresh");

const refreshes = () => stage.proxy.seen.filter(REFRESH);
const pressRevisit = async (page) => {
  await goTo(page, "#/keys");
  await goTo(page, "#/");
};

async function noReuse() {
  const lines = await devstack("logs");
  assert.ok(!JSON.stringify(lines).includes("reuse_session_revoked"), "a refresh token was used twice");
}

test("two tabs that need a refresh at the same moment make two, one after the other, and stay signed in", async () => {
  const first = await signedIn(ACORN);
  const second = await open();
  await onOverview(second);
  await moveClock(EXPIRED);
  const before = refreshes().length;
  const held = stage.proxy.hold(REFRESH, { after: true, most: 1 });
  await goTo(first, "#/keys");
  await held.arrived;
  await goTo(second, "#/keys");
  // The second one waits for the lock; without one it would have sent its own by now.
  await second.waitForFunction(async (sent) => {
    const { pending = [] } = await navigator.locks.query();
    return pending.length > 0 || performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("/auth/refresh")).length > sent;
  }, 1);
  assert.equal(refreshes().length - before, 1, "one at a time");
  held.release();
  for (const page of [first, second]) await page.getByRole("heading", { level: 2 }).first().waitFor();
  assert.deepEqual(refreshes().slice(before).map((exchange) => exchange.status), [200, 200]);
  await noReuse();
});

test("a refresh whose answer is lost is asked for again with the same key, even by the page after a reload", async () => {
  const page = await signedIn(ACORN);
  await moveClock(EXPIRED);
  let before = refreshes().length;
  stage.proxy.lose(REFRESH, 1);
  await pressRevisit(page);
  await onOverview(page);
  const repeated = refreshes().slice(before).map((exchange) => exchange.headers["idempotency-key"]);
  assert.equal(repeated.length, 2);
  assert.equal(repeated[0], repeated[1]);

  await moveClock(EXPIRED);
  before = refreshes().length;
  const held = stage.proxy.hold(REFRESH, { after: true, most: 1 });
  await goTo(page, "#/keys");
  await held.arrived;
  // The devstack has rotated, and the page that asked is no more.
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
  held.release();
  const over = refreshes().slice(before).map((exchange) => exchange.headers["idempotency-key"]);
  assert.equal(over.length, 2);
  assert.equal(over[0], over[1]);
  await noReuse();
});

test("the session ends while a form is open: one signs in again in place, and what was typed is there and is sent", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill("Half typed");
  await page.getByLabel("Expiry").selectOption("90");
  // The access token has expired: nobody notices.
  await moveClock(EXPIRED);
  // The session is over as well: 30 days from the login.
  await moveClock(31 * 86_400);
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("Sign in again to go on where you are").waitFor();
  assert.equal(await page.getByLabel("Email address").inputValue(), ACORN.owner);
  const reached = await page.evaluate(() => {
    const behind = /** @type {HTMLElement} */ (document.querySelector("#page input"));
    behind.focus();
    return document.activeElement === behind;
  });
  assert.equal(reached, false, "what is behind the dialog is out of reach");
  await signIn(page, ACORN.owner);
  assert.match(await keyOn(page), /^sk_test_/);
  await page.getByText("Half typed").waitFor();
});

test("an access token that expires while a form is open is replaced without a word", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill("Patience");
  await moveClock(EXPIRED);
  const before = refreshes().length;
  await page.getByRole("button", { name: "Create the key" }).click();
  assert.match(await keyOn(page), /^sk_test_/);
  assert.equal(refreshes().length - before, 1);
});

test("a refresh comes before the token ends, not only after a refusal", async () => {
  const page = await stage.context.newPage();
  await page.clock.install();
  await page.goto(stage.proxy.url);
  await signIn(page, ACORN.owner);
  await onOverview(page);
  await page.clock.fastForward(14 * 60_000 + 1_000);
  const from = stage.proxy.seen.length;
  await goTo(page, "#/keys");
  await page.getByRole("heading", { level: 2 }).first().waitFor();
  const calls = stage.proxy.seen.slice(from).map((exchange) => [exchange.path.split("/").at(-1), exchange.status]);
  assert.deepEqual(calls[0], ["refresh", 200]);
  assert.ok(calls.every(([, status]) => status === 200), JSON.stringify(calls));
});

test("whoever signs in again in place as somebody else does not send what was begun", async () => {
  await fromTheStart(ACORN);
  await fromTheStart(BIRCH);
  const page = await signedIn(ACORN);
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill("Not mine");
  await moveClock(31 * 86_400);
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("Sign in again to go on where you are").waitFor();
  const from = stage.proxy.seen.length;
  await signIn(page, BIRCH.owner);
  await page.getByRole("heading", { level: 1, name: BIRCH.name }).waitFor();
  await onOverview(page);
  assert.deepEqual(stage.proxy.seen.slice(from).filter(to("POST", "/auth/api-keys")), []);
});

test("signing out in one tab signs out the other, and what it waited for", async () => {
  const first = await signedIn(ACORN);
  const second = await open();
  await onOverview(second);
  await first.getByRole("button", { name: "Sign out" }).click();
  await first.getByText("You are signed out, in every tab.").waitFor();
  await second.getByText("You signed out in another tab.").waitFor();
  assert.equal(await second.getByText(ACORN.name).count(), 0);
  assert.deepEqual(await stage.context.cookies(), []);
  // Signing in is for all tabs too.
  await signIn(first, ACORN.owner);
  await onOverview(first);
  await onOverview(second);
});

test("two tabs whose session is over: signing in again in one is enough for both", async () => {
  const first = await signedIn(ACORN);
  const second = await open();
  await onOverview(second);
  await moveClock(31 * 86_400);
  for (const page of [first, second]) {
    await goTo(page, "#/keys");
    await page.getByText("Sign in again to go on where you are").waitFor();
  }
  await signIn(first, ACORN.owner);
  for (const page of [first, second]) {
    await page.getByRole("heading", { level: 2 }).first().waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
  }
});

test("who is offline is told that they are not signed out yet", async () => {
  const page = await signedIn(ACORN);
  await stage.context.setOffline(true);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are still signed in. You are offline.").waitFor();
  await stage.context.setOffline(false);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out, in every tab.").waitFor();
});

test("a switch in one tab is seen in the other", async () => {
  await fromTheStart(BIRCH);
  const first = await signedIn(BIRCH);
  const second = await open();
  await onOverview(second);
  await goTo(second, "#/keys/new");
  await second.getByLabel("Name", { exact: true }).fill("Kept");
  await second.getByText("This will be a test key").waitFor();
  await first.getByRole("button", { name: "Switch to live mode…" }).click();
  await first.getByRole("dialog").getByRole("button", { name: "Switch to live mode" }).click();
  await second.getByRole("region", { name: "Mode" }).getByText("Live mode").waitFor();
  await second.getByText("This will be a live key").waitFor();
  assert.equal(await second.getByLabel("Name", { exact: true }).inputValue(), "Kept");
});

test("no token is in any storage, in a cookie that scripts see, or in the page", async () => {
  await fromTheStart(ACORN);
  const tokens = new Set();
  stage.context.on("response", async (response) => {
    const text = response.url().includes("/api/v1/") ? await response.text().catch(() => "") : "";
    for (const [token] of text.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+|rt_[\w-]+/g)) tokens.add(token);
  });
  const page = await signedIn(ACORN);
  await createKey(page, "Storage");
  await goTo(page, "#/keys");
  await page.getByRole("heading", { name: "Active key" }).waitFor();
  const [cookie] = await stage.context.cookies();
  assert.deepEqual({ ...cookie, value: "", expires: 0 }, {
    name: cookie.name, value: "", domain: "127.0.0.1", path: "/", expires: 0, httpOnly: true, secure: true, sameSite: "Strict",
  });
  assert.match(cookie.name, /^__Host-/);
  assert.ok(tokens.size > 0);
  assert.ok(![...tokens].some((token) => token.startsWith("rt_")), "no answer holds a refresh token");
  tokens.add(decodeURIComponent(cookie.value));
  const found = await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const stored = (/** @type {Storage} */ storage) => Object.entries({ ...storage }).flat();
    const properties = [...document.querySelectorAll("input, select")].map((input) => /** @type {HTMLInputElement} */ (input).value);
    return {
      texts: [document.cookie, location.href, window.name, JSON.stringify(history.state), document.documentElement.outerHTML,
        ...stored(localStorage), ...stored(sessionStorage), ...properties],
      databases: databases.length,
      caches: (await caches.keys()).length,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
    };
  });
  assert.deepEqual({ ...found, texts: [] }, { texts: [], databases: 0, caches: 0, workers: 0 });
  for (const text of found.texts) {
    for (const token of tokens) assert.ok(!text.includes(token), "a token is where scripts can read it");
    assert.doesNotMatch(text, /eyJ[\w-]{20}|rt_[\w-]{20}/);
  }
});
