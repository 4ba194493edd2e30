//! Guards: how often somebody may guess, and for how long a guard that was reached stays shut.
//!
//! A guard remembers the times of its latest guesses, not a count in a window: with a count, 19 guesses pass around the edge
//! of two windows that allow ten each.

use serde::{Deserialize, Serialize};

use crate::addresses::EmailAddress;
use crate::crypto;
use crate::ids::OrgId;

/// At most `max` guesses in `window_seconds`; the guess that reaches it is judged, then the guard is shut for as long again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many guesses.
    pub max: usize,
    /// In how many seconds; and how long the guard then stays shut.
    pub window_seconds: i64,
}

/// Codes tried for one address, over all its challenges and resends.
pub const CODES: Limit = Limit { max: 10, window_seconds: 15 * 60 };
/// Passwords tried for one address from one network.
pub const PASSWORDS_FROM_NETWORK: Limit = Limit { max: 10, window_seconds: 15 * 60 };
/// Passwords tried for one address from anywhere: an attacker with many networks.
pub const PASSWORDS_FROM_ANYWHERE: Limit = Limit { max: 100, window_seconds: 60 * 60 };

/// Codes of sign-ups tried for one address. A guard of its own: anybody can try such a code, and must not shut the address's logins by it.
pub const SIGN_UP_CODES: Limit = CODES;
/// Sign-ups of one address: each is a mail to it.
pub const SIGN_UPS: Limit = Limit { max: 5, window_seconds: 60 * 60 };
/// The code of a sign-up sent again: once a minute …
pub const RESENDS_SOON: Limit = Limit { max: 1, window_seconds: 60 };
/// … and three times.
pub const RESENDS: Limit = Limit { max: 3, window_seconds: 60 * 60 };
/// Resets of one address's password that were asked for: each is a mail to it.
pub const RESETS: Limit = Limit { max: 5, window_seconds: 60 * 60 };
/// All mails that strangers have sent from one network, to whomever.
pub const MAILS_FROM_NETWORK: Limit = Limit { max: 100, window_seconds: 60 * 60 };
/// Invitations that one organization mails.
pub const INVITATIONS_BY: Limit = Limit { max: 50, window_seconds: 60 * 60 };
/// Invitations that are mailed to one address.
pub const INVITATIONS_TO: Limit = Limit { max: 5, window_seconds: 60 * 60 };

/// Names one guard. It holds the address's hash, never the address, and exists for addresses nobody has as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Hash of the normalized address; where what is counted is an organization's, its id.
    pub address_hash: String,
    /// What is counted.
    pub kind: GuardKind,
}

/// What a guard counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuardKind {
    /// Codes.
    Codes,
    /// Passwords from one network.
    PasswordsFrom(String),
    /// Passwords from anywhere.
    Passwords,
    /// Codes of sign-ups.
    SignUpCodes,
    /// Sign-ups.
    SignUps,
    /// Codes of sign-ups sent again within a minute.
    ResendsSoon,
    /// Codes of sign-ups sent again.
    Resends,
    /// Resets asked for.
    Resets,
    /// Mails asked for from a network; the network's hash stands in the place of an address's.
    MailsFrom,
    /// Invitations by an organization.
    InvitationsBy,
    /// Invitations to an address.
    InvitationsTo,
}

impl GuardKind {
    /// Whether an audit event says that it shut. One that only keeps strangers' mails from being too many shuts unnoticed.
    pub fn tells(&self) -> bool {
        !matches!(self, Self::SignUps | Self::ResendsSoon | Self::Resends | Self::Resets | Self::MailsFrom)
    }

    /// What an audit event calls it. The network stands elsewhere in it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Codes => "codes",
            Self::PasswordsFrom(_) => "passwords_from_network",
            Self::Passwords => "passwords",
            Self::SignUpCodes => "sign_up_codes",
            Self::SignUps => "sign_ups",
            Self::ResendsSoon => "resends_soon",
            Self::Resends => "resends",
            Self::Resets => "resets",
            Self::MailsFrom => "mails_from_network",
            Self::InvitationsBy => "invitations_by_organization",
            Self::InvitationsTo => "invitations_to_address",
        }
    }
}

impl Guard {
    /// The guard of an address's codes.
    pub fn codes(address_hash: &str) -> Self {
        Self { address_hash: address_hash.to_owned(), kind: GuardKind::Codes }
    }

    /// Both guards of a password guess.
    pub fn passwords(address: &EmailAddress, network: &str) -> [Self; 2] {
        let address_hash = address.hash();
        [
            Self { address_hash: address_hash.clone(), kind: GuardKind::PasswordsFrom(network.to_owned()) },
            Self { address_hash, kind: GuardKind::Passwords },
        ]
    }

    /// Of codes of sign-ups.
    pub fn sign_up_codes(address: &EmailAddress) -> Self {
        Self { address_hash: address.hash(), kind: GuardKind::SignUpCodes }
    }

    /// Those of what a stranger has mailed to an address: of its `kinds`, and of the network it is asked from.
    pub fn mails<const N: usize>(address: &EmailAddress, kinds: [GuardKind; N], network: &str) -> Vec<Self> {
        let address_hash = address.hash();
        let of_address = kinds.into_iter().map(|kind| Self { address_hash: address_hash.clone(), kind });
        let network =
            Self { address_hash: crypto::sha256_hex(&[network.as_bytes()]), kind: GuardKind::MailsFrom };
        of_address.chain([network]).collect()
    }

    /// Every guard that a completed second step opens again: the login's network, not other people's.
    pub fn opened_by_success(address_hash: &str, network: &str) -> [Self; 3] {
        [GuardKind::Codes, GuardKind::PasswordsFrom(network.to_owned()), GuardKind::Passwords]
            .map(|kind| Self { address_hash: address_hash.to_owned(), kind })
    }

    /// Both guards of an invitation.
    pub fn invitations(org: &OrgId, address: &EmailAddress) -> [Self; 2] {
        [
            Self { address_hash: org.to_string(), kind: GuardKind::InvitationsBy },
            Self { address_hash: address.hash(), kind: GuardKind::InvitationsTo },
        ]
    }

    /// How many guesses it allows.
    pub fn limit(&self) -> Limit {
        match self.kind {
            GuardKind::Codes => CODES,
            GuardKind::PasswordsFrom(_) => PASSWORDS_FROM_NETWORK,
            GuardKind::Passwords => PASSWORDS_FROM_ANYWHERE,
            GuardKind::SignUpCodes => SIGN_UP_CODES,
            GuardKind::SignUps => SIGN_UPS,
            GuardKind::ResendsSoon => RESENDS_SOON,
            GuardKind::Resends => RESENDS,
            GuardKind::Resets => RESETS,
            GuardKind::MailsFrom => MAILS_FROM_NETWORK,
            GuardKind::InvitationsBy => INVITATIONS_BY,
            GuardKind::InvitationsTo => INVITATIONS_TO,
        }
    }
}

/// The latest guesses, oldest first, in seconds since the epoch; never more than the limit's `max`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guesses(pub Vec<i64>);

impl Guesses {
    /// Until when the guard is shut at `now`, if it is.
    pub fn locked_until(&self, limit: Limit, now: i64) -> Option<i64> {
        let (first, last) =
            (self.0.len().checked_sub(limit.max).and_then(|at| self.0.get(at))?, self.0.last()?);
        let reached = last - first < limit.window_seconds;
        let until = last + limit.window_seconds;
        (reached && now < until).then_some(until)
    }

    /// The guesses that still count at `now`, and this one.
    pub fn with_one_more(&self, limit: Limit, now: i64) -> Self {
        let counting = self.0.iter().copied().filter(|at| *at > now - limit.window_seconds);
        Self(counting.chain([now]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Limit = CODES;

    fn guess(guesses: &mut Guesses, now: i64) -> bool {
        if guesses.locked_until(TEN, now).is_some() {
            return false;
        }
        *guesses = guesses.with_one_more(TEN, now);
        true
    }

    #[test]
    fn ten_guesses_shut_the_guard_for_fifteen_minutes_from_the_tenth() {
        let mut guesses = Guesses::default();
        assert!((0..10).all(|second| guess(&mut guesses, second)));
        assert!(!guess(&mut guesses, 10));
        assert_eq!(guesses.locked_until(TEN, 10), Some(9 + 900));
        assert!(!guess(&mut guesses, 9 + 899));
        assert!(guess(&mut guesses, 9 + 900));
    }

    #[test]
    fn no_edge_of_a_window_lets_more_than_ten_through() {
        let mut guesses = Guesses::default();
        assert!(guess(&mut guesses, 0));
        assert!((890..898).all(|second| guess(&mut guesses, second)));
        // The first guess no longer counts; two more make ten within fifteen minutes, an eleventh is refused.
        assert!(guess(&mut guesses, 901) && guess(&mut guesses, 902));
        assert!(!guess(&mut guesses, 903));
    }

    #[test]
    fn slow_guesses_never_shut_the_guard() {
        let mut guesses = Guesses::default();
        assert!((0..100).all(|nth| guess(&mut guesses, nth * 100)));
        assert!(guesses.0.len() <= TEN.max);
    }
}
