// Wrong codes, lockouts and limits: one is told how often one may still try, and how long one has to wait.

import assert from "node:assert/strict";
import { ACORN, api, codeFor, createKey, firstStep, fromTheStart, goTo, keyOn, moveClock, onOverview, open, signedIn, stage, test } from "./browser.mjs";
import { to } from "./proxy.mjs";

/** A tab whose own clock the test moves. */
async function withClock() {
  const page = await stage.context.newPage();
  await page.clock.install();
  await page.goto(stage.proxy.url);
  return page;
}

/** A code of six digits that is not `right`. @param {string} right */
const wrongCode = (right) => (right === "000000" ? "000001" : "000000");

/** @param {import("playwright-core").Page} page @param {string} code */
async function tryCode(page, code) {
  await page.getByLabel("Code", { exact: true }).fill(code);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("a wrong password says so, and the address stays", async () => {
  const page = await open();
  await firstStep(page, "nobody@acorn.example", "not-the-password");
  await page.getByText("The email address or the password is wrong.").waitFor();
  assert.equal(await page.getByLabel("Email address").inputValue(), "nobody@acorn.example");
});

test("fields are looked at before anything is sent", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Type your email address").waitFor();
  await page.getByText("Type your password.").waitFor();
  assert.equal(await page.getByLabel("Email address").getAttribute("aria-invalid"), "true");
  assert.deepEqual(stage.proxy.seen.filter(to("POST", "/auth/login")), []);
});

test("each wrong code counts, the fifth ends the sign-in, and a new one works", async () => {
  await moveClock(901);
  const page = await open();
  await firstStep(page, ACORN.admin);
  const right = await codeFor(ACORN.admin);
  for (const left of ["4 tries", "3 tries", "2 tries", "one try"]) {
    await tryCode(page, wrongCode(right));
    await page.getByText(`You have ${left} left.`).waitFor();
  }
  await tryCode(page, wrongCode(right));
  await page.getByText("That was the fifth wrong code").waitFor();
  assert.equal(await page.getByLabel("Email address").inputValue(), ACORN.admin);
  await firstStep(page, ACORN.admin);
  await tryCode(page, await codeFor(ACORN.admin));
  await onOverview(page);
});

test("ten wrong codes shut the address: the wait is counted down, and then one can try again", async () => {
  await moveClock(901);
  const page = await withClock();
  await firstStep(page, ACORN.admin);
  // Ten guesses over two sign-ins that were begun elsewhere.
  for (const _ of [1, 2]) {
    const { data } = await api("POST", "auth/login", { email: ACORN.admin, password: "demo-password-123" });
    const right = await codeFor(ACORN.admin);
    for (const __ of [1, 2, 3, 4, 5]) await api("POST", "auth/login/2fa/verify", { challenge_id: data.challenge_id, code: wrongCode(right) });
  }
  await tryCode(page, "123456");
  await page.getByText("too many wrong tries").waitFor();
  await page.getByText(/You can try again in 1[45]:\d\d\./).waitFor();
  const button = page.getByRole("button", { name: "Sign in", exact: true });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  const from = stage.proxy.seen.length;
  await button.click({ force: true });
  await page.getByLabel("Code", { exact: true }).press("Enter");
  await page.clock.fastForward(60_000);
  await page.getByText(/You can try again in 1[34]:\d\d\./).waitFor();
  assert.equal(stage.proxy.seen.length, from, "nothing is sent before");
  await page.clock.fastForward(15 * 60_000);
  await page.getByText("You can try again now.").waitFor();
  assert.equal(await button.getAttribute("aria-disabled"), null);
  await moveClock(901);
});

test("a new code can be had after a minute, three times", async () => {
  await moveClock(901);
  const page = await withClock();
  await firstStep(page, ACORN.admin);
  const first = await codeFor(ACORN.admin);
  await page.getByRole("button", { name: /Send a new code in (1:00|0:5\d)/ }).waitFor();
  for (const _ of [1, 2]) {
    await page.clock.fastForward(61_000);
    await moveClock(61);
    await page.getByRole("button", { name: "Send a new code", exact: true }).click();
    await page.getByText("A new code is on its way.").waitFor();
    await page.getByRole("button", { name: /Send a new code in/ }).waitFor();
  }
  await page.clock.fastForward(61_000);
  await moveClock(61);
  await page.getByRole("button", { name: "Send a new code", exact: true }).click();
  await page.getByRole("button", { name: "No more codes for this sign-in" }).waitFor();
  assert.notEqual(await codeFor(ACORN.admin), first);
  await tryCode(page, await codeFor(ACORN.admin));
  await onOverview(page);
});

test("a code asked for too soon is counted down by what the API says", async () => {
  await moveClock(901);
  const page = await withClock();
  await firstStep(page, ACORN.admin);
  // The page's clock is ahead of the API's.
  await page.clock.fastForward(61_000);
  await page.getByRole("button", { name: "Send a new code", exact: true }).click();
  await page.getByText("That was too soon after the last time.").waitFor();
  await page.getByRole("button", { name: /Send a new code in (1:00|0:5\d)/ }).waitFor();
});

test("a person creates one key a minute: the wait is counted down, and the form is kept", async () => {
  const token = await fromTheStart(ACORN);
  const page = await withClock();
  await firstStep(page, ACORN.owner);
  await tryCode(page, await codeFor(ACORN.owner));
  await onOverview(page);
  await createKey(page, "First");
  const { data } = await api("GET", "auth/api-keys?limit=1", undefined, token);
  await api("DELETE", `auth/api-keys/${data.keys[0].api_key_id}`, undefined, token);
  await goTo(page, "#/keys");
  await page.getByRole("link", { name: "Create a key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Second");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("A person can create one key a minute.").waitFor();
  await page.getByText(/You can try again in (1:00|0:\d\d)\./).waitFor();
  await page.clock.fastForward(61_000);
  await page.getByText("You can try again now.").waitFor();
  await moveClock(61);
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Second");
  await page.getByRole("button", { name: "Create the key" }).click();
  await keyOn(page);
});

test("a key that somebody else created meanwhile is explained", async () => {
  const token = await fromTheStart(ACORN);
  const page = await signedIn(ACORN, ACORN.admin);
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill("Late");
  assert.equal((await api("POST", "auth/api-keys", { key_name: "Early" }, token)).status, 201);
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("Your organization has an active key already.").waitFor();
});

test("names and numbers that the API would refuse are explained at their field", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  await goTo(page, "#/keys/new");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("Give the key a name.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("x".repeat(256));
  await page.getByLabel("Expiry").selectOption("other");
  await page.getByLabel("Days until it expires").fill("3651");
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("255 characters at most").waitFor();
  await page.getByText("Type a whole number from 1 to 3650.").waitFor();
  // The longest that it takes, in characters that take two units each.
  await page.getByLabel("Name", { exact: true }).fill("🔑".repeat(255));
  await page.getByLabel("Days until it expires").fill("3650");
  await page.getByRole("button", { name: "Create the key" }).click();
  await keyOn(page);
});
