// A network that is slow, fails, or is not there: every call has a state for it, and nothing is done twice.

import assert from "node:assert/strict";
import { ACORN, fromTheStart, goTo, keyOn, onOverview, open, signIn, signedIn, stage, test } from "./browser.mjs";
import { to } from "./proxy.mjs";

const AWAY = { success: false, error: { code: "service_unavailable", message: "Away.", request_id: "r-1" } };

test("offline and back: the page says so, and goes on by itself", async () => {
  const page = await signedIn(ACORN);
  await stage.context.setOffline(true);
  await goTo(page, "#/keys");
  await page.getByText("You are offline. Check your connection, then try again.").waitFor();
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await stage.context.setOffline(false);
  await page.getByRole("heading", { level: 2 }).first().waitFor();
});

test("what takes long is called slow, and comes in the end", async () => {
  const page = await stage.context.newPage();
  await page.clock.install();
  await page.goto(stage.proxy.url);
  await signIn(page, ACORN.owner);
  await onOverview(page);
  const held = stage.proxy.hold(to("GET", "/auth/api-keys"));
  await goTo(page, "#/keys");
  await page.getByText("Loading…").waitFor();
  await held.arrived;
  await page.clock.fastForward(5_000);
  await page.getByText("This takes longer than usual. Still trying…").waitFor();
  held.release();
  await page.getByRole("heading", { level: 2 }).first().waitFor();
});

test("what failed can be tried again, and the focus stays near", async () => {
  const page = await signedIn(ACORN);
  stage.proxy.instead(to("GET", "/auth/api-keys"), 1, 503, AWAY, { "retry-after": "5" });
  await goTo(page, "#/keys");
  await page.getByText("Syncgram Pay is not available for the moment.").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { level: 2 }).first().waitFor();
});

test("a page that is no answer of ours is an error in words", async () => {
  const page = await open();
  stage.proxy.instead(to("POST", "/auth/login"), 1, 502, "<h1>Bad Gateway</h1>");
  await page.getByLabel("Email address").fill(ACORN.owner);
  await page.getByLabel("Password").fill("whatever-it-is");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Syncgram Pay is not available for the moment.").waitFor();
  assert.equal(await page.getByLabel("Email address").inputValue(), ACORN.owner);
});

test("a creation whose answer is lost is sent again as it is, and gives the same key: one was made", async () => {
  await fromTheStart(ACORN);
  const page = await signedIn(ACORN);
  await goTo(page, "#/keys/new");
  await page.getByLabel("Name", { exact: true }).fill("Twice sent");
  stage.proxy.lose(to("POST", "/auth/api-keys"), 1);
  await page.getByRole("button", { name: "Create the key" }).click();
  await page.getByText("you will not get two keys").waitFor();
  await page.getByRole("button", { name: "Create the key" }).click();
  const key = await keyOn(page);
  const answers = stage.proxy.seen.filter(to("POST", "/auth/api-keys")).map((exchange) => JSON.parse(exchange.answer ?? "").data.key);
  assert.deepEqual(answers, [key, key]);
});

test("the page opens while the API is away: it says so, and one can sign in when it is back", async () => {
  const page = await signedIn(ACORN);
  // As often as it is tried by itself, once more than that.
  stage.proxy.instead(to("POST", "/auth/refresh"), 3, 503, AWAY, { "retry-after": "5" });
  await page.reload();
  await page.getByText("We could not see whether you are signed in.").waitFor();
  await page.reload();
  await onOverview(page);
});

test("the organization that cannot be fetched after a sign-in is asked for again", async () => {
  const page = await open();
  stage.proxy.instead(to("GET", "/organizations/me"), 1, 503, AWAY, { "retry-after": "5" });
  await signIn(page, ACORN.owner);
  await page.getByText("Syncgram Pay is not available for the moment.").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await onOverview(page);
});

test("a form sends once, however often its button is pressed", async () => {
  const page = await open();
  const held = stage.proxy.hold(to("POST", "/auth/login"));
  await page.getByLabel("Email address").fill(ACORN.owner);
  await page.getByLabel("Password").fill("demo-password-123");
  const button = page.getByRole("button", { name: "Continue" });
  await button.click();
  await held.arrived;
  for (const _ of [1, 2, 3]) await button.dispatchEvent("click");
  held.release();
  await page.getByRole("heading", { name: "Check your mailbox" }).waitFor();
  assert.equal(stage.proxy.seen.filter(to("POST", "/auth/login")).length, 1);
});
