//! Reports of API keys that were found where anybody can read them: GitHub's secret scanning
//! (<https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program>). A report is believed by its signature
//! alone, ECDSA over P-256 with SHA-256, of the very bytes that were sent.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto;
use crate::sensitive::Sensitive;

/// The one who reports.
pub const GITHUB: &str = "github";

/// A P-256 public key as `SubjectPublicKeyInfo` (RFC 5480 section 2) begins like this, and goes on with an uncompressed point.
const P256_HEADER: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A signature is 72 bytes at most (two integers of 33 bytes), in base64.
const MAX_SIGNATURE: usize = 96;

/// The key of somebody who reports, by the name that they give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReporterKey {
    /// Its name: 64 hexadecimal digits.
    pub key_identifier: String,
    /// What a PEM of it holds: `SubjectPublicKeyInfo` in base64.
    pub public_key: String,
}

/// Whether a text is the name of a key. Nothing is looked up by what is none.
pub fn is_key_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl ReporterKey {
    /// A key as it is published: PEM, or what stands between its lines.
    ///
    /// # Errors
    /// The sentence that says what it must be.
    pub fn read(key_identifier: &str, pem: &str) -> Result<Self, &'static str> {
        const OTHERWISE: &str = "must be a P-256 public key in PEM";
        let body = pem.trim();
        let body = body.strip_prefix("-----BEGIN PUBLIC KEY-----").unwrap_or(body);
        let body = body.strip_suffix("-----END PUBLIC KEY-----").unwrap_or(body);
        let public_key: String = body.split_ascii_whitespace().collect();
        let key = Self { key_identifier: key_identifier.to_owned(), public_key };
        if key.parsed().is_some() { Ok(key) } else { Err(OTHERWISE) }
    }

    /// Whether a signature is by this key over these bytes.
    pub fn signed(&self, bytes: &[u8], signature: &str) -> bool {
        if signature.len() > MAX_SIGNATURE {
            return false;
        }
        let signature = BASE64_STANDARD.decode(signature);
        let (Some(key), Ok(signature)) = (self.parsed(), signature) else {
            return false;
        };
        key.verify_sig(bytes, &signature).is_ok()
    }

    /// The key, if it is a point of the curve.
    fn parsed(&self) -> Option<ParsedPublicKey> {
        let der = BASE64_STANDARD.decode(&self.public_key).ok()?;
        let point = der.strip_prefix(&P256_HEADER).filter(|point| point.len() == 65)?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()
    }
}

/// A text that looks like one of our keys, and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The text.
    pub token: Sensitive<String>,
    /// What the reporter calls its kind: it is told the same again, if it is a word.
    pub token_type: String,
    /// Where.
    pub place: Place,
}

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What kind of thing it stood in: `content`, `commit`, `issue_comment`, …
    pub source: String,
    /// Its address, if there is a presentable one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// What became of a key that was found: kept with its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Who reported it.
    pub reported_by: String,
    /// Where it was found.
    #[serde(flatten)]
    pub place: Place,
}

/// What the reporter is told: whether it was a key of ours, by the text's hash. The text itself is never sent back.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Verdict {
    /// SHA-256 of the text, hexadecimal.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    pub token_hash: String,
    /// As it was sent, if it is a word; `unknown` if not.
    pub token_type: String,
    /// See [`Label`].
    pub label: Label,
}

/// Whether a text was a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Label {
    /// A key of ours, whatever it is good for now.
    TruePositive,
    /// It only looks like one.
    FalsePositive,
}

impl Found {
    /// The verdict about it.
    pub fn verdict(&self, label: Label) -> Verdict {
        let token_hash = crypto::sha256_hex(&[self.token.expose().as_bytes()]);
        Verdict { token_hash, token_type: self.token_type.clone(), label }
    }
}

/// Reads a report: a list of what was found. `None`: it is none.
pub fn read(report: Value) -> Option<Vec<Found>> {
    let Value::Array(matches) = report else {
        return None;
    };
    matches.into_iter().map(found).collect()
}

fn found(one: Value) -> Option<Found> {
    let Value::Object(mut members) = one else {
        return None;
    };
    let Value::String(token) = members.remove("token")? else {
        return None;
    };
    let token = Sensitive::new(token);
    // It is sent back, so it must not be a credential that stood in the wrong place.
    let token_type = word(members.get("type")?.as_str()?);
    // Both may be missing, or something else: that is no reason to let a key live.
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let place = Place { source: word(text("source")).to_ascii_lowercase(), url: address(text("url")) };
    Some(Found { token, token_type, place })
}

/// A word as reporters have them. It is shorter than any credential of ours.
fn word(text: &str) -> String {
    let plain = (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if plain { text.to_owned() } else { "unknown".to_owned() }
}

/// How much of an address is kept, in characters.
const MAX_URL: usize = 500;

/// An address that can be shown and mailed: `https`, of a host without a name before it, without a query or a fragment, made of what stands
/// in an address, and with nothing in it that looks like a key.
fn address(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%!$&'()*+,;=@".contains(&byte);
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let good = !host.is_empty()
        && !host.contains('@')
        && text.len() <= MAX_URL
        && text.bytes().all(plain)
        && !text.contains("sk_");
    if good { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    use super::*;

    /// The example of GitHub's documentation.
    const IDENTIFIER: &str = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c";
    const PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd
AjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==
-----END PUBLIC KEY-----
";
    const BODY: &[u8] =
        br#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
    const SIGNATURE: &str =
        "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";

    fn key_pair() -> EcdsaKeyPair {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "aws-lc-rs takes its own randomness to sign with, and no other"
    )]
    fn sign(pair: &EcdsaKeyPair, bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(pair.sign(&SystemRandom::new(), bytes).unwrap())
    }

    fn published(pair: &EcdsaKeyPair) -> String {
        BASE64_STANDARD.encode([&P256_HEADER[..], pair.public_key().as_ref()].concat())
    }

    #[test]
    fn githubs_own_example_is_signed() {
        let key = ReporterKey::read(IDENTIFIER, PEM).unwrap();
        assert!(key.signed(BODY, SIGNATURE));
        assert!(!key.signed(&BODY[1..], SIGNATURE));
    }

    #[test]
    fn a_signature_is_good_for_its_bytes_and_its_key_alone() {
        let (pair, other) = (key_pair(), key_pair());
        let key = ReporterKey::read(IDENTIFIER, &published(&pair)).unwrap();
        let good = sign(&pair, BODY);
        assert!(key.signed(BODY, &good));
        let bytes = BASE64_STANDARD.decode(&good).unwrap();
        let bent = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            BASE64_STANDARD.encode(bytes)
        };
        for at in 0..bytes.len() {
            assert!(!key.signed(BODY, &bent(at)), "bent at {at}");
        }
        let spaced = [BODY, b"\n"].concat();
        assert!(!key.signed(&spaced, &good), "one byte more");
        assert!(!key.signed(b"", &good));
        assert!(!key.signed(BODY, &sign(&other, BODY)), "another's");
        for bad in [
            "",
            "=",
            &good[..good.len() - 1],
            &format!("{good} "),
            &format!(" {good}"),
            &"A".repeat(MAX_SIGNATURE + 4),
            &BASE64_STANDARD.encode([0; 64]),
            // r and s are zero: what an implementation that does not look takes for any message.
            &BASE64_STANDARD.encode([0x30, 6, 2, 1, 0, 2, 1, 0]),
            &BASE64_STANDARD.encode([bytes.as_slice(), &[0]].concat()),
        ] {
            assert!(!key.signed(BODY, bad), "{bad}");
        }
        // What a lenient reader would read: the padding left out.
        let unpadded = good.trim_end_matches('=');
        assert_eq!(key.signed(BODY, unpadded), unpadded == good);
    }

    #[test]
    fn a_key_is_a_point_of_p_256() {
        let pair = key_pair();
        let good = published(&pair);
        let mut off_the_curve = BASE64_STANDARD.decode(&good).unwrap();
        off_the_curve[90] ^= 1;
        let infinity = [&P256_HEADER[..], &[0; 65]].concat();
        let long = [BASE64_STANDARD.decode(&good).unwrap(), vec![0]].concat();
        for bad in [
            "",
            "AAAA",
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
            &good[..good.len() - 4],
            &BASE64_STANDARD.encode(pair.public_key().as_ref()),
            &BASE64_STANDARD.encode(off_the_curve),
            &BASE64_STANDARD.encode(infinity),
            &BASE64_STANDARD.encode(long),
        ] {
            assert!(ReporterKey::read(IDENTIFIER, bad).is_err(), "{bad}");
        }
        assert!(is_key_identifier(IDENTIFIER));
        for bad in ["", "a", &IDENTIFIER[1..], &IDENTIFIER.to_uppercase(), &format!("{IDENTIFIER}0")] {
            assert!(!is_key_identifier(bad), "{bad}");
        }
    }

    #[test]
    fn a_report_is_read_and_its_token_not_printed() {
        let report: Value = serde_json::from_slice(BODY).unwrap();
        let found = read(report).unwrap();
        let place =
            Place { source: "commit".to_owned(), url: "https://example.com/base-repo-url/".to_owned() };
        assert_eq!((&found[0].place, found[0].token_type.as_str()), (&place, "some_type"));
        assert!(!format!("{found:?}").contains("some_token"));
        let verdict = serde_json::to_value(found[0].verdict(Label::FalsePositive)).unwrap();
        let hash = crypto::sha256_hex(&[b"some_token"]);
        assert_eq!(
            verdict,
            json!({"token_hash": hash, "token_type": "some_type", "label": "false_positive"})
        );
        assert_eq!(read(json!([])).unwrap().len(), 0);
        for told in ["", "two words", "\u{202e}", &"a".repeat(41)] {
            assert_eq!(read(json!([{"token": "x", "type": told}])).unwrap()[0].token_type, "unknown");
        }
        for bad in [
            json!({}),
            json!("x"),
            json!(null),
            json!([null]),
            json!([[]]),
            json!([{"type": "t"}]),
            json!([{"token": 1, "type": "t"}]),
            json!([{"token": "x"}]),
            json!([{"token": "x", "type": "t"}, {"token": "x", "type": []}]),
        ] {
            assert!(read(bad.clone()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_place_is_presentable_or_unknown() {
        let place = |source: Value, url: Value| {
            read(json!([{"token": "x", "type": "t", "source": source, "url": url}])).unwrap().remove(0).place
        };
        let kept = place(json!("Pull_request_title"), json!("https://github.com/a/b/blob/0/c.txt?x=1#L1"));
        assert_eq!(
            (kept.source.as_str(), kept.url.as_str()),
            ("pull_request_title", "https://github.com/a/b/blob/0/c.txt")
        );
        for url in [
            "",
            "http://github.com/a",
            "javascript:alert(1)",
            "https://",
            "https:///a",
            "https://me@github.com/a",
            "https://github.com/a b",
            "https://github.com/<b>",
            "https://github.com/\u{202e}",
            "https://github.com/a\r\nBcc: x",
            &format!("https://github.com/{}", "a".repeat(MAX_URL)),
            &format!("https://github.com/{}_test_x", "sk"),
        ] {
            assert_eq!(place(json!("content"), json!(url)).url, "", "{url}");
        }
        for source in [json!(null), json!(1), json!(""), json!("a b"), json!("x".repeat(41)), json!("\n")] {
            assert_eq!(place(source.clone(), json!(null)).source, "unknown", "{source}");
        }
    }
}
