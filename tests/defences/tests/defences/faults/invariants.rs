//! What the table must hold after any fault, whatever the client was told.

use std::collections::HashMap;

use defences::environment::Outcome;
use serde_json::Value;

use super::flows::Flow;
use super::stage::Stage;

/// The items whose keys begin so.
fn of<'a>(table: &'a [Value], pk: &'a str, sk: &'a str) -> impl Iterator<Item = &'a Value> {
    let begins = move |item: &Value, name: &str, with: &str| {
        item[name].as_str().is_some_and(|it| it.starts_with(with))
    };
    table.iter().filter(move |item| begins(item, "pk", pk) && begins(item, "sk", sk))
}

fn is_live(item: &Value) -> bool {
    item["revoked_at"].is_null()
}

/// Whether the write was made after which a client that asks again is answered something else.
pub fn is_done(flow: Flow, stage: &Stage, table: &[Value]) -> bool {
    let (pk, sk) = match flow {
        Flow::Verify | Flow::VerifyTotp | Flow::VerifyBackup => ("SESSION#".to_owned(), ""),
        Flow::ConfirmTotp | Flow::RemoveTotp | Flow::RemakeBackupCodes => ("EMAIL#".to_owned(), ""),
        Flow::Refresh => (format!("SESSION#{}", stage.birch_owner.session_id), ""),
        Flow::Resend => (format!("CHALLENGE#{}", stage.challenge.0), ""),
        Flow::CreateKey => (format!("ORG#{}", stage.acorn_owner.org_id), "KEY#"),
        _ => return false,
    };
    let telling = |table: &[Value]| -> Vec<Value> {
        let tells = ["pk", "sk", "generation", "code_hash", "credentials", "backup_codes"];
        of(table, &pk, sk).map(|it| tells.iter().map(|name| it[*name].clone()).collect()).collect()
    };
    telling(table) != telling(&stage.before)
}

/// Every write of a flow is there, or none is: checked on any table.
pub fn hold(stage: &Stage, table: &[Value]) {
    logins_are_whole(stage, table);
    hold_but_for_logins(stage, table);
}

/// The same where somebody has logged in beside the flow.
pub fn hold_but_for_logins(stage: &Stage, table: &[Value]) {
    keys_are_whole(table);
    organizations_are_whole(table);
    nothing_is_forgotten(stage, table);
}

/// Record, credential and marker say the same, and no organization has two active keys.
fn keys_are_whole(table: &[Value]) {
    let records: HashMap<&str, &Value> =
        of(table, "ORG#", "KEY#").map(|it| (it["key_hash"].as_str().unwrap(), it)).collect();
    let mut active: HashMap<&str, &str> = HashMap::new();
    for credential in of(table, "KEYHASH#", "") {
        let hash = credential["pk"].as_str().unwrap().trim_start_matches("KEYHASH#");
        let record = records[hash];
        assert_eq!(credential["revoked_at"], record["revoked_at"], "half a revocation");
        if is_live(credential) {
            let second = active.insert(credential["org_id"].as_str().unwrap(), hash);
            assert_eq!(second, None, "two active keys");
        }
    }
    assert_eq!(of(table, "KEYHASH#", "").count(), records.len(), "half a key");
    let markers: HashMap<&str, &str> = of(table, "ORG#", "ACTIVE_KEY")
        .map(|it| (it["pk"].as_str().unwrap().trim_start_matches("ORG#"), it["key_hash"].as_str().unwrap()))
        .collect();
    assert_eq!(markers, active, "the marker is another key's");
}

/// A challenge is used if, and only if, its session is there; and then the guards are open.
fn logins_are_whole(stage: &Stage, table: &[Value]) {
    let new = of(table, "SESSION#", "").filter(|it| !stage.before.iter().any(|old| old["pk"] == it["pk"]));
    let waiting = [&stage.challenge.0, &stage.accounts.challenge_id];
    let used = waiting.iter().filter(|id| {
        let pk = format!("CHALLENGE#{id}");
        !of(table, &pk, "").next().unwrap()["consumed_at"].is_null()
    });
    assert_eq!(new.count(), used.count(), "one session a login");
}

/// A suspended organization's key says so.
fn organizations_are_whole(table: &[Value]) {
    for organization in of(table, "ORG#", "ORG") {
        let id = &organization["id"];
        let owners = of(table, "ORG#", "MEMBER#").filter(|it| it["user_id"] == organization["owner_user_id"]);
        assert_eq!(owners.count(), 1, "an organization without its owner");
        for credential in of(table, "KEYHASH#", "").filter(|it| it["org_id"] == *id && is_live(it)) {
            assert_eq!(credential["org_suspended"], !organization["is_active"].as_bool().unwrap());
        }
    }
    assert_eq!(
        of(table, "EMAIL#", "").count(),
        of(table, "ORG#", "MEMBER#").count(),
        "a person without a role"
    );
}

/// Nothing but a guard is ever gone, and a guard goes only with a login that was completed or an operator's order.
fn nothing_is_forgotten(stage: &Stage, table: &[Value]) {
    for old in &stage.before {
        let pk = old["pk"].as_str().unwrap();
        let may_go =
            pk.starts_with("GUARD#") || ["ACTIVE_KEY", "TOTP_PENDING"].iter().any(|it| old["sk"] == *it);
        let now = table.iter().find(|it| it["pk"] == old["pk"] && it["sk"] == old["sk"]);
        let Some(now) = now else {
            assert!(may_go, "{pk} {} is gone", old["sk"]);
            continue;
        };
        for counter in ["generation", "attempts", "resends"] {
            assert!(now[counter].as_i64() >= old[counter].as_i64(), "{pk}: {counter} went back");
        }
        let guesses = |item: &Value| item["recent"].as_array().map_or(0, Vec::len);
        assert!(guesses(now) >= guesses(old), "{pk}: guesses were lost");
    }
}

/// What an answer says must be so in the table.
pub fn answer_is_true(flow: Flow, outcome: &Outcome, stage: &Stage, table: &[Value]) {
    if outcome.status == 503 {
        return;
    }
    let data = &outcome.body["data"];
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    match flow {
        Flow::CreateKey | Flow::CreateKeyWithKey if outcome.status == 201 => {
            let hash = shared::api_keys::PlainKey::parse(text("key")).unwrap().hash();
            let pk = format!("KEYHASH#{hash}");
            let found: Vec<_> = of(table, &pk, "").collect();
            assert!(found.len() == 1 && is_live(found[0]), "the key that was shown is not there");
        }
        Flow::Verify | Flow::VerifyTotp | Flow::VerifyBackup | Flow::Refresh | Flow::RefreshWithKey
            if outcome.status == 200 =>
        {
            let hash = shared::crypto::sha256_hex(&[text("refresh_token").as_bytes()]);
            let alive = of(table, "SESSION#", "").filter(|it| it["current_hash"] == hash && is_live(it));
            assert_eq!(alive.count(), 1, "the token that was given is not alive");
        }
        Flow::Theft | Flow::Logout => {
            let pk = format!("SESSION#{}", stage.birch_owner.session_id);
            assert!(
                !is_live(of(table, &pk, "").next().unwrap()),
                "the session is said to be over, and lives"
            );
        }
        Flow::ConfirmTotp | Flow::RemoveTotp if outcome.status != flow.again() => {
            let who =
                if flow == Flow::ConfirmTotp { &stage.accounts.beginner } else { &stage.accounts.viewer };
            let person = of(table, "EMAIL#", "").find(|it| it["user_id"] == who.user_id.as_str()).unwrap();
            assert_eq!(!person["totp"].is_null(), flow == Flow::ConfirmTotp, "{flow:?} is said to be done");
        }
        Flow::EndSession => {
            let pk = format!("SESSION#{}", stage.accounts.other_session);
            assert!(!is_live(of(table, &pk, "").next().unwrap()), "the session is said to be over");
        }
        Flow::EndOtherSessions => {
            let viewer = &stage.accounts.viewer;
            let sk = format!("MEMBER#{}", viewer.user_id);
            let member = of(table, "ORG#", &sk).next().unwrap();
            assert_eq!(member["sessions_kept"], viewer.session_id.as_str(), "the others live");
        }
        Flow::WrongPassword | Flow::WrongCode => {
            let count = |table: &[Value]| -> usize {
                of(table, "GUARD#", "").map(|it| it["recent"].as_array().unwrap().len()).sum()
            };
            assert!(count(table) > count(&stage.before), "a guess was judged and not counted");
        }
        Flow::RevokeKey | Flow::OperatorRevokesKey => {
            assert!(
                !of(table, "KEYHASH#", "").any(|it| is_live(it) && it["api_key_id"] == stage.key_id.as_str())
            );
        }
        Flow::SwitchEnvironment => {
            assert!(of(table, "ORG#", "ORG").any(|it| it["current_env"] == "live"));
        }
        Flow::Login => {
            assert_eq!(of(table, &format!("CHALLENGE#{}", text("challenge_id")), "").count(), 1);
        }
        _ => {}
    }
}
