//! The form of an API key: prefix, alphabet, length, checksum. A crate of its own, so that `make keycheck` builds in seconds.
//!
//! A key is `sk_test_` or `sk_live_`, 32 base62 characters at random (190 bits) and 6 of CRC-32 over all that comes before.
//! The form tells typos from keys without looking anything up. It proves nothing about who made the key, nor whether it is alive.

/// What a key's characters are, after its prefix; a character's place is its value as a digit.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The length of either prefix.
pub const PREFIX_LENGTH: usize = 8;
/// How many characters are random.
pub const RANDOM_LENGTH: usize = 32;
/// How many are checksum.
pub const CHECKSUM_LENGTH: usize = 6;
/// The length of every key.
pub const KEY_LENGTH: usize = PREFIX_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;
/// What a key of the test environment begins with.
pub const TEST_PREFIX: &str = "sk_test_";
/// What a key of the live environment begins with.
pub const LIVE_PREFIX: &str = "sk_live_";

/// The environment that a key's prefix names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// No real money moves.
    Test,
    /// Real money.
    Live,
}

/// Why a text has not the form of a key. Its sentences say nothing of the text but counts and places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is nothing.
    #[error("there is nothing to look at")]
    Empty,
    /// A refresh token, by its first characters.
    #[error("this looks like a refresh token, which is no API key")]
    RefreshToken,
    /// An access token, by its first characters.
    #[error("this looks like an access token (a JWT), which is no API key")]
    AccessToken,
    /// Another beginning.
    #[error("it begins with neither {TEST_PREFIX} nor {LIVE_PREFIX}")]
    Prefix,
    /// A character that no key has, at this place, counted from 1.
    #[error("character {0} is neither a digit nor a letter from A to Z or a to z")]
    Character(usize),
    /// Too short, by so many characters.
    #[error("it is too short: {0} of its {KEY_LENGTH} characters are missing")]
    Short(usize),
    /// Too long, by so many characters.
    #[error("it is too long: {0} more than the {KEY_LENGTH} characters of a key")]
    Long(usize),
    /// The last six characters do not belong to the others.
    #[error("its checksum is wrong: some character is not what it was, or it never was a key of ours")]
    Checksum,
}

/// Reads the form of `text`, which must be the key and nothing around it.
pub fn read(text: &str) -> Result<Prefix, Malformed> {
    let prefix = match text.get(..PREFIX_LENGTH) {
        Some(TEST_PREFIX) => Prefix::Test,
        Some(LIVE_PREFIX) => Prefix::Live,
        _ => return Err(other_beginning(text)),
    };
    let rest = text.chars().skip(PREFIX_LENGTH);
    if let Some(at) = rest.into_iter().position(|character| !character.is_ascii_alphanumeric()) {
        return Err(Malformed::Character(PREFIX_LENGTH + at + 1));
    }
    if text.len() < KEY_LENGTH {
        return Err(Malformed::Short(KEY_LENGTH - text.len()));
    }
    if text.len() > KEY_LENGTH {
        return Err(Malformed::Long(text.len() - KEY_LENGTH));
    }
    let (body, sum) = text.split_at(KEY_LENGTH - CHECKSUM_LENGTH);
    if checksum(body) == sum { Ok(prefix) } else { Err(Malformed::Checksum) }
}

fn other_beginning(text: &str) -> Malformed {
    match text {
        "" => Malformed::Empty,
        _ if text.starts_with("rt_") => Malformed::RefreshToken,
        _ if text.starts_with("eyJ") => Malformed::AccessToken,
        _ => Malformed::Prefix,
    }
}

/// CRC-32 over `text` in six base62 characters, the most significant first: 62^6 exceeds 2^32.
pub fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(prefix: &str) -> String {
        let body = format!("{prefix}{}", "a1B2".repeat(RANDOM_LENGTH / 4));
        format!("{body}{}", checksum(&body))
    }

    #[test]
    fn a_key_is_told_from_what_only_looks_like_one() {
        let test = key(TEST_PREFIX);
        assert_eq!(read(&test), Ok(Prefix::Test));
        assert_eq!(read(&key(LIVE_PREFIX)), Ok(Prefix::Live));
        for (text, expected) in [
            (String::new(), Malformed::Empty),
            ("rt_AZ".into(), Malformed::RefreshToken),
            ("eyJhbGciOi".into(), Malformed::AccessToken),
            ("sk_".into(), Malformed::Prefix),
            (test.replacen("sk_", "pk_", 1), Malformed::Prefix),
            (test.replacen('s', "\u{455}", 1), Malformed::Prefix),
            (test[..45].into(), Malformed::Short(1)),
            (format!("{test}00"), Malformed::Long(2)),
            (format!("{test}\n"), Malformed::Character(47)),
            (test.replacen('a', "\u{e4}", 1), Malformed::Character(9)),
            (test.replacen("sk_test_", "sk_live_", 1), Malformed::Checksum),
            (test.replacen('a', "b", 1), Malformed::Checksum),
        ] {
            assert_eq!(read(&text), Err(expected), "{} characters", text.len());
        }
    }
}
