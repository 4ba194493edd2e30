//! From a batch of a stream's records to links.
//!
//! A batch may come twice, come late, be half done, or meet another one of the same chain: a mark says of each event whether it has its
//! link, and links are only ever put behind the end that was read. The order of a chain is the order in which events arrive.

use serde_json::Value;

use crate::app::App;
use crate::audit::{Chain, Deed};
use crate::batches::{BatchError, Inserted, again, inserted};
use crate::causes::causes;
use crate::ids::EventId;
use crate::links::{self, Checkpoint, Head, Link, Seen};
use crate::secrets::RotatingKey;
use crate::store::{StoreError, event_in, stands_among_events};

/// How many events get their links in one transaction: two items each, and 100 at most.
const AT_ONCE: usize = 40;
/// How often a chain is looked at anew that somebody else has extended meanwhile.
const TRIES: usize = 10;

/// Why a chain was not extended. What it was to be extended by comes again.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody put it there. Whoever takes it away lets everything that waits be chained; to go on behind it would be to vouch for it.
    #[error("the key did not make the last link")]
    BrokenEnd,
}

impl Trouble {
    fn word(&self) -> &'static str {
        match self {
            Self::Store(_) => "service_unavailable",
            Self::BrokenEnd => "broken_end",
        }
    }
}

/// An event, and the record that brought it.
struct Arrived {
    sequence: String,
    seen: Seen,
}

/// Chains what a batch brings; the answer names the records that have to come again (`ReportBatchItemFailures`).
///
/// # Errors
/// When the batch cannot be read or the key is away: all of it has to come again.
pub async fn extend(app: &App, records: &[Value], invocation: &str) -> Result<Value, BatchError> {
    let chains = sort(records, invocation)?;
    let mut failed: Vec<&str> = Vec::new();
    if !chains.is_empty() {
        let key = app.secrets.audit().await?;
        for (chain, events) in &chains {
            failed.extend(chain_all(app, &key, chain, events, invocation).await);
        }
    }
    Ok(again(failed))
}

/// The events of a batch by chain, in the order in which they came.
fn sort(records: &[Value], invocation: &str) -> Result<Vec<(Chain, Vec<Arrived>)>, BatchError> {
    let mut chains: Vec<(Chain, Vec<Arrived>)> = Vec::new();
    for record in records {
        let Some(Inserted { sequence, at, image }) = inserted(record)? else { continue };
        let Some((chain, event_id)) = event_in(&image) else {
            // No write of ours: it can never be chained, and must not hold up what can. Verification names it.
            if stands_among_events(&image) {
                line("", &sequence, invocation).log("failed", "not_an_event", None);
            }
            continue;
        };
        let seen = Seen { event_id, event_digest: links::digest(&image), seen_at: at };
        let arrived = Arrived { sequence, seen };
        match chains.iter_mut().find(|(it, _)| *it == chain) {
            Some((_, events)) => events.push(arrived),
            None => chains.push((chain, vec![arrived])),
        }
    }
    Ok(chains)
}

/// Chains a chain's events, then writes how far it has come. What failed has to come again, with all that came after it.
async fn chain_all<'a>(
    app: &App,
    key: &RotatingKey,
    chain: &Chain,
    events: &'a [Arrived],
    invocation: &str,
) -> Vec<&'a str> {
    let from = |nth: usize| events.iter().skip(nth).map(|event| event.sequence.as_str()).collect();
    let mut head = Head::default();
    for (nth, some) in events.chunks(AT_ONCE).enumerate() {
        match append(app, key, chain, some).await {
            Ok(end) => head = end,
            Err(error) => {
                tell(&error, chain, invocation);
                return from(nth * AT_ONCE);
            }
        }
    }
    match keep(app, key, chain, &head, invocation).await {
        Ok(()) => {
            line(chain.as_str(), "", invocation).log("ok", "", None);
            Vec::new()
        }
        Err(error) => {
            tell(&error, chain, invocation);
            from(0)
        }
    }
}

/// Gives the events their links that have none; gives the chain's end.
async fn append(app: &App, key: &RotatingKey, chain: &Chain, events: &[Arrived]) -> Result<Head, Trouble> {
    let ids: Vec<EventId> = unique(events).map(|event| event.event_id.clone()).collect();
    for _ in 0..TRIES {
        // The marks first: whoever extends the chain in between leaves a mark that this one's write then meets.
        let marks = app.store.marks(chain, &ids).await?;
        let mut head = match app.store.last_link(chain).await? {
            None => Head::default(),
            Some((number, Some(link))) if link.number == number && link.is_made_with(&key.all(), chain) => {
                link.head()
            }
            Some(_) => return Err(Trouble::BrokenEnd),
        };
        let mut links = Vec::new();
        for event in unique(events).filter(|event| !marks.contains_key(&event.event_id)) {
            let link = Link::behind(&head, chain, event, key.current());
            head = link.head();
            links.push(link);
        }
        if app.store.append_links(chain, &links).await? {
            return Ok(head);
        }
    }
    Err(StoreError::Contended(None).into())
}

/// Each event once, though its record may have come twice in one batch.
fn unique(events: &[Arrived]) -> impl Iterator<Item = &Seen> {
    let first = |(nth, event): (usize, &Arrived)| {
        let before = events.get(..nth).unwrap_or_default();
        !before.iter().any(|it| it.seen.event_id == event.seen.event_id)
    };
    events.iter().enumerate().filter(move |it| first(*it)).map(|(_, event)| &event.seen)
}

/// Writes a checkpoint. One that is there already says the same, or the chain was cut and went on: that must not stop it, and is told.
async fn keep(
    app: &App,
    key: &RotatingKey,
    chain: &Chain,
    head: &Head,
    invocation: &str,
) -> Result<(), Trouble> {
    if head.number == 0 {
        return Ok(());
    }
    let checkpoint = Checkpoint::of(head, chain, app.clock.now_seconds(), key.current());
    match app.checkpoints.put(chain, &checkpoint).await? {
        Some(before) if before.mac != checkpoint.mac => {
            line(chain.as_str(), "", invocation).log("failed", "another_checkpoint", None);
        }
        _ => {}
    }
    Ok(())
}

fn tell(trouble: &Trouble, chain: &Chain, invocation: &str) {
    tracing::error!(request_id = invocation, cause = causes(trouble), "failed");
    line(chain.as_str(), "", invocation).log("failed", trouble.word(), None);
}

/// The line of a chain, or of a record.
fn line<'a>(chain: &'a str, target: &'a str, request_id: &'a str) -> Deed<'a> {
    Deed { action: "audit.chain", org: chain, target, request_id, ..Deed::default() }
}
