//! `/organizations/{id}/webhook`: where an organization is told what happens to its keys and its people.

use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::app::App;
use shared::flows::{self, WebhookRequest};
use shared::http::{self, Answer, Call, EventTypes, Problem, Url, Webhook};
use shared::ids::EventId;
use shared::request;
use shared::webhooks::{Endpoint, EventType};

request! {
    /// A webhook to be.
    pub struct SetWebhook {
        /// Where it goes: `https`, a public host name, port 443.
        pub url: Url,
        /// What it is told of; left out, all that there is today.
        pub events: Option<EventTypes>,
    }
}

/// A test on its way.
#[derive(Serialize, JsonSchema)]
pub struct WebhookTest {
    /// The `id` that the test has.
    pub event_id: EventId,
}

/// Answers one event.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let call = Call::new(&request);
    http::respond(&call.origin().request_id, route(app, &call)).await
}

async fn route(app: &App, call: &Call<'_>) -> Result<Answer, Problem> {
    let (method, path) = call.route();
    let id = call.path_parameter("id").unwrap_or_default();
    let part = path.rsplit('/').next().unwrap_or_default();
    match (part, method) {
        ("webhook", &Method::GET) => show(app, call, id).await,
        ("webhook", &Method::PUT) => set(app, call, id).await,
        ("webhook", &Method::DELETE) => remove(app, call, id).await,
        ("webhook", _) => Err(Problem::MethodNotAllowed("GET, PUT, DELETE")),
        ("secret", &Method::POST) => rotate(app, call, id).await,
        ("test", &Method::POST) => test(app, call, id).await,
        _ => Err(Problem::MethodNotAllowed("POST")),
    }
}

async fn show(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let shown = flows::show_webhook(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::ok(Webhook::from(&shown)))
}

async fn set(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let user = call.user()?;
    let SetWebhook { url, events } = call.body()?;
    let endpoint = Endpoint::parse(url.as_str(), app.reach);
    let request = WebhookRequest {
        endpoint: endpoint.map_err(|why| Problem::field("url", why.to_string()))?,
        events: events.map_or_else(|| EventType::ALL.to_vec(), EventTypes::into_vec),
    };
    let shown = flows::set_webhook(app, call.origin(), user, id, &request).await?;
    let is_new = shown.secret.is_some();
    let webhook = Webhook::from(&shown);
    Ok(if is_new { Answer::created(webhook) } else { Answer::ok(webhook) })
}

async fn remove(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    flows::remove_webhook(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::Empty)
}

async fn rotate(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let shown = flows::rotate_webhook_secret(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::ok(Webhook::from(&shown)))
}

async fn test(app: &App, call: &Call<'_>, id: &str) -> Result<Answer, Problem> {
    let event_id = flows::test_webhook(app, call.origin(), call.user()?, id).await?;
    Ok(Answer::ok(WebhookTest { event_id }))
}
