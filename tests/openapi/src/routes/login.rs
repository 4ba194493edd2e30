//! Login, and what becomes of a session.

use schemars::json_schema;
use serde_json::json;
use shared::challenges::SecondStep;
use shared::flows::Refusal::{
    InvalidCode, InvalidCredentials, InvalidRefreshToken, OrganizationSuspended, RateLimited,
    TooManyAttempts, TotpEnabled, WrongOrganization,
};
use shared::http::{self, DASHBOARD, Problem::OriginNotAllowed};
use shared::ids::{ChallengeId, InvalidId};

use super::samples::{CHALLENGE, EMAIL, PASSWORD, minutes_later, tokens, user};
use crate::operation::{Cache, Caller, Done, Operation, Parameter, Shows};

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![login()?, verify()?, resend()?, refresh()?, logout()])
}

fn login() -> Result<Operation, InvalidId> {
    let challenge = login::Challenge {
        challenge_id: ChallengeId::parse(CHALLENGE)?,
        method: SecondStep::EmailOtp,
        expires_at: minutes_later(15),
        backup_code_allowed: false,
        user: user()?,
    };
    Ok(Operation::new(
        ("post", "/api/v1/auth/login"),
        ("Login", "login"),
        "First step: address and password",
        "A wrong password and an unknown address are told apart by nothing. Ten wrong passwords in 15 minutes lock the pair of address and \
         network for 15 minutes, a hundred in an hour the address, known or not. The code for the second step is mailed, unless the person has an authenticator app: \
         then `method` is `totp`, and no mailed code is accepted.",
    )
    .takes::<login::Login>(json!({ "email": EMAIL, "password": PASSWORD }))
    .answers(200, "The password is right; a code is on its way, or in the app.", challenge)
    .refuses([InvalidCredentials, OrganizationSuspended, TooManyAttempts { retry_after: 1 }]))
}

fn verify() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("post", "/api/v1/auth/login/2fa/verify"),
        ("Login", "verify"),
        "Second step: the code",
        "A code lives ten minutes, works once, only for its own challenge, and dies with the fifth wrong guess. A code of an authenticator app, or a \
         backup code (`code_type`), likewise works once. Ten wrong codes in 15 \
         minutes lock the address for 15 minutes.\n\nThe session is for the organization in `org_id`; without one, for the organization used last, or for another \
         where that one is gone or suspended.\n\nThe dashboard, which says who it is in `X-Syncgram-Client`, gets the refresh token in a \
         cookie and not in the body.",
    )
    .with(client())
    .takes::<verify::Verify>(json!({ "challenge_id": CHALLENGE, "code": "123456" }))
    .answers(200, "Logged in.", tokens()?)
    .refuses([OriginNotAllowed])
    .refuses([InvalidCode, WrongOrganization, OrganizationSuspended, TooManyAttempts { retry_after: 1 }]))
}

fn resend() -> Result<Operation, InvalidId> {
    let resent =
        verify::Resent { challenge_id: ChallengeId::parse(CHALLENGE)?, expires_at: minutes_later(16) };
    Ok(Operation::new(
        ("post", "/api/v1/auth/login/2fa/resend"),
        ("Login", "resend"),
        "Another code to the same address",
        "The code before is dead. Once a minute, three times a challenge. Where codes come from an authenticator app, none is mailed: 409.",
    )
    .takes::<verify::Resend>(json!({ "challenge_id": CHALLENGE }))
    .answers(200, "A new code is on its way.", resent)
    .refuses([InvalidCode, TotpEnabled, RateLimited { retry_after: 1 }, TooManyAttempts { retry_after: 1 }]))
}

fn refresh() -> Result<Operation, InvalidId> {
    let idempotency_key = Parameter {
        place: "header",
        name: "Idempotency-Key",
        about: "Names this request, so that it can be sent again. From a good random source.",
        schema: |_| http::idempotency_key_schema(),
        example: None,
    };
    Ok(Operation::new(
        ("post", "/api/v1/auth/refresh"),
        ("Login", "refresh"),
        "New tokens for a refresh token",
        "The refresh token is dead the moment its successor exists. One that comes back after that was stolen, or its answer was lost: the \
         session ends. Whoever sends an `Idempotency-Key` may send the same request again within 60 seconds and gets the same successor, as \
         long as that is unused.\n\nThe dashboard, which says who it is in `X-Syncgram-Client`, brings the refresh token in its cookie, \
         without a body, and gets the successor in one. A 401 takes the cookie away.",
    )
    .with(client())
    .with(idempotency_key)
    .takes::<refresh::Refresh>(json!({ "refresh_token": "rt_…" }))
    .answers(200, "The successor, and a new access token.", tokens()?)
    .refuses([InvalidRefreshToken(""), OrganizationSuspended])
    .refuses([OriginNotAllowed]))
}

fn logout() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/logout"),
        ("Login", "logout"),
        "End the session",
        "Its refresh token is dead at once. The access token lives out its 15 minutes where nobody looks the session up; it writes nothing \
         any more. The dashboard's cookie goes with it.",
    )
    .for_a(Caller::Person)
    .with(client())
    .refuses([OriginNotAllowed])
    .answered(Done { status: 204, about: "The session is over.", shows: Shows::Nothing, cache: Cache::Never })
}

/// By which the dashboard says who it is.
pub fn client() -> Parameter {
    Parameter {
        place: "header",
        name: "X-Syncgram-Client",
        about: "The dashboard's name. It needs the `Origin` of the issuer beside it; other clients leave it out.",
        schema: |_| json_schema!({ "const": DASHBOARD }),
        example: None,
    }
}
