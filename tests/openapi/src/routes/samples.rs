//! Who and what the examples are about.

use shared::api_keys::{Env, Status};
use shared::http::{Key, Organization, Shown, Time, TokenType, Tokens, User};
use shared::ids::{InvalidId, KeyId, OrgId, UserId};
use shared::organizations::{OnboardingStatus, PaymentsStatus};
use shared::tokens::access_token::LIFETIME_SECONDS;

pub const CHALLENGE: &str = "ch_01KB0V4M2X7Q9R5T8W1Z3C6FHJ";
pub const USER: &str = "usr_01KB0V3Z9N4Q8Y2H6T7D5C1XAP";
pub const ORGANIZATION: &str = "org_01KB0V3Z9N2M5R8K1W4E7G6SBT";
pub const SESSION: &str = "ses_01KB0V5T8N3Q6Y1H4E7D9C2XAM";
pub const KEY: &str = "key_01KB0V9A7C3F6J8M2P5S4V1YDR";
pub const EMAIL: &str = "owner@shop.example";
pub const PASSWORD: &str = "correct horse battery";
pub const NAME_OF_PERSON: &str = "Olivia Example";
/// The name of a key.
pub const NAME: &str = "Checkout";

/// So many minutes after half past nine on the day of the examples.
pub fn minutes_later(minutes: i64) -> Time {
    Time::at(1_795_512_600 + 60 * minutes)
}

pub fn user() -> Result<User, InvalidId> {
    Ok(User {
        id: UserId::parse(USER)?,
        email: EMAIL.to_owned(),
        full_name: NAME_OF_PERSON.to_owned(),
        has_onboarded: true,
    })
}

pub fn tokens() -> Result<Tokens, InvalidId> {
    Ok(Tokens {
        access_token: Shown::new("eyJ…"),
        refresh_token: Some(Shown::new("rt_…")),
        token_type: TokenType::Bearer,
        expires_in: LIFETIME_SECONDS,
        user: user()?,
    })
}

pub fn key(status: Status, revoked_at: Option<Time>) -> Result<Key, InvalidId> {
    Ok(Key {
        api_key_id: KeyId::parse(KEY)?,
        key_name: NAME.to_owned(),
        env: Env::Test,
        hint: format!("{}…f3Zq", Env::Test.key_prefix()),
        status,
        created_at: minutes_later(30),
        expires_at: None,
        revoked_at,
        last_used_at: Some(minutes_later(31)),
        allowed_addresses: Vec::new(),
        leak: None,
    })
}

pub fn organization(current_env: Env) -> Result<Organization, InvalidId> {
    Ok(Organization {
        id: OrgId::parse(ORGANIZATION)?,
        name: "Example Shop".to_owned(),
        owner_user_id: UserId::parse(USER)?,
        onboarding_status: OnboardingStatus::Completed,
        payments_status: PaymentsStatus::Enabled,
        current_env,
        country: "GB".to_owned(),
        is_active: true,
        created_at: minutes_later(0),
        updated_at: minutes_later(0),
    })
}
