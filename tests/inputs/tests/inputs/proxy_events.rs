//! Events of a gateway whose odd fields a client has chosen, or an event sent by hand. A function answers whatever they hold, and never
//! panics; a scheme, a host, a stage or a path decides nothing.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use devstack::seed::ACORN;
use lambda_http::http::StatusCode;
use lambda_http::request::LambdaRequest;
use serde_json::{Value, json};

use crate::harness::events::Routed;
use crate::harness::{Request, Stack};

/// What is no scheme, host, stage, path or query.
const JUNK: [&str; 16] = [
    "",
    " ",
    "://",
    "http s",
    "javascript",
    "a b",
    "[::1",
    "%",
    "%zz",
    "<>\"{}|\\^`",
    "#",
    "?x=#y",
    "\u{e9}\u{1f600}",
    "\t",
    "//[",
    "host:99999",
];

fn sample(name: &str) -> Value {
    let path = devstack::repository().join("tests/events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The same request as an HTTP API sends it: payload 2.0.
fn as_http_api(route: &str, body: Option<&Value>, context: &Value) -> Value {
    let (method, path) = route.split_once(' ').unwrap();
    let request = Request::new(method, path);
    let request = body.map_or(request.clone(), |body| request.json(body));
    let routed = Routed {
        request: &request,
        resource: path,
        parameters: &BTreeMap::new(),
        context: Some(context),
        source: "198.51.100.23",
        now: 1_795_510_800,
    };
    routed.http()
}

fn request(event: &Value) -> lambda_http::Request {
    let event: LambdaRequest = serde_json::from_value(event.clone()).unwrap();
    lambda_http::Request::from(shared::http::settled(event))
}

fn context() -> Value {
    sample("keys.json")["requestContext"]["authorizer"].clone()
}

#[tokio::test]
async fn no_scheme_host_stage_or_path_is_too_odd() {
    let stack = Stack::start().await;
    let rest = sample("keys.json");
    let http = as_http_api("GET /api/v1/auth/api-keys", None, &context());
    let mut answered = 0;
    for junk in JUNK {
        for (name, event) in [("REST", &rest), ("HTTP", &http)] {
            let mut event = event.clone();
            // What a header may hold: API Gateway passes no control characters on.
            if junk.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
                for (header, multiple) in [("X-Forwarded-Proto", true), ("Host", true)] {
                    event["headers"][header] = json!(junk);
                    if multiple && name == "REST" {
                        event["multiValueHeaders"][header] = json!([junk]);
                    }
                }
            }
            event["requestContext"]["stage"] = json!(junk);
            event["requestContext"]["domainName"] = json!(junk);
            event[if name == "REST" { "path" } else { "rawPath" }] = json!(junk);
            let response = keys::handle(&stack.app(), request(&event)).await;
            assert_eq!(response.status(), StatusCode::OK, "{name} {junk:?}");
            answered += 1;
        }
    }
    assert_eq!(answered, 2 * JUNK.len());
}

#[tokio::test]
async fn no_query_is_too_odd() {
    let stack = Stack::start().await;
    let mut event = as_http_api("GET /api/v1/auth/api-keys", None, &context());
    for junk in JUNK.iter().map(|junk| (*junk).to_owned()).chain([format!("x={}", "y".repeat(100_000))]) {
        event["rawQueryString"] = json!(format!("limit=0&{junk}"));
        let response = keys::handle(&stack.app(), request(&event)).await;
        // The longest is longer than any gateway passes on; of the others, the parameter is read all the same.
        let expected = if junk.len() > 1000 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(response.status(), expected, "{:.40}", junk);
    }
    event["rawQueryString"] = json!("limit=5&x=%C3%A9");
    assert_eq!(keys::handle(&stack.app(), request(&event)).await.status(), StatusCode::OK);
    let mut rest = sample("keys.json");
    rest["multiValueQueryStringParameters"] = json!({"x": ["y".repeat(100_000)]});
    rest["queryStringParameters"] = json!({"x": "y".repeat(100_000)});
    assert_eq!(keys::handle(&stack.app(), request(&rest)).await.status(), StatusCode::OK);
}

/// An HTTP API joins headers of one name: what may be two is refused there, and taken behind a REST API, which tells them apart.
#[tokio::test]
async fn an_idempotency_key_that_may_be_two_is_refused() {
    let stack = Stack::start().await;
    let session = stack.log_in(ACORN.owner).await;
    let body = json!({"refresh_token": session.refresh});
    let mut http = as_http_api("POST /api/v1/auth/refresh", Some(&body), &json!({}));
    http["headers"]["idempotency-key"] = json!("0123456789abcdef,fedcba9876543210");
    let response = refresh::handle(&stack.app(), request(&http)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let mut rest = sample("refresh.json");
    rest["body"] = json!(body.to_string());
    rest["multiValueHeaders"]["Idempotency-Key"] = json!(["0123456789abcdef,fedcba9876543210"]);
    let response = refresh::handle(&stack.app(), request(&rest)).await;
    assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
}

/// A body that is said to be base64, and is none, is no JSON either; one that is, is read.
#[tokio::test]
async fn a_body_that_is_no_base64_is_refused() {
    let stack = Stack::start().await;
    let body = json!({"refresh_token": "rt_of-nobody"});
    let http = as_http_api("POST /api/v1/auth/refresh", Some(&body), &json!({}));
    for mut event in [sample("refresh.json"), http] {
        event["isBase64Encoded"] = json!(true);
        let encoded = BASE64_STANDARD.encode(body.to_string());
        let padded = format!("{encoded}=");
        for bad in ["%", "=", "e30", "{}", "\u{e9}", " ", &body.to_string(), &padded] {
            event["body"] = json!(bad);
            let response = refresh::handle(&stack.app(), request(&event)).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{bad}");
        }
        event["body"] = json!(encoded);
        let response = refresh::handle(&stack.app(), request(&event)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}
