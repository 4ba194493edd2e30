//! Letters about API keys.

use super::Letter;
use crate::leaks::Leak;

/// A key was found in public, and is revoked.
pub fn key_leaked(name: &str, hint: &str, leak: &Leak) -> Letter {
    let place = if leak.place.url.is_empty() { "in public" } else { leak.place.url.as_str() };
    Letter::of(
        "A Syncgram Pay API key of yours leaked and was revoked",
        &[
            "Your API key \"",
            name,
            "\" (",
            hint,
            ") was found where anybody can read it, and is revoked: calls with it are refused from now on.\n\nWhere it was found: ",
            place,
            "\nWho found it: ",
            &leak.reported_by,
            "\n\nMake a new key in the dashboard, keep it out of your code, and look in your organization's audit trail for what you did not do yourself.\n",
        ],
    )
}
