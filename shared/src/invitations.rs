//! Invitations: the pending offer of a role in an organization, to whoever reads the mail of one address.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::crypto;
use crate::ids::{InvitationId, OrgId, UserId};
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;
use crate::users::Role;

/// How long an invitation can be accepted, in seconds.
pub const LIFETIME_SECONDS: i64 = 72 * 60 * 60;
/// How many people an organization has at most, those invited among them: one answer shows them all.
pub const MAX_MEMBERS: usize = 100;

/// How many organizations a person is a member of at most: one answer shows them all, and one transaction ends all their sessions.
pub const MAX_ORGANIZATIONS: i64 = 40;

/// What every token begins with.
pub const PREFIX: &str = "it_";
/// How many random bytes a token is.
const BYTES: usize = 32;

/// The token of an invitation: 256 random bits. It leaves by mail alone, and is stored nowhere.
#[derive(Debug, Clone)]
pub struct InvitationToken(Sensitive<String>);

/// A text that is no token of an invitation.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the token of an invitation")]
pub struct InvalidInvitationToken;

impl InvitationToken {
    /// How long the texts are that are worth looking at.
    pub const CHARACTERS: RangeInclusive<usize> = 1..=128;

    /// A new token.
    pub fn generate(rng: &dyn Rng) -> Self {
        let random = Sensitive::new(rng::bytes::<BYTES>(rng));
        // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
        let mut token = String::with_capacity(PREFIX.len() + BYTES.div_ceil(3) * 4);
        token.push_str(PREFIX);
        BASE64_URL_SAFE_NO_PAD.encode_string(random.expose(), &mut token);
        Self(Sensitive::new(token))
    }

    /// Reads what somebody sent, or says that no invitation can have such a token: the table need not be asked.
    ///
    /// # Errors
    /// When it has not a token's form.
    pub fn parse(text: &str) -> Result<Self, InvalidInvitationToken> {
        let random = text.strip_prefix(PREFIX).and_then(|rest| BASE64_URL_SAFE_NO_PAD.decode(rest).ok());
        match random.map(Sensitive::new) {
            Some(random) if random.expose().len() == BYTES => Ok(Self(Sensitive::new(text.to_owned()))),
            _ => Err(InvalidInvitationToken),
        }
    }

    /// The token itself, for the mail.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the invitation is found by: SHA-256, hexadecimal. Nobody finds 256 random bits by trying, so no key is needed.
    pub fn hash(&self) -> String {
        crypto::sha256_hex(&[self.expose().as_bytes()])
    }
}

/// A pending invitation. An organization has one for an address at most: inviting again replaces it, and its token is dead.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// The organization.
    pub org_id: OrgId,
    /// The address, as it was given.
    pub email: String,
    /// The hash of the same, normalized.
    pub address_hash: String,
    /// The role that is offered. Never owner: that is handed over.
    pub role: Role,
    /// Who invites.
    pub invited_by: UserId,
    /// SHA-256 of the token that is alive, hexadecimal.
    pub token_hash: String,
    /// Seconds since the epoch.
    pub created_at: i64,
    /// Until when it can be accepted. Seconds since the epoch.
    pub expires_at: i64,
}

impl Invitation {
    /// Whether it can be accepted at `now`, with this token.
    pub fn is_open(&self, token: &InvitationToken, now: i64) -> bool {
        self.is_pending(now) && crypto::equal(token.hash().as_bytes(), self.token_hash.as_bytes())
    }

    /// Whether it can be accepted at `now`.
    pub fn is_pending(&self, now: i64) -> bool {
        self.expires_at > now
    }
}

/// Without address and hash: an accidental `{:?}` in a log gives away ids at most.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Invitation")
            .field("invitation_id", &self.invitation_id)
            .field("org_id", &self.org_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn a_token_is_256_bits_and_not_printed() {
        let (one, other) = (InvitationToken::generate(&SystemRng), InvitationToken::generate(&SystemRng));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), PREFIX.len() + 43);
        assert_eq!(format!("{one:?}"), "InvitationToken([sensitive])");
        assert_eq!(InvitationToken::parse(one.expose()).unwrap().hash(), one.hash());
    }

    #[test]
    fn what_cannot_be_a_token_is_told_without_the_table() {
        let good = InvitationToken::generate(&SystemRng);
        let good = good.expose();
        let bare = &good[PREFIX.len()..];
        let bent = [
            String::new(),
            PREFIX.to_owned(),
            bare.to_owned(),
            format!("rt_{bare}"),
            format!("{good}A"),
            format!("{good}="),
            format!(" {good}"),
            good[..good.len() - 1].to_owned(),
            good.to_uppercase(),
        ];
        for bad in bent.iter().filter(|bad| *bad != good) {
            assert!(InvitationToken::parse(bad).is_err(), "{bad}");
        }
    }
}
