//! Letters about a person's second factors. None of them holds anything secret.

use super::Letter;

/// What to do when it was somebody else.
const NOT_YOU: &str = "\n\nIf this was not you, somebody is logged in as you: change your password, end all other sessions, and tell us.\n";

/// An authenticator app was turned on.
pub fn totp_on() -> Letter {
    Letter::of(
        "Your Syncgram Pay login now takes an authenticator app",
        &[
            "A second factor was turned on: from now on your login takes a code from an authenticator app, and no code is mailed.",
            NOT_YOU,
        ],
    )
}

/// The authenticator app was turned off.
pub fn totp_off() -> Letter {
    Letter::of(
        "Your Syncgram Pay login takes no authenticator app any more",
        &[
            "Your second factor was turned off, and your backup codes with it: from now on the codes of your logins are mailed.",
            NOT_YOU,
        ],
    )
}

/// There are new backup codes.
pub fn backup_codes_made() -> Letter {
    Letter::of(
        "You have new Syncgram Pay backup codes",
        &["New backup codes were made. Those you had before are dead.", NOT_YOU],
    )
}

/// Somebody logged in with a backup code.
pub fn backup_code_used(left: usize) -> Letter {
    let left = match left {
        0 => "You have none left: make new ones.".to_owned(),
        1 => "You have 1 left: make new ones.".to_owned(),
        left => format!("You have {left} left."),
    };
    Letter::of("A Syncgram Pay backup code was used", &["A backup code was used to log in. ", &left, NOT_YOU])
}
