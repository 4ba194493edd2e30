//! An organization's webhook: where it goes, what it is told of, and what it is signed with.

use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES, may_write, writer};
use crate::app::App;
use crate::authz::Permission;
use crate::failure::Failure;
use crate::ids::EventId;
use crate::principals::{Principal, UserPrincipal};
use crate::store::WebhookChange;
use crate::webhooks::{
    Endpoint, EventType, MOST_PREVIOUS, PREVIOUS_SECONDS, PreviousSecret, SealedSecret, TEST_SECONDS,
    Webhook, WebhookSecret,
};

/// What all of it takes.
const PERMISSION: Permission = Permission::ManageWebhooks;

/// Where a webhook is to go, and what it is to be told of.
#[derive(Debug)]
pub struct WebhookRequest {
    /// Where.
    pub endpoint: Endpoint,
    /// Of what.
    pub events: Vec<EventType>,
}

/// A webhook, with its secret where it has a new one: shown in this answer alone.
#[derive(Debug)]
pub struct ShownWebhook {
    /// It.
    pub webhook: Webhook,
    /// Its new secret.
    pub secret: Option<WebhookSecret>,
    /// Seconds since the epoch: what signs along and what does not any more is told by it.
    pub now: i64,
}

/// Shows the organization's webhook to those who may change it.
///
/// # Errors
/// [`Refusal::WrongOrganization`], [`Refusal::SessionOver`], [`Refusal::OrganizationSuspended`], [`Refusal::InsufficientRole`],
/// [`Refusal::NotFound`].
pub async fn show_webhook(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
) -> Result<ShownWebhook, Refusal> {
    let trail = Trail::of(app, "webhook.show", origin, &Principal::User(user.clone()));
    let look = async {
        let (webhook, now) = read(app, user, id).await?;
        Ok(ShownWebhook { webhook: webhook.ok_or(Refusal::NotFound)?, secret: None, now })
    };
    let result = look.await;
    trail.end_look(result)
}

/// Gives the organization a webhook, or changes the one it has, which keeps its secret.
///
/// # Errors
/// As [`show_webhook`], but for the last.
pub async fn set_webhook(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
    request: &WebhookRequest,
) -> Result<ShownWebhook, Refusal> {
    let mut trail = Trail::of(app, "webhook.set", origin, &Principal::User(user.clone()));
    let result = set(app, user, id, request, &mut trail).await;
    trail.end(result)
}

async fn set(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    request: &WebhookRequest,
    trail: &mut Trail<'_>,
) -> Result<ShownWebhook, Refusal> {
    let url = request.endpoint.uri().to_string();
    let events: Vec<String> = request.events.iter().map(|it| it.as_str().to_owned()).collect();
    for _ in 0..WRITE_TRIES {
        let (seen, now) = read(app, user, id).await?;
        let Some(mut webhook) = seen else {
            let (secret, sealed) = new_secret(app, user).await?;
            let webhook = first(user, &url, &events, sealed, now);
            trail.note("added");
            if app
                .store
                .change_webhook(writer(user, PERMISSION), &WebhookChange::Add(&webhook), &trail.event(), now)
                .await?
            {
                return Ok(ShownWebhook { webhook, secret: Some(secret), now });
            }
            continue;
        };
        trail.note("");
        let change = WebhookChange::Set { seen: &webhook, url: &url, events: &events };
        if app.store.change_webhook(writer(user, PERMISSION), &change, &trail.event(), now).await? {
            (webhook.url, webhook.events, webhook.failure) = (url, events, None);
            webhook.updated_at = now;
            return Ok(ShownWebhook { webhook, secret: None, now });
        }
    }
    Err(Failure::Contended.into())
}

fn first(user: &UserPrincipal, url: &str, events: &[String], secret: SealedSecret, now: i64) -> Webhook {
    Webhook {
        org_id: user.org_id.clone(),
        url: url.to_owned(),
        events: events.to_vec(),
        secret,
        previous: Vec::new(),
        revision: 1,
        created_at: now,
        updated_at: now,
        tested_at: None,
        failure: None,
    }
}

/// Takes the webhook away: nothing more is told. One that is not there is as good as taken away.
///
/// # Errors
/// As [`set_webhook`].
pub async fn remove_webhook(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
) -> Result<(), Refusal> {
    let mut trail = Trail::of(app, "webhook.remove", origin, &Principal::User(user.clone()));
    let result = remove(app, user, id, &mut trail).await;
    trail.end(result)
}

async fn remove(app: &App, user: &UserPrincipal, id: &str, trail: &mut Trail<'_>) -> Result<(), Refusal> {
    for _ in 0..WRITE_TRIES {
        let (seen, now) = read(app, user, id).await?;
        let Some(webhook) = seen else {
            trail.note("was_removed");
            return Ok(());
        };
        if app
            .store
            .change_webhook(writer(user, PERMISSION), &WebhookChange::Remove(&webhook), &trail.event(), now)
            .await?
        {
            return Ok(());
        }
    }
    Err(Failure::Contended.into())
}

/// Gives the webhook another secret. The one before signs along for a day.
///
/// # Errors
/// As [`show_webhook`]; [`Refusal::RateLimited`] while as many sign along as may.
pub async fn rotate_webhook_secret(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
) -> Result<ShownWebhook, Refusal> {
    let trail = Trail::of(app, "webhook.rotate_secret", origin, &Principal::User(user.clone()));
    let result = rotate(app, user, id, &trail).await;
    trail.end(result)
}

async fn rotate(
    app: &App,
    user: &UserPrincipal,
    id: &str,
    trail: &Trail<'_>,
) -> Result<ShownWebhook, Refusal> {
    for _ in 0..WRITE_TRIES {
        let (seen, now) = read(app, user, id).await?;
        let mut webhook = seen.ok_or(Refusal::NotFound)?;
        let mut previous: Vec<PreviousSecret> = webhook.signing_along(now).cloned().collect();
        if let Some(until) = previous.first().map(|it| it.until).filter(|_| previous.len() >= MOST_PREVIOUS) {
            return Err(Refusal::RateLimited { retry_after: until - now });
        }
        previous.push(PreviousSecret { secret: webhook.secret.clone(), until: now + PREVIOUS_SECONDS });
        let (secret, sealed) = new_secret(app, user).await?;
        let change = WebhookChange::Rotate { seen: &webhook, secret: &sealed, previous: &previous };
        if app.store.change_webhook(writer(user, PERMISSION), &change, &trail.event(), now).await? {
            (webhook.secret, webhook.previous, webhook.updated_at) = (sealed, previous, now);
            return Ok(ShownWebhook { webhook, secret: Some(secret), now });
        }
    }
    Err(Failure::Contended.into())
}

/// Has a test sent, by the way that everything goes; gives its id.
///
/// # Errors
/// As [`show_webhook`]; [`Refusal::RateLimited`] within a minute of the one before.
pub async fn test_webhook(
    app: &App,
    origin: &Origin,
    user: &UserPrincipal,
    id: &str,
) -> Result<EventId, Refusal> {
    let trail = Trail::of(app, "webhook.test", origin, &Principal::User(user.clone()));
    let result = test(app, user, id, &trail).await;
    trail.end(result)
}

async fn test(app: &App, user: &UserPrincipal, id: &str, trail: &Trail<'_>) -> Result<EventId, Refusal> {
    for _ in 0..WRITE_TRIES {
        let (seen, now) = read(app, user, id).await?;
        let webhook = seen.ok_or(Refusal::NotFound)?;
        if let Some(until) = webhook.tested_at.map(|at| at + TEST_SECONDS).filter(|until| now < *until) {
            return Err(Refusal::RateLimited { retry_after: until - now });
        }
        let event = trail.event();
        if app
            .store
            .change_webhook(writer(user, PERMISSION), &WebhookChange::Test(&webhook), &event, now)
            .await?
        {
            return Ok(event.event_id);
        }
    }
    Err(Failure::Contended.into())
}

/// The webhook, for somebody who may manage it, and the time.
async fn read(app: &App, user: &UserPrincipal, id: &str) -> Result<(Option<Webhook>, i64), Refusal> {
    if id != user.org_id.as_str() {
        return Err(Refusal::WrongOrganization);
    }
    let now = app.clock.now_seconds();
    let (webhook, standing) = app.store.webhook_and_standing(user).await?;
    may_write(standing, PERMISSION, now)?;
    Ok((webhook, now))
}

async fn new_secret(app: &App, user: &UserPrincipal) -> Result<(WebhookSecret, SealedSecret), Refusal> {
    let keys = app.secrets.webhooks().await?;
    let secret = WebhookSecret::generate(app.rng.as_ref());
    let sealed = secret.seal(app.rng.as_ref(), keys.current(), &user.org_id);
    Ok((secret, sealed.map_err(|_| Failure::Sealing)?))
}
