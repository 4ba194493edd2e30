//! The key set, kept for a minute: what an access token is verified with costs no read of its own.

use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Clock;
use crate::store::{Store, StoreError};
use crate::tokens::key_set::{KeySetError, Keyring};

/// How old the kept key set may be, in seconds: a withdrawn key is refused within this time everywhere.
pub const MAX_AGE_SECONDS: i64 = 60;

/// Why there is no key set to verify with.
#[derive(Debug, thiserror::Error)]
pub enum KeySetsError {
    /// The table did not answer.
    #[error("the key set cannot be read")]
    Store(#[from] StoreError),
    /// It is there, but cannot be used.
    #[error("the key set cannot be used")]
    Unusable(#[from] KeySetError),
    /// It was never written: the deployment is not finished.
    #[error("no key set was published yet")]
    Missing,
}

struct Kept {
    keyring: Arc<Keyring>,
    read_at: i64,
}

/// Reads the key set at most once a minute, whatever tokens ask for.
pub struct KeySets {
    store: Store,
    clock: Arc<dyn Clock>,
    kept: RwLock<Option<Kept>>,
    reading: tokio::sync::Mutex<()>,
}

impl KeySets {
    /// Nothing is read yet.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, kept: RwLock::new(None), reading: tokio::sync::Mutex::new(()) }
    }

    /// The key set, at most [`MAX_AGE_SECONDS`] old.
    ///
    /// # Errors
    /// When it is older than that and cannot be read anew: then nothing may be decided by it.
    pub async fn current(&self) -> Result<Arc<Keyring>, KeySetsError> {
        if let Some(keyring) = self.fresh() {
            return Ok(keyring);
        }
        // Whoever comes while somebody reads waits for that reading.
        let _reading = self.reading.lock().await;
        if let Some(keyring) = self.fresh() {
            return Ok(keyring);
        }
        let read_at = self.clock.now_seconds();
        let set = self.store.key_set().await?.ok_or(KeySetsError::Missing)?;
        let keyring = Arc::new(Keyring::new(set)?);
        let kept = Kept { keyring: Arc::clone(&keyring), read_at };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(keyring)
    }

    fn fresh(&self) -> Option<Arc<Keyring>> {
        let now = self.clock.now_seconds();
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        // A clock that went back makes no old key set young.
        let kept = kept.as_ref().filter(|kept| (0..MAX_AGE_SECONDS).contains(&(now - kept.read_at)))?;
        Some(Arc::clone(&kept.keyring))
    }
}
