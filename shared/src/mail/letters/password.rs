//! Letters about passwords.

use super::Letter;
use crate::reset_tokens::{LIFETIME_SECONDS, ResetToken};

/// The token that a forgotten password is replaced with.
pub fn password_reset(token: &ResetToken) -> Letter {
    let minutes = (LIFETIME_SECONDS / 60).to_string();
    Letter::of(
        "Reset your Syncgram Pay password",
        &[
            "Somebody, perhaps you, asked to reset the password of your Syncgram Pay account. Enter this where you asked for it:\n\n",
            token.expose(),
            "\n\nIt is good for ",
            &minutes,
            " minutes and once, and ends every session. If it was not you, do not give it to anybody: without it your password stays \
             what it is.\n",
        ],
    )
}

/// To somebody whose password was to be reset, and who has none.
pub fn no_account() -> Letter {
    Letter::of(
        "You have no Syncgram Pay account",
        &[
            "Somebody, perhaps you, asked to reset the password of a Syncgram Pay account with this address. There is none. If you have an \
             account, it is under another address.\n\nIf it was not you, there is nothing to do.\n",
        ],
    )
}

/// To somebody whose password is another one now.
pub fn password_changed() -> Letter {
    Letter::of(
        "Your Syncgram Pay password was changed",
        &[
            "The password of your Syncgram Pay account was changed, and your sessions elsewhere were ended.\n\nIf it was not you, reset your \
             password at once, and tell us.\n",
        ],
    )
}
