//! What docs/openapi.yaml says of our types where no derive can: JSON Schemas (draft 2020-12, which is OpenAPI 3.1's). Each limit is the
//! constant that the parser uses. No function calls any of it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use zeroize::Zeroize;

use super::fields::{IDEMPOTENCY_KEY_CHARACTERS, NewPasswordText, PasswordText, UNSETTLING};
use super::{Country, Mailbox, Name, NewPassword, Password, Shown, Text, Time, Whole};
use crate::addresses::{EmailAddress, MAX_EMAIL_BYTES};
use crate::allowed_addresses::{AllowedAddresses, MAX_RANGE_CHARACTERS, MAX_RANGES};
use crate::sensitive::Sensitive;

/// A schema that stands where it is used, and has no name of its own.
macro_rules! in_place {
    ([$($of:tt)*] $type:ty, $name:literal, $schema:expr) => {
        impl<$($of)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

in_place!([const MIN: usize, const MAX: usize] Text<MIN, MAX>, "Text", json_schema!({
    "type": "string",
    "minLength": MIN,
    "maxLength": MAX,
}));

in_place!([const MAX: usize] Name<MAX>, "Name", json_schema!({
    "type": "string",
    "minLength": 1,
    "maxLength": MAX,
    "pattern": settled(),
}));

in_place!([const MIN: i64, const MAX: i64] Whole<MIN, MAX>, "Whole", json_schema!({
    "type": "integer",
    "minimum": MIN,
    "maximum": MAX,
}));

in_place!([] Shown, "Shown", json_schema!({ "type": "string" }));

/// No character that unsettles: the pattern of ECMA-262 with which a schema says so.
fn settled() -> String {
    let code = |c: &char| format!("\\u{:04X}", u32::from(*c));
    let ranges: String =
        UNSETTLING.iter().map(|range| format!("{}-{}", code(range.start()), code(range.end()))).collect();
    format!("^[^{ranges}]*$")
}

/// What an `Idempotency-Key` header is.
pub fn idempotency_key_schema() -> Schema {
    let (min, max) = IDEMPOTENCY_KEY_CHARACTERS.into_inner();
    json_schema!({ "type": "string", "pattern": format!("^[!-~]{{{min},{max}}}$") })
}

/// As what is inside.
impl<T: JsonSchema + Zeroize> JsonSchema for Sensitive<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Password {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        PasswordText::json_schema(generator)
    }
}

impl JsonSchema for NewPassword {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NewPassword".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        NewPasswordText::json_schema(generator)
    }
}

in_place!([] Country, "Country", json_schema!({ "type": "string", "pattern": "^[A-Z]{2}$" }));

impl JsonSchema for Mailbox {
    fn schema_name() -> Cow<'static, str> {
        "Mailbox".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "email",
            "description": format!(
                "An e-mail address that mail can be sent to: plain ASCII, at most {MAX_EMAIL_BYTES} bytes. Case makes no difference."
            ),
            "maxLength": MAX_EMAIL_BYTES,
        })
    }
}

impl JsonSchema for EmailAddress {
    fn schema_name() -> Cow<'static, str> {
        "Email".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "email",
            "description":
                format!("An e-mail address of at most {MAX_EMAIL_BYTES} bytes. Case and Unicode composition make no difference."),
            "maxLength": MAX_EMAIL_BYTES,
        })
    }
}

impl JsonSchema for AllowedAddresses {
    fn schema_name() -> Cow<'static, str> {
        "AllowedAddresses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "description":
                "IPv4 and IPv6 addresses, and ranges of them in CIDR notation: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`. A range has no bit \
                 beyond its prefix.",
            "maxItems": MAX_RANGES,
            "items": {
                "type": "string",
                "minLength": 2,
                "maxLength": MAX_RANGE_CHARACTERS,
                "pattern": "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
            },
        })
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "pattern": "Z$", "description": "RFC 3339, UTC." })
    }
}
