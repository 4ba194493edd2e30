//! What is logged: each attempt once, and never what nobody may read there.

use devstack::seed::{ACORN, BIRCH, PASSWORD};
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::clock::Clock as _;
use shared::ids::OrgId;
use shared::rng::SystemRng;
use time::Duration;

use crate::attempts::Attempts;
use crate::harness::{Request, Stack};

async fn the_first_step(attempts: &mut Attempts<'_>) {
    attempts.login(ACORN.owner.email, "not-the-password", "refused", "invalid_credentials").await;
    attempts.login("Nobody.At.All@Acorn.example", "nobodys-password", "refused", "invalid_credentials").await;
    for _ in 0..9 {
        attempts.login(ACORN.owner.email, "not-the-password", "refused", "invalid_credentials").await;
    }
    attempts.login(ACORN.owner.email, PASSWORD, "refused", "too_many_attempts").await;
    attempts.stack.pass(Duration::hours(1));
}

async fn the_second_step(attempts: &mut Attempts<'_>) {
    let challenge =
        attempts.login(ACORN.viewer.email, PASSWORD, "ok", "").await.data()["challenge_id"].clone();
    let challenge = challenge.as_str().unwrap();
    attempts.verify(challenge, "no-code-at-all", "refused", "invalid_code").await;
    attempts.verify("ch_no-challenge", "another-code", "refused", "invalid_code").await;
    let resend = Request::post("/api/v1/auth/login/2fa/resend").json(&json!({"challenge_id": challenge}));
    attempts.make(&resend, "resend", "refused", "rate_limited").await;
    attempts.stack.pass(Duration::minutes(1));
    attempts.make(&resend, "resend", "ok", "").await;
    let code = attempts.stack.devstack.mailbox.code(ACORN.viewer.email).unwrap();
    attempts.verify(challenge, &code, "ok", "").await;
    attempts.verify(challenge, &code, "refused", "invalid_code").await;
}

async fn sessions(attempts: &mut Attempts<'_>) {
    let (access, first) = attempts.log_in(ACORN.admin).await;
    let key = "an-idempotency-key";
    attempts.secret("an idempotency key", key);
    let second = attempts.refresh(&first, Some(key), "ok", "").await.data()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    attempts.refresh(&first, Some(key), "ok", "replayed").await;
    attempts.refresh("rt_made-up-by-somebody", None, "refused", "not_ours").await;
    attempts.refresh(&first, None, "refused", "reuse_session_revoked").await;
    attempts.refresh(&second, None, "refused", "session_over").await;
    let create = Request::post("/api/v1/auth/api-keys").bearer(&access).json(&json!({"key_name": "k"}));
    attempts.make(&create, "key.create", "refused", "unauthorized").await;
    let logout = Request::post("/api/v1/auth/logout").bearer(&access);
    attempts.make(&logout, "logout", "ok", "was_over").await;
}

async fn keys(attempts: &mut Attempts<'_>) {
    let (owner, _) = attempts.log_in(ACORN.owner).await;
    let (viewer, _) = attempts.log_in(ACORN.viewer).await;
    let create =
        |access: &str, body: Value| Request::post("/api/v1/auth/api-keys").bearer(access).json(&body);
    attempts.secret("an idempotency key", "a-key-to-repeat-by");
    attempts
        .make(&create(&viewer, json!({"key_name": "k"})), "key.create", "refused", "insufficient_role")
        .await;
    let once = create(&owner, json!({"key_name": "k", "idempotency_key": "a-key-to-repeat-by"}));
    let made = attempts.make(&once, "key.create", "ok", "").await.data();
    attempts.make(&once, "key.create", "ok", "replayed").await;
    attempts
        .make(
            &create(&owner, json!({"key_name": "other", "idempotency_key": "a-key-to-repeat-by"})),
            "key.create",
            "refused",
            "idempotency_mismatch",
        )
        .await;
    attempts
        .make(&create(&owner, json!({"key_name": "k"})), "key.create", "refused", "active_key_exists")
        .await;
    let delete =
        |access: &str, id: &str| Request::delete(&format!("/api/v1/auth/api-keys/{id}")).bearer(access);
    let id = made["api_key_id"].as_str().unwrap();
    attempts.make(&delete(&viewer, id), "key.revoke", "refused", "insufficient_role").await;
    attempts.make(&delete(&owner, id), "key.revoke", "ok", "").await;
    attempts.make(&delete(&owner, id), "key.revoke", "ok", "was_revoked").await;
    attempts
        .make(&delete(&owner, "key_01J0ACRN000000000000000000"), "key.revoke", "refused", "not_found")
        .await;
    attempts.make(&once, "key.create", "refused", "idempotency_spent").await;
    attempts.make(&create(&owner, json!({"key_name": "k"})), "key.create", "refused", "rate_limited").await;
}

async fn organizations(attempts: &mut Attempts<'_>) {
    let (owner, refresh) = attempts.log_in(BIRCH.owner).await;
    let (acorn, _) = attempts.log_in(ACORN.admin).await;
    let put = |access: &str, id: &str, env: &str| {
        Request::put(&format!("/api/v1/organizations/{id}/environment"))
            .bearer(access)
            .json(&json!({"env": env}))
    };
    let action = "organization.switch_environment";
    attempts.make(&put(&owner, BIRCH.id, "live"), action, "ok", "").await;
    attempts.make(&put(&owner, ACORN.id, "live"), action, "refused", "wrong_organization").await;
    attempts.make(&put(&acorn, ACORN.id, "live"), action, "refused", "onboarding_incomplete").await;
    let rename = |access: &str, id: &str| {
        Request::new("PATCH", &format!("/api/v1/organizations/{id}"))
            .bearer(access)
            .json(&json!({"name": "n"}))
    };
    let action_of_names = "organization.rename";
    attempts.make(&rename(&owner, BIRCH.id), action_of_names, "ok", "").await;
    attempts.make(&rename(&owner, BIRCH.id), action_of_names, "ok", "was_so").await;
    attempts.make(&rename(&owner, ACORN.id), action_of_names, "refused", "wrong_organization").await;
    let audit = |id: &str| Request::get(&format!("/api/v1/organizations/{id}/audit")).bearer(&owner);
    attempts.make(&audit(ACORN.id), "audit.list", "refused", "wrong_organization").await;
    let now = attempts.stack.devstack.clock.now_seconds();
    let app = attempts.stack.app();
    let event = || devstack::event(&app, BIRCH.id);
    app.store.set_suspended(&OrgId::parse(BIRCH.id).unwrap(), true, &event, now).await.unwrap();
    attempts.make(&put(&owner, BIRCH.id, "test"), action, "refused", "organization_suspended").await;
    attempts.refresh(&refresh, None, "refused", "organization_suspended").await;
    attempts.login(BIRCH.owner.email, PASSWORD, "refused", "organization_suspended").await;
}

/// What reaches no use case, or quotes a secret where none belongs, leaves no event of a use case; nor may it leave the secret.
async fn misplaced(attempts: &mut Attempts<'_>) {
    let stack = attempts.stack;
    let key = PlainKey::generate(Env::Live, &SystemRng);
    attempts.secret("an API key nobody was given", key.expose());
    let basic = "dXNlcjpwYXNzd29yZA==";
    attempts.secret("a password in Basic", basic);
    let (secret, address) = ("a-secret-in-the-wrong-place", "someone@elsewhere.example");
    attempts.secret("a misplaced secret", secret);
    attempts.secret("a misplaced address", address);
    let requests = [
        Request::get("/api/v1/organizations/me").bearer(key.expose()),
        Request::get("/api/v1/organizations/me").bearer(&key.expose()[..45]),
        Request::get("/api/v1/organizations/me").header("Authorization", format!("Basic {basic}")),
        Request::get(&format!("/nowhere/{secret}?password={secret}&email={address}")).bearer(key.expose()),
        Request::get(&format!("/api/v1/organizations/{secret}")).bearer(secret),
        Request::post("/api/v1/auth/login")
            .said_json(format!("{{\"email\":\"{address}\",\"password\":\"{secret}\"")),
        Request::post("/api/v1/auth/login").json(&json!({"email": [address], "password": {"is": secret}})),
        Request::post("/api/v1/auth/login").json(&json!({"email": address, "password": secret.repeat(20)})),
        Request::post("/api/v1/auth/login")
            .header("Content-Type", "text/plain")
            .body(format!("{address} {secret}")),
        Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": [secret]})),
        Request::post("/api/v1/auth/login")
            .header("Cookie", secret)
            .header("User-Agent", secret)
            .header("Referer", secret)
            .json(&json!({})),
        Request::new("DELETE", &format!("/api/v1/auth/login?code={secret}")),
    ];
    for request in requests {
        let answer = stack.send(&request).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
}

/// Whether `text` stands in `line` as a whole: a code's six digits may be a part of a longer number by chance.
fn holds(line: &str, text: &str) -> bool {
    let bordered = |at: usize, end: usize| {
        let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        outside(line[..at].chars().next_back()) && outside(line[end..].chars().next())
    };
    line.match_indices(text).any(|(at, it)| text.len() > 8 || bordered(at, at + it.len()))
}

#[tokio::test]
async fn every_attempt_leaves_one_event_and_no_secret_a_line() {
    let stack = Stack::start().await;
    let mut attempts = Attempts::of(&stack);
    the_first_step(&mut attempts).await;
    the_second_step(&mut attempts).await;
    sessions(&mut attempts).await;
    keys(&mut attempts).await;
    organizations(&mut attempts).await;
    let authorized =
        stack.devstack.logs.lines().into_iter().filter(|line| line["action"] == "authorize").count();
    let protected = [
        "logout",
        "key.create",
        "key.revoke",
        "organization.switch_environment",
        "organization.rename",
        "audit.list",
    ];
    let asked = attempts.expected.iter().filter(|(_, _, action, ..)| protected.contains(action)).count();
    assert_eq!(authorized, asked, "the authorizer leaves an event of its own at every call");
    misplaced(&mut attempts).await;

    let lines = stack.devstack.logs.lines();
    let events: Vec<_> =
        lines.iter().filter(|line| line["action"].is_string() && line["action"] != "authorize").collect();
    let mut failed = Vec::new();
    for (id, what, action, outcome, reason) in &attempts.expected {
        let left: Vec<_> = events.iter().filter(|event| event["request_id"] == id.as_str()).collect();
        let right = matches!(left.as_slice(), [event] if event["action"] == *action && event["outcome"] == *outcome
            && event["reason"].as_str().unwrap_or_default() == *reason);
        if !right {
            failed.push(format!("{what}: must leave one {action}/{outcome}/{reason}, left {left:?}"));
        }
    }
    for event in lines.iter().filter(|line| line["action"].is_string()) {
        let complete = ["outcome", "request_id", "network"]
            .iter()
            .all(|name| event[name].as_str().is_some_and(|it| !it.is_empty()));
        if !complete {
            failed.push(format!("incomplete: {event}"));
        }
    }
    if events.len() != attempts.expected.len() {
        failed.push(format!("{} events of {} attempts", events.len(), attempts.expected.len()));
    }
    for line in stack.devstack.logs.text().lines() {
        for (what, secret) in &attempts.secrets {
            if holds(line, secret)
                || (secret.contains('@') && line.to_lowercase().contains(&secret.to_lowercase()))
            {
                failed.push(format!("{what} ({secret}) is in {line}"));
            }
        }
    }
    eprintln!(
        "{} attempts, {} lines, {} secrets",
        attempts.expected.len(),
        lines.len(),
        attempts.secrets.len()
    );
    assert!(failed.is_empty(), "{} cases:\n  {}", failed.len(), failed.join("\n  "));
}

/// A line is one JSON object, whatever a client sends: nobody writes a second one, or colours a terminal.
#[tokio::test]
async fn nobody_forges_a_line() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let forged = "\n{\"action\":\"login\",\"outcome\":\"ok\"}\u{1b}[31m";
    let requests = [
        Request::post("/api/v1/auth/login")
            .json(&json!({"email": format!("a{forged}@b.example"), "password": forged})),
        Request::post("/api/v1/auth/login/2fa/verify").json(&json!({"challenge_id": forged, "code": forged})),
        Request::post("/api/v1/auth/login/2fa/resend").json(&json!({"challenge_id": forged})),
        Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": forged})),
        Request::post("/api/v1/auth/api-keys").bearer(&owner.access).json(&json!({"key_name": forged})),
        Request::get("/api/v1/organizations/%0A%7B%22action%22%3A%22login%22%7D").bearer(&owner.access),
        Request::delete("/api/v1/auth/api-keys/%0A%7B%22action%22%3A%22login%22%7D").bearer(&owner.access),
        Request::get("/%0A%7B%22action%22%3A%22login%22%7D"),
        Request::get("/api/v1/organizations/me")
            .header("User-Agent", "\\n{\"action\":\"login\"}")
            .header("X-Amzn-Trace-Id", "\"},{\""),
    ];
    let before = stack.devstack.logs.lines().len();
    for request in requests {
        stack.send(&request).await;
    }
    let lines = stack.devstack.logs.lines();
    for line in &lines[before..] {
        assert!(line.is_object(), "no JSON: {line}");
        assert!(!line.to_string().contains("[31m"), "{line}");
        assert!(line["action"] != "login" || line["outcome"] != "ok", "forged: {line}");
    }
}

/// An authenticated caller who is refused leaves an event, also where a route only reads, or takes a person and no server.
#[tokio::test]
async fn whoever_is_known_and_refused_is_logged() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let made = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    let mut failed = Vec::new();
    for (name, request, reason, actor, target) in [
        (
            "the neighbour's organization",
            Request::get(&format!("/api/v1/organizations/{}", BIRCH.id)).bearer(&owner.access),
            "wrong_organization",
            ACORN.owner.user_id,
            "",
        ),
        (
            "a key that makes a key",
            Request::post("/api/v1/auth/api-keys").bearer(&made.key).json(&json!({"key_name": "k"})),
            "session_required",
            &made.id,
            "POST /api/v1/auth/api-keys",
        ),
        (
            "a key that logs out",
            Request::post("/api/v1/auth/logout").bearer(&made.key),
            "session_required",
            &made.id,
            "POST /api/v1/auth/logout",
        ),
        (
            "a key that revokes a key",
            Request::delete(&format!("/api/v1/auth/api-keys/{}", made.id)).bearer(&made.key),
            "session_required",
            &made.id,
            "DELETE /api/v1/auth/api-keys/{api_key_id}",
        ),
    ] {
        let answer = stack.send(&request).await;
        assert_eq!(answer.status, 403, "{name}: {answer:?}");
        let id = answer.header("x-request-id").unwrap();
        let lines = stack.devstack.logs.lines();
        let left = lines.iter().filter(|line| {
            line["action"].is_string() && line["request_id"] == id && line["reason"] == reason
        });
        let left: Vec<_> = left.collect();
        let right = left.iter().all(|line| {
            line["actor"] == actor
                && line["org"] == ACORN.id
                && line["target"].as_str().unwrap_or_default() == target
                && line["outcome"] == "refused"
        });
        if left.len() != 1 || !right {
            failed.push(format!("{name}: {left:?}"));
        }
    }
    assert!(failed.is_empty(), "these left another event, or none: {failed:?}");
}
