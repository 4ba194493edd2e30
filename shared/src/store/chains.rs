//! Chains in the table: links, and marks that say which events are in a chain already; and the events, as they are read for that.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::{self, Key};
use super::write::{Item, SHAPE_VERSION, Write, text};
use super::{Store, StoreError, Transacted, decode, version};
use crate::audit::{Chain, Event};
use crate::crypto;
use crate::deadline;
use crate::ids::EventId;
use crate::links::{Attribute, Image, Link};

/// An item where an event should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// What its key says it is; `None` when that is no event's id.
    pub event_id: Option<EventId>,
    /// All of it.
    pub image: Image,
}

/// An item where a link should be; `None` when it cannot be read.
pub type StoredLink = Option<Link>;

/// The last number that a link's or a checkpoint's key has room for.
pub const MAX_NUMBER: i64 = 999_999_999_999;

/// Where an event is in its chain.
#[derive(Serialize, Deserialize)]
struct Mark {
    number: i64,
}

impl Store {
    /// The last link of a chain, with the number that its key says.
    pub async fn last_link(&self, chain: &Chain) -> Result<Option<(i64, StoredLink)>, StoreError> {
        let last = self.between(&keys::link(chain, 0), &keys::link(chain, MAX_NUMBER), 1, false).await?;
        last.into_iter().find_map(numbered).transpose()
    }

    /// Which of some events (100 at most) are in their chain, and where.
    pub async fn marks(
        &self,
        chain: &Chain,
        events: &[EventId],
    ) -> Result<HashMap<EventId, i64>, StoreError> {
        if events.is_empty() {
            return Ok(HashMap::new());
        }
        let wanted: Vec<Key> = events.iter().map(|id| keys::mark(chain, id)).collect();
        marks(&mut self.get_several(&wanted).await?, chain, events)
    }

    /// Puts links where none are yet, of events that have none yet: all of them, or none. Says whether it did. So two who extend a
    /// chain from the same end do not both succeed.
    pub async fn append_links(&self, chain: &Chain, links: &[Link]) -> Result<bool, StoreError> {
        if links.is_empty() {
            return Ok(true);
        }
        let mut writes = Vec::with_capacity(2 * links.len());
        for link in links {
            let mark = Mark { number: link.number };
            writes.push(Write::put(keys::link(chain, link.number), link)?.when("attribute_not_exists(#pk)"));
            writes.push(
                Write::put(keys::mark(chain, &link.event_id), &mark)?.when("attribute_not_exists(#pk)"),
            );
        }
        let operation = crypto::new_name(self.rng.as_ref());
        Ok(matches!(self.transact(&writes, &operation).await?, Transacted::Committed))
    }

    /// The links of a chain behind number `after`, in order, each with the number that its key says.
    pub async fn links_after(
        &self,
        chain: &Chain,
        after: i64,
        limit: i32,
    ) -> Result<Vec<(i64, StoredLink)>, StoreError> {
        // Behind the last number there is none, and no key that could ask for one.
        if after >= MAX_NUMBER {
            return Ok(Vec::new());
        }
        let (from, to) = (keys::link(chain, after + 1), keys::link(chain, MAX_NUMBER));
        let items = self.between(&from, &to, limit, true).await?;
        items.into_iter().filter_map(numbered).collect()
    }

    /// Some links (100 at most) of a chain.
    pub async fn links_at(
        &self,
        chain: &Chain,
        numbers: &[i64],
    ) -> Result<HashMap<i64, StoredLink>, StoreError> {
        let mut wanted: Vec<Key> = numbers.iter().map(|number| keys::link(chain, *number)).collect();
        wanted.sort_by(|left, right| left.sk.cmp(&right.sk));
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.get_several(&wanted).await?;
        found.into_values().filter_map(numbered).collect()
    }

    /// Some events (50 at most) of a chain, and where they are in it: one read.
    pub async fn events_and_marks(
        &self,
        chain: &Chain,
        events: &[EventId],
    ) -> Result<(HashMap<EventId, Image>, HashMap<EventId, i64>), StoreError> {
        if events.is_empty() {
            return Ok((HashMap::new(), HashMap::new()));
        }
        let mut wanted: Vec<Key> = events.iter().map(|id| keys::event(chain, id)).collect();
        wanted.extend(events.iter().map(|id| keys::mark(chain, id)));
        wanted.sort_by(|left, right| (&left.pk, &left.sk).cmp(&(&right.pk, &right.sk)));
        wanted.dedup();
        let mut found = self.get_several(&wanted).await?;
        let image = |id: &EventId| Some((id.clone(), image_of(found.get(&keys::event(chain, id))?)));
        let images = events.iter().filter_map(image).collect();
        Ok((images, marks(&mut found, chain, events)?))
    }

    /// The items of a chain's events, oldest first, from after `after`.
    pub async fn events_after(
        &self,
        chain: &Chain,
        after: &str,
        limit: i32,
    ) -> Result<Vec<(String, StoredEvent)>, StoreError> {
        let partition = keys::event_partition(chain);
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND #sk > :after")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", text(&partition))
            // A sort key is never empty, and neither may this be.
            .expression_attribute_values(":after", text(if after.is_empty() { " " } else { after }))
            .consistent_read(true)
            .limit(limit);
        let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
        let items = answer.items.unwrap_or_default();
        let stored = |item: Item| {
            let Key { pk, sk } = Key::of(&item)?;
            let event_id = keys::event_named(&pk, &sk).map(|(_, id)| id);
            Some((sk, StoredEvent { event_id, image: image_of(&item) }))
        };
        Ok(items.into_iter().filter_map(stored).collect())
    }

    /// The items of one partition between two keys, both included.
    pub(super) async fn between(
        &self,
        from: &Key,
        to: &Key,
        limit: i32,
        forward: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", text(&from.pk))
            .expression_attribute_values(":from", text(&from.sk))
            .expression_attribute_values(":to", text(&to.sk))
            .scan_index_forward(forward)
            .consistent_read(true)
            .limit(limit);
        let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
        Ok(answer.items.unwrap_or_default())
    }
}

/// Which event a stream's image is, by its keys.
pub fn event_in(image: &Image) -> Option<(Chain, EventId)> {
    keys::event_named(crate::links::text(image, "pk")?, crate::links::text(image, "sk")?)
}

/// The event that a stream's image is: `None` for what is none, or is one of a later version's.
pub fn event_of(image: &Image) -> Option<Event> {
    let named = event_in(image)?;
    let plain = |(name, value): (&String, &Attribute)| match value {
        Attribute::S(text) => Some((name.clone(), Value::from(text.as_str()))),
        Attribute::N(number) => Some((name.clone(), serde_json::from_str(number).ok()?)),
        _ => None,
    };
    let members: Map<String, Value> = image.iter().filter_map(plain).collect();
    members.get("v").and_then(Value::as_i64).filter(|version| *version <= SHAPE_VERSION)?;
    let event: Event = serde_json::from_value(Value::Object(members)).ok()?;
    (named == (event.chain.clone(), event.event_id.clone())).then_some(event)
}

/// Whether a stream's image stands where events stand, whatever it is.
pub fn stands_among_events(image: &Image) -> bool {
    crate::links::text(image, "pk").is_some_and(|pk| pk.starts_with("AUDIT#"))
}

/// The number that a link's key says, and the link. One of a later version is refused: it is not for us to say that it is wrong.
fn numbered(item: Item) -> Option<Result<(i64, StoredLink), StoreError>> {
    let number = keys::number_in(&Key::of(&item)?.sk)?;
    let is_later = version(&item).is_some_and(|version| version > SHAPE_VERSION);
    Some(match decode::<Link>(item) {
        Err(error) if is_later => Err(error),
        link => Ok((number, link.ok())),
    })
}

fn marks(
    found: &mut HashMap<Key, Item>,
    chain: &Chain,
    events: &[EventId],
) -> Result<HashMap<EventId, i64>, StoreError> {
    let mut marks = HashMap::new();
    for id in events {
        if let Some(item) = found.remove(&keys::mark(chain, id)) {
            marks.insert(id.clone(), decode::<Mark>(item)?.number);
        }
    }
    Ok(marks)
}

fn image_of(item: &Item) -> Image {
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &AttributeValue) -> Attribute {
    let base64 = |blob: &aws_sdk_dynamodb::primitives::Blob| BASE64_STANDARD.encode(blob.as_ref());
    match value {
        AttributeValue::S(text) => Attribute::S(text.clone()),
        AttributeValue::N(number) => Attribute::N(number.clone()),
        AttributeValue::Bool(flag) => Attribute::Bool(*flag),
        AttributeValue::B(blob) => Attribute::B(base64(blob)),
        AttributeValue::L(values) => Attribute::L(values.iter().map(attribute).collect()),
        AttributeValue::M(members) => Attribute::M(image_of(members)),
        AttributeValue::Ss(texts) => Attribute::Texts(texts.clone()),
        AttributeValue::Ns(numbers) => Attribute::Numbers(numbers.clone()),
        AttributeValue::Bs(blobs) => Attribute::Blobs(blobs.iter().map(base64).collect()),
        _ => Attribute::Null(true),
    }
}
