//! Whether a chain is whole: page by page, first along its links, then along the events themselves.
//!
//! The links say which events there must be, and what was in them; the checkpoints, how many links. What no link says is either new, or
//! was never seen by whoever makes links.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::app::App;
use crate::audit::{Chain, Deed};
use crate::causes::causes;
use crate::failure::Failure;
use crate::ids::EventId;
use crate::links::{self, Checkpoint, Image, Link, SEEN_WITHIN_SECONDS, STREAM_SECONDS};
use crate::secrets::RotatingKey;
use crate::store::{MAX_NUMBER, StoredEvent, StoredLink};

/// How many links, or events, are looked at in one call.
const PAGE: i32 = 50;

/// Something that is not as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `edited`, `deleted`, `reordered`, `forged` or `truncated`.
    pub kind: &'static str,
    /// What is wrong, in words.
    pub what: &'static str,
    /// The link, or the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// The event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

/// What one call looked at and found.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many links of it.
    pub links: usize,
    /// The last of them.
    pub last: Option<i64>,
    /// The latest checkpoint: its number, and when it was made. Seconds since the epoch.
    pub checkpoint: Option<(i64, i64)>,
    /// Events that are not in the chain yet.
    pub unchained: Vec<EventId>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Where the next call begins; `None` when all was looked at.
    pub next: Option<Cursor>,
}

impl Verified {
    fn find(
        &mut self,
        kind: &'static str,
        what: &'static str,
        number: impl Into<Option<i64>>,
        event: Option<&EventId>,
    ) {
        let event_id = event.map(ToString::to_string);
        self.findings.push(Finding { kind, what, number: number.into(), event_id });
    }
}

/// Where a call begins: behind a link, or behind an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Behind the link of this number.
    Links(i64),
    /// Behind the event with this sort key.
    Events(String),
}

impl Cursor {
    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("links", after) => {
                after.parse().ok().filter(|after| (0..=MAX_NUMBER).contains(after)).map(Self::Links)
            }
            // DynamoDB has no longer sort key.
            ("events", after) if after.len() <= 1024 => Some(Self::Events(after.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Links(after) => write!(out, "links:{after}"),
            Self::Events(after) => write!(out, "events:{after}"),
        }
    }
}

/// Verifies one page of a chain, from where the call before said; from the beginning without that.
///
/// # Errors
/// When the tables or the key are away.
pub async fn verify(
    app: &App,
    chain: &Chain,
    cursor: Option<&Cursor>,
    invocation: &str,
) -> Result<Verified, Failure> {
    let result = match cursor {
        None => along_links(app, chain, 0).await,
        Some(Cursor::Links(after)) => along_links(app, chain, *after).await,
        Some(Cursor::Events(after)) => along_events(app, chain, after).await,
    };
    let (outcome, reason) = match &result {
        Ok(verified) if verified.findings.is_empty() => ("ok", ""),
        Ok(_) => ("ok", "findings"),
        Err(failure) => {
            tracing::error!(request_id = invocation, cause = causes(failure), "failed");
            ("failed", "service_unavailable")
        }
    };
    let deed = Deed { action: "audit.verify", actor: "operator", org: chain.as_str(), ..Deed::default() };
    Deed { request_id: invocation, ..deed }.log(outcome, reason, None);
    result
}

async fn along_links(app: &App, chain: &Chain, after: i64) -> Result<Verified, Failure> {
    let key = app.secrets.audit().await?;
    // Before the links: of what is chained meanwhile, it must not be the checkpoint alone that is seen.
    let latest = app.checkpoints.latest(chain).await?;
    let page = app.store.links_after(chain, after, PAGE).await?;
    let before =
        if after == 0 { None } else { app.store.links_at(chain, &[after]).await?.remove(&after).flatten() };
    let ids: Vec<EventId> =
        page.iter().filter_map(|(_, link)| Some(link.as_ref()?.event_id.clone())).collect();
    let (events, marks) = app.store.events_and_marks(chain, &ids).await?;
    let mut walk = Walk {
        chain,
        key: &key,
        events,
        marks,
        expected: after + 1,
        // Of a link that is missing, nobody knows the MAC; that it is missing was found already.
        previous: if after == 0 { Some(String::new()) } else { before.map(|link| link.mac) },
        verified: Verified { links: page.len(), ..Verified::default() },
    };
    for (position, link) in &page {
        walk.step(*position, link);
    }
    let last = page.last().map_or(after, |(position, _)| *position);
    if last > after {
        let checkpoints = app.checkpoints.within(chain, after + 1, last).await?;
        walk.compare(&page, &checkpoints);
    }
    let mut verified = walk.verified;
    verified.last = Some(last).filter(|last| *last > 0);
    verified.checkpoint = latest.as_ref().map(|latest| (latest.number, latest.at));
    let more = i32::try_from(page.len()).unwrap_or(PAGE) >= PAGE;
    if !more && let Some(latest) = latest.filter(|latest| latest.number > last) {
        verified.find("truncated", "links up to a checkpoint are gone", latest.number, None);
    }
    verified.next = Some(if more { Cursor::Links(last) } else { Cursor::Events(String::new()) });
    Ok(verified)
}

/// A walk along some links.
struct Walk<'a> {
    chain: &'a Chain,
    key: &'a RotatingKey,
    events: HashMap<EventId, Image>,
    marks: HashMap<EventId, i64>,
    /// The number that comes next.
    expected: i64,
    /// The MAC of the link before, where it is known.
    previous: Option<String>,
    verified: Verified,
}

impl Walk<'_> {
    fn step(&mut self, position: i64, link: &StoredLink) {
        if position > self.expected {
            self.verified.find("deleted", "links are gone, from this number on", self.expected, None);
            self.previous = None;
        }
        self.expected = position + 1;
        let Some(link) = link else {
            self.verified.find("forged", "a link that cannot be read", position, None);
            self.previous = None;
            return;
        };
        let own = link.is_made_with(&self.key.all(), self.chain);
        let marked = self.marks.get(&link.event_id).copied();
        let id = Some(&link.event_id);
        if !own || link.number != position {
            // Made by the key for another place, or of an event that has its place elsewhere.
            let moved = own || marked.is_some_and(|number| number != position);
            match moved {
                true => self.verified.find("reordered", "a link in another's place", position, id),
                false => self.verified.find("forged", "a link that the key did not make", position, id),
            }
        } else {
            if self.previous.as_ref().is_some_and(|mac| *mac != link.previous_mac) {
                self.verified.find(
                    "truncated",
                    "the chain was cut before this link and went on",
                    position,
                    id,
                );
            }
            if marked != Some(position) {
                self.verified.find("edited", "the event's mark names another link, or is gone", position, id);
            }
            self.judge_event(position, link);
        }
        self.previous = Some(link.mac.clone());
    }

    /// The event of a link that the key made.
    fn judge_event(&mut self, position: i64, link: &Link) {
        let id = Some(&link.event_id);
        match self.events.get(&link.event_id) {
            None => self.verified.find("deleted", "an event is gone", position, id),
            Some(image) if links::digest(image) != link.event_digest => {
                self.verified.find("edited", "an event is not what it was", position, id);
            }
            Some(_) => {}
        }
        // Whoever can write the table can put an event into it. Not into the past.
        if (link.event_id.made_at() - link.seen_at).abs() > SEEN_WITHIN_SECONDS {
            self.verified.find("forged", "an event came at another time than it says", position, id);
        }
    }

    /// Whether the links are those that the checkpoints saw.
    fn compare(&mut self, page: &[(i64, StoredLink)], checkpoints: &[Checkpoint]) {
        for checkpoint in checkpoints {
            let number = checkpoint.number;
            if !checkpoint.is_made_with(&self.key.all(), self.chain) {
                self.verified.find("forged", "a checkpoint that the key did not sign", number, None);
                continue;
            }
            let link = page.iter().find(|(position, _)| *position == number);
            let mac = link.and_then(|(_, link)| link.as_ref()).map(|link| link.mac.as_str());
            // A link that is gone, or cannot be read, was found as that.
            if mac.is_some_and(|mac| mac != checkpoint.mac) {
                self.verified.find("truncated", "a checkpoint saw another link here", number, None);
            }
        }
    }
}

async fn along_events(app: &App, chain: &Chain, after: &str) -> Result<Verified, Failure> {
    let page = app.store.events_after(chain, after, PAGE).await?;
    let ids: Vec<EventId> = page.iter().filter_map(|(_, event)| event.event_id.clone()).collect();
    let marks = app.store.marks(chain, &ids).await?;
    let numbers: Vec<i64> = marks.values().copied().collect();
    let links = app.store.links_at(chain, &numbers).await?;
    let now = app.clock.now_seconds();
    let mut verified = Verified::default();
    for (_, StoredEvent { event_id, .. }) in &page {
        let Some(id) = event_id else {
            verified.find("forged", "an item among the events that is none", None, None);
            continue;
        };
        match marks.get(id) {
            None if now - id.made_at() > STREAM_SECONDS => {
                verified.find("forged", "an event that never came by the stream", None, Some(id));
            }
            None => verified.unchained.push(id.clone()),
            Some(number) => match links.get(number) {
                Some(Some(link)) if link.event_id == *id => {}
                Some(_) => verified.find("forged", "an event with another's link", *number, Some(id)),
                None => verified.find("deleted", "the link of an event is gone", *number, Some(id)),
            },
        }
    }
    let more = i32::try_from(page.len()).unwrap_or(PAGE) >= PAGE;
    verified.next = page.last().filter(|_| more).map(|(sk, _)| Cursor::Events(sk.clone()));
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_has_room_in_a_key() {
        for cursor in [Cursor::Links(0), Cursor::Links(MAX_NUMBER), Cursor::Events("EVENT#x".to_owned())] {
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
        let too_long = format!("events:{}", "x".repeat(1025));
        for none in ["", "links", "links:x", "links:-1", "links:1000000000000", "other:1", &too_long] {
            assert_eq!(Cursor::parse(none), None, "{none}");
        }
    }
}
