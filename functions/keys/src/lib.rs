//! `/auth/api-keys`: make an API key, list them, revoke one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::app::App;
use shared::clock::rfc3339;
use shared::flows::{self, KeyRequest};
use shared::http::{self, Answer, Call, Problem};
use shared::ids::KeyId;
use shared::sensitive::Sensitive;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match (call.route(), call.path_parameter("api_key_id")) {
        ((&Method::POST, _), None) => create(app, call).await,
        ((&Method::GET, _), None) => list(app, call).await,
        ((&Method::DELETE, _), Some(id)) => revoke(app, call, id).await,
        (_, None) => Err(Problem::MethodNotAllowed("GET, POST")),
        (_, Some(_)) => Err(Problem::MethodNotAllowed("DELETE")),
    }
}

async fn create(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let mut fields = call.fields()?;
    let key_name = fields.required("key_name", http::name_in(1..=255));
    let request = KeyRequest {
        key_name: key_name.unwrap_or_default(),
        expires_in_days: fields.optional("expires_in_days", http::integer_in(1..=3650)),
        env: fields.optional("env", http::environment),
        idempotency_key: fields.optional("idempotency_key", http::text_in(1..=255)).map(Sensitive::new),
    };
    if !fields.are_right() {
        return Err(fields.problem());
    }
    let created = flows::create_key(app, call.origin(), user, &request).await?;
    Ok(Answer::Created(json!({
        "api_key_id": created.api_key_id,
        "key": created.key.expose(),
        "key_name": created.key_name,
        "env": created.key.env().as_str(),
        "created_at": rfc3339(created.created_at),
        "expires_at": created.expires_at.map(rfc3339),
    })))
}

async fn list(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let limit = limit(call.query_parameter("limit")?)?;
    let after = call.query_parameter("cursor")?.map(read_cursor).transpose()?;
    let listed = flows::list_keys(app, call.origin(), user, limit, after.as_ref()).await?;
    let keys: Vec<Value> = listed.keys.iter().map(http::key).collect();
    Ok(Answer::Ok(json!({ "keys": keys, "next_cursor": listed.next.as_ref().map(write_cursor) })))
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=MAX_LIMIT) if digits => Ok(limit),
        _ => Err(Problem::field("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// A cursor is opaque to clients: the last key of the page before. It is only ever used within the caller's own organization.
fn write_cursor(after: &KeyId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(after.as_str())
}

fn read_cursor(text: &str) -> Result<KeyId, Problem> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = decoded.and_then(|text| KeyId::parse(&text).ok());
    id.ok_or_else(|| Problem::field("cursor", "must be the next_cursor of a page before"))
}

async fn revoke(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let revoked = flows::revoke_key(app, call.origin(), user, id).await?;
    Ok(Answer::Ok(http::key(&revoked)))
}
