//! Audit events in the table: each is an item of its own, written in the transaction of the change that it is about.

use std::slice;

use super::write::Write;
use super::{Finding, Store, StoreError, Transacted, keys};
use crate::audit::Event;
use crate::crypto;

impl Store {
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
        let Transacted::Cancelled(mut findings) = self.transact(writes, operation).await? else {
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
