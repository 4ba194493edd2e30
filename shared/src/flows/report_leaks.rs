//! API keys that somebody found in public: revoked, and their owners told.

use std::collections::HashMap;

use futures::future::join_all;

use super::revoke_key::revoke_as_read;
use super::trail::Trail;
use super::{Origin, Refusal, WRITE_TRIES};
use crate::api_keys::{KeyCredential, KeyRecord, PlainKey};
use crate::app::App;
use crate::failure::Failure;
use crate::leaks::{Found, GITHUB, Label, Leak, Verdict, is_key_identifier};
use crate::mail::letters;
use crate::store::Revoker;

/// Whether a report is by somebody who is trusted: by its signature over the bytes that were sent.
///
/// # Errors
/// [`Refusal::InvalidSignature`]: no such key, or it is not by that key.
pub async fn check_report(
    app: &App,
    origin: &Origin,
    key_identifier: &str,
    signature: &str,
    body: &[u8],
) -> Result<(), Refusal> {
    let trail = Trail::new(app, "leak.report", origin);
    let checked = async {
        // What is no name of a key is looked for nowhere.
        if !is_key_identifier(key_identifier) {
            return Err(Refusal::InvalidSignature);
        }
        let key = app.store.reporter_key(key_identifier).await?.ok_or(Refusal::InvalidSignature)?;
        if key.signed(body, signature) { Ok(()) } else { Err(Refusal::InvalidSignature) }
    };
    trail.end_look(checked.await)
}

/// Revokes every key of ours among what was found, for the very next call, and says of each text whether it was one. Owners are mailed once, when
/// all is done; a key that was revoked before changes nothing and mails nobody.
///
/// # Errors
/// The first failure, after all were tried: sent again, what was done stays so.
pub async fn report_leaks(app: &App, origin: &Origin, found: &[Found]) -> Result<Vec<Verdict>, Refusal> {
    let hashes: Vec<Option<String>> =
        found.iter().map(|it| PlainKey::parse(it.token.expose()).ok().map(|key| key.hash())).collect();
    let mut wanted: Vec<String> = hashes.iter().flatten().cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let known = app.store.key_credentials(&wanted).await?;

    let (mut revoked, mut failed) = (Vec::new(), None);
    for (hash, credential) in &known {
        let place = hashes.iter().zip(found).find(|(it, _)| it.as_ref() == Some(hash));
        let Some((_, found)) = place else { continue };
        let leak = Leak { reported_by: GITHUB.to_owned(), place: found.place.clone() };
        match revoke(app, origin, credential, &leak).await {
            Ok(Some(record)) => revoked.push((record, leak)),
            Ok(None) => {}
            Err(refusal) => failed = failed.or(Some(refusal)),
        }
    }
    join_all(revoked.iter().map(|(record, leak)| tell(app, origin, record, leak))).await;
    match failed {
        Some(refusal) => Err(refusal),
        None => Ok(verdicts(found, &hashes, &known)),
    }
}

fn verdicts(
    found: &[Found],
    hashes: &[Option<String>],
    known: &HashMap<String, KeyCredential>,
) -> Vec<Verdict> {
    let label = |hash: &Option<String>| match hash {
        Some(hash) if known.contains_key(hash) => Label::TruePositive,
        _ => Label::FalsePositive,
    };
    found.iter().zip(hashes).map(|(it, hash)| it.verdict(label(hash))).collect()
}

/// Revokes a key; its record if it was not revoked before.
async fn revoke(
    app: &App,
    origin: &Origin,
    credential: &KeyCredential,
    leak: &Leak,
) -> Result<Option<KeyRecord>, Refusal> {
    let mut trail = Trail::new(app, "key.leaked", origin);
    trail.actor(&GITHUB, &credential.org_id);
    trail.target(&credential.api_key_id);
    let result = attempt(app, credential, leak, &mut trail).await;
    trail.end(result)
}

async fn attempt(
    app: &App,
    credential: &KeyCredential,
    leak: &Leak,
    trail: &mut Trail<'_>,
) -> Result<Option<KeyRecord>, Refusal> {
    for _ in 0..WRITE_TRIES {
        let (record, active) = app.store.key_and_active(&credential.org_id, &credential.api_key_id).await?;
        let record = record.ok_or(Refusal::NotFound)?;
        let was_revoked = record.revoked_at.is_some();
        if let Some(revoked) = revoke_as_read(app, record, active, Revoker::Reporter(leak), trail).await? {
            return Ok((!was_revoked).then_some(revoked.record));
        }
    }
    Err(Failure::Contended.into())
}

/// Tells the owner. The key is revoked whether they can be told or not.
async fn tell(app: &App, origin: &Origin, record: &KeyRecord, leak: &Leak) {
    let told = async {
        let address = app.store.owner_address(&record.org_id).await.map_err(|_| "owner_unknown")?;
        let letter = letters::key_leaked(&record.key_name, &record.hint, leak);
        let address = address.ok_or("owner_unknown")?;
        app.mailer.send(&address, &letter).await.map_err(|error| error.kind)
    };
    if let Err(why) = told.await {
        let (key, request_id) = (record.api_key_id.as_str(), origin.request_id.as_str());
        tracing::error!(request_id, key, why, "the owner was not told of a leak");
    }
}
