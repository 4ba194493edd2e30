//! The work itself, with no function around it: one signature check, one signature, one event read, and one password hash whose memory is
//! kept.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use jsonwebtoken::DecodingKey;
use lambda_http::Request;
use lambda_http::request::LambdaRequest;
use serde_json::Value;
use shared::http::settled;
use shared::signer::Signer;
use shared::tokens::access_token::Claims;
use shared::tokens::key_set::Keyring;

use crate::clock;
use crate::figures::{Figures, micros, quantile};

type Failed = Box<dyn Error>;

/// One verification of a P-256 signature as `jsonwebtoken` does it, over AWS-LC, its key read before.
pub fn verification(figures: &mut Figures, token: &str, keyring: &Keyring) -> Result<(), Failed> {
    let (signed, signature) = token.rsplit_once('.').ok_or("not a token")?;
    let key = keyring.published.first().ok_or("no published key")?;
    let key = DecodingKey::from_ec_components(&key.x, &key.y)?;
    many(figures, "verification us", || {
        match jsonwebtoken::crypto::verify(
            signature,
            signed.as_bytes(),
            &key,
            jsonwebtoken::Algorithm::ES256,
        )? {
            true => Ok(()),
            false => Err("the token is not signed by the published key".into()),
        }
    })
}

/// One access token signed, and one event of a refresh read into what its handler gets: what a refresh does whoever writes it.
pub fn refresh(figures: &mut Figures, signer: &Signer, claims: &Claims, event: &[u8]) -> Result<(), Failed> {
    many(figures, "signature us", || {
        black_box(signer.sign(claims)?);
        Ok(())
    })?;
    many(figures, "event us", || {
        let event: LambdaRequest = serde_json::from_slice(event)?;
        black_box(Request::from(settled(event)));
        Ok(())
    })
}

/// The median of many times of the same work.
fn many(
    figures: &mut Figures,
    name: &str,
    mut work: impl FnMut() -> Result<(), Failed>,
) -> Result<(), Failed> {
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let start = clock::now();
        work()?;
        times.push(micros(clock::now() - start));
    }
    figures.add(name, quantile(&times, 0.5));
    Ok(())
}

/// One hash at our parameters, in memory that is kept: the least a login can cost.
pub fn hash(figures: &mut Figures, hashes: usize) -> Result<(), Failed> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut times = Vec::new();
    for _ in 0..hashes {
        let mut out = [0; 32];
        let start = clock::now();
        argon2
            .hash_password_into_with_memory(b"demo-password-123", b"0123456789abcdef", &mut out, &mut memory)
            .map_err(|error| error.to_string())?;
        times.push(micros(clock::now() - start));
    }
    figures.add("bare hash us", quantile(&times, 0.5));
    Ok(())
}

/// The C implementation's hash.
pub fn c_hash(figures: &mut Figures, python: &Path, peers: &Path) -> Result<(), Failed> {
    let out = Command::new(python).arg(peers.join("python/argon2_reference.py")).output()?;
    figures.add("C hash us", String::from_utf8(out.stdout)?.trim().parse()?);
    Ok(())
}

/// better-auth in its own process, without a network or a database.
pub fn better_auth(figures: &mut Figures, node: &Path) -> Result<(), Failed> {
    let out = Command::new("node").arg(node.join("better-auth.mjs")).current_dir(node).output()?;
    let answer: Value = serde_json::from_slice(&out.stdout)
        .map_err(|_| format!("better-auth: {}", String::from_utf8_lossy(&out.stderr)))?;
    for (name, what) in [("key", "better-auth key"), ("signIn", "better-auth sign-in")] {
        figures.add(format!("{what} p50 us"), answer[name]["p50"].as_f64().unwrap_or(f64::NAN));
        figures.add(format!("{what} CPU us"), answer[name]["cpu"].as_f64().unwrap_or(f64::NAN));
    }
    Ok(())
}
