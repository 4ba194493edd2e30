//! What holds after every step, whatever the model says: read from the table, from the store and from what authorizers answer.

use devstack::seed::PASSWORD;
use serde_json::Value;
use shared::ids::SessionId;
use shared::sessions::Session;
use shared::store::RotateOutcome;

use crate::names::Names;
use crate::world::{Away, CHOSEN_PASSWORD, HEADER, IDEMPOTENCY, WRONG_PASSWORD, World, judge};

/// Kinds of items that are cleaned up, and so say when; all others must not say it, or DynamoDB would delete them.
const CLEANED_UP: [&str; 7] =
    ["CHALLENGE", "EXPIRY", "SESSION", "GUARD", "USER", "IDEMPOTENCY", "INVITATION"];

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or_default()
}

fn begins(item: &Value, pk: &str, sk: &str) -> bool {
    text(item, "pk").starts_with(pk) && text(item, "sk").starts_with(sk)
}

fn is_good(item: &Value, now: i64) -> bool {
    item.get("revoked_at").is_none() && item["key_expires_at"].as_i64().is_none_or(|at| at > now)
}

/// Everything that one look at the table tells; `before` is the table one step ago.
pub fn of_table(before: &[Value], items: &[Value], names: &Names, now: i64) -> Result<(), String> {
    one_active_key(items, now)?;
    one_owner(items)?;
    no_live_key_for_those_who_may_only_test(before, items)?;
    no_plaintext(items, names)?;
    for item in items {
        let cleaned_up = begins(item, "ORG#", "INVITATION#")
            || CLEANED_UP.iter().any(|kind| text(item, "pk").starts_with(kind))
                && !begins(item, "USER#", "MEMBER#");
        if item["v"] != 1 || item.get("expires_at").is_some_and(Value::is_i64) != cleaned_up {
            return Err(format!("an item without its version, or with the wrong time to live: {item}"));
        }
    }
    Ok(())
}

fn one_active_key(items: &[Value], now: i64) -> Result<(), String> {
    for org in items.iter().filter(|item| begins(item, "ORG#", "ORG")) {
        let good: Vec<_> = items
            .iter()
            .filter(|item| begins(item, text(org, "pk"), "KEY#") && is_good(item, now))
            .map(|item| text(item, "api_key_id"))
            .collect();
        let marked: Vec<_> = items
            .iter()
            .filter(|item| begins(item, text(org, "pk"), "ACTIVE_KEY") && is_good(item, now))
            .map(|item| text(item, "api_key_id"))
            .collect();
        if good.len() > 1 || good != marked {
            return Err(format!(
                "{} has the active keys {good:?} and the marker {marked:?}",
                text(org, "pk")
            ));
        }
    }
    Ok(())
}

/// An organization has one owner, and says who it is, whoever comes, goes and hands over.
fn one_owner(items: &[Value]) -> Result<(), String> {
    for org in items.iter().filter(|item| begins(item, "ORG#", "ORG")) {
        let members = items.iter().filter(|item| begins(item, text(org, "pk"), "MEMBER#"));
        let owners: Vec<_> =
            members.filter(|it| it["role"] == "owner").map(|it| text(it, "user_id")).collect();
        if owners != [text(org, "owner_user_id")] {
            return Err(format!(
                "{} is {}'s, and has these owners: {owners:?}",
                org["pk"], org["owner_user_id"]
            ));
        }
    }
    Ok(())
}

/// A live key that is new, or an organization that is newly live, needs an organization that may be: before the step or after it.
fn no_live_key_for_those_who_may_only_test(before: &[Value], items: &[Value]) -> Result<(), String> {
    let may_be_live = |table: &[Value], org: &str| {
        table.iter().any(|item| {
            begins(item, org, "ORG")
                && text(item, "sk") == "ORG"
                && text(item, "onboarding_status") == "COMPLETED"
                && text(item, "payments_status") == "ENABLED"
        })
    };
    let is_live = |item: &&Value| text(item, "env") == "live" || text(item, "current_env") == "live";
    for item in items.iter().filter(|item| begins(item, "ORG#", "")).filter(is_live) {
        let was = before.iter().find(|was| was["pk"] == item["pk"] && was["sk"] == item["sk"]);
        let org = text(item, "pk");
        if was.is_none_or(|was| !is_live(&was)) && !may_be_live(before, org) && !may_be_live(items, org) {
            return Err(format!("live, and may only test: {item}"));
        }
    }
    Ok(())
}

fn no_plaintext(items: &[Value], names: &Names) -> Result<(), String> {
    let long = names.secrets().chain([PASSWORD, WRONG_PASSWORD, CHOSEN_PASSWORD, HEADER, IDEMPOTENCY]);
    let table = Value::from(items).to_string();
    if let Some(secret) = long.into_iter().find(|secret| table.contains(*secret)) {
        return Err(format!("the table holds a secret as it is: {secret}"));
    }
    let codes = names.challenges.iter().flat_map(|(_, codes)| codes);
    // Where an app is on, none is mailed.
    let codes: Vec<&String> = codes.filter(|code| !code.is_empty()).collect();
    let words = table.split(|c: char| !c.is_ascii_alphanumeric());
    match words.into_iter().find(|word| codes.iter().any(|code| code == word)) {
        Some(code) => Err(format!("the table holds a code as it is: {code}")),
        None => Ok(()),
    }
}

/// No session that is over has a refresh token that is alive: the write that would rotate it is refused, even to one who read the
/// session before it ended.
pub async fn of_sessions(
    world: &World,
    names: &Names,
    items: &[Value],
    now: i64,
) -> Result<Result<(), String>, Away> {
    let is_over = |session: &&Value| {
        let member = format!("MEMBER#{}", text(session, "user_id"));
        let member = items.iter().find(|it| begins(it, "ORG#", &member));
        let ended_at = member.and_then(|member| member["sessions_ended_at"].as_i64());
        // Whoever was removed has none that lives.
        member.is_none()
            || session.get("revoked_at").is_some()
            || session["expires_at"].as_i64().is_none_or(|at| at <= now)
            || ended_at >= session["created_at"].as_i64()
                && member.is_none_or(|member| member["sessions_kept"] != session["session_id"])
    };
    for session in items.iter().filter(|item| begins(item, "SESSION#", "")).filter(is_over) {
        let id = SessionId::parse(text(session, "session_id")).unwrap();
        let Some(session) = world.app.store.session(&id).await.map_err(|_| Away)? else {
            return Ok(Err(format!("the session {id} is gone")));
        };
        let as_it_was = Session { revoked_at: None, expires_at: session.expires_at.max(now + 1), ..session };
        let rotated = world.app.store.rotate(&as_it_was, "nobody's", now).await.map_err(|_| Away)?;
        if rotated == RotateOutcome::Rotated {
            let nth = names.sessions.iter().position(|known| known == id.as_str());
            let session = nth.map_or(id.to_string(), |nth| (nth + 1).to_string());
            return Ok(Err(format!("session {session} is over, and its refresh token is alive")));
        }
    }
    Ok(Ok(()))
}

/// An authorizer is asked about every credential that was ever given. What the table calls revoked or expired, it must not allow; and it
/// answers as the model says.
pub async fn of_credentials(
    world: &World,
    model: &crate::model::Model,
    names: &Names,
    items: &[Value],
) -> Result<Result<(), String>, Away> {
    for (nth, (id, key)) in names.keys.iter().enumerate() {
        let said = judge(&world.app, key).await?.err();
        let item = items.iter().find(|it| begins(it, "KEYHASH#", "") && text(it, "api_key_id") == id);
        if said.is_none() && !item.is_some_and(|item| is_good(item, model.now)) {
            return Ok(Err(format!("key {} is revoked or expired, and allowed", nth + 1)));
        }
        if said != model.key_refusal(nth) {
            let expected = model.key_refusal(nth).unwrap_or("allowed");
            let said = said.unwrap_or("allowed");
            return Ok(Err(format!("an authorizer says of key {}: {said}, and not {expected}", nth + 1)));
        }
    }
    for (nth, access) in names.access.iter().enumerate() {
        let said = judge(&world.app, access).await?.err();
        if said != model.access_refusal(nth) {
            let said = said.unwrap_or("allowed");
            return Ok(Err(format!("an authorizer says of access token {}: {said}", nth + 1)));
        }
    }
    Ok(Ok(()))
}
