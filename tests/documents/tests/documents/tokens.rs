//! The Rust of `docs/verify-our-tokens.md`, with genuine tokens and others. Its Node.js and Python are `make test-interop`'s.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use documents::verify_our_tokens::verify;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::clock::{Clock, SystemClock};

use super::place::{devstack, log_in};

const AUDIENCE: &str = "syncgram-pay";

async fn public<T: serde::de::DeserializeOwned>(url: &str) -> T {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_genuine_token_is_its_callers_and_others_are_nobodys() {
    let devstack = devstack().await;
    let metadata: Value = public(&format!("{}/.well-known/openid-configuration", devstack.base_url)).await;
    let issuer = metadata["issuer"].as_str().unwrap();
    let keys: JwkSet = public(metadata["jwks_uri"].as_str().unwrap()).await;
    let token = log_in(&devstack).await;
    let caller = verify(&token, &keys, issuer, AUDIENCE).unwrap();
    assert_eq!((caller.org.as_str(), caller.role.as_str()), (devstack::seed::ACORN.id, "owner"));
    assert!(caller.sub.starts_with("usr_") && caller.sid.starts_with("ses_"), "{caller:?}");

    assert!(verify(&token, &keys, "https://issuer.example", AUDIENCE).is_err());
    assert!(verify(&token, &keys, issuer, "another").is_err());
    assert!(verify(&token, &JwkSet { keys: Vec::new() }, issuer, AUDIENCE).is_err());
    devstack.clock.advance(time::Duration::minutes(-20));
    assert!(verify(&log_in(&devstack).await, &keys, issuer, AUDIENCE).is_err(), "expired");
}

#[test]
fn a_token_that_is_well_signed_still_has_to_be_one_of_ours() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("k".into());
    let keys = JwkSet { keys: vec![jwk] };
    let now = SystemClock.now().unix_timestamp();
    let judged = |typ: Option<&str>, kid: Option<&str>, change: (&str, Value)| {
        let mut claims = json!({"iss": "i", "aud": "a", "sub": "usr_1", "org": "org_1", "role": "owner", "sid": "ses_1", "exp": now + 900});
        match change {
            ("", _) => {}
            (name, Value::Null) => drop(claims.as_object_mut().unwrap().remove(name)),
            (name, value) => claims[name] = value,
        }
        let header = Header {
            typ: typ.map(str::to_owned),
            kid: kid.map(str::to_owned),
            ..Header::new(Algorithm::ES256)
        };
        verify(&encode(&header, &claims, &key).unwrap(), &keys, "i", "a").is_ok()
    };
    let none = || ("", Value::Null);
    assert!(judged(Some("at+jwt"), Some("k"), none()));
    assert!(!judged(Some("JWT"), Some("k"), none()), "another kind");
    assert!(!judged(None, Some("k"), none()), "no kind");
    assert!(!judged(Some("at+jwt"), None, none()), "no key named");
    assert!(!judged(Some("at+jwt"), Some("other"), none()), "an unknown key");
    for (name, value) in [("exp", json!(now - 10)), ("iss", json!("j")), ("aud", json!("b"))] {
        assert!(!judged(Some("at+jwt"), Some("k"), (name, value)), "another {name}");
    }
    for name in ["iss", "aud", "sub", "exp", "org", "role", "sid"] {
        assert!(!judged(Some("at+jwt"), Some("k"), (name, Value::Null)), "no {name}");
    }
}
