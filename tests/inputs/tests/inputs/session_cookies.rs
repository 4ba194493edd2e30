//! The dashboard's session: who may ask as the dashboard, and which cookies are one.

use std::collections::BTreeMap;

use devstack::seed::ACORN;
use lambda_http::request::LambdaRequest;
use serde_json::{Value, json};

use crate::harness::events::Routed;
use crate::harness::{Cases, Refusal, Request, Response, Stack};

const NAME: &str = "__Host-syncgram_session";
const VERIFY: &str = "/api/v1/auth/login/2fa/verify";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";
/// As a cookie that is over is set.
const GONE: &str = "__Host-syncgram_session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// As the dashboard's page sends it.
fn at_home(stack: &Stack, request: Request) -> Request {
    from(&stack.devstack.base_url, request)
}

fn from(origin: &str, request: Request) -> Request {
    request.header("X-Syncgram-Client", "dashboard").header("Origin", origin)
}

fn with_cookie(request: Request, token: &str) -> Request {
    request.header("Cookie", format!("{NAME}={token}"))
}

/// The refresh token in a `Set-Cookie`.
fn token_in(answer: &Response) -> String {
    let cookie = answer.header("set-cookie").unwrap();
    let (pair, _) = cookie.split_once(';').unwrap();
    pair.strip_prefix(NAME).unwrap().strip_prefix('=').unwrap().to_owned()
}

/// What a signed-in browser has: the answer to its verify.
async fn sign_in(stack: &Stack) -> Response {
    let (challenge, code) = stack.challenge(ACORN.owner).await;
    let verify = Request::post(VERIFY).json(&json!({"challenge_id": challenge, "code": code}));
    let answer = stack.send(&at_home(stack, verify)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn lost() -> Refusal {
    Refusal::new(401, "invalid_refresh_token")
}

#[tokio::test]
async fn nobody_is_the_dashboard_from_another_origin() {
    let stack = Stack::start().await;
    let home = stack.devstack.base_url.clone();
    let signed_in = sign_in(&stack).await;
    let (token, access) =
        (token_in(&signed_in), signed_in.data()["access_token"].as_str().unwrap().to_owned());
    let (challenge, code) = stack.challenge(ACORN.owner).await;
    let requests = [
        ("verify", Request::post(VERIFY).json(&json!({"challenge_id": challenge, "code": code}))),
        ("refresh", with_cookie(Request::post(REFRESH), &token)),
        ("logout", with_cookie(Request::post(LOGOUT).bearer(&access), &token)),
    ];
    let port = home.rsplit(':').next().unwrap();
    let others = [
        String::new(),
        "null".to_owned(),
        "https://evil.example".to_owned(),
        "http://127.0.0.1".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        format!("http://evil.127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}@evil.example"),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("{home}/"),
        format!("{home}/dashboard"),
        home.to_uppercase(),
        format!("{home}, {home}"),
        format!("{home} https://evil.example"),
    ];
    let refusal = Refusal::new(403, "origin_not_allowed");
    let mut cases = Cases::of(&stack);
    for (name, request) in &requests {
        for origin in &others {
            let answer = cases
                .refused(format!("{name} from {origin:?}"), from(origin, request.clone()), &refusal)
                .await;
            cases.judge(name, none(&answer, "set-cookie"));
        }
        let dashboard = request.clone().header("X-Syncgram-Client", "dashboard");
        cases.refused(format!("{name} from nowhere"), dashboard.clone(), &refusal).await;
        // What names an origin besides is none.
        let referred = dashboard
            .clone()
            .header("Referer", format!("{home}/dashboard"))
            .header("Sec-Fetch-Site", "same-origin");
        cases.refused(format!("{name} from nowhere, referred"), referred, &refusal).await;
        let claimed =
            dashboard.header("X-Forwarded-Host", "evil.example").header("Origin", "http://evil.example");
        cases.refused(format!("{name} from what is forwarded"), claimed, &refusal).await;
        let twice = at_home(&stack, request.clone()).header("Origin", &home);
        cases.refused(format!("{name} from home twice"), twice, &refusal).await;
    }
    for ((name, request), status) in requests.into_iter().zip([200, 200, 204]) {
        cases.accepted(format!("{name} from home"), at_home(&stack, request), status).await;
    }
    cases.finish();
}

fn none(answer: &Response, header: &str) -> Result<(), String> {
    answer.header(header).map_or(Ok(()), |value| Err(format!("{header}: {value}")))
}

#[tokio::test]
async fn a_client_is_the_dashboard_or_says_nothing() {
    let stack = Stack::start().await;
    let signed_in = sign_in(&stack).await;
    let access = signed_in.data()["access_token"].as_str().unwrap().to_owned();
    let token = token_in(&signed_in);
    let mut cases = Cases::of(&stack);
    let refusal = Refusal::invalid(&["X-Syncgram-Client"]);
    for (path, name) in [(VERIFY, "verify"), (REFRESH, "refresh"), (LOGOUT, "logout")] {
        let request = || {
            let request = with_cookie(
                Request::post(path).bearer(&access).json(&json!({"refresh_token": token})),
                &token,
            );
            request.header("Origin", &stack.devstack.base_url)
        };
        for other in
            ["", "Dashboard", "DASHBOARD", "dashboards", "dashboard,dashboard", "api", "\"dashboard\"", "1"]
        {
            let request = request().header("X-Syncgram-Client", other);
            let answer = cases.refused(format!("{name} by {other:?}"), request, &refusal).await;
            cases.judge(name, none(&answer, "set-cookie"));
        }
        let twice =
            request().header("X-Syncgram-Client", "dashboard").header("X-Syncgram-Client", "dashboard");
        cases.refused(format!("{name} by two"), twice, &refusal).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_cookie_alone_is_nothing_and_neither_is_the_header_alone() {
    let stack = Stack::start().await;
    let token = token_in(&sign_in(&stack).await);
    let cookie = |request: Request| with_cookie(request, &token).header("Origin", &stack.devstack.base_url);
    let mut cases = Cases::of(&stack);
    cases.refused("no body", cookie(Request::post(REFRESH)), &Refusal::not_said_json()).await;
    let empty = cookie(Request::post(REFRESH).json(&json!({})));
    cases.refused("an empty body", empty, &Refusal::invalid(&["refresh_token"])).await;
    let form = cookie(Request::post(REFRESH).header("Content-Type", "text/plain").body("{}"));
    cases.refused("what a form can send", form, &Refusal::not_said_json()).await;
    let other = cookie(Request::post(REFRESH).json(&json!({"refresh_token": "rt_of-nobody"})));
    let answer = cases.refused("another token in the body", other, &lost()).await;
    cases.judge("another token in the body", none(&answer, "set-cookie"));
    let logout = cookie(Request::post(LOGOUT));
    cases.refused("logging out by the cookie", logout, &Refusal::unauthorized()).await;
    let answer = cases.refused("the header alone", at_home(&stack, Request::post(REFRESH)), &lost()).await;
    cases.judge("the header alone", is(&answer, GONE));
    // Nothing of this spent it.
    cases.accepted("both", at_home(&stack, with_cookie(Request::post(REFRESH), &token)), 200).await;
    cases.finish();
}

fn is(answer: &Response, cookie: &str) -> Result<(), String> {
    let set = answer.header("set-cookie");
    if set == Some(cookie) { Ok(()) } else { Err(format!("Set-Cookie must be {cookie}, it was {set:?}")) }
}

#[tokio::test]
async fn a_cookie_that_is_not_exactly_one_of_ours_is_none_and_goes() {
    let stack = Stack::start().await;
    let token = token_in(&sign_in(&stack).await);
    let theirs = token_in(&sign_in(&stack).await);
    let one = |name: &str, value: &str| vec![format!("{name}={value}")];
    let bad: Vec<(&str, Vec<String>)> = vec![
        ("none of its name", one("session", &token)),
        ("empty", one(NAME, "")),
        ("no value at all", vec![NAME.to_owned()]),
        ("the same twice", vec![format!("{NAME}={token}; {NAME}={token}")]),
        ("twice, in two headers", vec![format!("{NAME}={token}"), format!("{NAME}={token}")]),
        ("another's before it", vec![format!("{NAME}={theirs}; {NAME}={token}")]),
        ("another's behind it", vec![format!("{NAME}={token}; a=b; {NAME}={theirs}")]),
        ("an empty one before it", vec![format!("{NAME}=; {NAME}={token}")]),
        ("quoted", one(NAME, &format!("\"{token}\""))),
        ("half quoted", one(NAME, &format!("\"{token}"))),
        ("escaped", one(NAME, &token.replacen('_', "%5F", 1))),
        ("a space in it", one(NAME, &format!("{} {}", &token[..9], &token[9..]))),
        ("two with a comma", one(NAME, &format!("{token},{token}"))),
        ("too long", one(NAME, &token.repeat(40))),
        ("not UTF-8", one(NAME, "rt_\u{fffd}")),
        ("other letters", one("__host-syncgram_session", &token)),
        ("another prefix", one("__Secure-syncgram_session", &token)),
        ("no prefix", one("syncgram_session", &token)),
        ("a longer name", one("__Host-syncgram_session2", &token)),
        ("a space in its name", one("__Host-syncgram_session ", &token)),
        ("an unseen character before it", one("\u{200b}__Host-syncgram_session", &token)),
        ("in another's value", vec![format!("a={NAME}={token}")]),
        ("with a comma before it", vec![format!("a=b, {NAME}={token}")]),
        ("a genuine token of no session", one(NAME, "rt_made-up")),
    ];
    let mut cases = Cases::of(&stack);
    for (name, cookies) in bad {
        let sent = cookies.iter().fold(Request::post(REFRESH), |request, it| request.header("Cookie", it));
        let answer = cases.refused(name, at_home(&stack, sent), &lost()).await;
        cases.judge(name, is(&answer, GONE));
    }
    let mut token = token;
    for beside in
        ["a=b; {}", "{}; a=b", "a={};{}", "  {}  ", "a=\u{e9}; {}", "\"; {}", "=; ;{};", "a={x}; {}"]
    {
        let cookie = beside.replacen("a={}", "a=b", 1).replace("{}", &format!("{NAME}={token}"));
        let request = at_home(&stack, Request::post(REFRESH).header("Cookie", cookie));
        let answer = cases.accepted(format!("beside others: {beside}"), request, 200).await;
        token = token_in(&answer);
    }
    cases.finish();
}

#[tokio::test]
async fn who_has_a_cookie_sends_no_token_in_a_body() {
    let stack = Stack::start().await;
    let token = token_in(&sign_in(&stack).await);
    let sent = |request: Request| at_home(&stack, with_cookie(request, &token));
    let refresh = || Request::post(REFRESH);
    let mut cases = Cases::of(&stack);
    for value in [json!(token), json!("rt_of-nobody"), json!(""), json!(7), json!([])] {
        let request = sent(refresh().json(&json!({"refresh_token": value})));
        cases.refused(format!("{value}"), request, &Refusal::invalid(&["refresh_token"])).await;
    }
    cases.refused("no JSON", sent(refresh().said_json("rt_x")), &Refusal::no_json()).await;
    cases.refused("not said to be JSON", sent(refresh().body("{}")), &Refusal::not_said_json()).await;
    cases.refused("too long", sent(refresh().said_json(vec![b' '; 17 * 1024])), &Refusal::too_large()).await;
    let short = sent(refresh()).header("Idempotency-Key", "short");
    cases.refused("a bad idempotency key", short, &Refusal::invalid(&["Idempotency-Key"])).await;
    cases.accepted("an empty object", sent(refresh().json(&json!({}))), 200).await;
    cases.finish();
}

/// The same request as either kind of API hands it over, with its cookies where that kind has them.
fn events(stack: &Stack, cookies: &[&str]) -> [(&'static str, Value); 4] {
    let request = at_home(stack, Request::post(REFRESH));
    let request = cookies.iter().fold(request, |request, it| request.header("Cookie", it));
    let routed = Routed {
        request: &request,
        resource: REFRESH,
        parameters: &BTreeMap::new(),
        context: None,
        source: "198.51.100.23",
        now: 1_795_510_800,
    };
    let (rest, http) = (routed.rest(), routed.http());
    let (mut last_values, mut all_values) = (rest.clone(), rest.clone());
    last_values["multiValueHeaders"] = Value::Null;
    all_values["headers"] = Value::Null;
    [("REST", rest), ("REST, last values", last_values), ("REST, all values", all_values), ("HTTP API", http)]
}

async fn answered(stack: &Stack, event: &Value) -> u16 {
    let event: LambdaRequest = serde_json::from_value(event.clone()).unwrap();
    let request = lambda_http::Request::from(shared::http::settled(event));
    refresh::handle(&stack.app(), request).await.status().as_u16()
}

#[tokio::test]
async fn every_kind_of_event_has_its_cookies_read() {
    let stack = Stack::start().await;
    for nth in 0..4 {
        let token = token_in(&sign_in(&stack).await);
        let cookie = format!("{NAME}={token}");
        let twice = &events(&stack, &[&cookie, &cookie])[nth];
        // The last values alone are one.
        if twice.0 != "REST, last values" {
            assert_eq!(answered(&stack, &twice.1).await, 401, "{} twice", twice.0);
        }
        let (name, event) = &events(&stack, &["a=b", &cookie])[nth];
        assert_eq!(answered(&stack, event).await, 200, "{name}");
        assert_eq!(answered(&stack, &events(&stack, &[])[nth].1).await, 401, "{name} without");
    }
}
