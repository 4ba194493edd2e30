// A browser in front of the devstack, and what every test does with it. Whatever a test is about, afterwards no policy was violated, no
// script failed, and nothing on the page moved by itself.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, afterEach, before, beforeEach, test as nodeTest } from "node:test";
import { chromium } from "playwright-core";
import { startProxy } from "./proxy.mjs";

const DEVSTACK = process.env.BASE_URL ?? "";
export const PASSWORD = "demo-password-123";
export const ACORN = { owner: "owner@acorn.example", admin: "admin@acorn.example", viewer: "viewer@acorn.example", name: "Acorn Books", id: "org_01J0ACRN000000000000000000", viewerId: "usr_01J0ACRN000000000000000003" };
export const BIRCH = { owner: "owner@birch.example", name: "Birch Coffee", id: "org_01J0B1RCH00000000000000000" };

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const test = nodeTest;

/** What stands around the tests of a file: one browser, and a proxy and a context for each test. */
export const stage = {
  /** @type {import("playwright-core").Browser} */ browser: /** @type {any} */ (null),
  /** @type {Awaited<ReturnType<typeof startProxy>>} */ proxy: /** @type {any} */ (null),
  /** @type {import("playwright-core").BrowserContext} */ context: /** @type {any} */ (null),
  /** @type {string[]} what went wrong that no test expects */ wrong: [],
};

before(async () => {
  stage.browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    // Pages come back from the browser's memory as they do for people.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
});
after(() => stage.browser.close());

beforeEach(async () => {
  stage.wrong = [];
  stage.proxy = await startProxy(DEVSTACK);
  stage.context = await newContext();
});
afterEach(async () => {
  await stage.context.close();
  await stage.proxy.close();
  assert.deepEqual(stage.wrong, [], "policy violations, failed scripts and layout shifts");
});

/** @param {import("playwright-core").BrowserContextOptions} [options] */
export async function newContext(options = {}) {
  const context = await stage.browser.newContext({ viewport: { width: 1200, height: 800 }, colorScheme: "light", ...options });
  context.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.exposeBinding("reportToTest", (_, text) => stage.wrong.push(text));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => window["reportToTest"](`policy: ${event.violatedDirective} ${event.blockedURI}`));
    addEventListener("unhandledrejection", (event) => window["reportToTest"](`unhandled: ${event.reason}`));
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const shift = /** @type {any} */ (entry);
        const what = shift.sources.map((source) => source.node?.className || source.node?.nodeName).join(", ");
        if (!shift.hadRecentInput) window["reportToTest"](`layout shift ${shift.value}: ${what}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  context.on("page", (page) => {
    page.on("pageerror", (error) => stage.wrong.push(`script: ${error.stack}`));
    page.on("console", (message) => {
      const text = message.text();
      // What a server refuses is in the console too; that is no fault of the page.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) stage.wrong.push(`console: ${text}`);
    });
  });
  return context;
}

/** The dashboard in a new tab. @param {import("playwright-core").BrowserContext} [context] */
export async function open(context = stage.context) {
  const page = await context.newPage();
  await page.goto(stage.proxy.url);
  return page;
}

/** @param {string} path @param {object} [body] what is posted; without, it is a GET */
export async function devstack(path, body) {
  const response = await fetch(`${DEVSTACK}/_devstack/${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {});
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

/** @param {number} seconds */
export const moveClock = (seconds) => devstack("clock/advance", { seconds });

/** The newest code. @param {string} email */
export async function codeFor(email) {
  const [newest] = await devstack(`mailbox?to=${encodeURIComponent(email)}`);
  return newest.code;
}

/** A call as a server or a script makes it, past the browser. @param {string} method @param {string} path @param {any} [body] @param {string} [token] */
export async function api(method, path, body, token) {
  const response = await fetch(`${DEVSTACK}/api/v1/${path}`, {
    method,
    headers: { ...(body ? { "content-type": "application/json" } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, data: text ? JSON.parse(text).data : null };
}

/** An access token, past the browser. @param {string} email */
export async function tokenOf(email) {
  const { data } = await api("POST", "auth/login", { email, password: PASSWORD });
  const verified = await api("POST", "auth/login/2fa/verify", { challenge_id: data.challenge_id, code: await codeFor(email) });
  assert.equal(verified.status, 200);
  return verified.data.access_token;
}

/** Test mode, no active key, and one may be created at once. @param {{owner: string, id: string}} organization */
export async function fromTheStart(organization) {
  await moveClock(901);
  const token = await tokenOf(organization.owner);
  const { data } = await api("GET", "auth/api-keys", undefined, token);
  for (const key of data.keys) {
    if (key.status === "active") assert.equal((await api("DELETE", `auth/api-keys/${key.api_key_id}`, undefined, token)).status, 200);
  }
  assert.equal((await api("PUT", `organizations/${organization.id}/environment`, { env: "test" }, token)).status, 200);
  return token;
}

/** Both steps, on the page or in a dialog. @param {import("playwright-core").Page} page @param {string} email */
export async function signIn(page, email) {
  await firstStep(page, email);
  await page.getByLabel("Code", { exact: true }).fill(await codeFor(email));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** @param {import("playwright-core").Page} page @param {string} email @param {string} [password] */
export async function firstStep(page, email, password = PASSWORD) {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Continue" }).click();
  if (password === PASSWORD) await page.getByRole("heading", { name: "Check your mailbox" }).waitFor();
}

/** Signed in, with the overview there. @param {{owner: string, name: string}} organization @param {string} [email] @param {import("playwright-core").BrowserContext} [context] */
export async function signedIn(organization, email = organization.owner, context = stage.context) {
  const page = await open(context);
  await signIn(page, email);
  await onOverview(page);
  return page;
}

/** @param {import("playwright-core").Page} page */
export async function onOverview(page) {
  await page.getByText("Organization ID").waitFor();
}

/** @param {import("playwright-core").Page} page @param {string} name */
export async function createKey(page, name) {
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create the key" }).click();
  return keyOn(page);
}

/** The key, once it is shown. @param {import("playwright-core").Page} page */
export async function keyOn(page) {
  await page.getByRole("heading", { name: "Here is your key" }).waitFor();
  return page.locator(".key code").innerText();
}

/** What is in the clipboard. The dashboard itself may not look there, so another page does. */
export async function clipboard() {
  const page = await stage.context.newPage();
  await page.goto(stage.proxy.elsewhere);
  await page.bringToFront();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await page.close();
  return text;
}

/** @param {import("playwright-core").Page} page @param {string} hash */
export async function goTo(page, hash) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Waits until `condition` is true in the page. @param {import("playwright-core").Page} page @param {any} condition @param {any} [argument] */
export const until = (page, condition, argument) => page.waitForFunction(condition, argument);

/** A picture of the whole page, kept. @param {import("playwright-core").Page} page @param {string} name */
export async function picture(page, name) {
  const folder = process.env.SCREENS ?? "screens";
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
