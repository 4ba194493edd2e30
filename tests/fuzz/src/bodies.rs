//! Bodies on their way through a function's handler, as both kinds of API send them; and whole events, sent by hand.
//!
//! Behind the functions stands a table that is all but empty and takes no write: nothing can succeed.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use crate::envelope::{operators_refusal, refusal};
use crate::routes::{REPORT_LEAKS, Refusals, Route, documented};
use crate::world::{REPORTER_KEY, world};
use crate::{TARGETS, Target};

const REQUEST_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";
const TYPE: &str = "application/json; charset=utf-8";

/// The report of a leak signed as its reporter signs, whose body is whatever the input is.
pub fn signed_report(data: &[u8]) {
    let world = world();
    let body = world.fill(data);
    let mut event = http(&REPORT_LEAKS, &body);
    event["headers"][leaks::KEY_IDENTIFIER] = json!(REPORTER_KEY);
    event["headers"][leaks::SIGNATURE] = json!(world.report_signature(&body));
    let response = call("leaks", request(&event).expect("a gateway's event is read"));
    if response.status().as_u16() != 200 {
        judge(REPORT_LEAKS.refusals(), &response);
        return;
    }
    // Nothing can be revoked here, so what is answered well named no key that there is.
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
    let (report, verdicts) = (read(&body), read(text(&response).as_bytes()));
    let (report, verdicts) = (report.as_array().expect("a list"), verdicts.as_array().expect("a list"));
    assert_eq!(report.len(), verdicts.len(), "a verdict for each match");
    for (found, verdict) in report.iter().zip(verdicts) {
        let hash = verdict["token_hash"].as_str().expect("a hash");
        assert!(hash.len() == 64 && hash != found["token"], "the token itself is told");
        assert!(verdict["token_type"] == found["type"] || verdict["token_type"] == "unknown");
        assert_eq!(verdict["label"], "false_positive");
    }
}

/// A body on its way to this route. Of a report, only what nobody signed.
pub fn body(route: &Route, data: &[u8]) {
    let body = world().fill(data);
    let signed = route.function == "leaks";
    for event in [rest(route, &body), http(route, &body)] {
        let response = call(route.function, request(&event).expect("a gateway's event is read"));
        let (id, code) = judge(route.refusals(), &response);
        assert!(id == REQUEST_ID, "another request's id");
        let status = response.status().as_u16();
        if signed {
            assert_eq!((status, code.as_str()), (401, "invalid_signature"), "nobody signed it");
            continue;
        }
        let object = matches!(serde_json::from_slice(&body), Ok(Value::Object(_)));
        let long = body.len() > 16 * 1024;
        // What a REST API makes of what is no UTF-8 can only be longer.
        assert!(!long || status == 413, "{} bytes are answered with {status}", body.len());
        assert!(object || [400, 413].contains(&status), "what is no object is answered with {status}");
    }
}

/// A whole event, as whoever may invoke a function can send it: to every function that answers an API.
pub fn proxy_event(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(&world().fill(data)) else {
        return;
    };
    let functions: BTreeSet<&str> =
        TARGETS.iter().filter_map(Target::route).map(|route| route.function).collect();
    for function in functions.into_iter().chain(["logout", "sessions"]) {
        if let Ok(request) = request(&event) {
            judge(any_refusal(), &call(function, request));
        }
    }
}

/// An event of the operator's.
pub fn operator(data: &[u8]) {
    let world = world();
    if let Ok(event) = serde_json::from_slice::<Value>(&world.fill(data)) {
        let unlocks = event["action"] == "unlock_account";
        let answer = world.wait(operator::handle(&world.app, event, REQUEST_ID));
        // Nothing is locked, so there is nothing to write: the one success there can be.
        if unlocks && answer == json!({"success": true, "data": {"guards_opened": 0}}) {
            return;
        }
        operators_refusal(&answer, REQUEST_ID);
    }
}

fn request(event: &Value) -> Result<Request, serde_json::Error> {
    let event: LambdaRequest = serde_json::from_value(event.clone())?;
    Ok(Request::from(shared::http::settled(event)))
}

fn call(function: &str, request: Request) -> Response<Body> {
    let (world, app) = (world(), &world().app);
    match function {
        "register" => world.wait(register::handle(app, request)),
        "password" => world.wait(password::handle(app, request)),
        "login" => world.wait(login::handle(app, request)),
        "verify" => world.wait(verify::handle(app, request)),
        "refresh" => world.wait(refresh::handle(app, request)),
        "logout" => world.wait(logout::handle(app, request)),
        "sessions" => world.wait(sessions::handle(app, request)),
        "factors" => world.wait(factors::handle(app, request)),
        "keys" => world.wait(keys::handle(app, request)),
        "leaks" => world.wait(leaks::handle(app, request)),
        "organizations" => world.wait(organizations::handle(app, request)),
        "members" => world.wait(members::handle(app, request)),
        "invitations" => world.wait(invitations::handle(app, request)),
        "webhooks" => world.wait(webhooks::handle(app, request)),
        other => panic!("there is no function {other}"),
    }
}

/// What any of the routes may refuse with, and what a function says of an event that no gateway routes to it.
fn any_refusal() -> &'static Refusals {
    static ANY: OnceLock<Refusals> = OnceLock::new();
    ANY.get_or_init(|| {
        let mut any = Refusals::new();
        for (status, codes) in documented().values().flatten() {
            any.entry(*status).or_default().extend(codes.iter().cloned());
        }
        any.entry(405).or_default().insert("method_not_allowed".to_owned());
        any.entry(404).or_default().insert("not_found".to_owned());
        any
    })
}

fn text(response: &Response<Body>) -> &str {
    let Body::Text(text) = response.body() else {
        panic!("the body is no text");
    };
    let secrets = [&world().key, &world().token, &world().refresh];
    assert!(!secrets.iter().any(|it| text.contains(it.as_str())), "a credential is in the answer");
    text
}

/// Panics unless this is one of these refusals; gives the request's id and the code.
fn judge(refusals: &Refusals, response: &Response<Body>) -> (String, String) {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    let waits = header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok_and(|it| it > 0));
    assert_eq!(waits, matches!(status, 429 | 503), "Retry-After is for 429 and 503");
    assert_eq!(header("allow").is_some(), status == 405, "Allow is for 405");
    let id = header("x-request-id").expect("every answer has the request's id");
    let answer: Value = serde_json::from_str(text(response)).expect("the body is JSON");
    let code = refusal(&answer, &id);
    let known = refusals.get(&status).is_some_and(|codes| codes.contains(code));
    assert!(known, "an answer that the document does not have: {status} {code}");
    (id, code.to_owned())
}

fn context() -> Value {
    let person = &world().person;
    json!({
        "auth_method": "jwt", "principal_id": person.user, "org_id": person.org, "role": "owner",
        "session_id": person.session,
    })
}

/// Payload 1.0. A REST API hands a body over as text.
fn rest(route: &Route, body: &[u8]) -> Value {
    let Route { method, path, .. } = route;
    json!({
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": TYPE},
        "multiValueHeaders": {"Content-Type": [TYPE]},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": parameters(route),
        "stageVariables": null,
        "requestContext": {
            "resourceId": "r1", "resourcePath": path, "httpMethod": method, "path": path,
            "accountId": "123456789012", "apiId": "abc123", "stage": "prod", "protocol": "HTTP/1.1",
            "requestId": REQUEST_ID, "identity": {"sourceIp": "203.0.113.7", "userAgent": "curl"},
            "authorizer": context(),
        },
        "body": String::from_utf8_lossy(body),
        "isBase64Encoded": false,
    })
}

/// Payload 2.0, with the body's bytes as they are.
fn http(route: &Route, body: &[u8]) -> Value {
    let Route { method, path, .. } = route;
    let key = format!("{method} {path}");
    json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": TYPE, "idempotency-key": "0123456789abcdef"},
        "pathParameters": parameters(route),
        "requestContext": {
            "accountId": "123456789012", "apiId": "abc123", "stage": "$default", "routeKey": key,
            "requestId": REQUEST_ID, "timeEpoch": 0, "authorizer": {"lambda": context()},
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
        },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

fn parameters(route: &Route) -> Value {
    let person = &world().person;
    let known =
        [("id", json!(person.org)), ("user_id", json!(person.user)), ("api_key_id", json!(world().key_id))];
    let named = known.into_iter().filter(|(name, _)| route.path.contains(&format!("{{{name}}}")));
    Value::Object(named.map(|(name, id)| (name.to_owned(), id)).collect())
}
