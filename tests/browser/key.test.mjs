// The key is shown once: whatever one does, it does not come back, and the page does not remember it.

import assert from "node:assert/strict";
import { ACORN, createKey, fromTheStart, goTo, signedIn, stage, test } from "./browser.mjs";

/** Whether `text` is anywhere in the page's memory. @param {import("playwright-core").Page} page @param {string} text */
async function remembers(page, text) {
  const devtools = await stage.context.newCDPSession(page);
  const parts = [];
  devtools.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => parts.push(chunk));
  await devtools.send("HeapProfiler.enable");
  await devtools.send("HeapProfiler.collectGarbage");
  await devtools.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await devtools.detach();
  return parts.join("").includes(text);
}

test("the key is gone when its screen is left: from the page, from going back, and from memory", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  const key = await createKey(page, "Once");
  assert.ok(await remembers(page, key), "the search finds what is there");
  await page.getByRole("link", { name: "I have put it away" }).click();
  await page.getByRole("heading", { name: "Active key" }).waitFor();
  assert.ok(!(await page.content()).includes(key));
  await page.goBack();
  await page.getByText("There is an active key: Once.").waitFor();
  assert.ok(!(await page.content()).includes(key));
  await page.goForward();
  await page.getByRole("heading", { name: "Active key" }).waitFor();
  assert.equal(await remembers(page, key), false, "something still refers to it");
});

test("a page with the key that is left for another site, and gone back to, is empty of it", async () => {
  await fromTheStart(ACORN);
  // Before the page itself does anything about it.
  await stage.context.addInitScript(() => addEventListener("pageshow", (event) => {
    if (event.persisted) window["shownFirst"] = document.documentElement.outerHTML;
  }));
  const page = await signedIn(ACORN);
  const key = await createKey(page, "Bfcache");
  await page.evaluate(() => (window["mark"] = "the same page"));
  await page.goto(stage.proxy.elsewhere);
  await page.goBack({ waitUntil: "commit" });
  await page.getByText("There is an active key: Bfcache.").waitFor();
  assert.equal(await page.evaluate(() => window["mark"]), "the same page", "the browser kept the page, so this shows that the page itself forgot");
  assert.equal(await page.evaluate((text) => window["shownFirst"].includes(text), key), false, "it was there again for a moment");
  assert.ok(!(await page.content()).includes(key));
  assert.equal(await remembers(page, key), false);
});

test("a reload does not bring it back", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  const key = await createKey(page, "Reloaded");
  await page.reload();
  await page.getByText("There is an active key: Reloaded.").waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, history.state, document.cookie]));
  assert.ok(!kept.includes(key), "it is kept");
  assert.ok(!(await page.content()).includes(key));
  await goTo(page, "#/keys");
  await page.getByRole("heading", { name: "Active key" }).waitFor();
  assert.ok(!(await page.content()).includes(key));
});
