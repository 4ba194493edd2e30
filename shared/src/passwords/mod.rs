//! Passwords: hashed with Argon2id, verified in the same work whether the account exists or not; and which of them nobody may set.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use tokio::sync::Semaphore;
use zeroize::Zeroize;

use crate::crypto;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

pub use common::is_common;

/// The shortest password that may be set, in characters (code points). There is no other rule but [`is_common`].
pub const MIN_CHARACTERS: usize = 12;
/// The longest password we take, in characters (code points). It is checked before anything is hashed.
pub const MAX_CHARACTERS: usize = 256;

/// OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. Every stored hash says which it was made with: raise them here, and
/// each is made anew at its owner's next login; see [`is_outdated`].
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// What is verified for an address nobody has: as much work as for one somebody has. No password gives these bytes.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why nothing was hashed or verified.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// The stored text is not a PHC string of Argon2id with parameters we accept.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// Argon2 refused its inputs.
    #[error("the password cannot be hashed")]
    Unhashable,
    /// As many are being hashed as there is memory for.
    #[error("as many passwords are being hashed as there is memory for")]
    Busy,
}

/// Where passwords are hashed, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hashing {
    /// On the thread that asks, which waits. An execution environment of Lambda serves one call at a time and has one thread for it:
    /// nobody else is there to be served.
    #[default]
    InPlace,
    /// On threads of their own, for a process that serves many calls.
    Apart {
        /// How many at once: each takes 19 MiB. Who comes when all are taken is refused.
        at_once: usize,
    },
}

/// Hashes and verifies. It keeps Argon2's memory between calls, which is a third of the work, and wipes it after each.
pub struct Passwords {
    /// One for each hash that may run; none where hashes run in place.
    turns: Option<Arc<Semaphore>>,
    worker: Arc<Worker>,
}

impl Passwords {
    /// No memory is taken before the first password.
    pub fn new(hashing: Hashing) -> Self {
        let turns = match hashing {
            Hashing::InPlace => None,
            Hashing::Apart { at_once } => Some(Arc::new(Semaphore::new(at_once))),
        };
        Self { turns, worker: Arc::default() }
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`PasswordError::Unhashable`], [`PasswordError::Busy`].
    pub async fn hash(&self, password: &Sensitive<String>, rng: &dyn Rng) -> Result<String, PasswordError> {
        let (password, salt) = (password.clone(), rng::bytes::<16>(rng));
        self.run(move |worker| worker.hash(&password, &salt)).await
    }

    /// Whether `password` is the one behind `stored`; exactly as received: not trimmed, folded or cut.
    ///
    /// With `None` (nobody has this address) the same work is done and the answer is `false`.
    ///
    /// # Errors
    /// [`PasswordError::Unreadable`], [`PasswordError::Unhashable`], [`PasswordError::Busy`].
    pub async fn verify(
        &self,
        password: &Sensitive<String>,
        stored: Option<&str>,
    ) -> Result<bool, PasswordError> {
        let (password, stored) = (password.clone(), stored.map(str::to_owned));
        self.run(move |worker| worker.verify(&password, stored.as_deref())).await
    }

    /// How much work it has done since it was made: KiB of memory filled, each pass counted.
    pub fn work(&self) -> u64 {
        self.worker.work.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Worker) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let Some(turns) = &self.turns else {
            return job(&self.worker);
        };
        // Refused rather than queued: who floods the queue would keep everybody waiting behind them.
        let turn = Arc::clone(turns).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let worker = Arc::clone(&self.worker);
        let apart = tokio::task::spawn_blocking(move || {
            // Here and not outside: a caller that goes away frees no memory.
            let _turn = turn;
            job(&worker)
        });
        apart.await.unwrap_or(Err(PasswordError::Unhashable))
    }
}

/// Hashes a new password into a PHC string, here and now, in memory of its own: for tools, which serve nobody.
///
/// # Errors
/// [`PasswordError::Unhashable`].
pub fn hash(password: &Sensitive<String>, rng: &dyn Rng) -> Result<String, PasswordError> {
    Worker::default().hash(password, &rng::bytes::<16>(rng))
}

/// Whether a stored hash was made with other parameters than a new one would be: it still verifies, and is to be replaced by whoever next
/// has its password in hand.
pub fn is_outdated(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|parsed| Params::try_from(&parsed).ok());
    params.is_some_and(|it| (it.m_cost(), it.t_cost(), it.p_cost()) != (MEMORY_KIB, PASSES, LANES))
}

/// Argon2, and the memory of hashes that do not run, wiped.
#[derive(Default)]
struct Worker {
    memories: Mutex<Vec<Vec<Block>>>,
    work: AtomicU64,
}

impl Worker {
    fn hash(&self, password: &Sensitive<String>, salt: &[u8]) -> Result<String, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES))
            .map_err(|_| PasswordError::Unhashable)?;
        let output = self.derive(password, salt, params)?;
        let (salt, output) = (BASE64_STANDARD_NO_PAD.encode(salt), BASE64_STANDARD_NO_PAD.encode(output));
        Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}"))
    }

    fn verify(&self, password: &Sensitive<String>, stored: Option<&str>) -> Result<bool, PasswordError> {
        let parsed = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| PasswordError::Unreadable)?;
        if parsed.algorithm.as_str() != Algorithm::Argon2id.as_str() {
            return Err(PasswordError::Unreadable);
        }
        let params = Params::try_from(&parsed).map_err(|_| PasswordError::Unreadable)?;
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
            return Err(PasswordError::Unreadable);
        };
        let work = params.m_cost() * params.t_cost();
        let output = self.derive(password, salt.as_ref(), params)?;
        let right = crypto::equal(&output, expected.as_ref()) && stored.is_some();
        if !right {
            self.make_up(password, salt.as_ref(), work)?;
        }
        Ok(right)
    }

    /// The work that verifying a hash of lesser parameters saved. A wrong password costs what it costs for nobody, or its answer's time would
    /// say who has an account of long ago.
    fn make_up(&self, password: &Sensitive<String>, salt: &[u8], done: u32) -> Result<(), PasswordError> {
        let missing = (MEMORY_KIB * PASSES).saturating_sub(done);
        if missing < Params::MIN_M_COST {
            return Ok(());
        }
        let params =
            Params::new(missing, 1, LANES, Some(OUTPUT_BYTES)).map_err(|_| PasswordError::Unhashable)?;
        self.derive(password, salt, params).map(|_| ())
    }

    fn derive(
        &self,
        password: &Sensitive<String>,
        salt: &[u8],
        params: Params,
    ) -> Result<[u8; OUTPUT_BYTES], PasswordError> {
        let blocks = params.block_count();
        self.work.fetch_add(u64::from(params.m_cost()) * u64::from(params.t_cost()), Ordering::Relaxed);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut memory = self.memories().pop().unwrap_or_default();
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        let mut output = [0; OUTPUT_BYTES];
        let done = argon2.hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt,
            &mut output,
            &mut memory[..blocks],
        );
        for block in &mut memory {
            block.zeroize();
        }
        self.memories().push(memory);
        done.map(|()| output).map_err(|_| PasswordError::Unhashable)
    }

    fn memories(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    fn secret(text: &str) -> Sensitive<String> {
        Sensitive::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_verifies_exactly_as_received() {
        let passwords = Passwords::new(Hashing::InPlace);
        let long = "x".repeat(80);
        for password in ["correct horse battery", " spaced out ", "P\u{e4}ssw\u{f6}rd\u{1f511}", &long] {
            let stored = passwords.hash(&secret(password), &SystemRng).await.unwrap();
            assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
            assert_eq!(passwords.verify(&secret(password), Some(&stored)).await, Ok(true));
            for wrong in [
                password.trim().to_uppercase(),
                format!("{password} "),
                password.chars().take(72).skip(1).collect(),
            ] {
                assert_eq!(passwords.verify(&secret(&wrong), Some(&stored)).await, Ok(false), "{wrong}");
            }
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password_and_still_costs_the_work() {
        let passwords = Passwords::new(Hashing::InPlace);
        assert_eq!(passwords.verify(&secret("anything"), None).await, Ok(false));
        // The kept memory has the size the real parameters ask for: the work was done.
        assert_eq!(passwords.worker.memories()[0].len(), MEMORY_KIB as usize);
        assert_eq!(passwords.work(), u64::from(MEMORY_KIB * PASSES));
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
    }

    #[tokio::test]
    async fn a_hash_of_lesser_parameters_verifies_is_outdated_and_costs_the_wrong_password_the_same() {
        let (password, salt) = (secret("correct horse battery"), [7; 16]);
        let params = Params::new(8 * 1024, 1, 1, Some(OUTPUT_BYTES)).unwrap();
        let output = Worker::default().derive(&password, &salt, params).unwrap();
        let encode = |bytes: &[u8]| BASE64_STANDARD_NO_PAD.encode(bytes);
        let old = format!("$argon2id$v=19$m=8192,t=1,p=1${}${}", encode(&salt), encode(&output));
        let passwords = Passwords::new(Hashing::InPlace);
        assert_eq!(passwords.verify(&password, Some(&old)).await, Ok(true));
        let before = passwords.work();
        assert_eq!(passwords.verify(&secret("another horse battery"), Some(&old)).await, Ok(false));
        assert_eq!(passwords.work() - before, u64::from(MEMORY_KIB * PASSES));
        let new = passwords.hash(&password, &SystemRng).await.unwrap();
        assert_eq!([&old, &new, "none"].map(is_outdated), [true, false, false]);
    }

    #[tokio::test]
    async fn the_memory_is_wiped_after_use() {
        let passwords = Passwords::new(Hashing::InPlace);
        passwords.hash(&secret("correct horse battery"), &SystemRng).await.unwrap();
        let memories = passwords.worker.memories();
        assert_eq!(memories.len(), 1);
        assert!(memories[0].iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[tokio::test]
    async fn what_is_no_argon2id_hash_is_an_error_not_a_no() {
        let passwords = Passwords::new(Hashing::InPlace);
        for stored in [
            "",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(
                passwords.verify(&secret("x"), Some(stored)).await,
                Err(PasswordError::Unreadable),
                "{stored}"
            );
        }
    }

    #[tokio::test]
    async fn apart_the_surplus_is_refused_and_the_others_are_served() {
        let passwords = Passwords::new(Hashing::Apart { at_once: 1 });
        let (end, until) = std::sync::mpsc::channel::<()>();
        let mut running = Box::pin(passwords.run(move |_| {
            let _ = until.recv();
            Ok(())
        }));
        // Polled once, so it has its turn.
        tokio::select! {
            biased;
            ended = &mut running => panic!("{ended:?}"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(passwords.verify(&secret("x"), None).await, Err(PasswordError::Busy));
        // Whoever asked went away: the memory is in use for all that.
        drop(running);
        assert_eq!(passwords.hash(&secret("x"), &SystemRng).await, Err(PasswordError::Busy));
        end.send(()).unwrap();
        while passwords.verify(&secret("x"), None).await == Err(PasswordError::Busy) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn apart_hashing_leaves_the_thread_to_others_and_in_place_it_does_not() {
        for (hashing, shares) in [(Hashing::Apart { at_once: 1 }, true), (Hashing::InPlace, false)] {
            let passwords = Passwords::new(hashing);
            let hashed =
                tokio::spawn(async move { passwords.verify(&Sensitive::new("x".to_owned()), None).await });
            let mut turns = 0;
            while !hashed.is_finished() {
                tokio::task::yield_now().await;
                turns += 1;
            }
            assert_eq!(turns > 10, shares, "{hashing:?}: others had {turns} turns");
        }
    }
}
