//! The first step of a login: addresses that are none, addresses nobody has, and passwords that are almost the one.

use devstack::seed::{ACORN, PASSWORD};
use serde_json::json;
use shared::addresses::EmailAddress;
use shared::ids::{OrgId, UserId};
use shared::passwords;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::users::{Role, User};

use crate::harness::{Cases, Refusal, Request, Stack};

fn login(email: &str, password: &str) -> Request {
    Request::post("/api/v1/auth/login").json(&json!({"email": email, "password": password}))
}

fn wrong() -> Refusal {
    Refusal::new(401, "invalid_credentials").counting_a_guess()
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_counted_nowhere() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    for email in [
        "",
        " ",
        "a",
        "@",
        "a@",
        "@b",
        "a@@b",
        "a@b@c",
        "a b@c.example",
        "a@c .example",
        " a@c.example",
        "a@c.example ",
        "a@c.example\n",
        "a@c.example\r\nBcc: v@c.example",
        "a\u{0}@c.example",
        "a\t@c.example",
        "\"a b\"@c.example",
        "a@c.example\u{a0}",
        "a\u{2003}@c.example",
        "a\u{ff20}c.example",
        "a\u{7f}@c.example",
        "a\u{85}@c.example",
        "owner@acorn.example,owner@birch.example, ",
    ] {
        cases.refused(format!("{email:?}"), login(email, PASSWORD), &Refusal::invalid(&["email"])).await;
    }
    cases.finish();
}

/// Whether somebody has an address, nobody learns: these are answered to the byte as a wrong password is.
#[tokio::test]
async fn an_address_nobody_has_answers_as_a_wrong_password_does() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let known = cases.refused("a wrong password", login(ACORN.owner.email, "wrong"), &wrong()).await;
    let owner = ACORN.owner.email;
    let nobody = [
        "nobody@acorn.example".to_owned(),
        "owner@acorn.example.".to_owned(),
        "owner+tag@acorn.example".to_owned(),
        "o.wner@acorn.example".to_owned(),
        "a@[127.0.0.1]".to_owned(),
        "a@b\u{fc}cher.example".to_owned(),
        "a@xn--bcher-kva.example".to_owned(),
        "USER#1#a@x.example".to_owned(),
        "EMAIL#x@y".to_owned(),
        "a'--@x.example".to_owned(),
        "<script>@x.example".to_owned(),
        "${jndi:ldap://x}@x.example".to_owned(),
        owner.replacen('o', "\u{43e}", 1),
        owner.replacen('a', "\u{430}", 1),
        owner.replacen('e', "\u{435}", 1),
        owner.replacen('o', "0", 1),
        owner.replacen('w', "\u{ff57}", 1),
        owner.replacen("owner", "owner\u{200b}", 1),
        owner.replacen("owner", "owner\u{ad}", 1),
        owner.replacen("owner", "\u{202e}owner", 1),
        owner.replacen('n', "n\u{303}", 1),
        owner.replacen('.', "\u{3002}", 1),
        owner.replacen("owner", "\"owner\"", 1),
    ];
    for email in nobody {
        let answer = cases.refused(format!("{email:?}"), login(&email, PASSWORD), &wrong()).await;
        let same = answer.indistinguishable() == known.indistinguishable();
        cases.judge(
            &email,
            if same { Ok(()) } else { Err("it can be told from a wrong password".to_owned()) },
        );
    }
    cases.finish();
}

#[tokio::test]
async fn a_password_is_compared_exactly_as_it_was_sent() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let passwords = [
        ("another case", PASSWORD.to_uppercase()),
        ("a capital", PASSWORD.replacen('d', "D", 1)),
        ("a space before", format!(" {PASSWORD}")),
        ("a space behind", format!("{PASSWORD} ")),
        ("a line break behind", format!("{PASSWORD}\n")),
        ("a NUL behind", format!("{PASSWORD}\0")),
        ("a NUL and more", format!("{PASSWORD}\0x")),
        ("one short", PASSWORD[..PASSWORD.len() - 1].to_owned()),
        ("one long", format!("{PASSWORD}3")),
        ("one character", "d".to_owned()),
        ("a soft hyphen", format!("{PASSWORD}\u{ad}")),
        ("full-width", PASSWORD.replacen('d', "\u{ff44}", 1)),
        ("Cyrillic", PASSWORD.replacen('e', "\u{435}", 1)),
        ("another dash", PASSWORD.replacen('-', "\u{2010}", 1)),
        ("a wildcard", "%".to_owned()),
        ("SQL", "' OR 1=1 --".to_owned()),
        ("256 characters", "x".repeat(256)),
    ];
    for (nth, (name, password)) in passwords.iter().enumerate() {
        // Somebody else every eight: ten wrong passwords shut an address.
        let person = ACORN.people()[nth / 8];
        cases.refused(*name, login(person.email, password), &wrong()).await;
    }
    cases.accepted("the password", login(ACORN.owner.email, PASSWORD), 200).await;
    cases.finish();
}

/// A person whose address and password are not ASCII, and a password that a shorter hash would cut.
async fn rene(stack: &Stack, email: &str, password: &str) {
    let app = stack.app();
    let hash = passwords::hash(&Sensitive::new(password.to_owned()), &SystemRng).unwrap();
    let user_id = UserId::new(app.clock.as_ref(), &SystemRng);
    let org = OrgId::parse(ACORN.id).unwrap();
    let user = User::new(user_id, email.to_owned(), "Ren\u{e9} Acorn".to_owned(), hash, org);
    let event = devstack::event(&app, ACORN.id);
    app.store.create_user(&EmailAddress::parse(email).unwrap(), &user, Role::Viewer, &event).await.unwrap();
}

#[tokio::test]
async fn spellings_of_one_mailbox_are_one_person_and_the_mail_goes_where_it_was_registered() {
    let stack = Stack::start().await;
    let (registered, password) = ("Ren\u{e9}@Acorn.example", format!("caf\u{e9}-{}", "x".repeat(72)));
    rene(&stack, registered, &password).await;
    let mut cases = Cases::of(&stack);
    for email in
        [registered, "ren\u{e9}@acorn.example", "REN\u{c9}@ACORN.EXAMPLE", "rene\u{301}@acorn.example"]
    {
        cases.accepted(email, login(email, &password), 200).await;
        let mail = &stack.devstack.mailbox.newest_first(None)[0];
        cases.judge(
            email,
            if mail.to == registered { Ok(()) } else { Err(format!("the mail went to {}", mail.to)) },
        );
    }
    for email in ["rene@acorn.example", "ren\u{ea}@acorn.example", "ren\u{435}\u{301}@acorn.example"] {
        cases.refused(email, login(email, &password), &wrong()).await;
    }
    let decomposed = password.replace('\u{e9}', "e\u{301}");
    for (name, close) in [
        ("in another normal form", decomposed),
        ("72 bytes of it", password[..72].to_owned()),
        ("another end", format!("{}y", &password[..password.len() - 1])),
    ] {
        cases.refused(name, login(registered, &close), &wrong()).await;
    }
    assert_eq!(stack.devstack.mailbox.newest_first(None).len(), 4);
    cases.finish();
}

/// What a client says about its address is not believed.
#[tokio::test]
async fn a_lock_is_not_evaded_by_headers_or_spelling() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    for nth in 0..10 {
        let email =
            if nth % 2 == 0 { ACORN.owner.email.to_owned() } else { ACORN.owner.email.to_uppercase() };
        cases.refused(format!("wrong password {nth}"), login(&email, "wrong"), &wrong()).await;
    }
    let locked = Refusal::new(429, "too_many_attempts");
    cases.refused("the eleventh", login(ACORN.owner.email, "wrong"), &locked).await;
    cases.refused("the right one", login(ACORN.owner.email, PASSWORD), &locked).await;
    cases.refused("in capitals", login(&ACORN.owner.email.to_uppercase(), PASSWORD), &locked).await;
    for name in [
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Client-IP",
        "Via",
    ] {
        let value = if name == "Forwarded" { "for=198.51.100.7" } else { "198.51.100.7" };
        let spoofed = login(ACORN.owner.email, PASSWORD).header(name, value);
        cases.refused(name, spoofed, &locked).await;
    }
    cases.accepted("somebody else", login(ACORN.admin.email, PASSWORD), 200).await;
    cases.finish();
}

#[tokio::test]
async fn a_password_in_an_address_is_not_read() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let query = format!("/api/v1/auth/login?email={}&password={PASSWORD}", ACORN.owner.email);
    cases.refused("GET", Request::get(&query), &Refusal::method_not_allowed("POST")).await;
    cases.refused("POST without a body", Request::post(&query), &Refusal::not_said_json()).await;
    cases
        .refused(
            "POST with an empty object",
            Request::post(&query).json(&json!({})),
            &Refusal::invalid(&["email", "password"]),
        )
        .await;
    let basic = base64::Engine::encode(
        &base64::prelude::BASE64_STANDARD,
        format!("{}:{PASSWORD}", ACORN.owner.email),
    );
    let header = Request::post("/api/v1/auth/login")
        .json(&json!({}))
        .header("Authorization", format!("Basic {basic}"));
    cases.refused("a header", header, &Refusal::invalid(&["email", "password"])).await;
    cases.finish();
}
