//! Metrics: each attempt counts what it should and nothing else, in lines that CloudWatch reads, by few and fixed dimensions.

use std::collections::BTreeSet;

use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;
use time::Duration;

use crate::harness::emf::{self, Datum};
use crate::harness::{Request, Response, Stack};

/// Calls, and what each was found to count.
struct Meter<'a> {
    stack: &'a Stack,
    seen: Vec<Datum>,
    wrong: Vec<String>,
}

impl Meter<'_> {
    /// Makes a call, which must count `expected`, each once, beside how long each line's attempt took.
    async fn call(&mut self, name: &str, request: &Request, expected: &[&str]) -> Response {
        let before = self.stack.devstack.logs.text().lines().count();
        let answer = self.stack.send(request).await;
        let text = self.stack.devstack.logs.text();
        let mut counted = Vec::new();
        for line in text.lines().skip(before) {
            match emf::read(line) {
                Ok(data) => counted.extend(data),
                Err(why) => self.wrong.push(format!("{name}: {why}: {line}")),
            }
        }
        let mut said: Vec<_> = counted.iter().map(Datum::said).collect();
        let mut expected: Vec<_> = expected.iter().map(|it| (*it).to_owned()).collect();
        let actions =
            BTreeSet::from_iter(expected.iter().filter_map(|it| it.split(' ').nth(1)).map(str::to_owned));
        expected.extend(actions.into_iter().map(|action| format!("Latency {action}")));
        said.sort();
        expected.sort();
        if said != expected {
            self.wrong.push(format!("{name}: must count {expected:?}, counted {said:?}"));
        }
        self.seen.extend(counted);
        answer
    }

    async fn login(&mut self, name: &str, email: &str, password: &str, expected: &[&str]) -> Response {
        let body = json!({"email": email, "password": password});
        self.call(name, &Request::post("/api/v1/auth/login").json(&body), expected).await
    }

    async fn refresh(&mut self, name: &str, token: &Value, expected: &[&str]) -> Response {
        let body = json!({"refresh_token": token});
        self.call(name, &Request::post("/api/v1/auth/refresh").json(&body), expected).await
    }
}

fn verify(challenge: &Value, code: &str) -> Request {
    Request::post("/api/v1/auth/login/2fa/verify").json(&json!({"challenge_id": challenge, "code": code}))
}

const WRONG_PASSWORD: &str = "Refused action=login reason=invalid_credentials";
const KNOWN: &str = "Succeeded action=authorize";

async fn logins(meter: &mut Meter<'_>) -> (Value, Value) {
    for _ in 0..10 {
        meter.login("a wrong password", ACORN.viewer.email, "not-the-password", &[WRONG_PASSWORD]).await;
    }
    let locked = ["Lockouts", "Refused action=login reason=too_many_attempts"];
    meter.login("behind a shut guard", ACORN.viewer.email, PASSWORD, &locked).await;
    let login = meter.login("a login", ACORN.owner.email, PASSWORD, &["Succeeded action=login"]).await;
    let challenge = &login.data()["challenge_id"];
    meter
        .call("a wrong code", &verify(challenge, "no-code"), &["Refused action=verify reason=invalid_code"])
        .await;
    let resend = Request::post("/api/v1/auth/login/2fa/resend").json(&json!({"challenge_id": challenge}));
    meter.call("a code again, too soon", &resend, &["Refused action=resend reason=rate_limited"]).await;
    meter.stack.pass(Duration::minutes(1));
    meter.call("a code again", &resend, &["Succeeded action=resend"]).await;
    let code = meter.stack.devstack.mailbox.code(ACORN.owner.email).unwrap();
    let done = meter
        .call("the code", &verify(challenge, &code), &["Logins", "Succeeded action=verify"])
        .await
        .data();
    (done["access_token"].clone(), done["refresh_token"].clone())
}

async fn keys(meter: &mut Meter<'_>, access: &str) {
    let create = Request::post("/api/v1/auth/api-keys").bearer(access);
    let body = json!({"key_name": "k", "idempotency_key": "the-same-again"});
    let made = ["KeysMade", KNOWN, "Succeeded action=key.create"];
    let key = meter.call("a key", &create.clone().json(&body), &made).await.data();
    meter
        .call("the same key again", &create.clone().json(&body), &[KNOWN, "Succeeded action=key.create"])
        .await;
    let second = [KNOWN, "Refused action=key.create reason=active_key_exists"];
    meter.call("a second key", &create.json(&json!({"key_name": "k"})), &second).await;

    let me = Request::get("/api/v1/organizations/me");
    let list = Request::get("/api/v1/auth/api-keys").bearer(access);
    meter.call("a look at the keys", &list, &[KNOWN]).await;
    meter.call("a call with the key", &me.clone().bearer(key["key"].as_str().unwrap()), &[KNOWN]).await;
    let delete = Request::delete(&format!("/api/v1/auth/api-keys/{}", key["api_key_id"].as_str().unwrap()));
    let delete = delete.bearer(access);
    let revoked = ["KeysRevoked", KNOWN, "Succeeded action=key.revoke"];
    meter.call("the key revoked", &delete, &revoked).await;
    meter.call("and again", &delete, &[KNOWN, "Succeeded action=key.revoke"]).await;
    for (name, credential, reason) in [
        ("a revoked key", key["key"].as_str().unwrap(), "revoked_key"),
        ("an unknown key", PlainKey::generate(Env::Test, &SystemRng).expose(), "unknown_key"),
        ("a token that is none", "eyJx.eyJx.eyJx", "malformed_token"),
    ] {
        let refused = format!("Refused action=authorize reason={reason}");
        meter.call(name, &me.clone().bearer(credential), &[&refused]).await;
    }
    // The gateway refuses it alone: its access log has it.
    meter.call("no credential", &me, &[]).await;
}

async fn theft(meter: &mut Meter<'_>, first: &Value) {
    let second = meter.refresh("a refresh", first, &["Succeeded action=refresh"]).await.data();
    let reuse = ["ReuseDetected", "Refused action=refresh reason=reuse_session_revoked"];
    meter.refresh("a used refresh token", first, &reuse).await;
    let over = ["Refused action=refresh reason=session_over"];
    meter.refresh("the thief's", &second["refresh_token"], &over).await;
    meter.refresh("a made-up one", &json!("rt_made-up"), &["Refused action=refresh reason=not_ours"]).await;
}

#[tokio::test]
async fn each_outcome_counts_what_it_should() {
    let stack = Stack::start().await;
    let mut meter = Meter { stack: &stack, seen: Vec::new(), wrong: Vec::new() };
    let (access, refresh) = logins(&mut meter).await;
    let access = access.as_str().unwrap();
    keys(&mut meter, access).await;
    theft(&mut meter, &refresh).await;

    let neighbour = Request::get(&format!("/api/v1/organizations/{}", BIRCH.id)).bearer(access);
    let refused = [KNOWN, "Refused action=organization.show reason=wrong_organization"];
    meter.call("the neighbour's organization", &neighbour, &refused).await;
    let logout = Request::post("/api/v1/auth/logout").bearer(access);
    meter.call("a logout", &logout, &[KNOWN, "Succeeded action=logout"]).await;
    meter.call("no JSON", &Request::post("/api/v1/auth/login").said_json("{"), &[]).await;

    let away = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"});
    stack.devstack.requests.inject(move |_: &Recorded| Some(Fault::Answer(400, away.clone())));
    meter.login("while the table is away", ACORN.owner.email, PASSWORD, &["Failed action=login"]).await;
    let key = PlainKey::generate(Env::Test, &SystemRng);
    let me = Request::get("/api/v1/organizations/me").bearer(key.expose());
    meter.call("a key while the table is away", &me, &["Failed action=authorize"]).await;

    assert!(meter.wrong.is_empty(), "{} cases:\n  {}", meter.wrong.len(), meter.wrong.join("\n  "));
    few_and_fixed(&meter.seen);
}

/// Whatever clients send, the dimensions are words of ours, and there are few.
fn few_and_fixed(seen: &[Datum]) {
    let word = |text: &str| {
        text.len() <= 40 && text.bytes().all(|it| it.is_ascii_lowercase() || b"_.".contains(&it))
    };
    for datum in seen {
        assert_eq!(datum.namespace, "SyncgramPay/Auth", "{datum:?}");
        assert_eq!(datum.dimensions["stage"], "devstack", "{datum:?}");
        assert!(
            datum.dimensions.keys().all(|it| ["stage", "action", "reason"].contains(&it.as_str())),
            "{datum:?}"
        );
        assert!(datum.dimensions.values().all(|it| word(it)), "{datum:?}");
        assert!(datum.value == 1.0 || datum.name == "Latency", "{datum:?}");
    }
    let distinct: BTreeSet<_> = seen.iter().map(Datum::said).collect();
    eprintln!("{} values of {} metrics", seen.len(), distinct.len());
    assert!((25..=100).contains(&distinct.len()), "{distinct:?}");
}
