//! The table: one `impl` file an entity, each state change one conditional write or one transaction.
//!
//! It decides no policy and reads no clock: what time it is, it is told. Every read is consistent, since each of them decides about a
//! credential. Times are seconds since the epoch. No method returns a type of the SDK.

mod api_keys;
mod chains;
mod challenges;
mod checkpoints;
mod error;
mod events;
mod expiries;
mod factors;
mod guards;
mod invitations;
mod key_changes;
mod key_set;
mod keys;
mod leaks;
mod members;
mod organizations;
mod own_sessions;
mod passwords;
mod people;
mod sessions;
mod sign_ups;
mod standing;
mod users;
mod webhooks;
mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;

pub use api_keys::{CreateKey, CreateKeyOutcome, KeyPage, RevokeKeyOutcome, Revoker, SealedAnswer};
pub use chains::{MAX_NUMBER, StoredEvent, StoredLink, event_in, event_of, stands_among_events};
pub use challenges::{CodeGuess, ResendOutcome};
pub use checkpoints::Checkpoints;
pub use error::StoreError;
pub use events::{EventFilter, EventPage};
pub use expiries::{ExpiryPage, ReminderOutcome};
pub use factors::{FactorsChange, FactorsOutcome, Spent};
pub use guards::Counted;
pub use invitations::{AcceptOutcome, FoundInvitation, InvitationPlace, Joining};
pub use members::Member;
pub use organizations::EnvironmentOutcome;
pub use own_sessions::{EndOutcome, OwnSession, SessionPage};
pub use passwords::{SetPassword, SetPasswordOutcome};
pub use people::PeopleOutcome;
pub use sessions::{Changed, RotateOutcome, StartOutcome};
pub use standing::{Standing, Writer};
pub use webhooks::WebhookChange;

use crate::causes::Cause;
use crate::deadline;
use crate::rng::{self, Rng};
use keys::Key;
use write::{Action, Item, SHAPE_VERSION, Write, text};

/// How often a write that met another one on the same item is tried, and a read that was not answered whole: the SDK never tries
/// those again by itself. With [`Store::pause`] that is half a second on average and one at most, well under a function's time-out.
const TRIES: u32 = 7;

/// The table.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    rng: Arc<dyn Rng>,
}

/// How a conditional write ended.
enum Written {
    Done,
    /// The condition failed; this is what was there, if anything.
    Refused(Option<Item>),
}

/// How a transaction ended.
enum Transacted {
    Committed,
    /// Nothing was written; one finding for each write, in order.
    Cancelled(Vec<Finding>),
}

/// What a cancelled transaction found at one of its writes.
struct Finding {
    /// Its condition failed; `old` is what was there, if anything.
    failed: bool,
    /// It was not judged: somebody else was writing the item.
    busy: bool,
    old: Option<Item>,
}

impl Store {
    /// A store over `table`. `rng` names transactions and spreads their retries.
    pub fn new(client: Client, table: String, rng: Arc<dyn Rng>) -> Self {
        Self { client, table, rng }
    }

    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true);
        let answer = deadline::within(request.send()).await?.map_err(StoreError::from_sdk)?;
        answer.item.map(decode).transpose()
    }

    /// Every item of a partition whose sort key begins so.
    async fn all_of<T: DeserializeOwned>(&self, pk: String, begins: &str) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :begins)")
                .expression_attribute_names("#pk", "pk")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":pk", text(pk.as_str()))
                .expression_attribute_values(":begins", text(begins))
                .set_exclusive_start_key(after)
                .consistent_read(true);
            let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
            all.extend(answer.items.unwrap_or_default());
            after = answer.last_evaluated_key;
            if after.is_none() {
                return all.into_iter().map(decode).collect();
            }
        }
    }

    /// Reads several items in one call. What is missing is missing from the answer.
    async fn get_several(&self, wanted: &[Key]) -> Result<HashMap<Key, Item>, StoreError> {
        let mut keys: Vec<Item> = wanted.iter().map(Key::attributes).collect();
        let mut found = HashMap::with_capacity(keys.len());
        for nth in 1..=TRIES {
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
            let call = self.client.batch_get_item().request_items(&self.table, request);
            let answer = deadline::within(call.send()).await?.map_err(StoreError::from_sdk)?;
            let items = answer.responses.unwrap_or_default().into_values().flatten();
            found.extend(items.filter_map(|item| Some((Key::of(&item)?, item))));
            // A handful of small items is never split for its size: what is left unprocessed was throttled.
            keys = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|it| it.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
            self.pause(nth).await?;
        }
        Err(StoreError::Throttled(None))
    }

    /// Writes one item. A transaction that holds the item for the moment is waited for: without that, a session could not be ended
    /// while it is being refreshed.
    async fn write(&self, write: Write) -> Result<Written, StoreError> {
        for nth in 1..TRIES {
            match self.write_once(&write).await {
                Err(StoreError::Contended(_)) => self.pause(nth).await?,
                ended => return ended,
            }
        }
        self.write_once(&write).await
    }

    async fn write_once(&self, write: &Write) -> Result<Written, StoreError> {
        let names = Some(write.names()).filter(|names| !names.is_empty());
        let values = Some(write.values.clone()).filter(|values| !values.is_empty());
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        macro_rules! send {
            ($call:expr) => {
                deadline::within(
                    $call
                        .table_name(&self.table)
                        .set_condition_expression(write.condition.clone())
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(old)
                        .send(),
                )
                .await?
                .map(|_| Written::Done)
                .or_else(|error| match error.as_service_error() {
                    Some(service) if service.is_conditional_check_failed_exception() => {
                        Ok(Written::Refused(refused_item(error.into_service_error())))
                    }
                    _ => Err(StoreError::from_sdk(error)),
                })
            };
        }
        match &write.action {
            Action::Put(item) => send!(self.client.put_item().set_item(Some(item.clone()))),
            Action::Update(expression) => send!(
                self.client
                    .update_item()
                    .set_key(Some(write.key.attributes()))
                    .update_expression(expression.as_str())
            ),
            Action::Delete | Action::Check => {
                Err(StoreError::ConditionFailed("deletions and checks stand only in transactions"))
            }
        }
    }

    /// Writes all or nothing. Conflicts with other writers are tried again under the same request token, which is the operation's name, so
    /// that a try which did commit is not made twice.
    async fn transact(&self, writes: &[Write], token: &str) -> Result<Transacted, StoreError> {
        for nth in 1..=TRIES {
            // Made anew for another try, which is rare: a copy kept for it would be made for every call.
            let items =
                writes.iter().map(|write| write.to_transact(&self.table)).collect::<Result<Vec<_>, _>>()?;
            let call = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items))
                .client_request_token(token);
            let Err(error) = deadline::within(call.send()).await? else {
                return Ok(Transacted::Committed);
            };
            let findings = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    findings(cancelled.cancellation_reasons())
                }
                _ => return Err(StoreError::from_sdk(error)),
            };
            let Some(findings) = findings else {
                return Err(StoreError::Sdk(Cause::of(&error)));
            };
            // Beside a write that was not judged, a failed condition is half the truth: which refusal is told depends on both.
            let busy = findings.iter().any(|finding| finding.busy);
            if busy && nth < TRIES {
                self.pause(nth).await?;
            } else if findings.iter().any(|finding| finding.failed) {
                return Ok(Transacted::Cancelled(findings));
            } else {
                return Err(StoreError::Contended(Some(Cause::of(&error))));
            }
        }
        Err(StoreError::Contended(None))
    }

    /// Waits before another try: at random, or those who met would meet again; up to 20 ms, then twice that, 320 ms at most.
    async fn pause(&self, nth: u32) -> Result<(), StoreError> {
        let longest = (10_u32 << nth).min(320);
        let pause = Duration::from_millis(u64::from(rng::below(self.rng.as_ref(), longest)));
        Ok(deadline::within(tokio::time::sleep(pause)).await?)
    }
}

/// The reasons of a cancelled transaction. `None` when one is neither a failed condition nor somebody else's writing.
fn findings(reasons: &[aws_sdk_dynamodb::types::CancellationReason]) -> Option<Vec<Finding>> {
    const BUSY: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let find = |reason: &aws_sdk_dynamodb::types::CancellationReason| match reason.code().unwrap_or("None") {
        "None" => Some(Finding { failed: false, busy: false, old: None }),
        "ConditionalCheckFailed" => Some(Finding { failed: true, busy: false, old: reason.item().cloned() }),
        code if BUSY.contains(&code) => Some(Finding { failed: false, busy: true, old: None }),
        _ => None,
    };
    reasons.iter().map(find).collect()
}

/// What a failed condition found; both single writes carry it in the same exception.
trait RefusedItem {
    fn into_item(self) -> Option<Item>;
}

fn refused_item(error: impl RefusedItem) -> Option<Item> {
    error.into_item()
}

macro_rules! refused_item {
    ($($module:ident::$error:ident),*) => {$(
        impl RefusedItem for aws_sdk_dynamodb::operation::$module::$error {
            fn into_item(self) -> Option<Item> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => failed.item,
                    _ => None,
                }
            }
        }
    )*};
}
refused_item!(put_item::PutItemError, update_item::UpdateItemError);

/// Reads an item. Attributes this version does not know are ignored; a shape of a later version is refused, since what it
/// means cannot be known.
fn decode<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    let kind = Key::of(&item).map(|key| key.kind()).unwrap_or_default();
    if version(&item).is_none_or(|version| version > SHAPE_VERSION) {
        return Err(StoreError::Corrupt { item: kind, trouble: "no version, or a later one" });
    }
    serde_dynamo::from_item(item)
        .map_err(|_| StoreError::Corrupt { item: kind, trouble: "a member is missing or another" })
}

/// The version of an item's shape.
fn version(item: &Item) -> Option<i64> {
    item.get("v").and_then(|v| v.as_n().ok()).and_then(|v| v.parse().ok())
}
