//! One deadline for everything that a call asks of the table and of the secret store.
//!
//! Each operation has a time-out of its own, but a call makes several, one after the other. What counts is the time that at least one
//! of them runs, the pauses before another try included; hashing, signing and mail do not. See `docs/adr/0015-one-deadline.md`.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What all operations of a call may take together.
pub const OF_A_CALL: Duration = Duration::from_millis(2_800);

/// The time is used up. An operation that was under way may have been carried out, as when an answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time for the table and the secrets is used up")]
pub struct OutOfTime;

tokio::task_local! {
    static METER: Arc<Meter>;
}

/// How long operations have run. Two at once take the time of one.
#[derive(Default)]
struct Meter(Mutex<Reading>);

#[derive(Default)]
struct Reading {
    spent: Duration,
    running: u32,
    since: Option<Instant>,
}

impl Meter {
    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn begin(&mut self, now: Instant) -> Duration {
        self.running += 1;
        let since = *self.since.get_or_insert(now);
        OF_A_CALL.saturating_sub(self.spent + (now - since))
    }

    fn end(&mut self, now: Instant) {
        self.running = self.running.saturating_sub(1);
        if self.running == 0
            && let Some(since) = self.since.take()
        {
            self.spent += now - since;
        }
    }
}

/// An operation on the meter, until it is dropped: one that is given up halfway ends as well.
struct Operation(Arc<Meter>);

impl Drop for Operation {
    fn drop(&mut self) {
        self.0.lock().end(Instant::now());
    }
}

/// Runs a call: the deadline is its own, whatever other calls run beside it.
pub fn call<F: Future>(call: F) -> impl Future<Output = F::Output> {
    METER.scope(Arc::default(), Box::pin(call))
}

/// Runs an operation for as long as the call has time. Outside of a call, at init, there is no deadline.
///
/// # Errors
/// [`OutOfTime`]. With no time left, the operation is not begun.
pub fn within<F: Future>(operation: F) -> impl Future<Output = Result<F::Output, OutOfTime>> {
    within_at_most(Duration::MAX, operation)
}

/// The same for an operation that the call can do without: it may take `longest`, though there were more.
///
/// # Errors
/// [`OutOfTime`].
pub fn within_at_most<F: Future>(
    longest: Duration,
    operation: F,
) -> impl Future<Output = Result<F::Output, OutOfTime>> {
    // On the heap at once: an operation of the SDK's is kilobytes, and whatever awaits it would be as large, and copied as often as it is
    // handed on, whether the operation is ever begun or not.
    let operation = Box::pin(operation);
    async move {
        let (left, _running) = match METER.try_with(Arc::clone) {
            Ok(meter) => {
                let left = meter.lock().begin(Instant::now());
                (left, Some(Operation(meter)))
            }
            Err(_) => (Duration::MAX, None),
        };
        let left = left.min(longest);
        if left.is_zero() {
            return Err(OutOfTime);
        }
        tokio::time::timeout(left, operation).await.map_err(|_| OutOfTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_is_between_operations_does_not_count() {
        let started = Instant::now();
        call(async {
            within(sleep(SECOND)).await.unwrap();
            sleep(100 * SECOND).await;
            within(sleep(SECOND)).await.unwrap();
            assert_eq!(within(sleep(SECOND)).await, Err(OutOfTime));
        })
        .await;
        let took = Instant::now() - started - 100 * SECOND;
        assert!((OF_A_CALL..OF_A_CALL + SECOND / 10).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn with_no_time_left_nothing_is_begun() {
        call(async {
            assert_eq!(within(sleep(3 * SECOND)).await, Err(OutOfTime));
            let begun = async { panic!("begun") };
            assert_eq!(within(begun).await, Err::<(), _>(OutOfTime));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn two_at_once_take_the_time_of_one_and_one_that_is_given_up_ends() {
        call(async {
            let (one, other) = tokio::join!(within(sleep(SECOND)), within(sleep(2 * SECOND)));
            assert_eq!((one, other), (Ok(()), Ok(())));
            assert_eq!(within_at_most(SECOND / 2, sleep(SECOND)).await, Err(OutOfTime));
            sleep(10 * SECOND).await;
            within(sleep(SECOND / 4)).await.unwrap();
            assert_eq!(within(sleep(SECOND / 4)).await, Err(OutOfTime));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn calls_side_by_side_have_a_deadline_each_and_outside_of_calls_there_is_none() {
        let mut calls = Vec::new();
        for _ in 0..3 {
            calls.push(tokio::spawn(call(async {
                within(sleep(2 * SECOND)).await.unwrap();
            })));
        }
        for call in calls {
            call.await.unwrap();
        }
        within(sleep(10 * SECOND)).await.unwrap();
    }
}
