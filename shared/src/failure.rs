//! Failures: what went wrong that is nobody's doing outside. A client learns that the service is away; the log learns why.

use crate::key_sets::KeySetsError;
use crate::mail::MailError;
use crate::passwords::PasswordError;
use crate::queue::QueueError;
use crate::secrets::SecretError;
use crate::signer::SignError;
use crate::store::StoreError;

/// What failed, for the log.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The key set.
    #[error(transparent)]
    KeySets(#[from] KeySetsError),
    /// The mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The function said of no webhook that it sends it.
    #[error("webhooks are not sent from here")]
    NoCourier,
    /// The signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A stored password hash.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The signing key is not published: what it signs, nobody could verify.
    #[error("the signing key is not published")]
    UnpublishedKey,
    /// An answer could not be sealed, or a kept one is not what we write.
    #[error("the answer cannot be sealed")]
    Sealing,
    /// What the write depends on changed at every try.
    #[error("what the write depends on keeps changing")]
    Contended,
}
