//! Access tokens signed with the devstack's own key, so that a forged one is wrong in one thing only.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Request, Stack, exchange};

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Makes tokens like one genuine token.
pub struct Forge {
    pkcs8: Vec<u8>,
    /// The genuine header.
    pub header: Value,
    /// The genuine claims.
    pub claims: Value,
}

impl Forge {
    /// Takes header and claims from a token that was issued, so that the session behind it is real.
    pub async fn like(stack: &Stack, genuine: &str) -> Self {
        let decode =
            |part: &str| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let parts: Vec<&str> = genuine.split('.').collect();
        let get = Request::post("/")
            .header("X-Amz-Target", "secretsmanager.GetSecretValue")
            .json(&json!({"SecretId": devstack::engines::secrets_file::SIGNING}));
        let answer = exchange(stack.engine("AWS_ENDPOINT_URL_SECRETS_MANAGER"), &get.bytes()).await;
        let secret: Value = serde_json::from_str(answer.json()["SecretString"].as_str().unwrap()).unwrap();
        Self { pkcs8: pkcs8(&secret), header: decode(parts[0]), claims: decode(parts[1]) }
    }

    /// The same tokens, but signed with a key that is nobody's.
    pub fn with_foreign_key(&self) -> Self {
        let secret = shared::secrets::generate::signing(&shared::rng::SystemRng).unwrap();
        let pkcs8 = pkcs8(&serde_json::from_str(&secret).unwrap());
        Self { pkcs8, header: self.header.clone(), claims: self.claims.clone() }
    }

    /// A token with nothing wrong.
    pub fn token(&self) -> String {
        self.sign(&self.header.to_string(), &self.claims.to_string())
    }

    /// With one member of the header set, or, with null, gone.
    pub fn header(&self, name: &str, value: Value) -> String {
        self.sign(&with(&self.header, name, value).to_string(), &self.claims.to_string())
    }

    /// With one claim set, or, with null, gone.
    pub fn claim(&self, name: &str, value: Value) -> String {
        self.sign(&self.header.to_string(), &with(&self.claims, name, value).to_string())
    }

    /// With these times, in seconds after now.
    pub fn times(&self, now: i64, iat: i64, exp: i64) -> String {
        let claims = with(&with(&self.claims, "iat", json!(now + iat)), "exp", json!(now + exp));
        self.sign(&self.header.to_string(), &claims.to_string())
    }

    /// Any two texts, signed.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = encode(self.signature(&input));
        format!("{input}.{signature}")
    }

    /// The signature of an input: 64 bytes.
    #[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
    pub fn signature(&self, input: &str) -> Vec<u8> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8).unwrap();
        key.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// The same as a DER sequence.
    #[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
    pub fn der_signature(&self, input: &str) -> Vec<u8> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8).unwrap();
        key.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// Header and claims, encoded.
    pub fn input(&self) -> String {
        format!("{}.{}", encode(self.header.to_string()), encode(self.claims.to_string()))
    }
}

fn pkcs8(secret: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(secret["signing"]["pkcs8"].as_str().unwrap()).unwrap()
}

/// The object with one member set; null takes it out.
pub fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut members = object.as_object().unwrap().clone();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    Value::Object(members)
}

/// An API key with this beginning and the checksum that it needs to be well-formed: CRC-32 in six base62 digits.
pub fn with_checksum(beginning: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let crc = crc32fast::hash(beginning.as_bytes());
    let digits = (0..6).rev().map(|place| char::from(DIGITS[(crc / 62_u32.pow(place) % 62) as usize]));
    digits.fold(beginning.to_owned(), |key, digit| key + &digit.to_string())
}
