//! Audit events in the table: each is an item of its own, written in the transaction of the change that it is about.

use std::slice;

use super::keys::Key;
use super::write::{Item, Write, text};
use super::{Finding, Store, StoreError, Transacted, decode, keys};
use crate::audit::{Chain, Event};
use crate::crypto;
use crate::deadline;
use crate::ids::EventId;

/// Which events are looked for.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// At most so many.
    pub limit: usize,
    /// Older than this one.
    pub before: Option<EventId>,
    /// Of this action.
    pub action: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// At this time or later. Seconds since the epoch.
    pub from: Option<i64>,
    /// Before this time. Seconds since the epoch.
    pub to: Option<i64>,
}

/// Some events, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Those that were found.
    pub events: Vec<Event>,
    /// Where to look on, unless everything was seen.
    pub next: Option<EventId>,
}

/// How many events are looked through for one page: of what is rare, a page may be short, and the next one goes on from there.
const LOOKS: usize = 10;
const EVENTS_A_LOOK: i32 = 100;

/// What one query found.
struct Look {
    found: Vec<Item>,
    /// Where it stopped, if not at the end.
    last: Option<Item>,
}

impl Store {
    /// One page of a chain's events, newest first.
    pub async fn event_page(&self, chain: &Chain, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let (mut events, mut last) = (Vec::<Event>::with_capacity(filter.limit), None);
        let Some(range) = keys::events_between(chain, filter.from, filter.to, filter.before.as_ref()) else {
            return Ok(EventPage { events, next: None });
        };
        for _ in 0..LOOKS {
            let look = self.look(&range, filter, last).await?;
            for item in look.found {
                let event: Event = decode(item)?;
                // The range includes both its ends.
                if filter.before.as_ref() == Some(&event.event_id) {
                    continue;
                }
                if events.len() == filter.limit {
                    // One more than was asked for: the next page begins behind the last of this one.
                    let next = events.last().map(|event| event.event_id.clone());
                    return Ok(EventPage { events, next });
                }
                events.push(event);
            }
            last = look.last;
            if last.is_none() {
                break;
            }
        }
        let next = last.as_ref().and_then(Key::of).and_then(|key| keys::event_named(&key.pk, &key.sk));
        Ok(EventPage { events, next: next.map(|(_, id)| id) })
    }

    async fn look(
        &self,
        (from, to): &(Key, Key),
        filter: &EventFilter,
        after: Option<Item>,
    ) -> Result<Look, StoreError> {
        let equal = [("action", &filter.action), ("actor", &filter.actor)];
        let asked: Vec<_> = equal.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?))).collect();
        let conditions: Vec<String> = asked.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        // Where nothing is left out, no more is read than a page takes: one more than asked for, and the one it begins behind.
        let a_page = i32::try_from(filter.limit + 2).unwrap_or(EVENTS_A_LOOK);
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .set_filter_expression(Some(conditions.join(" AND ")).filter(|_| !asked.is_empty()))
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", text(&from.pk))
            .expression_attribute_values(":from", text(&from.sk))
            .expression_attribute_values(":to", text(&to.sk))
            .set_exclusive_start_key(after)
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(if asked.is_empty() { a_page } else { EVENTS_A_LOOK });
        for (name, value) in asked {
            query = query
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
        let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
        Ok(Look { found: answer.items.unwrap_or_default(), last: answer.last_evaluated_key })
    }

    /// Writes all or nothing, the events among it.
    ///
    /// An event is there if, and only if, its transaction was committed. So a transaction that is refused because its event is there has
    /// been committed before: its answer was lost, and it was sent again.
    pub(super) async fn transact_with(
        &self,
        mut writes: Vec<Write>,
        events: &[Event],
    ) -> Result<Transacted, StoreError> {
        let changes = writes.len();
        let operation = match events.first() {
            Some(event) => event.operation_id.clone(),
            None => crypto::new_name(self.rng.as_ref()),
        };
        for event in events {
            let event = Event { operation_id: operation.clone(), ..event.clone() };
            let key = keys::event(&event.chain, &event.event_id);
            writes.push(Write::put(key, &event)?.when("attribute_not_exists(#pk)"));
        }
        let Transacted::Cancelled(mut findings) = self.transact(&writes, &operation).await? else {
            return Ok(Transacted::Committed);
        };
        let of_events = findings.split_off(changes.min(findings.len()));
        match of_events.iter().any(|finding| finding.failed) {
            true => Ok(Transacted::Committed),
            false => Ok(Transacted::Cancelled(findings)),
        }
    }

    /// Changes one item that is there and not as it should be yet, with the event of that; says whether it changed anything. The
    /// write's condition has to fail as well when the item is so already: a repeat that changes nothing leaves no event.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] with `otherwise` when it is not there.
    pub(super) async fn change(
        &self,
        write: Write,
        event: &Event,
        otherwise: &'static str,
    ) -> Result<bool, StoreError> {
        let Transacted::Cancelled(findings) = self.transact_with(vec![write], slice::from_ref(event)).await?
        else {
            return Ok(true);
        };
        match findings.first() {
            Some(Finding { old: Some(_), .. }) => Ok(false),
            _ => Err(StoreError::ConditionFailed(otherwise)),
        }
    }
}
