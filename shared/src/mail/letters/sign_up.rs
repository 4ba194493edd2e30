//! Letters about signing up. None has the name that was given: anybody can have a letter sent, and would choose its words by it.

use super::Letter;
use crate::challenges::Code;
use crate::sign_ups::CODE_LIFETIME_SECONDS;

/// The code that shows that an address is its owner's.
pub fn sign_up_code(code: &Code) -> Letter {
    let minutes = (CODE_LIFETIME_SECONDS / 60).to_string();
    Letter::of(
        "Confirm your email address for Syncgram Pay",
        &[
            "Your Syncgram Pay confirmation code is ",
            code.expose(),
            ".\n\nIt is good for ",
            &minutes,
            " minutes. If you have signed up more than once, the latest sign-up is the one it confirms, with the password given there. \
             If you did not sign up, do not give this code to anybody: without it there is no account.\n",
        ],
    )
}

/// To somebody who has an account already.
pub fn sign_up_taken() -> Letter {
    Letter::of(
        "You have a Syncgram Pay account",
        &[
            "Somebody, perhaps you, tried to sign up at Syncgram Pay with this address. It has an account already, and nothing about that \
             was changed. To use it, log in; if you do not know the password any more, reset it.\n\nIf it was not you, there is nothing to do.\n",
        ],
    )
}

/// To an address whose sign-up was to be confirmed, and there is none.
pub fn nothing_to_confirm() -> Letter {
    Letter::of(
        "Nothing to confirm at Syncgram Pay",
        &[
            "Somebody, perhaps you, asked for a code that confirms this address at Syncgram Pay. There is no sign-up that waits for one: it \
             was confirmed, was tried with too many wrong codes, or is older than a day. To have an account, sign up again.\n\nIf it was \
             not you, there is nothing to do.\n",
        ],
    )
}
