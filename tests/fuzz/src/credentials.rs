//! API keys and refresh tokens, as texts.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use shared::api_keys::{Env, PlainKey};
use shared::tokens::refresh_token::RefreshToken;

use crate::world::world;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key is accepted exactly when it has a key's form and its checksum, made anew here, is right.
pub fn api_key(data: &[u8]) {
    let Some(text) = world().text(&world().key, data) else {
        return;
    };
    judge_key(&text);
    // The same text with a right checksum, so that whatever else is wrong with it is looked at.
    let body: String = text.chars().take(40).collect();
    judge_key(&format!("{body}{}", checksum(&body)));
}

fn judge_key(text: &str) {
    let read = PlainKey::parse(text).ok();
    let env = [("sk_test_", Env::Test), ("sk_live_", Env::Live)];
    let env = env.into_iter().find(|(prefix, _)| text.starts_with(prefix)).map(|(_, env)| env);
    let form = text.len() == 46 && text.bytes().skip(8).all(|byte| DIGITS.contains(&byte));
    let good = env.filter(|_| form && checksum(&text[..40]) == text[40..]);
    assert_eq!(read.as_ref().map(PlainKey::env), good, "a key of {} bytes is judged wrongly", text.len());
    if let Some(key) = read {
        assert!(key.expose() == text, "a key is not what was read");
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(key.hash(), hash);
        assert!(key.hint().ends_with(&text[42..]) && !key.hint().contains(&text[8..42]));
        assert!(!format!("{key:?}").contains(&text[8..]), "a key prints itself");
    }
}

fn checksum(body: &str) -> String {
    let crc = crc32fast::hash(body.as_bytes());
    (0..6).rev().map(|place| char::from(DIGITS[(crc / 62_u32.pow(place) % 62) as usize])).collect()
}

/// A refresh token is accepted exactly when a key of ours made it, and in the one spelling it was made in.
pub fn refresh_token(data: &[u8]) {
    let world = world();
    let Some(text) = world.text(&world.refresh, data) else {
        return;
    };
    let keys: Vec<&[u8]> = world.refresh_keys.iter().map(Vec::as_slice).collect();
    let read = RefreshToken::parse(&text, &keys).ok();
    let bytes = text.strip_prefix("rt_").and_then(|rest| BASE64_URL_SAFE_NO_PAD.decode(rest).ok());
    let made = bytes.filter(|bytes| {
        let respelled = format!("rt_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)) == text;
        respelled
            && bytes.len() == 84
            && keys.iter().any(|key| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                hmac::sign(&key, &bytes[..52]).as_ref() == &bytes[52..]
            })
    });
    assert_eq!(read.is_some(), made.is_some(), "a refresh token is judged wrongly");
    if let (Some(token), Some(bytes)) = (read, made) {
        assert_eq!(token.generation().to_be_bytes(), bytes[16..20]);
        assert!(token.expose() == text, "a refresh token is not what was read");
        assert!(!format!("{token:?}").contains(&text), "a refresh token prints itself");
    }
}
