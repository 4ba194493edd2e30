// The whole way of a person through the dashboard, with the mouse and with the keyboard alone.

import assert from "node:assert/strict";
import { ACORN, BIRCH, PASSWORD, api, clipboard, codeFor, devstack, fromTheStart, keyOn, moveClock, onOverview, open, signIn, signedIn, stage, test, tokenOf } from "./browser.mjs";

test("the whole walk: sign in, create, copy, leave, revoke, switch, sign out", async () => {
  await fromTheStart(BIRCH);
  // The page's clock as the devstack's, which other tests have moved: it tells how soon a key expires.
  const { seconds } = await devstack("clock");
  const page = await stage.context.newPage();
  await page.clock.install({ time: seconds * 1000 });
  await page.goto(stage.proxy.url);
  await signIn(page, BIRCH.owner);
  await onOverview(page);
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), BIRCH.name);
  assert.match(await page.getByRole("region", { name: "Mode" }).innerText(), /TEST MODE/i);
  assert.match(await page.title(), /Test mode/);

  await page.getByRole("link", { name: "Create a key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Till 1");
  await page.getByLabel("Expiry").selectOption("other");
  await page.getByLabel("Days until it expires").fill("7");
  await page.getByRole("button", { name: "Create the key" }).click();
  const key = await keyOn(page);
  assert.match(key, /^sk_test_[0-9A-Za-z]{38}$/);
  await page.getByRole("button", { name: "Copy the key" }).click();
  await page.getByText("Copied.").waitFor();
  assert.equal(await clipboard(), key);
  assert.equal((await api("GET", "organizations/me", undefined, key)).status, 200);

  await page.getByRole("link", { name: "I have put it away" }).click();
  await page.getByRole("heading", { name: "Active key" }).waitFor();
  assert.ok(!(await page.content()).includes(key));
  await page.getByText("It expires soon.").waitFor();

  await page.getByRole("button", { name: "Revoke…" }).click();
  await page.getByLabel("Type the key's name").fill("Till 2");
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByText("That is not its name.").waitFor();
  assert.equal((await api("GET", "organizations/me", undefined, key)).status, 200);
  await page.getByLabel("Type the key's name").fill("Till 1");
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByRole("heading", { name: "No active key" }).waitFor();
  assert.equal((await api("GET", "organizations/me", undefined, key)).status, 401);

  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Switch to live mode…" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.match(await page.getByRole("region", { name: "Mode" }).innerText(), /TEST MODE/i);
  await page.getByRole("button", { name: "Switch to live mode…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch to live mode" }).click();
  await page.getByRole("region", { name: "Mode" }).getByText("Live mode").waitFor();
  await page.getByRole("button", { name: "Switch to test mode…" }).waitFor();
  assert.match(await page.title(), /Live mode/);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out, in every tab.").waitFor();
  assert.deepEqual(await stage.context.cookies(), []);
  await page.reload();
  await page.getByRole("button", { name: "Continue" }).waitFor();
});

test("all of it by the keyboard alone, and the focus is where one is", async () => {
  await fromTheStart(ACORN);
  const page = await open();
  const { keyboard } = page;
  // What has the focus, by its name or its text.
  const focused = () => page.evaluate(() => {
    const element = /** @type {HTMLInputElement} */ (document.activeElement);
    return element.labels?.[0]?.textContent || element.textContent || element.nodeName;
  });
  const tabTo = async (name) => {
    for (let presses = 0; presses < 30; presses += 1) {
      if ((await focused()).startsWith(name)) return;
      await keyboard.press("Tab");
    }
    assert.fail(`the Tab key does not lead to ${name}`);
  };
  await page.getByRole("button", { name: "Continue" }).waitFor();
  assert.equal(await focused(), "Email address");
  await keyboard.type(ACORN.owner);
  await tabTo("Password");
  await keyboard.type(PASSWORD);
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Check your mailbox" }).waitFor();
  assert.equal(await focused(), "Code");
  await keyboard.type(await codeFor(ACORN.owner));
  await keyboard.press("Enter");
  await onOverview(page);
  assert.equal(await focused(), ACORN.name);

  await tabTo("Skip to the content");
  await keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await tabTo("API keys");
  await keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
  assert.equal(await focused(), "API keys");
  await page.getByRole("link", { name: "Create a key" }).waitFor();
  await tabTo("Create a key");
  await keyboard.press("Enter");
  await page.getByLabel("Name", { exact: true }).waitFor();
  await tabTo("Name");
  await keyboard.type("By hand");
  await keyboard.press("Enter");
  const key = await keyOn(page);
  assert.equal(await focused(), "Here is your key");
  await tabTo("Copy the key");
  await keyboard.press("Space");
  await page.getByText("Copied.").waitFor();
  assert.equal(await clipboard(), key);
  await tabTo("I have put it away");
  await keyboard.press("Enter");
  await page.getByRole("button", { name: "Revoke…" }).waitFor();
  await tabTo("Revoke…");
  await keyboard.press("Enter");
  assert.equal(await focused(), "Type the key's name to go on");
  await keyboard.press("Escape");
  assert.equal(await focused(), "Revoke…", "the focus is back where it came from");
  await keyboard.press("Enter");
  await keyboard.type("By hand");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "No active key" }).waitFor();
  assert.equal(await focused(), "API keys", "what had the focus is gone, so it is at the title");
  await tabTo("Sign out");
  await keyboard.press("Enter");
  await page.getByText("You are signed out, in every tab.").waitFor();
  assert.equal(await focused(), "Email address");
});

test("earlier keys come a page at a time, and the focus goes on with what came", async () => {
  let token = await fromTheStart(ACORN);
  // One more than a page has.
  for (let made = 0; made < 21; made += 1) {
    if (made % 10 === 9) token = await tokenOf(ACORN.owner);
    const { data } = await api("POST", "auth/api-keys", { key_name: `Number ${made}` }, token);
    await api("DELETE", `auth/api-keys/${data.api_key_id}`, undefined, token);
    await moveClock(61);
  }
  const page = await signedIn(ACORN);
  await page.getByRole("link", { name: "API keys" }).click();
  const items = page.getByRole("listitem");
  await items.nth(19).waitFor();
  assert.equal(await items.count(), 20);
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByText("Number 0", { exact: true }).waitFor();
  assert.match(await page.evaluate(() => document.activeElement?.closest("li")?.textContent ?? ""), /Number 0/);
});

test("whoever may only look is offered nothing else, and told why", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN, ACORN.viewer);
  await page.getByText("Only an owner or an admin of your organization can switch it.").waitFor();
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByText("can create one: ask one of them.").waitFor();
  assert.equal(await page.getByRole("link", { name: "Create a key" }).count(), 0);
  await page.evaluate(() => (location.hash = "#/keys/new"));
  await page.getByText("Your role can look at keys, and not create them.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Create the key" }).count(), 0);
});
