//! Every pk and sk there is. A new item gets its line here, and its permission in the template.

use aws_sdk_dynamodb::types::AttributeValue;

use super::write::Item;
use crate::audit::Chain;
use crate::guards::{Guard, GuardKind};
use crate::ids::{ChallengeId, EventId, KeyId, OrgId, SessionId, UserId};

/// An item's primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: &str) -> Self {
        Self { pk, sk: sk.to_owned() }
    }

    /// What kind of item it names, for errors: the key without its ids.
    pub fn kind(&self) -> String {
        self.pk.split('#').next().unwrap_or_default().to_owned()
    }

    pub fn attributes(&self) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// The key of an item that was read.
    pub fn of(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self { pk: text("pk")?, sk: text("sk")? })
    }
}

/// A person, by the hash of their normalized address.
pub(super) fn user(address_hash: &str) -> Key {
    Key::new(format!("EMAIL#{address_hash}"), "USER")
}

/// The partition of an address's guards.
pub(super) fn guard_partition(address_hash: &str) -> String {
    format!("GUARD#{address_hash}")
}

/// A guard.
pub(super) fn guard(guard: &Guard) -> Key {
    let sk = match &guard.kind {
        GuardKind::Codes => "CODES".to_owned(),
        GuardKind::Passwords => "PASSWORDS".to_owned(),
        GuardKind::InvitationsBy => "INVITATIONS_BY".to_owned(),
        GuardKind::InvitationsTo => "INVITATIONS_TO".to_owned(),
        GuardKind::PasswordsFrom(network) => format!("PASSWORDS#{network}"),
        GuardKind::SignUpCodes => "SIGN_UP_CODES".to_owned(),
        GuardKind::SignUps => "SIGN_UPS".to_owned(),
        GuardKind::ResendsSoon => "RESENDS_SOON".to_owned(),
        GuardKind::Resends => "RESENDS".to_owned(),
        GuardKind::Resets => "RESETS".to_owned(),
        GuardKind::MailsFrom => "MAILS_FROM".to_owned(),
    };
    Key { pk: guard_partition(&guard.address_hash), sk }
}

/// The latest sign-up of an address.
pub(super) fn sign_up(address_hash: &str) -> Key {
    Key::new(format!("SIGNUP#{address_hash}"), "SIGNUP")
}

/// A reset token, by its hash.
pub(super) fn reset(token_hash: &str) -> Key {
    Key::new(format!("RESET#{token_hash}"), "RESET")
}

/// A challenge.
pub(super) fn challenge(id: &ChallengeId) -> Key {
    Key::new(format!("CHALLENGE#{id}"), "CHALLENGE")
}

/// A session.
pub(super) fn session(id: &SessionId) -> Key {
    Key::new(format!("SESSION#{id}"), "SESSION")
}

/// The partition of everything an organization has.
pub(super) fn organization_partition(id: &OrgId) -> String {
    format!("ORG#{id}")
}

/// An organization.
pub(super) fn organization(id: &OrgId) -> Key {
    Key::new(organization_partition(id), "ORG")
}

/// A person's role in an organization.
pub(super) fn member(org: &OrgId, user: &UserId) -> Key {
    Key { pk: organization_partition(org), sk: format!("{MEMBERS}{user}") }
}

/// What the members of an organization begin with.
pub(super) const MEMBERS: &str = "MEMBER#";

/// What the invitations of an organization begin with.
pub(super) const INVITATIONS: &str = "INVITATION#";

/// An organization's invitation of an address.
pub(super) fn invitation(org: &OrgId, address_hash: &str) -> Key {
    Key { pk: organization_partition(org), sk: format!("{INVITATIONS}{address_hash}") }
}

/// Where the invitation of a token is, by the token's hash.
pub(super) fn invitation_place(token_hash: &str) -> Key {
    Key::new(format!("INVITATION#{token_hash}"), "INVITATION")
}

/// What the key records of an organization begin with: a query walks them, and their ids sort by time.
pub(super) const KEY_RECORDS: &str = "KEY#";

/// An API key's record.
pub(super) fn key_record(org: &OrgId, id: &KeyId) -> Key {
    Key { pk: organization_partition(org), sk: format!("{KEY_RECORDS}{id}") }
}

/// The organization's one active key.
pub(super) fn active_key(org: &OrgId) -> Key {
    Key::new(organization_partition(org), "ACTIVE_KEY")
}

/// What the authorizer reads: an API key by its hash.
pub(super) fn key_credential(key_hash: &str) -> Key {
    Key::new(format!("KEYHASH#{key_hash}"), "CREDENTIAL")
}

/// The partition of what a person has, whichever organization they act for.
pub(super) fn user_partition(user: &UserId) -> String {
    format!("USER#{user}")
}

/// The key of somebody who reports leaks, by its name.
pub(super) fn reporter_key(reporter: &str, key_identifier: &str) -> Key {
    Key { pk: format!("REPORTER#{reporter}"), sk: format!("KEY#{key_identifier}") }
}

/// When a person last made a key.
pub(super) fn key_rate(user: &UserId) -> Key {
    Key::new(user_partition(user), "KEY_RATE")
}

/// What the pointers to a person's memberships begin with.
pub(super) const MEMBERSHIPS: &str = "MEMBER#";

/// Says that a person is a member of an organization.
pub(super) fn membership(user: &UserId, org: &OrgId) -> Key {
    Key { pk: user_partition(user), sk: format!("{MEMBERSHIPS}{org}") }
}

/// An authenticator app that a person has begun to set up.
pub(super) fn pending_totp(user: &UserId) -> Key {
    Key::new(user_partition(user), "TOTP_PENDING")
}

/// What the pointers to a person's sessions begin with. Their ids sort by time.
pub(super) const SESSIONS: &str = "SESSION#";

/// Says that a session is a person's.
pub(super) fn session_of(user: &UserId, id: &SessionId) -> Key {
    Key { pk: user_partition(user), sk: format!("{SESSIONS}{id}") }
}

/// A sealed answer.
pub(super) fn sealed_answer(idempotency_id: &str) -> Key {
    Key::new(format!("IDEMPOTENCY#{idempotency_id}"), "ANSWER")
}

/// An organization's webhook.
pub(super) fn webhook(org: &OrgId) -> Key {
    Key::new(format!("WEBHOOK#{org}"), "WEBHOOK")
}

/// The partition of the keys that expire on a day (`2026-11-29`, UTC).
pub(super) fn expiry_partition(day: &str) -> String {
    format!("EXPIRY#{day}")
}

/// Says when a key expires, to whoever looks for those that do soon.
pub(super) fn expiry(day: &str, id: &KeyId) -> Key {
    Key { pk: expiry_partition(day), sk: format!("{KEY_RECORDS}{id}") }
}

/// The public keys and the issuer.
pub(super) fn key_set() -> Key {
    Key::new("KEYSET".to_owned(), "KEYSET")
}

/// The partition of a chain's events.
pub(super) fn event_partition(chain: &Chain) -> String {
    format!("AUDIT#{chain}")
}

/// What an event's sort key begins with. Their ids sort by time.
pub(super) const EVENTS: &str = "EVENT#";

/// An audit event.
pub(super) fn event(chain: &Chain, id: &EventId) -> Key {
    Key { pk: event_partition(chain), sk: format!("{EVENTS}{id}") }
}

/// The keys that events of a chain have from `from` on and before `to` (seconds), up to that of `last`. `None`: there can be none, and no
/// query that could ask for them.
pub(super) fn events_between(
    chain: &Chain,
    from: Option<i64>,
    to: Option<i64>,
    last: Option<&EventId>,
) -> Option<(Key, Key)> {
    let from = event(chain, &EventId::first_at(from.unwrap_or(0)));
    let to = event(chain, &EventId::last_before(to.unwrap_or(i64::MAX))?);
    let to = match last.map(|id| event(chain, id)) {
        Some(last) if last.sk < to.sk => last,
        _ => to,
    };
    (from.sk <= to.sk).then_some((from, to))
}

/// Which event a key names, if it is one's.
pub(super) fn event_named(pk: &str, sk: &str) -> Option<(Chain, EventId)> {
    let chain = Chain::parse(pk.strip_prefix("AUDIT#")?).ok()?;
    Some((chain, EventId::parse(sk.strip_prefix(EVENTS)?).ok()?))
}

/// The partition of a chain: its links, and the marks of what is in it. In the table of checkpoints, of those.
pub(super) fn chain_partition(chain: &Chain) -> String {
    format!("CHAIN#{chain}")
}

/// What a link's sort key begins with.
pub(super) const LINKS: &str = "LINK#";

/// A link, from 1. Twelve digits are an event a millisecond for thirty years.
pub(super) fn link(chain: &Chain, number: i64) -> Key {
    Key { pk: chain_partition(chain), sk: format!("{LINKS}{number:012}") }
}

/// The number in a link's or a checkpoint's key.
pub(super) fn number_in(sk: &str) -> Option<i64> {
    sk.split_once('#')?.1.parse().ok()
}

/// Says that an event is in the chain, and where.
pub(super) fn mark(chain: &Chain, id: &EventId) -> Key {
    Key { pk: chain_partition(chain), sk: format!("MARK#{id}") }
}

/// What a checkpoint's sort key begins with.
pub(super) const CHECKPOINTS: &str = "CHECKPOINT#";

/// How far a chain had come: in a table of its own.
pub(super) fn checkpoint(chain: &Chain, number: i64) -> Key {
    Key { pk: chain_partition(chain), sk: format!("{CHECKPOINTS}{number:012}") }
}
