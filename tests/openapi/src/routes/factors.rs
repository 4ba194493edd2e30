//! A person's second factors.

use factors::{BackupCodes, BeginTotp, ConfirmTotp, Enrolment, Factors, Prove, Totp};
use serde_json::json;
use shared::factors::BACKUP_CODES;
use shared::flows::Refusal::{
    InsufficientRole, InvalidCode, InvalidCredentials, NotFound, OrganizationSuspended, SessionOver,
    TooManyAttempts, TotpEnabled, WrongOrganization,
};
use shared::http::Shown;

use super::samples::minutes_later;
use crate::operation::{Cache, Caller, Done, Operation, Shows};

const TOTP: &str = "/api/v1/auth/factors/totp";

pub fn all() -> Vec<Operation> {
    vec![show(), begin(), confirm(), remove(), remake()]
        .into_iter()
        .map(|operation| {
            let operation = operation.for_a(Caller::Person);
            operation.refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole])
        })
        .collect()
}

fn show() -> Operation {
    let factors = Factors { totp: Some(Totp { since: minutes_later(40) }), backup_codes_left: BACKUP_CODES };
    Operation::new(
        ("get", "/api/v1/auth/factors"),
        ("Second factors", "showFactors"),
        "Which second factors one has",
        "",
    )
    .answers(200, "Never their secrets.", factors)
}

fn begin() -> Operation {
    let enrolment = Enrolment {
        secret: Shown::new(&"A2".repeat(16)),
        uri: Shown::new("otpauth://totp/…"),
        qr_svg: Shown::new("<svg …"),
        expires_at: minutes_later(50),
    };
    Operation::new(
        ("post", TOTP),
        ("Second factors", "beginTotp"),
        "Set an authenticator app up",
        "The answer shows the secret, this once: as text, as a link, and as a picture for the app's camera. Nothing has changed until a code \
         of the app confirms it, within ten minutes. Beginning again takes the place of what was begun before.",
    )
    .takes::<BeginTotp>(json!({ "password": "correct horse battery" }))
    .answers(201, "Show it to the app, then confirm.", enrolment)
    .refuses([InvalidCredentials, TotpEnabled, TooManyAttempts { retry_after: 1 }])
}

fn confirm() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/factors/totp/confirm"),
        ("Second factors", "confirmTotp"),
        "Turn the authenticator app on",
        "From now on the second step of a login takes its codes (`method` is `totp`) and no mailed one. The answer shows ten backup codes, this \
         once. Logins that are under way begin anew.",
    )
    .takes::<ConfirmTotp>(json!({ "code": "123456" }))
    .answers(200, "It is on. Keep the backup codes: nobody can show them again.", backup_codes())
    .refuses([InvalidCode, NotFound, TotpEnabled, TooManyAttempts { retry_after: 1 }])
}

fn remove() -> Operation {
    Operation::new(
        ("delete", TOTP),
        ("Second factors", "removeTotp"),
        "Turn the authenticator app off",
        "Takes the password and a code of the app, or a backup code where the app is lost. The backup codes go with it. Codes are mailed again.",
    )
    .takes::<Prove>(json!({ "password": "correct horse battery", "code": "123456" }))
    .refuses([InvalidCredentials, InvalidCode, NotFound, TooManyAttempts { retry_after: 1 }])
    .answered(Done { status: 204, about: "It is off.", shows: Shows::Nothing, cache: Cache::Never })
}

fn remake() -> Operation {
    Operation::new(
        ("post", "/api/v1/auth/factors/backup-codes"),
        ("Second factors", "remakeBackupCodes"),
        "Make ten new backup codes",
        "Those of before are dead. Takes the password and a code, as turning the app off does.",
    )
    .takes::<Prove>(json!({ "password": "correct horse battery", "code": "123456" }))
    .answers(201, "Keep them: nobody can show them again.", backup_codes())
    .refuses([InvalidCredentials, InvalidCode, NotFound, TooManyAttempts { retry_after: 1 }])
}

fn backup_codes() -> BackupCodes {
    let shown = || Shown::new(&["K7QF2", "M9XTA"].join("-"));
    BackupCodes { backup_codes: std::iter::repeat_with(shown).take(BACKUP_CODES).collect() }
}
