//! What is refused is not repeated: a secret in the wrong field, member, header, parameter or type comes back in no answer and no log.

use defences::environment::{Environment, HttpCall};
use devstack::gateway::invoke;
use lambda_http::Body;
use serde_json::{Value, json};

use super::search::Canary;
use super::{lines, logged};
use crate::faults::flows::Flow;
use crate::faults::people;
use crate::faults::stage::Stage;

/// Somebody's secret, sent where it does not belong. A digit and both cases: no word of ours looks like it.
const SECRET: &str = "Hunter2-Planted-In-The-Wrong-Place";

/// The flows with a body. Who else is refused, is by a parameter.
const WITH_BODY: [Flow; 10] = [
    Flow::Login,
    Flow::Verify,
    Flow::Resend,
    Flow::RefreshWithKey,
    Flow::CreateKeyWithKey,
    Flow::SwitchEnvironment,
    Flow::BeginTotp,
    Flow::ConfirmTotp,
    Flow::RemoveTotp,
    Flow::RemakeBackupCodes,
];

/// What is for everybody of the organization to see: whoever puts a secret into it has published it there.
const SHOWN: [&str; 3] = ["key_name", "full_name", "name"];

/// What a member may be in place of what it should be.
fn wrong() -> [Value; 6] {
    [
        json!(SECRET),
        json!(SECRET.repeat(12)),
        json!([SECRET]),
        json!({ SECRET: SECRET }),
        json!({ "$ref": { SECRET: [SECRET] } }),
        json!(format!("\u{202e}{SECRET}\0")),
    ]
}

/// A body's texts that are no JSON object, or one with something twice.
fn texts(good: &Value) -> [String; 8] {
    let good = good.to_string();
    let inside = good.trim_end_matches('}');
    [
        SECRET.to_owned(),
        json!(SECRET).to_string(),
        json!([SECRET]).to_string(),
        format!("{inside}, \"x\": \"{SECRET}"),
        format!("{inside}, \"{SECRET}\": 1, \"{SECRET}\": 2}}"),
        format!("{good} {SECRET}"),
        format!("{inside}, \"x\": {SECRET}}}"),
        format!("{inside}, \"x\": \"{}\"}}", SECRET.repeat(600)),
    ]
}

/// Every event that one with this body may become.
fn events(event: &Value, good: &Value) -> Vec<Value> {
    let with_text = |text: String| {
        let mut event = event.clone();
        event["body"] = text.into();
        event
    };
    let mut events = Vec::new();
    for (member, _) in good.as_object().into_iter().flatten() {
        let is_shown = SHOWN.contains(&member.as_str());
        for value in wrong().into_iter().filter(|value| !(is_shown && value == SECRET)) {
            let mut body = good.clone();
            body[member] = value;
            events.push(with_text(body.to_string()));
        }
    }
    for value in wrong() {
        let mut body = good.clone();
        body[SECRET] = value.clone();
        body["an_unknown_member"] = value;
        events.push(with_text(body.to_string()));
    }
    events.extend(texts(good).map(with_text));
    for name in
        ["content-type", "content-encoding", "idempotency-key", "x-api-key", "cookie", "accept", SECRET]
    {
        for value in [SECRET.to_owned(), format!("{SECRET} {SECRET}")] {
            let mut event = event.clone();
            event["headers"][name] = value.clone().into();
            event["multiValueHeaders"][name] = json!([value]);
            events.push(event);
        }
    }
    events
}

/// The parameters of a path and of a query.
fn with_parameters(call: &HttpCall) -> Vec<Value> {
    let mut events = Vec::new();
    for name in ["limit", "cursor", SECRET] {
        for values in [json!([SECRET]), json!([SECRET, SECRET])] {
            let mut event = call.event();
            event["multiValueQueryStringParameters"] = json!({ name: values });
            event["queryStringParameters"] = json!({ name: SECRET });
            events.push(event);
        }
    }
    if let Some((name, _)) = call.parameter {
        let mut event = call.event();
        event["pathParameters"] = json!({ name: SECRET });
        event["path"] = format!("/{SECRET}").into();
        events.push(event);
    }
    events
}

/// Sends an event; everything that comes back.
async fn answer(at: &Environment, function: &str, event: &Value) -> (u16, String) {
    let response = Box::pin(invoke::handle(&at.app, function, event)).await.unwrap();
    let body = match response.body() {
        Body::Text(text) => text.clone(),
        _ => String::new(),
    };
    (response.status().as_u16(), format!("{:?}\n{body}", response.headers()))
}

#[tokio::test]
async fn a_secret_in_the_wrong_place_comes_back_nowhere() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let secret = Canary::new("a secret in the wrong place", SECRET);
    let (mut told, mut refused) = (0, 0);
    for flow in WITH_BODY.into_iter().chain([Flow::ListKeys, Flow::RevokeKey]) {
        let call = flow.http(&stage).unwrap();
        let at = stage.begin(flow).await;
        let of_body = if WITH_BODY.contains(&flow) { events(&call.event(), &call.body) } else { Vec::new() };
        for event in of_body.into_iter().chain(with_parameters(&call)) {
            let (status, answer) = answer(&at, call.function, &event).await;
            assert!(secret.found_in(&answer).is_none(), "{flow:?} {event}: {answer}");
            assert!(status < 500, "{flow:?} {event}: {answer}");
            told += 1;
            refused += usize::from(status >= 400);
        }
        let table = lines(&stage.table().await);
        assert!(secret.found_in(&table).is_none(), "{flow:?}: {table}");
    }
    assert!(told > 200 && refused > 150, "{told} told, {refused} refused: that is not what is meant here");
    for line in logged.text().lines() {
        assert!(secret.found_in(line).is_none(), "{line}");
    }
}

/// The same for what people do with their accounts and with each other.
#[tokio::test]
async fn a_secret_in_the_wrong_place_of_what_people_do_comes_back_nowhere() {
    let logged = logged();
    let stage = Box::pin(people::Stage::new()).await;
    let secret = Canary::new("a secret in the wrong place", SECRET);
    let (mut told, mut refused) = (0, 0);
    for deed in people::every_deed(&stage).iter().filter(|deed| deed.body.is_object()) {
        let at = stage.begin().await;
        for event in events(&deed.event(), &deed.body) {
            let (status, answer) = answer(&at, deed.function, &event).await;
            assert!(secret.found_in(&answer).is_none(), "{} {event}: {answer}", deed.name);
            assert!(status < 500, "{} {event}: {answer}", deed.name);
            told += 1;
            refused += usize::from(status >= 400);
        }
        let table = lines(&stage.place.items("", "").await);
        assert!(secret.found_in(&table).is_none(), "{}: {table}", deed.name);
    }
    assert!(told > 300 && refused > 200, "{told} told, {refused} refused: that is not what is meant here");
    for line in logged.text().lines() {
        assert!(secret.found_in(line).is_none(), "{line}");
    }
}

/// The same through the gateway: its own refusals, and its access log.
#[tokio::test]
async fn a_secret_in_the_wrong_place_is_in_no_answer_and_no_log_of_the_gateway() {
    let stage = Box::pin(Stage::new()).await;
    let secret = Canary::new("a secret in the wrong place", SECRET);
    let place = &stage.place;
    let get = |path: &str| place.request(reqwest::Method::GET, path);
    let keys = "/api/v1/auth/api-keys";
    let owner = &stage.birch.access_token;
    let requests = [
        get(&format!("/{SECRET}")),
        get(&format!("/api/v1/{SECRET}?{SECRET}={SECRET}")).bearer_auth(owner),
        get(keys).bearer_auth(SECRET),
        get(keys).header("authorization", SECRET),
        get(keys).header("authorization", format!("Basic {SECRET}")),
        get(keys).header("authorization", format!("Bearer eyJ{SECRET}.{SECRET}.{SECRET}")),
        get(keys).header("x-api-key", SECRET),
        get(&format!("{keys}?access_token={SECRET}&api_key={SECRET}&limit={SECRET}")).bearer_auth(owner),
        get(&format!("{keys}?cursor={SECRET}")).bearer_auth(owner),
        place.request(reqwest::Method::DELETE, &format!("{keys}/{SECRET}")).bearer_auth(owner),
        place
            .request(reqwest::Method::PUT, &format!("/api/v1/organizations/{SECRET}/environment"))
            .bearer_auth(owner),
        place.request(reqwest::Method::from_bytes(b"HUNTER2").unwrap(), keys).bearer_auth(owner),
        place
            .request(reqwest::Method::POST, "/api/v1/auth/login")
            .header("content-type", SECRET)
            .body(SECRET),
        place
            .request(reqwest::Method::POST, "/api/v1/auth/login")
            .json(&json!({"email": SECRET, "password": [SECRET]})),
    ];
    for request in requests {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), format!("{:?}", response.headers()));
        let body = response.text().await.unwrap();
        assert!(secret.found_in(&headers).is_none() && secret.found_in(&body).is_none(), "{headers} {body}");
        assert!(status.is_client_error() || status.is_success(), "{status}: {body}");
    }
    let log = place.devstack.logs.text();
    assert!(log.contains("\"gateway_response\""), "the access log is there: {log}");
    for line in log.lines() {
        assert!(secret.found_in(line).is_none(), "{line}");
    }
}
