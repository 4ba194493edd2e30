//! What the table should hold, by the model; and what it does hold.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::addresses::EmailAddress;
use shared::crypto::sha256_hex;

use crate::model::{Counter, Model};
use crate::names::Names;
use crate::world::{IDEMPOTENCY, organization, person};

/// Where all acts come from.
pub const NETWORK: &str = "127.0.0.0/24";

type Lines = BTreeSet<String>;

/// One line for each item: its key, and what the model knows of it.
fn line(pk: &str, sk: &str, attributes: &[(&str, Option<String>)]) -> String {
    let told = attributes.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    format!("{pk} {sk}: {}", told.collect::<Vec<_>>().join(" "))
}

fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

/// The lines that the model expects.
pub fn expected(model: &Model, names: &Names) -> Lines {
    let mut lines = Lines::new();
    people(model, names, &mut lines);
    invitations(model, names, &mut lines);
    organizations(model, names, &mut lines);
    for (session, id) in model.sessions.iter().zip(&names.sessions) {
        let hash = |token: usize| sha256_hex(&[names.refresh[token].as_bytes()]);
        let attributes = [
            ("generation", some(session.generation)),
            ("current_hash", some(hash(session.current))),
            ("previous_hash", session.previous.map(hash)),
            ("rotated_at", session.rotated_at.map(|at| at.to_string())),
            ("created_at", some(session.created_at)),
            ("expires_at", some(session.expires_at)),
            ("revoked_at", session.revoked_at.map(|at| at.to_string())),
            ("user_id", some(person(session.who).user_id)),
        ];
        lines.insert(line(&format!("SESSION#{id}"), "SESSION", &attributes));
        let pointer = [("expires_at", some(session.expires_at))];
        let user = person(session.who).user_id;
        lines.insert(line(&format!("USER#{user}"), &format!("SESSION#{id}"), &pointer));
    }
    for (challenge, (id, _)) in model.challenges.iter().zip(&names.challenges) {
        let attributes = [
            ("attempts", some(challenge.attempts)),
            ("resends", some(challenge.sent - 1)),
            ("sent_at", some(challenge.sent_at)),
            ("expires_at", some(challenge.expires_at)),
            ("consumed_at", challenge.consumed_at.map(|at| at.to_string())),
        ];
        lines.insert(line(&format!("CHALLENGE#{id}"), "CHALLENGE", &attributes));
    }
    for kept in &model.kept {
        let user = person(kept.who).user_id;
        let idempotency = format!("{IDEMPOTENCY}{}", kept.idempotency);
        let id = sha256_hex(&[user.as_bytes(), idempotency.as_bytes()]);
        let attributes = [("expires_at", some(kept.expires_at)), ("sealed", some(!kept.spent))];
        lines.insert(line(&format!("IDEMPOTENCY#{id}"), "ANSWER", &attributes));
    }
    lines
}

fn people(model: &Model, names: &Names, lines: &mut Lines) {
    for (who, it) in model.people.iter().enumerate() {
        let attributes = [
            ("role", some(it.role.as_str())),
            ("sessions_ended_at", it.ended_at.map(|at| at.to_string())),
            ("sessions_kept", it.kept.map(|session| names.sessions[session].clone())),
        ];
        let (org, user) = (organization(it.org).id, person(who).user_id);
        if it.member {
            lines.insert(line(&format!("ORG#{org}"), &format!("MEMBER#{user}"), &attributes));
            lines.insert(line(&format!("USER#{user}"), &format!("MEMBER#{org}"), &[]));
        }
        if let Some(at) = it.made_key_at {
            lines.insert(line(&format!("USER#{user}"), "KEY_RATE", &[("at", some(at))]));
        }
        let from_network = format!("PASSWORDS#{NETWORK}");
        let guards = [
            ("CODES", &it.codes),
            ("PASSWORDS", &it.from_anywhere),
            (&from_network, &it.from_network),
            ("INVITATIONS_TO", &it.invitations),
        ];
        let hash = EmailAddress::parse(person(who).email).unwrap().hash();
        let factors = [
            ("credentials", some(it.credentials)),
            ("last_step", it.totp.as_ref().map(|totp| totp.last_step.to_string())),
            // DynamoDB has no empty sets.
            ("backup_codes", it.totp.as_ref().map(|it| it.codes.len().to_string()).filter(|it| it != "0")),
        ];
        lines.insert(line(&format!("EMAIL#{hash}"), "USER", &factors));
        if let Some(pending) = &it.pending {
            let waits = [("expires_at", some(pending.expires_at))];
            lines.insert(line(&format!("USER#{user}"), "TOTP_PENDING", &waits));
        }
        for (sk, guard) in guards {
            guarded(&hash, sk, guard, lines);
        }
    }
}

fn guarded(of: &str, sk: &str, guard: &Counter, lines: &mut Lines) {
    if let Some(recent) = &guard.recent {
        let recent = some(serde_json::to_string(recent).unwrap());
        lines.insert(line(&format!("GUARD#{of}"), sk, &[("recent", recent)]));
    }
}

fn invitations(model: &Model, names: &Names, lines: &mut Lines) {
    for (it, token) in model.invitations.iter().zip(&names.invitations) {
        let (token_hash, expires_at) = (sha256_hex(&[token.as_bytes()]), some(it.expires_at));
        if !it.accepted {
            let place = [("expires_at", expires_at.clone())];
            lines.insert(line(&format!("INVITATION#{token_hash}"), "INVITATION", &place));
        }
        if it.pending {
            let attributes = [
                ("role", some(it.role.as_str())),
                ("token_hash", some(token_hash)),
                ("expires_at", expires_at),
            ];
            let address = EmailAddress::parse(person(it.who).email).unwrap().hash();
            let pk = format!("ORG#{}", organization(it.org).id);
            lines.insert(line(&pk, &format!("INVITATION#{address}"), &attributes));
        }
    }
}

fn organizations(model: &Model, names: &Names, lines: &mut Lines) {
    for (org, it) in model.orgs.iter().enumerate() {
        let pk = format!("ORG#{}", organization(org).id);
        let attributes = [
            ("is_active", some(it.active)),
            ("onboarding_status", some(if it.completed { "COMPLETED" } else { "IN_PROGRESS" })),
            ("payments_status", some(if it.payments { "ENABLED" } else { "DISABLED" })),
            ("current_env", some(if it.live { "live" } else { "test" })),
            ("updated_at", some(it.updated_at)),
            ("owner_user_id", some(person(it.owner).user_id)),
        ];
        lines.insert(line(&pk, "ORG", &attributes));
        guarded(organization(org).id, "INVITATIONS_BY", &it.invitations, lines);
        if let Some(marked) = it.marker {
            let expires = model.keys[marked].expires_at.map(|at| at.to_string());
            let attributes = [("api_key_id", some(&names.keys[marked].0)), ("key_expires_at", expires)];
            lines.insert(line(&pk, "ACTIVE_KEY", &attributes));
        }
    }
    for (key, (id, secret)) in model.keys.iter().zip(&names.keys) {
        let env = some(if key.live { "live" } else { "test" });
        let (expires, revoked) =
            (key.expires_at.map(|at| at.to_string()), key.revoked_at.map(|at| at.to_string()));
        let hash = sha256_hex(&[secret.as_bytes()]);
        let record = [
            ("env", env.clone()),
            ("key_hash", some(&hash)),
            ("created_by", some(person(key.by).user_id)),
            ("created_at", some(key.created_at)),
            ("key_expires_at", expires.clone()),
            ("revoked_at", revoked.clone()),
        ];
        lines.insert(line(&format!("ORG#{}", organization(key.org).id), &format!("KEY#{id}"), &record));
        let credential = [
            ("api_key_id", some(id)),
            ("env", env),
            ("key_expires_at", expires),
            ("revoked_at", revoked),
            ("org_suspended", some(key.suspended)),
        ];
        lines.insert(line(&format!("KEYHASH#{hash}"), "CREDENTIAL", &credential));
    }
}

/// The attributes that a line of each kind tells, in its order.
fn told(pk: &str, sk: &str) -> Option<&'static [&'static str]> {
    let kind = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
    Some(match (kind(pk).as_str(), kind(sk).as_str()) {
        ("ORG", "ORG") => &[
            "is_active",
            "onboarding_status",
            "payments_status",
            "current_env",
            "updated_at",
            "owner_user_id",
        ],
        ("ORG", "MEMBER") => &["role", "sessions_ended_at", "sessions_kept"],
        ("ORG", "INVITATION") => &["role", "token_hash", "expires_at"],
        ("INVITATION", _) => &["expires_at"],
        ("ORG", "ACTIVE_KEY") => &["api_key_id", "key_expires_at"],
        ("ORG", "KEY") => &["env", "key_hash", "created_by", "created_at", "key_expires_at", "revoked_at"],
        ("KEYHASH", _) => &["api_key_id", "env", "key_expires_at", "revoked_at", "org_suspended"],
        ("SESSION", _) => &[
            "generation",
            "current_hash",
            "previous_hash",
            "rotated_at",
            "created_at",
            "expires_at",
            "revoked_at",
            "user_id",
        ],
        ("CHALLENGE", _) => &["attempts", "resends", "sent_at", "expires_at", "consumed_at"],
        ("GUARD", _) => &["recent"],
        ("USER", "MEMBER") => &[],
        ("USER", "SESSION" | "TOTP_PENDING") => &["expires_at"],
        ("EMAIL", _) => &["credentials", "last_step", "backup_codes"],
        ("USER", _) => &["at"],
        ("IDEMPOTENCY", _) => &["expires_at", "sealed"],
        // Events have tests of their own: tests/defences, `audit_events`.
        // So have dates that keys expire on.
        ("KEYSET" | "AUDIT" | "EXPIRY", _) => return None,
        other => panic!("an item of a kind that the model does not know: {other:?}"),
    })
}

/// The lines of the table.
pub fn found(items: &[Value]) -> Lines {
    items.iter().filter_map(found_line).collect()
}

fn found_line(item: &Value) -> Option<String> {
    let (pk, sk) = (item["pk"].as_str().unwrap(), item["sk"].as_str().unwrap());
    let attributes: Vec<_> = told(pk, sk)?
        .iter()
        .map(|name| {
            let value = match item.get(name) {
                None if *name == "last_step" => {
                    item["totp"]["last_step"].as_i64().map(|step| step.to_string())
                }
                Some(Value::Array(codes)) if *name == "backup_codes" => Some(codes.len().to_string()),
                // A sealed answer is there or not; what it says, only its owner can read.
                sealed if *name == "sealed" => Some(sealed.is_some_and(|it| !it.is_null()).to_string()),
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Null) | None => None,
                Some(other) => Some(other.to_string()),
            };
            (*name, value)
        })
        .collect();
    Some(line(pk, sk, &attributes))
}

/// How the table differs from what is expected.
pub fn difference(expected: &Lines, found: &Lines) -> String {
    let missing = expected.difference(found).map(|line| format!("\n    should be: {line}"));
    let unexpected = found.difference(expected).map(|line| format!("\n    is:        {line}"));
    missing.chain(unexpected).collect()
}
