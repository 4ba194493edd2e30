//! What DynamoDB can answer that the embedded engine never does, and everything else that can be lost on the way.
//!
//! | | fault | shown by |
//! |---|---|---|
//! | F1 | throttled, once and always | `matrix` (`Throttled`), `recovery::a_table_that_stays_busy_is_a_503_that_says_when_to_come_back` |
//! | F2 | a transaction conflict | `matrix` (`Conflict`), `recovery::a_conflict_with_another_transaction_is_tried_again_under_the_same_token`, `outages::a_refusal_beside_a_conflict_is_not_believed_before_the_whole_is_judged` |
//! | F3 | a failed condition | `writes`, `twice::a_call_that_is_delivered_twice_is_one` |
//! | F4 | a key is made, the answer lost | `matrix::a_key_survives_every_fault`, `ways_on` |
//! | F5 | the same at refresh | `matrix::a_refresh_survives_every_fault` |
//! | F6 | the same at the second step | `matrix::a_second_step_survives_every_fault` |
//! | F7 | the same at revoking and logging out | `matrix::a_key_survives_every_fault`, `matrix::an_organization_and_a_logout_survive_every_fault` |
//! | F8 | killed between two writes | `matrix` (each flow, killed after each write) |
//! | F9 | delivered twice, and an event that is sent twice | `twice`, `twice::a_change_whose_answer_is_lost_is_one_event_of_one_id` |
//! | F10 | clocks five minutes apart, a frozen environment | `skew` |
//! | F11 | Secrets Manager is away | `secrets::without_secrets_a_cold_environment_answers_503_and_a_warm_one_goes_on_for_an_hour` |
//! | F12 | a secret that cannot be read | `secrets::a_secret_that_cannot_be_read_replaces_none_that_can_and_signs_nothing` |
//! | F13 | a black hole | `deadlines`, `matrix` (`Silence`), `recovery::a_black_hole_is_a_503_within_three_seconds` |
//! | F14 | what has expired is still there | `expired` |
//! | F15 | an authorizer that fails | `gateway` |
//!
//! Rotations, the drill, the cleaning up and the first key have the same matrix in the `rotation` tests. `make faults` runs every combination, `make test` about two thirds of them.

pub mod account;
mod accounts;
mod deadlines;
mod deliveries;
mod expired;
pub mod flows;
mod gateway;
mod invariants;
mod matrix;
pub mod people;
mod secrets;
mod settings;
mod skew;
pub mod stage;
mod twice;
mod ways_on;

use std::sync::atomic::{AtomicUsize, Ordering};

use defences::Place;
pub use defences::faults as kinds;
pub use defences::faults::{cancelled, refused, whole};
use devstack::engines::recorder::Fault;

/// The first `count` requests of `operation` meet `fault`; those after them are answered.
pub fn times(place: &Place, count: usize, operation: &'static str, fault: Fault) {
    let met = AtomicUsize::new(0);
    place.devstack.requests.inject(move |request| {
        let early = request.operation == operation && met.fetch_add(1, Ordering::SeqCst) < count;
        early.then(|| fault.clone())
    });
}
