//! Where a webhook may go, as far as its address alone says. What its name resolves to is looked at again before each try.

use lambda_http::http::Uri;

use super::Reach;

/// The longest address that is taken, in characters.
pub const MAX_URL_CHARACTERS: usize = 2048;

/// The longest name there is (RFC 1035 section 3.1).
const MAX_NAME: usize = 253;
/// The longest part of one.
const MAX_LABEL: usize = 63;

/// Names that lead nowhere public, whatever a resolver makes of them (RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN's `.internal`).
const PRIVATE_SUFFIXES: [&str; 6] = ["localhost", "local", "internal", "arpa", "onion", "lan"];

/// Characters that no address has unescaped (RFC 3986), and `#`: what is behind it is never sent.
const FORBIDDEN: &str = "\"#<>\\^`{|}";

/// An address that webhooks can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// Why an address is none: a sentence for its owner.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NotAnEndpoint(pub &'static str);

impl Endpoint {
    /// Reads an address: `https`, a public name, the port 443. Nothing is normalized: it is called exactly as it was given.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, NotAnEndpoint> {
        let form = NotAnEndpoint("must be an address of at most 2048 ASCII characters");
        if text.len() > MAX_URL_CHARACTERS
            || !text.bytes().all(|byte| byte.is_ascii_graphic() && !FORBIDDEN.contains(char::from(byte)))
        {
            return Err(form);
        }
        let uri: Uri = text.parse().map_err(|_| form)?;
        if reach == Reach::Loopback && is_on_this_machine(text) {
            return Ok(Self(uri));
        }
        let rest = text.strip_prefix("https://").ok_or(NotAnEndpoint("must begin with https://"))?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(NotAnEndpoint("must have no user and no password in it"));
        }
        let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
        if port != "443" {
            return Err(NotAnEndpoint("must be on port 443"));
        }
        if !is_public_name(name) {
            return Err(NotAnEndpoint(
                "must have a public host name, not an IP address and no internal name",
            ));
        }
        Ok(Self(uri))
    }

    /// The address.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

/// Letters, digits and hyphens in two labels or more, of which the last is a top-level domain: no number, whatever a resolver may take
/// for an address.
fn is_public_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = labels.last().copied().unwrap_or_default();
    let is_top =
        top.len() >= 2 && (top.starts_with("xn--") || top.bytes().all(|it| it.is_ascii_alphabetic()));
    name.len() <= MAX_NAME
        && labels.len() >= 2
        && labels.iter().all(is_label)
        && is_top
        && !PRIVATE_SUFFIXES.contains(&top)
}

/// `http://127.0.0.1:PORT…`, for the devstack.
fn is_on_this_machine(text: &str) -> bool {
    let rest = text.strip_prefix("http://127.0.0.1:").unwrap_or_default();
    let port = rest.split(['/', '?']).next().unwrap_or_default();
    port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_name_behind_https_is_an_endpoint() {
        for good in [
            "https://hooks.acorn.example/syncgram",
            "https://hooks.acorn.example",
            "https://hooks.acorn.example?who=syncgram",
            "https://hooks.acorn.example:443/a%20b?c=d&e=[f]",
            "https://xn--bcher-kva.example/",
            "https://shop.xn--p1ai/",
            "https://A.B-c.example/",
        ] {
            let read = Endpoint::parse(good, Reach::Internet).unwrap();
            assert_eq!(
                read.uri().to_string().trim_end_matches('/'),
                good.replace("e?", "e/?").trim_end_matches('/')
            );
        }
    }

    #[test]
    fn whatever_else_it_is_is_refused() {
        let long = format!("https://hooks.acorn.example/{}", "a".repeat(MAX_URL_CHARACTERS));
        let long_name = format!("https://{}example/", "a.".repeat(130));
        let long_label = format!("https://{}.example/", "a".repeat(64));
        for bad in [
            "",
            "hooks.acorn.example",
            "http://hooks.acorn.example/",
            "HTTPS://hooks.acorn.example/",
            "ftp://hooks.acorn.example/",
            "file:///etc/passwd",
            "https:hooks.acorn.example",
            "https:///hooks.acorn.example",
            "https://",
            "https://user@hooks.acorn.example/",
            "https://user:pass@hooks.acorn.example/",
            "https://hooks.acorn.example@169.254.169.254/",
            "https://hooks.acorn.example:8443/",
            "https://hooks.acorn.example:/",
            "https://hooks.acorn.example:0443/",
            "https://hooks.acorn.example/#part",
            "https://hooks.acorn.example/a b",
            "https://hooks.acorn.example/\u{e9}",
            "https://b\u{fc}cher.example/",
            "https://hooks.acorn.example\\@evil.example/",
            "https://hooks.acorn.example/\r\nX: y",
            "https://hooks.acorn.example\t/",
            "https://hooks%2eacorn.example/",
            "https://hooks_acorn.example/",
            "https://-hooks.acorn.example/",
            "https://hooks-.acorn.example/",
            "https://hooks..acorn.example/",
            "https://hooks.acorn.example./",
            "https://example/",
            "https://localhost/",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://a.onion/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0x7f.0x1/",
            "https://0177.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/",
            &long,
            &long_name,
            &long_label,
        ] {
            assert!(Endpoint::parse(bad, Reach::Internet).is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_reached_from_the_devstack_alone() {
        let ours = "http://127.0.0.1:8080/hook?x=1";
        assert!(Endpoint::parse(ours, Reach::Loopback).is_ok());
        assert!(Endpoint::parse(ours, Reach::Internet).is_err());
        assert!(Endpoint::parse("https://hooks.acorn.example/", Reach::Loopback).is_ok());
        for bad in [
            "http://127.0.0.1/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:80@evil.example/",
            "http://127.0.0.2:80/",
            "http://localhost:80/",
            "https://127.0.0.1:80/",
            "http://10.0.0.1:80/",
        ] {
            assert!(Endpoint::parse(bad, Reach::Loopback).is_err(), "{bad}");
        }
    }
}
