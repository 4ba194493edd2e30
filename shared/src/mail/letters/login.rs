//! Letters about logging in.

use super::Letter;
use crate::challenges::{Code, LIFETIME_SECONDS};

/// The code of a login.
pub fn login_code(code: &Code) -> Letter {
    let minutes = (LIFETIME_SECONDS / 60).to_string();
    Letter::of(
        "Your Syncgram Pay login code",
        &[
            "Your Syncgram Pay login code is ",
            code.expose(),
            ".\n\nIt is good for ",
            &minutes,
            " minutes and for one login. If you are not logging in, somebody knows your password: change it.\n",
        ],
    )
}
