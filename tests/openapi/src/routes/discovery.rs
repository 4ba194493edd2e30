//! The public documents about our tokens.

use jwks::{KeySet, Metadata};
use shared::tokens::key_set::{ALGORITHM, CURVE, KEY_TYPE, PublicKey, USAGE};

use crate::operation::Operation;

const OUTSIDE: &str = "Outside the envelope, so that any JWT library can read it. Keep it for five minutes.";

pub fn all() -> Vec<Operation> {
    vec![key_set(), metadata()]
}

fn key_set() -> Operation {
    // The key of RFC 7515 appendix A.3: nobody signs with it.
    let key = PublicKey {
        kty: KEY_TYPE.to_owned(),
        crv: CURVE.to_owned(),
        alg: ALGORITHM.to_owned(),
        usage: USAGE.to_owned(),
        kid: "3f2a9c…".to_owned(),
        x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".to_owned(),
        y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".to_owned(),
    };
    Operation::new(
        ("get", "/.well-known/jwks.json"),
        ("Discovery", "keySet"),
        "The public signing keys (RFC 7517)",
        OUTSIDE,
    )
    .publishes("The document.", &KeySet { keys: vec![key] })
}

fn metadata() -> Operation {
    Operation::new(
        ("get", "/.well-known/openid-configuration"),
        ("Discovery", "metadata"),
        "The issuer, and where its keys are",
        OUTSIDE,
    )
    .publishes("The document.", &Metadata::of("https://auth.pay.example"))
}
