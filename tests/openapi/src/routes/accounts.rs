//! Signing up, and passwords.

use serde_json::json;
use shared::flows::ON_ITS_WAY;
use shared::flows::Refusal::{
    InvalidCode, InvalidCredentials, InvalidResetToken, OrganizationSuspended, RateLimited, TooManyAttempts,
};
use shared::http::{Message, Problem::OriginNotAllowed, User};
use shared::ids::InvalidId;

use super::login::client;
use super::samples::{EMAIL, NAME_OF_PERSON, PASSWORD, tokens, user};
use crate::operation::{Caller, Operation};

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![register()?, verify_email()?, resend(), forgot(), reset(), change()])
}

fn register() -> Result<Operation, InvalidId> {
    let user = User { has_onboarded: false, ..user()? };
    Ok(Operation::new(
        ("post", "/api/v1/auth/register"),
        ("Accounts", "register"),
        "Sign up",
        "Account and organization are there as soon as the code that is mailed was typed; until then nobody logs in. An address that somebody has \
         is told apart by nothing: its owner is mailed instead. Signing up again replaces the sign-up before, with all that was said in \
         it. Five times an hour for an address.\n\nA password has at least twelve characters, is not a common one, and does not consist of such, of \
         the person's name or of their address; nothing else is asked of it. The organization is called after the person, is in \
         test mode, and has not finished onboarding.",
    )
    .takes::<register::Register>(
        json!({ "email": EMAIL, "password": PASSWORD, "full_name": NAME_OF_PERSON, "country": "GB" }),
    )
    .answers(201, "A mail is on its way.", register::Registered { message: ON_ITS_WAY, user })
    .refuses([RateLimited { retry_after: 1 }]))
}

fn verify_email() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("post", "/api/v1/auth/verify-email"),
        ("Accounts", "verifyEmail"),
        "Confirm the address",
        "Makes the account, its organization and the person's first session. A code lives ten minutes, works once, only for the latest sign-up \
         of its address, and dies with the fifth wrong guess. Ten wrong codes in 15 minutes shut the address's sign-ups, not its logins, for 15 \
         minutes, whether it has one or not.\n\nThe dashboard, which says who it is in `X-Syncgram-Client`, gets the refresh token in a cookie and \
         not in the body.",
    )
    .with(client())
    .takes::<register::VerifyEmail>(json!({ "email": EMAIL, "otp": "123456" }))
    .answers(200, "The account is there, and logged in.", tokens()?)
    .refuses([OriginNotAllowed])
    .refuses([InvalidCode, TooManyAttempts { retry_after: 1 }]))
}

fn resend() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/verify-email/resend"),
        ("Accounts", "resendEmailCode"),
        "Another code to the same address",
        "The code before is dead. Once a minute, three times an hour, for a day after signing up. An address that waits for no code is told apart by \
         nothing: it is mailed that.",
    )
    .takes::<register::ResendEmailCode>(json!({ "email": EMAIL }))
    .answers(200, "A mail is on its way.", Message { message: ON_ITS_WAY })
    .refuses([RateLimited { retry_after: 1 }])
}

fn forgot() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/password/forgot"),
        ("Accounts", "forgotPassword"),
        "A mail to reset a password",
        "The mail has a token that lives 30 minutes and works once. An address that nobody has is told apart by nothing: it is mailed that \
         there is no account. Five times an hour for an address.",
    )
    .takes::<password::ForgotPassword>(json!({ "email": EMAIL }))
    .answers(200, "A mail is on its way.", Message { message: ON_ITS_WAY })
    .refuses([RateLimited { retry_after: 1 }])
}

fn reset() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/password/reset"),
        ("Accounts", "resetPassword"),
        "A new password for a token",
        "Ends every session of the person and every login that is on its way; a second factor stays what it is. A password that is \
         refused does not use the token up.",
    )
    .takes::<password::ResetPassword>(json!({ "token": "rst_…", "password": PASSWORD }))
    .answers(200, "The password is another one now.", Message { message: password::CHANGED })
    .refuses([InvalidResetToken])
}

fn change() -> Operation {
    Operation::new(
        ("put", "/api/v1/auth/password"),
        ("Accounts", "changePassword"),
        "A new password for the one before",
        "Ends the person's other sessions and every login that is on its way. A wrong current password counts as one at login does, and locks as it \
         does.",
    )
    .for_a(Caller::Person)
    .takes::<password::ChangePassword>(
        json!({ "current_password": PASSWORD, "new_password": "battery staple horse" }),
    )
    .answers(200, "The password is another one now.", Message { message: password::CHANGED })
    .refuses([InvalidCredentials, OrganizationSuspended, TooManyAttempts { retry_after: 1 }])
}
