//! Where an API key may be used from: addresses and ranges of them (CIDR, RFC 4632 and RFC 4291 section 2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// How many ranges one key can have.
pub const MAX_RANGES: usize = 20;

/// The longest range there is, in characters: an IPv6 address in full with an IPv4 one at its end, and its prefix.
pub const MAX_RANGE_CHARACTERS: usize = 49;

/// An address, or a range of them by its prefix. It is kept in one form: an IPv4 address within IPv6 is the IPv4 address, and no bit
/// stands beyond the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    network: IpAddr,
    prefix: u32,
}

/// Why a text is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    /// It is none at all.
    #[error("is no IPv4 or IPv6 address and no CIDR range")]
    Unreadable,
    /// `203.0.113.7/24`: one address or 256 of them, nobody can say which was meant.
    #[error("has bits beyond its prefix: is it one address, or the range around it?")]
    HostBits,
}

impl AddressRange {
    /// Reads an address, or a range in CIDR notation. Bits beyond the prefix are refused, not dropped: the range would be wider than it
    /// looks.
    ///
    /// # Errors
    /// [`InvalidRange`].
    pub fn parse(text: &str) -> Result<Self, InvalidRange> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(length(prefix).ok_or(InvalidRange::Unreadable)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidRange::Unreadable)?;
        let range = canonical(address, prefix.unwrap_or(width(address)));
        if range.prefix > width(range.network) {
            return Err(InvalidRange::Unreadable);
        }
        if masked(range.network, range.prefix) != range.network {
            return Err(InvalidRange::HostBits);
        }
        Ok(range)
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.prefix) == self.network
    }
}

/// The length of a prefix, in the one way to write it.
fn length(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}

/// A range of IPv4 addresses within IPv6 (`::ffff:0:0/96`) is the range of IPv4 addresses.
fn canonical(address: IpAddr, prefix: u32) -> AddressRange {
    let mapped = Ipv6Addr::BITS - Ipv4Addr::BITS;
    match (address.to_canonical(), address) {
        (v4 @ IpAddr::V4(_), IpAddr::V6(_)) if prefix >= mapped => {
            AddressRange { network: v4, prefix: prefix - mapped }
        }
        _ => AddressRange { network: address, prefix },
    }
}

/// The address with all bits beyond the prefix zero.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(Ipv4Addr::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(Ipv6Addr::BITS.saturating_sub(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.network)?;
        if self.prefix < width(self.network) { write!(out, "/{}", self.prefix) } else { Ok(()) }
    }
}

impl TryFrom<String> for AddressRange {
    type Error = InvalidRange;
    fn try_from(text: String) -> Result<Self, InvalidRange> {
        Self::parse(&text)
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        range.to_string()
    }
}

/// A key's ranges. None at all: it may be used from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowedAddresses(Vec<AddressRange>);

impl AllowedAddresses {
    /// Of these, each once, in their order.
    pub fn new(ranges: impl IntoIterator<Item = AddressRange>) -> Self {
        let mut each = Vec::new();
        for range in ranges {
            if !each.contains(&range) {
                each.push(range);
            }
        }
        Self(each)
    }

    /// Whether there are none.
    pub fn is_anywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a call from `source` is allowed. Where nobody knows its address, only a key without a list is.
    pub fn allow(&self, source: Option<IpAddr>) -> bool {
        self.is_anywhere() || source.is_some_and(|source| self.0.iter().any(|range| range.contains(source)))
    }

    /// As they are written.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(AddressRange::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ranges: &[&str]) -> AllowedAddresses {
        AllowedAddresses::new(ranges.iter().map(|text| AddressRange::parse(text).unwrap()))
    }

    fn allows(ranges: &[&str], source: &str) -> bool {
        list(ranges).allow(source.parse().ok())
    }

    #[test]
    fn each_range_is_written_in_one_way() {
        for (sent, kept) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:db8::1/128", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] {
            let range = AddressRange::parse(sent).unwrap();
            assert_eq!(range.to_string(), kept, "{sent}");
            assert_eq!(AddressRange::parse(kept), Ok(range), "{kept}");
            assert!(sent.len() <= MAX_RANGE_CHARACTERS);
        }
        assert_eq!(list(&["10.0.0.0/8", "::ffff:10.0.0.0/104"]).to_texts(), ["10.0.0.0/8"], "twice is once");
        let longest = "0000:0000:0000:0000:0000:ffff:203.000.113.100/128".replace("000.", "100.");
        assert_eq!(longest.len(), MAX_RANGE_CHARACTERS);
        assert_eq!(AddressRange::parse(&longest).unwrap().to_string(), "203.100.113.100");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in [
            "",
            "/",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "0x1.2.3.4",
            "1.2.3.4/",
            "1.2.3.0/33",
            "1.2.3.0/024",
            "1.2.3.0/+24",
            "1.2.3.0/-1",
            "1.2.3.0/24/24",
            "1.2.3.0/4294967320",
            " 1.2.3.4",
            "1.2.3.4 ",
            "1.2.3.4:80",
            "1.2.3.0/255.255.255.0",
            "fe80::1%eth0",
            "[::1]",
            "::1/129",
            "::ffff:1.2.3.0/129",
            "localhost",
            "\u{661}.2.3.4",
        ] {
            assert_eq!(AddressRange::parse(bad), Err(InvalidRange::Unreadable), "{bad:?}");
        }
        for wide in
            ["203.0.113.7/24", "1.2.3.4/0", "2001:db8::1/64", "::ffff:203.0.113.7/120", "::ffff:0:0/95"]
        {
            assert_eq!(AddressRange::parse(wide), Err(InvalidRange::HostBits), "{wide}");
        }
    }

    #[test]
    fn an_address_is_in_a_range_or_not() {
        for (range, inside, outside) in [
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.0/24", "203.0.113.255", "203.0.112.255"),
            ("203.0.113.128/25", "203.0.113.128", "203.0.113.127"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.7"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("203.0.113.0/24", "::ffff:203.0.113.9", "::203.0.113.9"),
            ("::ffff:203.0.113.0/120", "203.0.113.9", "203.0.114.9"),
            ("::/64", "::1", "::ffff:1.2.3.4"),
        ] {
            assert!(allows(&[range], inside), "{inside} is in {range}");
            assert!(!allows(&[range], outside), "{outside} is not in {range}");
        }
    }

    #[test]
    fn a_list_needs_an_address_and_none_allows_anywhere() {
        let two = ["192.0.2.1", "198.51.100.0/24"];
        assert!(allows(&two, "192.0.2.1") && allows(&two, "198.51.100.77"));
        assert!(!allows(&two, "192.0.2.2"));
        for unknown in ["", "test-invoke-source-ip", "192.0.2.1, 192.0.2.1"] {
            assert!(!allows(&two, unknown), "{unknown:?}");
            assert!(allows(&[], unknown), "{unknown:?}");
        }
    }

    #[test]
    fn what_is_stored_reads_back_and_what_is_not_ours_does_not() {
        let kept = list(&["10.0.0.0/8", "2001:db8::1"]);
        let written = serde_json::to_string(&kept).unwrap();
        assert_eq!(written, r#"["10.0.0.0/8","2001:db8::1"]"#);
        assert_eq!(serde_json::from_str::<AllowedAddresses>(&written).unwrap(), kept);
        assert!(serde_json::from_str::<AllowedAddresses>(r#"["10.0.0.1/8"]"#).is_err());
    }
}
