// What it takes to see something, and to have everything.

import assert from "node:assert/strict";
import { ACORN, onOverview, signIn, stage, test } from "./browser.mjs";

/** All that the dashboard is, compressed, in bytes. */
const MOST = 60 * 1024;

test("the first paint needs one request: the form is there while no script and no picture has come", async () => {
  const page = await stage.context.newPage();
  const held = stage.proxy.hold((exchange) => exchange.path !== "/dashboard");
  await page.goto(stage.proxy.url, { waitUntil: "commit" });
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  await held.arrived;
  assert.ok(stage.proxy.seen.filter((exchange) => exchange.status).every((exchange) => exchange.path === "/dashboard"));
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Sign in");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector(".button") ?? document.body).borderRadius), "0px", "with its style");
  // Without its script the form would send a password the wrong way.
  assert.ok(await page.getByRole("button", { name: "Continue" }).isDisabled());
  const place = () => page.getByRole("button", { name: "Continue" }).boundingBox();
  const before = await place();
  held.release();
  await page.getByLabel("Email address").fill("you@example.com");
  assert.deepEqual(await place(), before, "it stays where it was");
});

test("everything together is at most 60 KB, compressed", async () => {
  const page = await stage.context.newPage();
  const devtools = await stage.context.newCDPSession(page);
  await devtools.send("Network.enable");
  const sizes = new Map();
  const names = new Map();
  devtools.on("Network.requestWillBeSent", ({ requestId, request }) => names.set(requestId, request.url));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  await page.goto(stage.proxy.url);
  await signIn(page, ACORN.owner);
  await onOverview(page);
  const files = [...sizes].filter(([id]) => !names.get(id)?.includes("/api/"));
  const total = files.reduce((sum, [, size]) => sum + size, 0);
  console.log(`the whole dashboard: ${files.length} answers, ${total} bytes with their headers`);
  // The document, the scripts, the picture.
  assert.ok(files.length >= 11, `only ${files.length} were counted`);
  assert.ok(total <= MOST, `${total} bytes`);
});

test("a second visit fetches nothing anew but asks for the document", async () => {
  const page = await stage.context.newPage();
  await page.goto(stage.proxy.url);
  await page.getByRole("button", { name: "Continue" }).waitFor();
  const from = stage.proxy.seen.length;
  await page.reload();
  await page.getByLabel("Email address").waitFor();
  const again = stage.proxy.seen.slice(from).filter((exchange) => exchange.path.startsWith("/dashboard"));
  assert.deepEqual(again.map((exchange) => [exchange.path, exchange.status]), [["/dashboard", 304]]);
});

test("the policy holds: markup out of text, inline scripts and styles, and other people's servers are refused", async () => {
  const page = await stage.context.newPage();
  await page.goto(stage.proxy.url);
  await page.getByRole("button", { name: "Continue" }).waitFor();
  assert.deepEqual(stage.wrong, []);
  const refused = await page.evaluate(async () => {
    const reports = new Set();
    addEventListener("securitypolicyviolation", (event) => reports.add(event.effectiveDirective));
    // What the test itself was started by is exempt, what comes after it is not.
    await new Promise((resolve) => setTimeout(resolve));
    const thrown = [() => (document.body.innerHTML = "<p>"), () => eval("1"), () => new Function("1")].map((attempt) => {
      try {
        attempt();
        return "done";
      } catch (error) {
        return error.name;
      }
    });
    document.body.setAttribute("style", "color: red");
    const frame = document.createElement("iframe");
    frame.src = "/elsewhere";
    document.body.append(frame);
    await fetch("http://127.0.0.1:9/").catch(() => {});
    const named = ["style-src-attr", "frame-src", "connect-src", "require-trusted-types-for"];
    while (!named.every((name) => reports.has(name))) await new Promise((resolve) => setTimeout(resolve));
    return { thrown, reports: [...reports].sort() };
  });
  assert.ok(refused.thrown.every((name) => name !== "done"), JSON.stringify(refused));
  // Those were meant.
  assert.ok(stage.wrong.length > 0);
  stage.wrong = stage.wrong.filter((text) => !/^(policy|console):/.test(text));
});
