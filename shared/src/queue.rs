//! The queue of webhooks on their way: SQS.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::causes::Cause;
use crate::deadline::{self, OutOfTime};
use crate::webhooks::Message;

/// How many messages one call takes.
pub const AT_ONCE: usize = 10;

/// Why the queue did not do it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The function has no client for it, since it did not say that it uses it.
    #[error("the queue is not used here")]
    Unused,
    /// The call has no time left. What was under way may have been carried out.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// SQS did not take it.
    #[error("the queue cannot be reached")]
    Sdk(#[source] Cause),
}

/// The queue.
#[derive(Clone)]
pub struct Queue {
    client: Option<Client>,
    url: String,
}

impl Queue {
    /// The queue at this URL. Without a client nothing is queued.
    pub fn new(client: Option<Client>, url: String) -> Self {
        Self { client, url }
    }

    /// Puts messages into it, [`AT_ONCE`] at most; says of each whether it is there.
    ///
    /// # Errors
    /// When nobody can say: some of them may be there.
    pub async fn put(&self, messages: &[Message]) -> Result<Vec<bool>, QueueError> {
        let unwritable = |error: &dyn std::error::Error| QueueError::Sdk(Cause::of(error));
        let entry = |(nth, message): (usize, &Message)| {
            let body = serde_json::to_string(message).map_err(|error| unwritable(&error))?;
            let entry = SendMessageBatchRequestEntry::builder().id(nth.to_string()).message_body(body);
            entry.build().map_err(|error| unwritable(&error))
        };
        let entries = messages.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let call = self.client()?.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = deadline::within(call.send()).await?.map_err(|error| unwritable(&error))?;
        let is_there = |nth: usize| answer.successful.iter().any(|it| it.id == nth.to_string());
        Ok((0..messages.len()).map(is_there).collect())
    }

    /// Hides a message that was received for so long: then it is received again.
    ///
    /// # Errors
    /// When it is not known to be hidden: it is received again after the queue's own time.
    pub async fn put_off(&self, receipt: &str, seconds: u32) -> Result<(), QueueError> {
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        let call = self.client()?.change_message_visibility().queue_url(&self.url);
        let call = call.receipt_handle(receipt).visibility_timeout(seconds).send();
        deadline::within(call).await?.map_err(|error| QueueError::Sdk(Cause::of(&error)))?;
        Ok(())
    }

    fn client(&self) -> Result<&Client, QueueError> {
        self.client.as_ref().ok_or(QueueError::Unused)
    }
}
