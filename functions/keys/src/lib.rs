//! `/auth/api-keys`: make an API key, list them, say where one may be used from, revoke one.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::allowed_addresses::AllowedAddresses;
use shared::api_keys::{self, Env};
use shared::app::App;
use shared::flows::{self, KeyRequest};
use shared::http::{self, Answer, Call, Key, Name, Problem, Shown, Text, Time, Whole};
use shared::http::{limit, page_cursor, read_page_cursor, write_page_cursor};
use shared::ids::KeyId;
use shared::request;
use shared::sensitive::Sensitive;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

request! {
    /// What a new key shall be.
    pub struct CreateKey {
        /// For people. Nothing that moves what stands around it.
        pub key_name: Name<255>,
        /// Left out, it lives until it is revoked.
        pub expires_in_days: Option<Whole<1, 3650>>,
        /// Accepted and without effect.
        pub env: Option<Env>,
        /// Names this request, so that it can be sent again.
        pub idempotency_key: Option<Sensitive<Text<1, 255>>>,
        /// Where it may be used from. Left out, or empty: from anywhere.
        pub allowed_addresses: Option<AllowedAddresses>,
    }
}

request! {
    /// What of a key can be changed.
    pub struct ChangeKey {
        /// Where it may be used from. Empty: from anywhere.
        pub allowed_addresses: AllowedAddresses,
    }
}

/// A key, this once.
#[derive(Serialize, JsonSchema)]
pub struct CreatedKey {
    /// Its record's id.
    pub api_key_id: KeyId,
    /// The key itself. Shown here and never again.
    #[schemars(extend("pattern" = api_keys::prefix_pattern()))]
    pub key: Shown,
    /// The name its maker gave it.
    pub key_name: String,
    /// The environment it works in.
    pub env: Env,
    /// When it was made.
    pub created_at: Time,
    /// From when on it is refused; null: it lives until it is revoked.
    pub expires_at: Option<Time>,
    /// The addresses and ranges it may be used from; empty: from anywhere.
    #[schemars(with = "AllowedAddresses")]
    pub allowed_addresses: Vec<String>,
}

/// Which page of the keys.
#[derive(JsonSchema)]
pub struct Page {
    /// At most so many keys.
    #[schemars(with = "Option<usize>", range(min = 1, max = MAX_LIMIT), extend("default" = DEFAULT_LIMIT))]
    pub limit: usize,
    /// The `next_cursor` of the page before.
    #[schemars(with = "Option<String>", extend("pattern" = page_cursor(KeyId::LENGTH)))]
    pub cursor: Option<KeyId>,
}

/// A page of keys.
#[derive(Serialize, JsonSchema)]
pub struct Keys {
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Newest first.
    pub keys: Vec<Key>,
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    match (call.route(), call.path_parameter("api_key_id")) {
        ((&Method::POST, _), None) => create(app, call).await,
        ((&Method::GET, _), None) => list(app, call).await,
        ((&Method::PATCH, _), Some(id)) => change(app, call, id).await,
        ((&Method::DELETE, _), Some(id)) => revoke(app, call, id).await,
        (_, None) => Err(Problem::MethodNotAllowed("GET, POST")),
        (_, Some(_)) => Err(Problem::MethodNotAllowed("PATCH, DELETE")),
    }
}

async fn create(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let CreateKey { key_name, expires_in_days, env, idempotency_key, allowed_addresses } = call.body()?;
    let request = KeyRequest {
        key_name: key_name.into_string(),
        expires_in_days: expires_in_days.map(Whole::get),
        env,
        allowed_addresses: allowed_addresses.unwrap_or_default(),
        idempotency_key: idempotency_key.map(|key| Sensitive::new(key.expose().as_str().to_owned())),
    };
    let created = flows::create_key(app, call.origin(), user, &request).await?;
    Ok(Answer::created(CreatedKey {
        api_key_id: created.api_key_id,
        key: Shown::new(created.key.expose()),
        key_name: created.key_name,
        env: created.key.env(),
        created_at: Time::at(created.created_at),
        expires_at: created.expires_at.map(Time::at),
        allowed_addresses: created.allowed_addresses.to_texts(),
    }))
}

async fn list(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let user = call.user()?;
    let page = Page {
        limit: limit(call.query_parameter("limit")?, DEFAULT_LIMIT, MAX_LIMIT)?,
        cursor: call
            .query_parameter("cursor")?
            .map(|text| read_page_cursor(text, KeyId::parse))
            .transpose()?,
    };
    let listed = flows::list_keys(app, call.origin(), user, page.limit, page.cursor.as_ref()).await?;
    let keys = listed.keys.iter().map(Key::from).collect();
    Ok(Answer::ok(Keys { next_cursor: listed.next.map(|next| write_page_cursor(next.as_str())), keys }))
}

async fn change(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let ChangeKey { allowed_addresses } = call.body()?;
    let changed = flows::change_key(app, call.origin(), user, id, &allowed_addresses).await?;
    Ok(Answer::ok(Key::from(&changed)))
}

async fn revoke(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let revoked = flows::revoke_key(app, call.origin(), user, id).await?;
    Ok(Answer::ok(Key::from(&revoked)))
}
