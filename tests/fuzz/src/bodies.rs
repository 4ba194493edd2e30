//! Bodies on their way through a function's handler, as both kinds of API send them; and whole events, sent by hand.
//!
//! Behind the functions stands a table that is all but empty and takes no write: nothing can succeed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use crate::envelope::refusal;
use crate::world::world;

const REQUEST_ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";
const TYPE: &str = "application/json; charset=utf-8";

/// A route, and the statuses of it that `docs/openapi.yaml` has and that a function can give here.
struct Route {
    method: &'static str,
    path: &'static str,
    statuses: &'static [u16],
}

/// `POST /auth/login`.
pub fn login(data: &[u8]) {
    let statuses = &[400, 401, 403, 413, 429, 503];
    answered(&Route { method: "POST", path: "/api/v1/auth/login", statuses }, data);
}

/// `POST /auth/login/2fa/verify`.
pub fn verify(data: &[u8]) {
    let statuses = &[400, 401, 403, 413, 429, 503];
    answered(&Route { method: "POST", path: "/api/v1/auth/login/2fa/verify", statuses }, data);
}

/// `POST /auth/login/2fa/resend`.
pub fn resend(data: &[u8]) {
    let statuses = &[400, 401, 413, 429, 503];
    answered(&Route { method: "POST", path: "/api/v1/auth/login/2fa/resend", statuses }, data);
}

/// `POST /auth/refresh`.
pub fn refresh(data: &[u8]) {
    let statuses = &[400, 401, 403, 413, 503];
    answered(&Route { method: "POST", path: "/api/v1/auth/refresh", statuses }, data);
}

/// `POST /auth/api-keys`.
pub fn create_key(data: &[u8]) {
    let statuses = &[400, 401, 403, 409, 413, 429, 503];
    answered(&Route { method: "POST", path: "/api/v1/auth/api-keys", statuses }, data);
}

/// `PUT /organizations/{id}/environment`.
pub fn switch_environment(data: &[u8]) {
    let statuses = &[400, 401, 403, 413, 503];
    answered(&Route { method: "PUT", path: "/api/v1/organizations/{id}/environment", statuses }, data);
}

/// `PUT /organizations/{id}/webhook`.
pub fn set_webhook(data: &[u8]) {
    let statuses = &[400, 401, 403, 413, 503];
    answered(&Route { method: "PUT", path: "/api/v1/organizations/{id}/webhook", statuses }, data);
}

/// A whole event, as whoever may invoke a function can send it: to every function that answers an API.
pub fn proxy_event(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(&world().fill(data)) else {
        return;
    };
    for function in
        ["login", "verify", "register", "password", "refresh", "keys", "organizations", "webhooks"]
    {
        if let Ok(request) = request(&event) {
            let response = call(function, request);
            let statuses = &[400, 401, 403, 404, 405, 409, 413, 415, 429, 503];
            judge(statuses, &response);
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
        refusal(&answer, REQUEST_ID);
    }
}

fn answered(route: &Route, data: &[u8]) {
    let body = world().fill(data);
    for event in [rest(route, &body), http(route, &body)] {
        let request = request(&event).expect("a gateway's event is read");
        let function = match route.path {
            path if path.contains("/2fa/") => "verify",
            path if path.contains("/password") => "password",
            path if path.contains("/register") || path.contains("/verify-email") => "register",
            path if path.contains("/api-keys") => "keys",
            path if path.ends_with("/webhook") => "webhooks",
            path if path.contains("/organizations") => "organizations",
            path if path.ends_with("/refresh") => "refresh",
            _ => "login",
        };
        let response = call(function, request);
        assert!(judge(route.statuses, &response) == REQUEST_ID, "another request's id");
        let object = matches!(serde_json::from_slice(&body), Ok(Value::Object(_)));
        let long = body.len() > 16 * 1024;
        let status = response.status().as_u16();
        // What a REST API makes of what is no UTF-8 can only be longer.
        assert!(!long || status == 413, "{} bytes are answered with {status}", body.len());
        assert!(object || [400, 413].contains(&status), "what is no object is answered with {status}");
    }
}

fn request(event: &Value) -> Result<Request, serde_json::Error> {
    let event: LambdaRequest = serde_json::from_value(event.clone())?;
    Ok(Request::from(shared::http::settled(event)))
}

fn call(function: &str, request: Request) -> Response<Body> {
    let (world, app) = (world(), &world().app);
    match function {
        "login" => world.wait(login::handle(app, request)),
        "verify" => world.wait(verify::handle(app, request)),
        "register" => world.wait(register::handle(app, request)),
        "password" => world.wait(password::handle(app, request)),
        "refresh" => world.wait(refresh::handle(app, request)),
        "keys" => world.wait(keys::handle(app, request)),
        "webhooks" => world.wait(webhooks::handle(app, request)),
        _ => world.wait(organizations::handle(app, request)),
    }
}

/// Panics unless this is a refusal of one of these statuses; gives the request's id.
fn judge(statuses: &[u16], response: &Response<Body>) -> String {
    let status = response.status().as_u16();
    assert!(statuses.contains(&status), "an answer that no document has: {status}");
    let header = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
    assert_eq!(header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    let waits = header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok_and(|it| it > 0));
    assert_eq!(waits, matches!(status, 429 | 503), "Retry-After is for 429 and 503");
    assert_eq!(header("allow").is_some(), status == 405, "Allow is for 405");
    let id = header("x-request-id").expect("every answer has the request's id");
    let Body::Text(text) = response.body() else {
        panic!("the body is no text");
    };
    let secrets = [&world().key, &world().token, &world().refresh];
    assert!(!secrets.iter().any(|it| text.contains(it.as_str())), "a credential is in the answer");
    refusal(&serde_json::from_str(text).expect("the body is JSON"), &id);
    id
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
    if route.path.contains("{id}") { json!({"id": world().person.org}) } else { json!({}) }
}
