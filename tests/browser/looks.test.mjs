// Every screen, in the light and in the dark, wide and at 320 pixels: without a violation that axe-core finds, without a scroll bar to the
// side, and as pictures to look at.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { ACORN, BIRCH, api, codeFor, createKey, firstStep, fromTheStart, goTo, moveClock, newContext, onOverview, open, picture, signIn, stage, test } from "./browser.mjs";
import { to } from "./proxy.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [1200, 320];
const REVIEWED = new Set(["color-contrast"]);

/** @param {import("playwright-core").Page} page @param {string} name */
async function look(page, name) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await page.mouse.move(0, 0);
    await picture(page, `${name}-${width}`);
    const overflow = await page.evaluate(() => {
      const root = document.documentElement;
      const dialog = document.querySelector("dialog");
      return [root.scrollWidth - root.clientWidth, dialog ? dialog.scrollWidth - dialog.clientWidth : 0];
    });
    assert.deepEqual(overflow, [0, 0], `${name} at ${width} pixels scrolls to the side`);
    const { violations, incomplete } = await page.evaluate(`(() => { ${AXE}; return axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations", "incomplete"] }); })()`);
    const told = (found) => found.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(told(violations), [], `${name} at ${width} pixels`);
    // Words on the mode's stripes and behind a dialog are what axe-core cannot measure.
    assert.deepEqual(told(incomplete.filter((it) => !REVIEWED.has(it.id))), [], `${name} at ${width} pixels, to be looked at`);
  }
  await page.setViewportSize({ width: 1200, height: 800 });
}

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`every screen in the ${colorScheme}`, async () => {
    const token = await fromTheStart(ACORN);
    // axe-core runs in the page, which the page's own policy forbids; the policy has tests of its own, with it in force.
    const context = await newContext({ colorScheme, bypassCSP: true, reducedMotion: "reduce" });
    try {
      await screens(context, colorScheme, token);
    } finally {
      // The width is the test's doing, so what moves by it is no fault.
      stage.wrong = stage.wrong.filter((text) => !text.startsWith("layout shift"));
      await context.close();
    }
  });
}

/** @param {import("playwright-core").BrowserContext} context @param {string} scheme @param {string} token */
async function screens(context, scheme, token) {
  const seen = (page, name) => look(page, `${scheme}-${name}`);
  const page = await open(context);
  await page.getByRole("button", { name: "Continue" }).waitFor();
  await seen(page, "01-sign-in");
  await page.getByRole("button", { name: "Continue" }).click();
  await seen(page, "02-sign-in-incomplete");
  await firstStep(page, ACORN.owner);
  await seen(page, "03-code");
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("You have 4 tries left.").waitFor();
  await seen(page, "04-code-wrong");
  await page.getByLabel("Code", { exact: true }).fill(await codeFor(ACORN.owner));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await onOverview(page);
  await seen(page, "05-overview-test-mode");
  await goTo(page, "#/keys");
  await page.getByRole("link", { name: "Create a key" }).waitFor();
  await seen(page, "06-keys-none");
  await page.getByRole("link", { name: "Create a key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Checkout server");
  await page.getByLabel("Expiry").selectOption("other");
  await page.getByLabel("Days until it expires").fill("45");
  await seen(page, "07-create");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByRole("button", { name: "Copy the key" }).click();
  await page.getByText("Copied.").waitFor();
  await seen(page, "08-key");
  await goTo(page, "#/keys");
  await page.getByRole("button", { name: "Revoke…" }).waitFor();
  await seen(page, "09-keys");
  await page.getByRole("button", { name: "Revoke…" }).click();
  await seen(page, "10-revoke");
  await page.getByLabel("Type the key's name").fill("Checkout server");
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByRole("link", { name: "Create a key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Too soon");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("A person can create one key a minute.").waitFor();
  await seen(page, "11-create-wait");
  stage.proxy.instead(to("GET", "/auth/api-keys"), 1, 503, { error: { code: "service_unavailable" } });
  await goTo(page, "#/keys");
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await seen(page, "12-failed");
  const held = stage.proxy.hold(to("GET", "/auth/api-keys"));
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Loading…").waitFor();
  await seen(page, "13-loading");
  held.release();
  await page.getByRole("heading", { level: 2 }).first().waitFor();
  await moveClock(31 * 86_400);
  await goTo(page, "#/");
  await page.getByText("Sign in again to go on where you are").waitFor();
  await seen(page, "14-sign-in-again");
  await signIn(page, ACORN.owner);
  await onOverview(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out, in every tab.").waitFor();
  await seen(page, "15-signed-out");
  await signIn(page, ACORN.viewer);
  await onOverview(page);
  await goTo(page, "#/keys");
  await page.getByText("can create one: ask one of them.").waitFor();
  await seen(page, "16-keys-viewer");
  await page.getByRole("button", { name: "Sign out" }).click();
  await liveScreens(page, seen);
}

/** @param {import("playwright-core").Page} page @param {(page: import("playwright-core").Page, name: string) => Promise<void>} seen */
async function liveScreens(page, seen) {
  await fromTheStart(BIRCH);
  await signIn(page, BIRCH.owner);
  await page.getByRole("button", { name: "Switch to live mode…" }).waitFor();
  await seen(page, "17-overview-ready");
  await page.getByRole("button", { name: "Switch to live mode…" }).click();
  await seen(page, "18-switch");
  await page.getByRole("dialog").getByRole("button", { name: "Switch to live mode" }).click();
  await page.getByRole("button", { name: "Switch to test mode…" }).waitFor();
  await seen(page, "19-overview-live-mode");
  await createKey(page, "Online shop");
  await seen(page, "20-key-live");
  await goTo(page, "#/");
  await page.getByRole("button", { name: "Switch to test mode…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch to test mode" }).click();
  await page.getByRole("button", { name: "Switch to live mode…" }).waitFor();
  await goTo(page, "#/keys");
  await page.getByText("This is a live key, and your organization is in test mode.").waitFor();
  await seen(page, "21-live-key-in-test-mode");
}
