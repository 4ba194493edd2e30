//! Access tokens, signed by the signer and verified by the key set.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::rng::SystemRng;
use shared::secrets::generate;
use shared::signer::Signer;
use shared::tokens::access_token::{Claims, LIFETIME_SECONDS, TokenError, verify};
use shared::tokens::key_set::{KeySet, Keyring};

const NOW: i64 = 1_790_000_000;
const AUDIENCE: &str = "api";

struct Issuer {
    signer: Signer,
    keyring: Keyring,
}

impl Issuer {
    fn new() -> Self {
        let secret: Value = serde_json::from_str(&generate::signing(&SystemRng).unwrap()).unwrap();
        let pkcs8 = secret["signing"]["pkcs8"].as_str().unwrap();
        let pkcs8 = base64::prelude::BASE64_STANDARD.decode(pkcs8).unwrap();
        let signer = Signer::new("kid-1".to_owned(), &pkcs8).unwrap();
        let keyring =
            Keyring::new(KeySet { issuer: "https://issuer".to_owned(), keys: vec![signer.public_key()] })
                .unwrap();
        Self { signer, keyring }
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        verify(token, &self.keyring, AUDIENCE, NOW)
    }

    fn judge(&self, change: impl FnOnce(&mut Claims)) -> Result<Claims, TokenError> {
        let mut claims = claims();
        change(&mut claims);
        self.verify(&self.signer.sign(&claims).unwrap())
    }
}

fn claims() -> Claims {
    let text = str::to_owned;
    Claims {
        iss: text("https://issuer"),
        sub: text("usr_1"),
        aud: text(AUDIENCE),
        exp: NOW + LIFETIME_SECONDS,
        iat: NOW,
        jti: text("1"),
        sid: text("ses_1"),
        org: text("org_1"),
        role: text("owner"),
    }
}

#[test]
fn a_token_we_signed_is_accepted_until_it_expires() {
    let issuer = Issuer::new();
    assert_eq!(issuer.judge(|_| {}), Ok(claims()));
    assert!(issuer.judge(|claims| (claims.iat, claims.exp) = (NOW - 899, NOW + 1)).is_ok());
    assert_eq!(issuer.judge(|claims| (claims.iat, claims.exp) = (NOW - 900, NOW)), Err(TokenError::Expired));
}

#[test]
fn each_claim_is_checked() {
    let issuer = Issuer::new();
    assert_eq!(issuer.judge(|claims| claims.iss.push('/')), Err(TokenError::WrongIssuer));
    assert_eq!(issuer.judge(|claims| claims.aud.clear()), Err(TokenError::WrongAudience));
    assert_eq!(issuer.judge(|claims| claims.exp += 1), Err(TokenError::ImplausibleTimes));
    assert_eq!(issuer.judge(|claims| claims.iat = i64::MIN), Err(TokenError::ImplausibleTimes));
    let future = |by| move |claims: &mut Claims| (claims.iat, claims.exp) = (NOW + by, NOW + by + 1);
    assert!(issuer.judge(future(60)).is_ok());
    assert_eq!(issuer.judge(future(61)), Err(TokenError::ImplausibleTimes));
}

#[test]
fn another_key_of_the_same_name_does_not_sign_for_us() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let token = stranger.signer.sign(&claims()).unwrap();
    assert_eq!(issuer.verify(&token), Err(TokenError::BadSignature));
}

#[test]
fn no_bit_of_a_token_can_change() {
    let issuer = Issuer::new();
    let token = issuer.signer.sign(&claims()).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bytes).unwrap();
        assert!(issuer.verify(&bent).is_err(), "changed at {at}");
    }
}

#[test]
fn the_header_chooses_nothing() {
    let issuer = Issuer::new();
    let token = issuer.signer.sign(&claims()).unwrap();
    let (_, rest) = token.split_once('.').unwrap();
    let with = |header: Value| {
        issuer.verify(&format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header.to_string())))
    };
    assert_eq!(
        with(json!({"alg": "none", "typ": "at+jwt", "kid": "kid-1"})),
        Err(TokenError::WrongAlgorithm)
    );
    assert_eq!(
        with(json!({"alg": "HS256", "typ": "at+jwt", "kid": "kid-1"})),
        Err(TokenError::WrongAlgorithm)
    );
    assert_eq!(with(json!({"alg": "ES256", "typ": "JWT", "kid": "kid-1"})), Err(TokenError::WrongType));
    assert_eq!(with(json!({"alg": "ES256", "typ": "at+jwt", "kid": "kid-2"})), Err(TokenError::UnknownKid));
    assert_eq!(with(json!({"alg": "ES256", "typ": "at+jwt"})), Err(TokenError::Malformed));
    assert_eq!(
        with(json!({"alg": "ES256", "typ": "at+jwt", "kid": "kid-1", "crit": ["b64"], "b64": false})),
        Err(TokenError::Malformed)
    );
    assert_eq!(
        with(json!({"alg": "ES256", "typ": "at+jwt", "kid": "kid-1", "jku": "https://evil"})),
        Err(TokenError::Malformed)
    );
}

#[test]
fn a_key_set_without_issuer_or_keys_verifies_nothing() {
    let key = Issuer::new().signer.public_key();
    assert!(Keyring::new(KeySet { issuer: String::new(), keys: vec![key.clone()] }).is_err());
    assert!(Keyring::new(KeySet { issuer: "https://issuer".to_owned(), keys: Vec::new() }).is_err());
    let bent = shared::tokens::key_set::PublicKey { kty: "RSA".to_owned(), ..key.clone() };
    assert!(Keyring::new(KeySet { issuer: "https://issuer".to_owned(), keys: vec![bent] }).is_err());
    // RFC 7518 section 6.2.1.2: 32 bytes, no more and no fewer.
    for bytes in [0, 31, 33, 64] {
        let bent = shared::tokens::key_set::PublicKey {
            x: BASE64_URL_SAFE_NO_PAD.encode(vec![1; bytes]),
            ..key.clone()
        };
        let set = KeySet { issuer: "https://issuer".to_owned(), keys: vec![bent] };
        assert!(Keyring::new(set).is_err(), "{bytes}");
    }
}
