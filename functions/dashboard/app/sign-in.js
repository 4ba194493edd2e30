// Signing in, in two steps: the first with address and password, the second with the code that was mailed. On the page, or in a dialog
// when the session ended while something was being done.

import { Refused, SignedOut, send, sentence } from "./api.js";
import { verify } from "./session.js";

import { CallingForm, announce, clock, countDown, field, fill, h, told, wrongness } from "./ui.js";

/** @typedef {import("./ui.js").Notice} Notice */

/** As the API has them: tries of one code, codes of one sign-in after the first, and the seconds between two. */
const TRIES = 5;
const RESENDS = 3;
const RESEND_AFTER = 60;

// As the document came with it. It is there from the first paint, and it is copied wherever somebody signs in.
const pristine = /** @type {HTMLElement} */ (document.getElementById("steps")?.cloneNode(true));

/** @typedef {{place: HTMLElement, signal: AbortSignal, email: string, done: () => void}} SignIn */

/**
 * The first step.
 * @param {SignIn & {said?: string}} options `said`: what happened before
 */
export function firstStep({ place, signal, email, done, said }) {
  const element = /** @type {HTMLElement} */ (pristine.cloneNode(true));
  const form = /** @type {HTMLFormElement} */ (element.querySelector("form"));
  const [address, password] = ["email", "password"].map((name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const errors = [address, password].map((input) =>
    wrongness(input, /** @type {HTMLElement} */ (element.querySelector(`#${input.id}-error`))));
  const calling = new CallingForm({ signal, button, busy: "Checking your password…" });
  /** @type {HTMLElement} */ (form.querySelector(".notice")).replaceWith(calling.notice.element);
  for (const control of [address, password, button]) control.disabled = false;
  address.value = email;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = [
      /^[^\s@]+@[^\s@]+$/.test(address.value.trim()) ? "" : "Type your email address, such as you@example.com.",
      password.value ? "" : "Type your password.",
    ];
    wrong.forEach((text, index) => errors[index](text));
    if (wrong.some(Boolean)) {
      (wrong[0] ? address : password).focus();
      return;
    }
    const credentials = { email: address.value.trim(), password: password.value };
    calling.run(
      () => send("POST", "auth/login", { body: credentials }),
      (challenge) => {
        password.value = "";
        secondStep({ place, signal, email: credentials.email, done, challenge });
      },
    );
  });
  fill(place, element);
  if (said) calling.notice.failed(h("p", {}, said));
  (email ? password : address).focus();
}

/** @param {SignIn & {challenge: import("./api.js").Challenge}} options */
function secondStep({ place, signal, email, done, challenge }) {
  const step = new AbortController();
  const within = AbortSignal.any([signal, step.signal]);
  /** @param {string} [said] */
  const back = (said) => {
    step.abort();
    firstStep({ place, signal, email, done, said });
  };
  // With an authenticator app no code is mailed, so none is sent again; and a backup code does as well, which has letters.
  const app = challenge.method === "totp";
  let triesLeft = TRIES;
  const code = field({
    label: "Code", name: "code", type: "text", inputmode: challenge.backup_code_allowed ? "text" : "numeric", autocomplete: "one-time-code",
    maxlength: 32, class: "code",
  });
  const button = h("button", { class: "button primary wide", type: "submit" }, "Sign in");
  const calling = new CallingForm({ signal: within, button, busy: "Checking your code…" });
  const again = resendButton({
    challenge, signal: within, notice: calling.notice, sent: () => code.input.focus(),
    dead: () => back("This sign-in is too old. Type your password again to get a new code."),
  });
  const form = h("form", { class: "form", method: "post", novalidate: true },
    code.element, button,
    h("div", { class: "others" }, ...app ? [] : [again], h("button", { class: "button plain", type: "button", click: () => back() }, "Use another account")),
    calling.notice.element);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = code.input.value.replace(/\s/g, "");
    const backup = challenge.backup_code_allowed && /^[0-9a-z]{5}-?[0-9a-z]{5}$/i.test(typed);
    const right = backup || /^\d{6}$/.test(typed);
    code.wrong(right ? "" : "The code has six digits. Type all of them.");
    if (!right) return code.input.focus();
    calling.run(() => verify(challenge.challenge_id, typed, backup ? "backup" : "primary"), () => {
      step.abort();
      done();
    }, (error) => {
      if (!(error instanceof Refused) || error.code !== "invalid_code") return null;
      triesLeft -= 1;
      if (triesLeft <= 0) {
        back("That was the fifth wrong code, so it is dead. Type your password again to get a new one.");
        return [];
      }
      code.input.select();
      code.input.focus();
      return `${app ? "That code is not right, or it was used already: wait for the next one." : "That code is not right, or it is older than ten minutes."} You have ${triesLeft === 1 ? "one try" : `${triesLeft} tries`} left.`;
    });
  });
  fill(place, h("section", { class: "steps", "aria-labelledby": "sign-in-title" },
    h("h1", { id: "sign-in-title", tabindex: "-1" }, app ? "Open your authenticator app" : "Check your mailbox"),
    app
      ? h("p", { class: "lead" }, "Type the code that it shows for ", h("strong", {}, email), challenge.backup_code_allowed ? ", or a backup code." : ".")
      : h("p", { class: "lead" }, "We sent a code of six digits to ", h("strong", {}, email), ". It works for ten minutes."),
    form));
  announce(app ? "Type the code that your authenticator app shows." : "Check your mailbox: a code was sent.");
  code.input.focus();
}

/**
 * Asks for a new code: once a minute, and a few times only.
 * @param {{challenge: import("./api.js").Challenge, signal: AbortSignal, notice: Notice, sent: () => void, dead: () => void}} options
 */
function resendButton({ challenge, signal, notice, sent, dead }) {
  let left = RESENDS;
  let shut = false;
  const button = h("button", { class: "button plain countdown", type: "button" });
  /** @param {boolean} to */
  const shutIs = (to) => {
    shut = to;
    if (to) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  };
  /** @param {number} seconds */
  const hold = (seconds) => {
    shutIs(true);
    countDown(seconds, signal, (rest) => {
      button.textContent = `Send a new code${rest > 0 ? ` in ${clock(rest)}` : ""}`;
      if (rest === 0) shutIs(false);
    });
  };
  const resend = () => send("POST", "auth/login/2fa/resend", { body: { challenge_id: challenge.challenge_id } });
  button.addEventListener("click", async () => {
    if (shut) return;
    shutIs(true);
    try {
      await told(notice, "Sending a new code…", resend);
      if (signal.aborted) return;
      left -= 1;
      notice.working("A new code is on its way. The one before does not work any more.");
      if (left > 0) hold(RESEND_AFTER);
      else button.textContent = "No more codes for this sign-in";
      sent();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.code === "invalid_code") return dead();
      shutIs(false);
      notice.failed(h("p", {}, sentence(error)));
      if (error instanceof Refused && error.retryAfter) hold(error.retryAfter);
    }
  });
  hold(RESEND_AFTER);
  return button;
}

/**
 * Signs in again in place: what is behind the dialog stays as it is.
 * @param {string} email whose session it was
 * @returns {{ended: Promise<void>, close: (signedIn: boolean) => void}} `ended` fails with `SignedOut` when they would rather not
 */
export function signInAgain(email) {
  const gone = new AbortController();
  const place = h("div");
  let signedIn = false;
  const close = (/** @type {boolean} */ did) => {
    signedIn = did;
    dialog.close();
  };
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "sign-in-title" },
    h("p", { class: "dialog-note" }, "Your session is over. Sign in again to go on where you are: what you typed is kept."),
    place,
    h("button", { class: "button plain", type: "button", click: () => close(false) }, "Leave, and lose what I typed"));
  document.body.append(dialog);
  dialog.showModal();
  firstStep({ place, signal: gone.signal, email, done: () => close(true) });
  const ended = new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    dialog.addEventListener("close", () => {
      gone.abort();
      dialog.remove();
      if (signedIn) resolve();
      else reject(new SignedOut());
    });
  });
  return { ended, close };
}
