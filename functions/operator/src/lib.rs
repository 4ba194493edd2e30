//! The operator's door: a function without a route, called with IAM's rights (`aws lambda invoke`).
//!
//! An event is a JSON object: `action` says what to do, the other members say to what. The answer is the API's envelope.

use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::clock::rfc3339;
use shared::flows::Origin;
use shared::flows::operator::{self, NewOrganization};
use shared::http::{self, Country, Field, Fields, Key, Name, Organization, Password, Problem};
use shared::ids::{KeyId, OrgId};
use shared::leaks::{ReporterKey, is_key_identifier};
use shared::organizations::{OnboardingStatus, PaymentsStatus};

/// The shortest first password of an owner, in characters.
const MIN_PASSWORD: usize = 12;

/// A name, of an organization or a person.
type FullName = Name<255>;

/// Every action, and the members it takes.
const ACTIONS: [(&str, &str); 10] = [
    ("create_organization", "name, country, owner_email, owner_full_name, owner_password"),
    ("set_onboarding", "org_id, onboarding_status, payments_status"),
    ("suspend_organization", "org_id"),
    ("reinstate_organization", "org_id"),
    ("unlock_account", "email"),
    ("end_sessions", "email"),
    ("revoke_key", "org_id, api_key_id"),
    ("name_issuer", "issuer"),
    ("trust_leak_reporter", "key_identifier, public_key"),
    ("distrust_leak_reporter", "key_identifier"),
];

/// Does what an event asks. `invocation` is Lambda's id of this call.
pub async fn handle(app: &App, event: Value, invocation: &str) -> Value {
    let origin = Origin { request_id: invocation.to_owned(), ..Origin::default() };
    http::envelope(invocation, act(app, &origin, event)).await
}

async fn act(app: &App, origin: &Origin, event: Value) -> Result<Value, Problem> {
    let mut fields = Fields::of(event)?;
    match fields.required("action", action) {
        Some("create_organization") => create(app, origin, fields).await,
        Some("set_onboarding") => set_onboarding(app, origin, fields).await,
        Some("suspend_organization") => set_suspended(app, origin, fields, true).await,
        Some("reinstate_organization") => set_suspended(app, origin, fields, false).await,
        Some("unlock_account") => unlock(app, origin, fields).await,
        Some("end_sessions") => end_sessions(app, origin, fields).await,
        Some("revoke_key") => revoke_key(app, origin, fields).await,
        Some("name_issuer") => name_issuer(app, origin, fields).await,
        Some("trust_leak_reporter") => trust_reporter(app, origin, fields).await,
        Some("distrust_leak_reporter") => distrust_reporter(app, origin, fields).await,
        _ => Err(fields.problem()),
    }
}

fn action(value: &Value) -> Result<&'static str, String> {
    let known = ACTIONS.iter().map(|(name, _)| *name).find(|name| value.as_str() == Some(name));
    known.ok_or_else(|| {
        let all: Vec<String> = ACTIONS.iter().map(|(name, members)| format!("{name} ({members})")).collect();
        format!("must be one of: {}", all.join("; "))
    })
}

async fn create(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let name = fields.required("name", FullName::read);
    let country = fields.required("country", Country::read);
    let email = fields.required("owner_email", |value| {
        let address = EmailAddress::read(value)?;
        Ok((value.as_str().unwrap_or_default().to_owned(), address))
    });
    let full_name = fields.required("owner_full_name", FullName::read);
    let password = fields.required("owner_password", |value| {
        let password = Password::read(value)?.into_sensitive();
        if password.expose().chars().count() < MIN_PASSWORD {
            return Err(format!("must have at least {MIN_PASSWORD} characters"));
        }
        Ok(password)
    });
    let (
        Some(name),
        Some(country),
        Some((owner_email, owner_address)),
        Some(owner_full_name),
        Some(owner_password),
    ) = (name, country, email, full_name, password)
    else {
        return Err(fields.problem());
    };
    let new = NewOrganization {
        name: name.into_string(),
        country: country.into_string(),
        owner_email,
        owner_address,
        owner_full_name: owner_full_name.into_string(),
        owner_password,
    };
    Ok(json!(Organization::from(&operator::create_organization(app, origin, &new).await?)))
}

async fn set_onboarding(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let id = fields.required("org_id", org_id);
    let onboarding = fields.required("onboarding_status", onboarding_status);
    let payments = fields.required("payments_status", payments_status);
    let (Some(id), Some(onboarding), Some(payments)) = (id, onboarding, payments) else {
        return Err(fields.problem());
    };
    Ok(json!(Organization::from(&operator::set_onboarding(app, origin, &id, onboarding, payments).await?)))
}

async fn set_suspended(
    app: &App,
    origin: &Origin,
    mut fields: Fields,
    suspended: bool,
) -> Result<Value, Problem> {
    let Some(id) = fields.required("org_id", org_id) else {
        return Err(fields.problem());
    };
    Ok(json!(Organization::from(&operator::set_suspended(app, origin, &id, suspended).await?)))
}

async fn unlock(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let Some(address) = fields.required("email", EmailAddress::read) else {
        return Err(fields.problem());
    };
    let opened = operator::unlock_account(app, origin, &address).await?;
    Ok(json!({ "guards_opened": opened }))
}

async fn end_sessions(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let Some(address) = fields.required("email", EmailAddress::read) else {
        return Err(fields.problem());
    };
    let user_id = operator::end_sessions(app, origin, &address).await?;
    Ok(json!({ "user_id": user_id, "sessions_made_before": rfc3339(app.clock.now_seconds() + 1) }))
}

async fn revoke_key(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let org = fields.required("org_id", org_id);
    let key = fields.required("api_key_id", |value| {
        let id = value.as_str().and_then(|text| KeyId::parse(text).ok());
        id.ok_or_else(|| "must be the id of an API key".to_owned())
    });
    let (Some(org), Some(key)) = (org, key) else {
        return Err(fields.problem());
    };
    Ok(json!(Key::from(&operator::revoke_key(app, origin, &org, &key).await?)))
}

async fn name_issuer(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let Some(issuer) = fields.required("issuer", issuer) else {
        return Err(fields.problem());
    };
    operator::name_issuer(app, origin, &issuer).await?;
    Ok(json!({ "issuer": issuer }))
}

async fn trust_reporter(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let identifier = fields.required("key_identifier", key_identifier);
    let key = fields.required("public_key", |value| {
        let pem = value.as_str().unwrap_or_default();
        ReporterKey::read(identifier.as_deref().unwrap_or_default(), pem).map_err(str::to_owned)
    });
    let (Some(_), Some(key)) = (&identifier, key) else {
        return Err(fields.problem());
    };
    operator::trust_reporter(app, origin, &key).await?;
    Ok(json!({ "key_identifier": identifier, "trusted": true }))
}

async fn distrust_reporter(app: &App, origin: &Origin, mut fields: Fields) -> Result<Value, Problem> {
    let Some(identifier) = fields.required("key_identifier", key_identifier) else {
        return Err(fields.problem());
    };
    operator::distrust_reporter(app, origin, &identifier).await?;
    Ok(json!({ "key_identifier": identifier, "trusted": false }))
}

fn key_identifier(value: &Value) -> Result<String, String> {
    let identifier = value.as_str().filter(|text| is_key_identifier(text));
    identifier.map(str::to_owned).ok_or_else(|| "must be 64 hexadecimal digits in lower case".to_owned())
}

/// RFC 8414 section 2: an https URL without query or fragment; and without a slash at its end, which the documents' paths begin with.
fn issuer(value: &Value) -> Result<String, String> {
    let good = |text: &&str| {
        let rest = text.strip_prefix("https://").unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !rest.ends_with('/')
            && rest.bytes().all(plain)
    };
    let text = value.as_str().filter(good);
    text.map(str::to_owned)
        .ok_or_else(|| "must be an https URL without a query and a slash at its end".to_owned())
}

fn org_id(value: &Value) -> Result<OrgId, String> {
    let id = value.as_str().and_then(|text| OrgId::parse(text).ok());
    id.ok_or_else(|| "must be the id of an organization".to_owned())
}

fn onboarding_status(value: &Value) -> Result<OnboardingStatus, String> {
    use OnboardingStatus::{Completed, InProgress, NotStarted};
    one_of(&[NotStarted, InProgress, Completed], OnboardingStatus::as_str, value)
}

fn payments_status(value: &Value) -> Result<PaymentsStatus, String> {
    one_of(&[PaymentsStatus::Disabled, PaymentsStatus::Enabled], PaymentsStatus::as_str, value)
}

fn one_of<T: Copy>(all: &[T], name: fn(T) -> &'static str, value: &Value) -> Result<T, String> {
    let found = all.iter().copied().find(|it| value.as_str() == Some(name(*it)));
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().copied().map(name).collect();
        format!("must be one of {}", names.join(", "))
    })
}
