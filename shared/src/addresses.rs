//! E-mail addresses and network addresses, as they are compared, counted and logged.

use std::net::IpAddr;

use unicode_normalization::UnicodeNormalization;

use crate::crypto;

/// The longest address we take, in bytes (RFC 5321 section 4.5.3.1.3: a path of 256 with its brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

/// An e-mail address, normalized: NFC, lower case. Two spellings of one mailbox are one address.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// A text that is no e-mail address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Reads an address. Only its form is judged: one `@` with something on both sides, no space or control
    /// character, at most [`MAX_EMAIL_BYTES`].
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let normalized: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
        let parts: Vec<&str> = normalized.split('@').collect();
        let well_formed = matches!(parts.as_slice(), [local, domain] if !local.is_empty() && !domain.is_empty())
            && normalized.len() <= MAX_EMAIL_BYTES
            && !normalized.chars().any(|c| c.is_whitespace() || c.is_control());
        if well_formed { Ok(Self(normalized)) } else { Err(InvalidEmail) }
    }

    /// The normalized address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether SES can deliver to it: it takes ASCII only, and would read anything beyond plain characters its own way. Asked of addresses that
    /// strangers give us to mail to.
    pub fn is_plain(&self) -> bool {
        let Some((local, domain)) = self.0.split_once('@') else {
            return false;
        };
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&c);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        local.len() <= 64
            && local.bytes().all(plain)
            && local.split('.').all(|atom| !atom.is_empty())
            && domain.contains('.')
            && domain.split('.').all(label)
    }

    /// What the address is called in the table and in logs: SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        crypto::sha256_hex(&[self.0.as_bytes()])
    }
}

/// A log that holds an address is a leak: what is printed is the beginning of its hash.
impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "email:{}", &self.hash()[..12])
    }
}

/// The network a guess came from: the /24 of an IPv4 address, the /48 of an IPv6 one. An attacker has many addresses
/// in one network, seldom many networks. Without a readable address everything counts as one network, `unknown`.
pub fn network(source: Option<IpAddr>) -> String {
    match source {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => network(Some(IpAddr::V4(v4))),
            None => {
                let [a, b, c, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_are_one_address() {
        let composed = EmailAddress::parse("Ren\u{e9}@Example.com").unwrap();
        let decomposed = EmailAddress::parse("rene\u{301}@example.COM").unwrap();
        assert_eq!(composed.hash(), decomposed.hash());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(MAX_EMAIL_BYTES));
        for bad in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a\u{0}@c", "a@c\n", &long] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }

    #[test]
    fn what_mail_can_be_sent_to_is_plain() {
        let plain = |text: &str| EmailAddress::parse(text).is_ok_and(|address| address.is_plain());
        for good in ["owner@shop.example", "O'Neil+test@a-b.c1.example", "x.y@xn--bcher-kva.example"] {
            assert!(plain(good), "{good}");
        }
        let long = format!("{}@shop.example", "a".repeat(65));
        for bad in [
            "owner@localhost",
            "ren\u{e9}@shop.example",
            "owner@b\u{fc}cher.example",
            "a,b@shop.example",
            "\"a\"@shop.example",
            "<a>@shop.example",
            "a@shop.example,b",
            "a@shop.example>",
            "a@[127.0.0.1]",
            "a@shop..example",
            "a@-shop.example",
            "a@shop.example.",
            ".a@shop.example",
            "a..b@shop.example",
            "a@shop_1.example",
            &long,
        ] {
            assert!(!plain(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_not_printed() {
        let printed = format!("{:?}", EmailAddress::parse("owner@example.com").unwrap());
        assert!(!printed.contains("owner") && !printed.contains("example"), "{printed}");
    }

    #[test]
    fn networks_are_24_and_48_bits_wide() {
        let of = |text: &str| network(text.parse().ok());
        assert_eq!(of("203.0.113.7"), of("203.0.113.200"));
        assert_ne!(of("203.0.113.7"), of("203.0.114.7"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:ffff::1"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_eq!(of("nonsense"), "unknown");
    }
}
