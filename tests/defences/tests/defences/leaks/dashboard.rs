//! A session in a cookie: its refresh tokens are in no log, in no body, and in the table as hashes alone.

use defences::environment::{Environment, HttpCall, Outcome};
use defences::flight::flying;
use devstack::engines::recorder::Fault;
use serde_json::{Value, json};
use shared::principals::UserPrincipal;

use super::super::faults::flows::Flow;
use super::super::faults::stage::Stage;
use super::Secrets;

const COOKIE: &str = "__Host-syncgram_session=";

fn call(function: &'static str, resource: &'static str, stage: &Stage, jar: &str) -> HttpCall {
    let mut headers = vec![
        ("x-syncgram-client", "dashboard".to_owned()),
        ("origin", stage.place.devstack.base_url.clone()),
    ];
    if !jar.is_empty() {
        headers.push(("cookie", format!("a=b; {COOKIE}{jar}")));
    }
    let idempotency_key = (function == "refresh").then_some("0123456789abcdef");
    let (method, parameter, body, user) = ("POST", None, Value::Null, None);
    HttpCall { function, method, resource, parameter, body, idempotency_key, headers, user }
}

/// The refresh token in an answer's cookie, which is a secret from now on; the rest of the answer.
fn answered(outcome: Outcome, secrets: &mut Secrets, said: &mut String) -> String {
    let set = outcome.cookie.unwrap_or_default();
    let token = set.strip_prefix(COOKIE).and_then(|it| it.split(';').next()).unwrap_or_default().to_owned();
    if !token.is_empty() {
        secrets.add("a refresh token in a cookie", &token);
    }
    *said += &format!("{} {}\n", set.replace(&token, ""), secrets.answered(outcome.body));
    token
}

/// A dashboard's session from its beginning to its end, refused and in trouble on its way. What it was answered, without what is its own.
pub async fn session(stage: &Stage, secrets: &mut Secrets) -> String {
    let mut said = String::new();
    let at = stage.begin(Flow::Verify).await;
    let verify = HttpCall {
        body: json!({"challenge_id": stage.challenge.0, "code": stage.challenge.1}),
        ..call("verify", "/api/v1/auth/login/2fa/verify", stage, "")
    };
    let outcome = at.http(&verify).await;
    assert_eq!(outcome.status, 200, "{}", outcome.body);
    let first = answered(outcome, secrets, &mut said);
    assert!(first.starts_with("rt_"), "{said}");
    let refresh = |jar: &str| call("refresh", "/api/v1/auth/refresh", stage, jar);

    // From another page, as two cookies, with a fault at the write: each leaves its lines.
    let mut foreign = refresh(&first);
    foreign.headers[1].1 = "https://evil.example".to_owned();
    let twice = refresh(&format!("{first}; {COOKIE}{first}"));
    for (bad, status) in [(&foreign, 403), (&twice, 401)] {
        let outcome = at.http(bad).await;
        assert_eq!(outcome.status, status, "{}", outcome.body);
        answered(outcome, secrets, &mut said);
    }
    at.requests.inject(|request| (!request.is_read()).then_some(Fault::HalfAnswer));
    let outcome = flying(at.http(&refresh(&first))).await.0;
    assert_eq!(outcome.status, 503, "{}", outcome.body);
    answered(outcome, secrets, &mut said);
    at.requests.heal();

    let next = answered(at.http(&refresh(&first)).await, secrets, &mut said);
    assert!(next.starts_with("rt_"), "{said}");
    let theft = HttpCall { idempotency_key: None, ..refresh(&first) };
    let outcome = at.http(&theft).await;
    assert_eq!(outcome.status, 401, "{}", outcome.body);
    answered(outcome, secrets, &mut said);
    leave(stage, &at, &next, &stage.birch_owner, secrets, &mut said).await;
    said
}

async fn leave(
    stage: &Stage,
    at: &Environment,
    jar: &str,
    user: &UserPrincipal,
    secrets: &mut Secrets,
    said: &mut String,
) {
    let logout = HttpCall { user: Some(user.clone()), ..call("logout", "/api/v1/auth/logout", stage, jar) };
    let outcome = at.http(&logout).await;
    assert_eq!(outcome.status, 204, "{}", outcome.body);
    answered(outcome, secrets, said);
}
