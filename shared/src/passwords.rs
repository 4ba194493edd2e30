//! Passwords: hashed with Argon2id, verified in the same work whether the account exists or not.

use std::sync::{Mutex, PoisonError, TryLockError};

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroize;

use crate::crypto;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// The longest password we take, in characters (code points). It is checked before anything is hashed.
pub const MAX_CHARACTERS: usize = 256;

/// OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// What is verified for an address nobody has: as much work as for one somebody has. No password gives these bytes.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a stored hash could not be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// The stored text is not a PHC string of Argon2id with parameters we accept.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// Argon2 refused its inputs.
    #[error("the password cannot be hashed")]
    Unhashable,
}

/// Hashes and verifies. It keeps Argon2's memory between calls, which is a third of the work, and wipes it after each.
pub struct Passwords {
    memory: Mutex<Vec<Block>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// No memory is taken before the first password.
    pub fn new() -> Self {
        Self { memory: Mutex::new(Vec::new()) }
    }

    /// Hashes a new password into a PHC string.
    pub fn hash(&self, password: &Sensitive<String>, rng: &dyn Rng) -> Result<String, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES))
            .map_err(|_| PasswordError::Unhashable)?;
        let salt = rng::bytes::<16>(rng);
        let output = self.derive(password, &salt, params)?;
        let (salt, output) = (BASE64_STANDARD_NO_PAD.encode(salt), BASE64_STANDARD_NO_PAD.encode(output));
        Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}"))
    }

    /// Whether `password` is the one behind `stored`; exactly as received: not trimmed, folded or cut.
    ///
    /// With `None` (nobody has this address) the same work is done and the answer is `false`.
    pub fn verify(&self, password: &Sensitive<String>, stored: Option<&str>) -> Result<bool, PasswordError> {
        let parsed = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| PasswordError::Unreadable)?;
        if parsed.algorithm.as_str() != Algorithm::Argon2id.as_str() {
            return Err(PasswordError::Unreadable);
        }
        let params = Params::try_from(&parsed).map_err(|_| PasswordError::Unreadable)?;
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
            return Err(PasswordError::Unreadable);
        };
        let output = self.derive(password, salt.as_ref(), params)?;
        Ok(crypto::equal(&output, expected.as_ref()) && stored.is_some())
    }

    fn derive(
        &self,
        password: &Sensitive<String>,
        salt: &[u8],
        params: Params,
    ) -> Result<[u8; OUTPUT_BYTES], PasswordError> {
        let blocks = params.block_count();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut fresh;
        let mut kept;
        // One environment serves one call at a time, so the kept memory is free; where calls overlap (the devstack)
        // the second takes memory of its own rather than wait.
        let memory: &mut Vec<Block> = match self.memory.try_lock() {
            Ok(guard) => {
                kept = guard;
                &mut kept
            }
            Err(TryLockError::Poisoned(poisoned)) => {
                kept = PoisonError::into_inner(poisoned);
                &mut kept
            }
            Err(TryLockError::WouldBlock) => {
                fresh = Vec::new();
                &mut fresh
            }
        };
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
        for block in memory.iter_mut() {
            block.zeroize();
        }
        done.map(|()| output).map_err(|_| PasswordError::Unhashable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    fn secret(text: &str) -> Sensitive<String> {
        Sensitive::new(text.to_owned())
    }

    #[test]
    fn a_password_verifies_exactly_as_received() {
        let passwords = Passwords::new();
        let long = "x".repeat(80);
        for password in ["correct horse battery", " spaced out ", "P\u{e4}ssw\u{f6}rd\u{1f511}", &long] {
            let stored = passwords.hash(&secret(password), &SystemRng).unwrap();
            assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
            assert_eq!(passwords.verify(&secret(password), Some(&stored)), Ok(true));
            for wrong in [
                password.trim().to_uppercase(),
                format!("{password} "),
                password.chars().take(72).skip(1).collect(),
            ] {
                assert_eq!(passwords.verify(&secret(&wrong), Some(&stored)), Ok(false), "{wrong}");
            }
        }
    }

    #[test]
    fn nobody_has_no_password_and_still_costs_the_work() {
        let passwords = Passwords::new();
        assert_eq!(passwords.verify(&secret("anything"), None), Ok(false));
        // The kept memory has the size the real parameters ask for: the work was done.
        assert_eq!(passwords.memory.lock().unwrap().len(), MEMORY_KIB as usize);
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
    }

    #[test]
    fn the_memory_is_wiped_after_use() {
        let passwords = Passwords::new();
        passwords.hash(&secret("correct horse battery"), &SystemRng).unwrap();
        let memory = passwords.memory.lock().unwrap();
        assert!(memory.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[test]
    fn what_is_no_argon2id_hash_is_an_error_not_a_no() {
        let passwords = Passwords::new();
        for stored in [
            "",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(
                passwords.verify(&secret("x"), Some(stored)),
                Err(PasswordError::Unreadable),
                "{stored}"
            );
        }
    }
}
