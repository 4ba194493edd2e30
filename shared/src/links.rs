//! Links: what holds the audit events of a chain together. Each carries a digest of its event and the MAC of the link before it, under a
//! MAC of its own, whose key nobody has but the function that makes them.
//!
//! So whoever changes the table without that key can neither change an event, nor take one away, nor put one in, without its showing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::Chain;
use crate::crypto;
use crate::ids::EventId;

/// For how many seconds an event may differ in its own time from the time that the table saw it: clocks differ, and a call is tried again.
pub const SEEN_WITHIN_SECONDS: i64 = 5 * 60;
/// After how many seconds an event that is in no link will never be: a stream forgets what is older.
pub const STREAM_SECONDS: i64 = 24 * 60 * 60;

/// A value of an item, as a stream writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "DynamoDB's own names")]
pub enum Attribute {
    S(String),
    N(String),
    B(String),
    #[serde(rename = "BOOL")]
    Bool(bool),
    #[serde(rename = "NULL")]
    Null(bool),
    L(Vec<Attribute>),
    M(Image),
    #[serde(rename = "SS")]
    Texts(Vec<String>),
    #[serde(rename = "NS")]
    Numbers(Vec<String>),
    #[serde(rename = "BS")]
    Blobs(Vec<String>),
}

/// A whole item, its attributes by name.
pub type Image = BTreeMap<String, Attribute>;

/// The text of an attribute.
pub fn text<'a>(image: &'a Image, name: &str) -> Option<&'a str> {
    match image.get(name) {
        Some(Attribute::S(text)) => Some(text),
        _ => None,
    }
}

/// SHA-256 over all of an item, whatever it holds, in lower-case hexadecimal.
pub fn digest(image: &Image) -> String {
    // Names in order, types beside values, and every text escaped: no two different items are the same JSON. It always serializes.
    crypto::sha256_hex(&[&serde_json::to_vec(image).unwrap_or_default()])
}

/// One event's place in its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Which: from 1, without a gap.
    pub number: i64,
    /// The event.
    pub event_id: EventId,
    /// [`digest`] of the event's item.
    pub event_digest: String,
    /// When the table saw the event, by the table's own clock. Seconds since the epoch.
    pub seen_at: i64,
    /// The MAC of the link before it; of the first, empty.
    pub previous_mac: String,
    /// HMAC-SHA-256 over all of that and the chain's name, in lower-case hexadecimal.
    pub mac: String,
}

/// An event that is to be chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The event.
    pub event_id: EventId,
    /// [`digest`] of its item.
    pub event_digest: String,
    /// See [`Link::seen_at`].
    pub seen_at: i64,
}

/// Where a chain ends: what its last link says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Its last link's number; 0 before the first.
    pub number: i64,
    /// Its last link's MAC.
    pub mac: String,
}

impl Link {
    /// The link of an event behind `head`.
    pub fn behind(head: &Head, chain: &Chain, event: &Seen, key: &[u8]) -> Self {
        let mut link = Self {
            number: head.number + 1,
            event_id: event.event_id.clone(),
            event_digest: event.event_digest.clone(),
            seen_at: event.seen_at,
            previous_mac: head.mac.clone(),
            mac: String::new(),
        };
        link.mac = crypto::hex(&link.mac_under(key, chain));
        link
    }

    /// Whether one of the keys made it, for this chain.
    pub fn is_made_with(&self, keys: &[&[u8]], chain: &Chain) -> bool {
        let same = |key: &&[u8]| equal(&self.mac_under(key, chain), &self.mac);
        keys.iter().any(same)
    }

    /// The head of a chain that ends with it.
    pub fn head(&self) -> Head {
        Head { number: self.number, mac: self.mac.clone() }
    }

    fn mac_under(&self, key: &[u8], chain: &Chain) -> [u8; 32] {
        let Self { number, event_id, event_digest, seen_at, previous_mac, mac: _ } = self;
        mac(key, &("link", chain, number, event_id, event_digest, seen_at, previous_mac))
    }
}

/// How far a chain had come, kept where nobody who can write the table can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last link's number.
    pub number: i64,
    /// The last link's MAC.
    pub mac: String,
    /// When. Seconds since the epoch.
    pub at: i64,
    /// HMAC-SHA-256 over all of that and the chain's name, in lower-case hexadecimal.
    pub signature: String,
}

impl Checkpoint {
    /// A checkpoint of a chain that ends with `head`.
    pub fn of(head: &Head, chain: &Chain, at: i64, key: &[u8]) -> Self {
        let Head { number, mac } = head.clone();
        let mut checkpoint = Self { number, mac, at, signature: String::new() };
        checkpoint.signature = crypto::hex(&checkpoint.signature_under(key, chain));
        checkpoint
    }

    /// Whether one of the keys signed it, for this chain.
    pub fn is_made_with(&self, keys: &[&[u8]], chain: &Chain) -> bool {
        let same = |key: &&[u8]| equal(&self.signature_under(key, chain), &self.signature);
        keys.iter().any(same)
    }

    fn signature_under(&self, key: &[u8], chain: &Chain) -> [u8; 32] {
        let Self { number, mac: last, at, signature: _ } = self;
        mac(key, &("checkpoint", chain, number, last, at))
    }
}

/// The MAC of a tuple: as JSON, so that no two different tuples are the same bytes. Its first word keeps the kinds apart.
fn mac(key: &[u8], parts: &impl Serialize) -> [u8; 32] {
    // It always serializes: texts and whole numbers.
    crypto::hmac_sha256(key, &[&serde_json::to_vec(parts).unwrap_or_default()])
}

fn equal(mac: &[u8; 32], written: &str) -> bool {
    crypto::equal(crypto::hex(mac).as_bytes(), written.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of the chain";

    fn seen(id: &str) -> Seen {
        let event_id = EventId::parse(id).unwrap();
        Seen { event_id, event_digest: "digest".to_owned(), seen_at: 7 }
    }

    #[test]
    fn a_link_holds_for_what_it_says_and_nothing_else() {
        let link =
            Link::behind(&Head::default(), &Chain::Platform, &seen("evt_01J0ACRN000000000000000000"), KEY);
        assert!(link.is_made_with(&[b"another", KEY], &Chain::Platform));
        assert!(!link.is_made_with(&[b"another"], &Chain::Platform));
        let elsewhere = Chain::parse("org_01J0ACRN000000000000000000").unwrap();
        assert!(!link.is_made_with(&[KEY], &elsewhere));
        let bent: [fn(&mut Link); 6] = [
            |it| it.number += 1,
            |it| it.event_id = EventId::parse("evt_01J0ACRN000000000000000001").unwrap(),
            |it| it.event_digest.push('0'),
            |it| it.seen_at += 1,
            |it| it.previous_mac.push('0'),
            |it| it.mac.push('0'),
        ];
        for bend in bent {
            let mut bent = link.clone();
            bend(&mut bent);
            assert!(!bent.is_made_with(&[KEY], &Chain::Platform), "{bent:?}");
        }
    }

    #[test]
    fn a_checkpoint_holds_for_what_it_says_and_is_no_link() {
        let head = Head { number: 3, mac: "mac".to_owned() };
        let checkpoint = Checkpoint::of(&head, &Chain::Platform, 9, KEY);
        assert!(checkpoint.is_made_with(&[KEY], &Chain::Platform));
        for bent in [
            Checkpoint { number: 4, ..checkpoint.clone() },
            Checkpoint { mac: "other".to_owned(), ..checkpoint.clone() },
            Checkpoint { at: 10, ..checkpoint.clone() },
        ] {
            assert!(!bent.is_made_with(&[KEY], &Chain::Platform), "{bent:?}");
        }
    }

    #[test]
    fn a_digest_is_of_everything_and_of_types_as_well() {
        let image = |json: &str| serde_json::from_str::<Image>(json).unwrap();
        let one = digest(&image(r#"{"a": {"S": "1"}, "b": {"N": "2"}}"#));
        assert_eq!(one, digest(&image(r#"{"b": {"N": "2"}, "a": {"S": "1"}}"#)));
        for other in [
            r#"{"a": {"N": "1"}, "b": {"N": "2"}}"#,
            r#"{"a": {"S": "1"}, "b": {"N": "2"}, "c": {"BOOL": true}}"#,
            r#"{"a": {"S": "1"}}"#,
            r#"{"a": {"L": [{"S": "1"}]}, "b": {"N": "2"}}"#,
        ] {
            assert_ne!(one, digest(&image(other)), "{other}");
        }
    }
}
