//! Somebody who finds keys in public and reports them, as GitHub does: with a key pair of their own.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shared::crypto::sha256_hex;

/// Where a reporter says that a key stood.
pub const PLACE: &str = "https://github.com/octocat/hello/blob/0123456789abcdef/config.txt";

/// The kind of key that ours are to them.
const TOKEN_TYPE: &str = "syncgram_pay_api_key";

/// What stands before the point of a P-256 key where it is published.
const HEADER: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Who reports.
pub struct Reporter {
    pair: EcdsaKeyPair,
    /// What they call their key.
    pub identifier: String,
}

impl Reporter {
    /// Somebody new, whom nobody trusts yet.
    pub fn stranger() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key pair");
        let identifier = sha256_hex(&[pair.public_key().as_ref()]);
        Self { pair, identifier }
    }

    /// The operator's order to trust them. The key is in it as it is published: PEM without its first and last line.
    pub fn order(&self) -> Value {
        let public_key = BASE64_STANDARD.encode([&HEADER[..], self.pair.public_key().as_ref()].concat());
        json!({ "action": "trust_leak_reporter", "key_identifier": self.identifier, "public_key": public_key })
    }

    /// Their signature of a body.
    #[expect(
        clippy::disallowed_methods,
        reason = "aws-lc-rs takes its own randomness to sign with, and no other"
    )]
    pub fn sign(&self, body: &str) -> String {
        let random = aws_lc_rs::rand::SystemRandom::new();
        BASE64_STANDARD.encode(self.pair.sign(&random, body.as_bytes()).expect("a signature"))
    }

    /// The headers of a report with this body.
    pub fn headers(&self, body: &str) -> [(&'static str, String); 2] {
        [
            ("Github-Public-Key-Identifier", self.identifier.clone()),
            ("Github-Public-Key-Signature", self.sign(body)),
        ]
    }
}

/// What a report says of a text that was found.
pub fn found(token: &str) -> Value {
    json!({ "token": token, "type": TOKEN_TYPE, "url": PLACE, "source": "commit" })
}

/// What is answered about it.
pub fn verdict(token: &str, label: &str) -> Value {
    json!({ "token_hash": sha256_hex(&[token.as_bytes()]), "token_type": TOKEN_TYPE, "label": label })
}
