//! Access tokens as the corpus describes them: genuine ones, but for what a line names.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use inputs::{Forge, encode};
use serde_json::{Map, Value};

use crate::corpus::TokenSpec;
use crate::placeholders::{Values, fill, fill_json};

/// The order of P-256's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// What stands before an uncompressed point in the DER of a P-256 public key (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Makes the token that a line describes.
pub fn token(forge: &Forge, published: &Value, spec: &TokenSpec, values: &Values) -> String {
    let header = text(&forge.header, &spec.header, &spec.header_without, spec.header_raw.as_deref(), values);
    let claims = text(&forge.claims, &spec.claims, &spec.claims_without, spec.claims_raw.as_deref(), values);
    let (h, p) = (encode(header), encode(claims) + &spec.tail);
    let input = format!("{h}.{p}");
    let s = signature(forge, published, spec.sign.as_deref().unwrap_or("ours"), &input);
    match &spec.text {
        None => format!("{input}.{s}"),
        Some(text) => {
            let mut values = values.clone();
            values.insert("unused".to_owned(), unused_bits(&s));
            values.extend([("h", h), ("p", p), ("s", s)].map(|(name, part)| (name.to_owned(), part)));
            fill(text, &values)
        }
    }
}

fn text(
    genuine: &Value,
    set: &Map<String, Value>,
    without: &[String],
    raw: Option<&str>,
    values: &Values,
) -> String {
    if let Some(raw) = raw {
        return fill(raw, values);
    }
    let mut members = genuine.as_object().unwrap().clone();
    members.extend(set.iter().map(|(name, value)| (name.clone(), fill_json(value, values))));
    members.retain(|name, _| !without.contains(name));
    Value::Object(members).to_string()
}

fn signature(forge: &Forge, published: &Value, sign: &str, input: &str) -> String {
    let number = |n: u8| {
        let mut bytes = [0; 32];
        bytes[31] = n;
        bytes
    };
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(published[name].as_str().unwrap()).unwrap();
    let point = || [coordinate("x"), coordinate("y")].concat();
    let hs256 = |key: &[u8]| mac(hmac::HMAC_SHA256, key, input);
    encode(match sign {
        "ours" => forge.signature(input),
        "attacker" => forge.with_foreign_key().signature(input),
        "nobody" => Vec::new(),
        "der" => forge.der_signature(input),
        "r0 s0" => [number(0), number(0)].concat(),
        "r0 s1" => [number(0), number(1)].concat(),
        "r1 s1" => [number(1), number(1)].concat(),
        "rn sn" => [ORDER, ORDER].concat(),
        "twin" => twin(&forge.signature(input)),
        "swapped" => {
            let genuine = forge.signature(input);
            [&genuine[32..], &genuine[..32]].concat()
        }
        "hs256 der" => hs256(&[&SPKI[..], &[4], &point()].concat()),
        "hs256 jwk" => hs256(published.to_string().as_bytes()),
        "hs256 xy" => hs256(&point()),
        "hs256 kid" => hs256(published["kid"].as_str().unwrap().as_bytes()),
        "hs256 empty" => hs256(&[]),
        "hs384" => mac(hmac::HMAC_SHA384, b"the attacker's own key", input),
        "es384" => es384(input),
        "eddsa" => Ed25519KeyPair::generate().unwrap().sign(input.as_bytes()).as_ref().to_vec(),
        "ps256" => ps256(input),
        other => panic!("nobody signs as {other}"),
    })
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], input: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), input.as_bytes()).as_ref().to_vec()
}

#[expect(clippy::disallowed_methods, reason = "the nonce of a signature is AWS-LC's own business")]
fn es384(input: &str) -> Vec<u8> {
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    key.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec()
}

#[expect(clippy::disallowed_methods, reason = "the salt of a signature is AWS-LC's own business")]
fn ps256(input: &str) -> Vec<u8> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
    signature
}

/// The other signature that proves the same: s is n - s.
fn twin(genuine: &[u8]) -> Vec<u8> {
    let (r, s) = genuine.split_at(32);
    let mut other = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(difference < 0);
        other[at] = (difference + 256 * borrow) as u8;
    }
    [r, &other].concat()
}

/// A signature whose last character says the same byte in another way: of its six bits only two count.
fn unused_bits(signature: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let Some((last, before)) = signature.chars().next_back().zip(signature.len().checked_sub(1)) else {
        return String::new();
    };
    let next = alphabet.find(last).unwrap() + 1;
    format!("{}{}", &signature[..before], &alphabet[next..=next])
}
