//! Letters about joining an organization.

use super::Letter;
use crate::invitations::{InvitationToken, LIFETIME_SECONDS};
use crate::users::Role;

/// How much of an organization's name a letter shows, in characters.
const SHOWN: usize = 60;

/// An invitation. It says the same to whoever has an account and to whoever has none: which it is was not looked at.
pub fn invitation(organization: &str, role: Role, token: &InvitationToken) -> Letter {
    let hours = (LIFETIME_SECONDS / 60 / 60).to_string();
    Letter::of(
        "You are invited to an organization on Syncgram Pay",
        &[
            "You are invited to an organization on Syncgram Pay, as ",
            role.as_str(),
            ". It calls itself: ",
            &plain(organization),
            "\n\nThe token of your invitation is\n\n    ",
            token.expose(),
            "\n\nIt is good for ",
            &hours,
            " hours and once. If you have an account with this address, the token is all it takes. If you have none, choose a name and a \
             password with it.\n\nIf you know nothing of this, do nothing.\n",
        ],
    )
}

/// A name that anybody may have chosen, as part of a mail of ours: cut, and nothing in it that a mail program makes a link of.
fn plain(name: &str) -> String {
    let cut: Vec<char> = name.chars().take(SHOWN).collect();
    let links = |at: usize| {
        let next = cut.get(at + 1).is_some_and(|next| !next.is_whitespace());
        matches!(cut[at], '/' | '@' | '\\') || (matches!(cut[at], '.' | ':') && next)
    };
    (0..cut.len()).map(|at| if links(at) { ' ' } else { cut[at] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn a_name_in_a_mail_is_no_link() {
        for (name, shown) in [
            ("Birch Coffee", "Birch Coffee"),
            ("Birch & Sons, Ltd.", "Birch & Sons, Ltd."),
            ("https://evil.example/login", "https   evil example login"),
            ("write to me@evil.example", "write to me evil example"),
        ] {
            assert_eq!(plain(name), shown);
        }
        assert_eq!(plain(&"n".repeat(255)).len(), SHOWN);
    }

    #[test]
    fn the_longest_letter_never_moved() {
        let token = InvitationToken::generate(&SystemRng);
        let letter = invitation(&"\u{1f600}".repeat(255), Role::Developer, &token);
        assert!(letter.text.expose().contains(token.expose()));
        assert_eq!(letter.text.expose().capacity(), super::super::CAPACITY, "it grew");
    }
}
