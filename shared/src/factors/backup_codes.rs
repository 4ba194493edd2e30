//! Backup codes: ten that are shown once, each good for one login without the authenticator app.

use crate::crypto;
use crate::ids::UserId;
use crate::rng::{self, Rng};
use crate::sensitive::Sensitive;

/// How many a person is given at a time.
pub const BACKUP_CODES: usize = 10;

/// Crockford's base 32: nothing in it is mistaken for something else in it.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Fifty bits: ten guesses in a quarter of an hour (`guards::CODES`) find one of ten codes in some hundred million years.
const CHARACTERS: usize = 10;
/// A hyphen after so many characters.
const GROUP: usize = 5;

/// One of them, without its hyphen, in capitals.
#[derive(Debug, Clone)]
pub struct BackupCode(Sensitive<String>);

impl BackupCode {
    /// Ten new ones, no two the same.
    pub fn generate(rng: &dyn Rng) -> Vec<Self> {
        let mut codes: Vec<Self> = Vec::with_capacity(BACKUP_CODES);
        while codes.len() < BACKUP_CODES {
            let mut text = String::with_capacity(CHARACTERS);
            text.extend((0..CHARACTERS).map(|_| char::from(ALPHABET[rng::below(rng, 32) as usize])));
            if codes.iter().all(|code| code.0.expose() != &text) {
                codes.push(Self(Sensitive::new(text)));
            }
        }
        codes
    }

    /// A code somebody typed: in small letters or capitals, with the hyphen, without it or with spaces, and with the letters that look like
    /// the digits they are not. Any text may be tried; only the right one is right.
    pub fn typed(text: &str) -> Self {
        let read = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let mut typed = String::with_capacity(text.len());
        typed.extend(text.chars().filter(|c| !matches!(c, '-' | ' ')).map(read));
        Self(Sensitive::new(typed))
    }

    /// As it is shown: `K7QF2-M9XTA`.
    pub fn shown(&self) -> Sensitive<String> {
        let (first, second) = self.0.expose().split_at(GROUP.min(self.0.expose().len()));
        let mut shown = String::with_capacity(CHARACTERS + 1);
        shown.push_str(first);
        shown.push('-');
        shown.push_str(second);
        Sensitive::new(shown)
    }

    /// What is stored in its place: HMAC-SHA-256 over person and code under the `factors` secret, hexadecimal. A bare hash of fifty bits is
    /// undone in days; and a code is worth nothing to another person.
    pub fn hash(&self, key: &[u8], user: &UserId) -> String {
        let parts: [&[u8]; 4] =
            [b"backup code\0", user.as_str().as_bytes(), b"\0", self.0.expose().as_bytes()];
        crypto::hex(&crypto::hmac_sha256(key, &parts))
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SystemRng;

    fn somebody() -> UserId {
        UserId::new(&ManualClock::new(OffsetDateTime::UNIX_EPOCH), &SystemRng)
    }

    #[test]
    fn ten_codes_in_two_groups_that_are_not_printed() {
        let codes = BackupCode::generate(&SystemRng);
        assert_eq!(codes.len(), BACKUP_CODES);
        for code in &codes {
            let shown = code.shown();
            assert_eq!((shown.expose().len(), shown.expose().find('-')), (11, Some(5)));
            assert_eq!(format!("{code:?} {shown:?}"), "BackupCode([sensitive]) [sensitive]");
        }
    }

    #[test]
    fn a_code_is_taken_as_people_type_it() {
        let user = somebody();
        let hash = |text: &str| BackupCode::typed(text).hash(b"key", &user);
        for typed in ["K1QF2-M0XTA", "k1qf2m0xta", "kIqf2 - mOxta", "klqf2-moxta"] {
            assert_eq!(hash(typed), hash("K1QF2M0XTA"), "{typed}");
        }
        for other in ["K1QF2-M0XTB", "", "K1QF2-M0XT", "K1QF2-M0XTA0", "K1QF2\u{2011}M0XTA"] {
            assert_ne!(hash(other), hash("K1QF2M0XTA"), "{other}");
        }
        let made = &BackupCode::generate(&SystemRng)[0];
        assert_eq!(hash(made.shown().expose()), made.hash(b"key", &user));
    }

    #[test]
    fn a_hash_belongs_to_one_person_and_one_key() {
        let (user, code) = (somebody(), BackupCode::typed("K1QF2-M0XTA"));
        assert_ne!(code.hash(b"key", &user), code.hash(b"key", &somebody()));
        assert_ne!(code.hash(b"key", &user), code.hash(b"yek", &user));
    }

    #[test]
    fn what_is_odd_is_shown_without_a_panic() {
        assert_eq!(BackupCode::typed("abc").shown().expose(), "ABC-");
    }
}
