//! What fields can be. Each type reads its value, or gives the sentence that says what it must be; `schemas.rs` says the same for
//! machines, from the same limits.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroize;

use super::{Call, Problem};
use crate::addresses::EmailAddress;
use crate::allowed_addresses::{AddressRange, AllowedAddresses, MAX_RANGES};
use crate::api_keys::Env;
use crate::flows::CodeType;
use crate::passwords;
use crate::sensitive::Sensitive;
use crate::users::Role;

/// What a field of a body can be.
pub trait Field: Sized {
    /// Reads a value. Nothing is converted: a number in quotes is a string.
    ///
    /// # Errors
    /// The sentence that says what it must be.
    fn read(value: &Value) -> Result<Self, String>;
}

/// A string of so many characters (code points).
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The text, exactly as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> Field for Text<MIN, MAX> {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some(text) if (MIN..=MAX).contains(&text.chars().count()) => Ok(Self(text.to_owned())),
            _ => Err(format!("must be a string of {MIN} to {MAX} characters")),
        }
    }
}

impl<const MIN: usize, const MAX: usize> Zeroize for Text<MIN, MAX> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// A name of at least one character, none of which moves what stands around it: no control characters (line ends among them), no line or
/// paragraph separators, none that turn the direction of writing.
pub struct Name<const MAX: usize>(String);

impl<const MAX: usize> Name<MAX> {
    /// The name, exactly as it was sent.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// What a name has none of.
pub(super) const UNSETTLING: [RangeInclusive<char>; 5] = [
    '\u{0}'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{2028}'..='\u{2029}',
    '\u{202a}'..='\u{202e}',
    '\u{2066}'..='\u{2069}',
];

impl<const MAX: usize> Field for Name<MAX> {
    fn read(value: &Value) -> Result<Self, String> {
        let Text(name) = Text::<1, MAX>::read(value)?;
        if name.chars().any(|c| UNSETTLING.iter().any(|range| range.contains(&c))) {
            return Err(
                "must not contain control characters or marks that turn the direction of writing".to_owned()
            );
        }
        Ok(Self(name))
    }
}

/// A whole number in a range; `3.0` and `"3"` are none.
#[derive(Debug, Clone, Copy)]
pub struct Whole<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Whole<MIN, MAX> {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Field for Whole<MIN, MAX> {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_i64() {
            Some(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
        }
    }
}

impl Field for EmailAddress {
    fn read(value: &Value) -> Result<Self, String> {
        let parsed = value.as_str().map(Self::parse);
        parsed.and_then(Result::ok).ok_or_else(|| "must be an e-mail address".to_owned())
    }
}

/// An address that mail can be sent to, as it was given and as it is compared.
pub struct Mailbox {
    /// As it was given.
    pub given: String,
    /// As it is compared.
    pub address: EmailAddress,
}

impl Field for Mailbox {
    fn read(value: &Value) -> Result<Self, String> {
        let address = EmailAddress::read(value)?;
        match value.as_str() {
            Some(given) if address.is_plain() => Ok(Self { given: given.to_owned(), address }),
            _ => Err("must be an e-mail address that mail can be sent to: plain ASCII".to_owned()),
        }
    }
}

/// A country: two capital letters. Which of them are countries is not ours to keep.
pub struct Country(String);

impl Country {
    /// The letters.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Field for Country {
    fn read(value: &Value) -> Result<Self, String> {
        let code =
            value.as_str().filter(|it| it.len() == 2 && it.bytes().all(|byte| byte.is_ascii_uppercase()));
        code.map(|it| Self(it.to_owned()))
            .ok_or_else(|| "must be a country's two capital letters (ISO 3166-1)".to_owned())
    }
}

/// A password to be set, exactly as it was sent. Whether it is too common is another question: that depends on whose it is.
pub struct NewPassword(Sensitive<String>);

impl NewPassword {
    /// It, still not to be printed.
    pub fn into_sensitive(self) -> Sensitive<String> {
        self.0
    }
}

impl Field for NewPassword {
    fn read(value: &Value) -> Result<Self, String> {
        let Text(password) = NewPasswordText::read(value)?;
        Ok(Self(Sensitive::new(password)))
    }
}

/// What a password to be set is made of.
pub(super) type NewPasswordText = Text<{ passwords::MIN_CHARACTERS }, { passwords::MAX_CHARACTERS }>;

/// A password, exactly as it was sent.
pub struct Password(Sensitive<String>);

impl Password {
    /// It, still not to be printed.
    pub fn into_sensitive(self) -> Sensitive<String> {
        self.0
    }
}

impl Field for Password {
    fn read(value: &Value) -> Result<Self, String> {
        let Text(password) = PasswordText::read(value)?;
        Ok(Self(Sensitive::new(password)))
    }
}

/// What a password is made of.
pub(super) type PasswordText = Text<1, { passwords::MAX_CHARACTERS }>;

impl<T: Field + Zeroize> Field for Sensitive<T> {
    fn read(value: &Value) -> Result<Self, String> {
        T::read(value).map(Self::new)
    }
}

impl Field for AllowedAddresses {
    fn read(value: &Value) -> Result<Self, String> {
        let otherwise = || format!("must be a list of at most {MAX_RANGES} addresses or CIDR ranges");
        let entries = value.as_array().filter(|entries| entries.len() <= MAX_RANGES).ok_or_else(otherwise)?;
        let mut ranges = Vec::with_capacity(entries.len());
        for (nth, entry) in (1..).zip(entries) {
            let text = entry.as_str().ok_or_else(otherwise)?;
            // Which one it is, not what it says: that can be anything.
            ranges.push(AddressRange::parse(text).map_err(|error| format!("number {nth} {error}"))?);
        }
        Ok(Self::new(ranges))
    }
}

impl Field for Env {
    fn read(value: &Value) -> Result<Self, String> {
        named(value, "must be test or live")
    }
}

impl Field for CodeType {
    fn read(value: &Value) -> Result<Self, String> {
        named(value, "must be primary or backup")
    }
}

/// A role that one member can give another. `owner` is none: that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Grantable {
    /// Everything but own.
    Admin,
    /// Look, and manage webhooks.
    Developer,
    /// Look.
    Viewer,
}

impl Field for Grantable {
    fn read(value: &Value) -> Result<Self, String> {
        named(value, "must be admin, developer or viewer")
    }
}

impl From<Grantable> for Role {
    fn from(role: Grantable) -> Self {
        match role {
            Grantable::Admin => Self::Admin,
            Grantable::Developer => Self::Developer,
            Grantable::Viewer => Self::Viewer,
        }
    }
}

/// One of the names that serde knows a type's values by. To serde `{"test": null}` is another way to write `"test"`; to us it is not.
fn named<T: DeserializeOwned>(value: &Value, otherwise: &str) -> Result<T, String> {
    let read = value.as_str().and_then(|_| T::deserialize(value).ok());
    read.ok_or_else(|| otherwise.to_owned())
}

/// How long an `Idempotency-Key` is, in characters.
pub(super) const IDEMPOTENCY_KEY_CHARACTERS: RangeInclusive<usize> = 16..=255;

/// The `Idempotency-Key` header: 16 to 255 visible ASCII characters, once. An HTTP API joins headers of one name with commas, so behind
/// one a key with a comma may be two.
pub fn idempotency_key<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Problem> {
    let mut sent = call.headers().get_all("idempotency-key").iter();
    let Some(first) = sent.next() else {
        return Ok(None);
    };
    let visible = first
        .to_str()
        .ok()
        .filter(|text| IDEMPOTENCY_KEY_CHARACTERS.contains(&text.len()))
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
        .filter(|text| !(call.joins_headers() && text.contains(',')));
    match (visible, sent.next()) {
        (Some(text), None) => Ok(Some(text)),
        _ => {
            let (min, max) = IDEMPOTENCY_KEY_CHARACTERS.into_inner();
            let message = format!("must be {min} to {max} visible ASCII characters, given once");
            Err(Problem::field("Idempotency-Key", message))
        }
    }
}
