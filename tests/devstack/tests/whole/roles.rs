//! What the roles in `infra/template.yaml` allow and what not, beside what the stories ask for: every test here, and every story, runs with
//! its functions held to them.

use std::sync::LazyLock;

use devstack::roles::{Demand, Roles};
use devstack::seed::ACORN;
use devstack::template_path;

use crate::client::{devstack, get, log_in};

/// Everything that a request can do with an item.
const ACTIONS: [&str; 7] =
    ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"];
/// One partition key of each kind: `shared/src/store/keys.rs`.
const KEYS: [&str; 17] = [
    "KEYSET",
    "EMAIL#x",
    "SIGNUP#x",
    "RESET#x",
    "ORG#x",
    "USER#x",
    "INVITATION#x",
    "GUARD#x",
    "CHALLENGE#x",
    "SESSION#x",
    "KEYHASH#x",
    "IDEMPOTENCY#x",
    "AUDIT#x",
    "CHAIN#x",
    "WEBHOOK#x",
    "EXPIRY#x",
    "REPORTER#x",
];

/// Read once: the template is long.
fn roles() -> &'static Roles {
    static ROLES: LazyLock<Roles> = LazyLock::new(|| Roles::read(&template_path()).unwrap());
    &ROLES
}

fn on_items(action: &str, keys: &[&str]) -> Demand {
    Demand {
        action: format!("dynamodb:{action}"),
        resource: "Table".to_owned(),
        leading_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// The kinds of items with which a function may do one of these.
fn kinds(name: &str, actions: &[&str]) -> Vec<&'static str> {
    let roles = roles();
    let may = |key: &&str| actions.iter().any(|action| roles.allow(name, &on_items(action, &[*key])));
    KEYS.into_iter().filter(may).collect()
}

/// The secrets that a function may read.
fn secrets(name: &str) -> Vec<&'static str> {
    let read = |secret: &&str| Demand {
        action: "secretsmanager:GetSecretValue".to_owned(),
        resource: (*secret).to_owned(),
        leading_keys: Vec::new(),
    };
    let roles = roles();
    ["SigningSecret", "CodesSecret", "SealingSecret", "AuditSecret", "FactorsSecret", "WebhooksSecret"]
        .into_iter()
        .filter(|it| roles.allow(name, &read(it)))
        .collect()
}

#[test]
fn each_function_writes_only_what_is_its_own() {
    const WRITES: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];
    for (name, writes) in [
        ("authorizer", vec![]),
        ("jwks", vec![]),
        ("dashboard", vec![]),
        ("docs", vec![]),
        ("logout", vec!["SESSION#x", "AUDIT#x"]),
        ("refresh", vec!["SESSION#x", "AUDIT#x"]),
        ("login", vec!["GUARD#x", "CHALLENGE#x", "AUDIT#x"]),
        ("register", vec!["EMAIL#x", "SIGNUP#x", "ORG#x", "USER#x", "GUARD#x", "SESSION#x", "AUDIT#x"]),
        ("password", vec!["EMAIL#x", "RESET#x", "ORG#x", "GUARD#x", "AUDIT#x"]),
        ("verify", vec!["EMAIL#x", "USER#x", "GUARD#x", "CHALLENGE#x", "SESSION#x", "AUDIT#x"]),
        ("sessions", vec!["ORG#x", "SESSION#x", "AUDIT#x"]),
        ("factors", vec!["EMAIL#x", "USER#x", "GUARD#x", "AUDIT#x"]),
        ("keys", vec!["ORG#x", "USER#x", "KEYHASH#x", "IDEMPOTENCY#x", "AUDIT#x", "EXPIRY#x"]),
        ("organizations", vec!["ORG#x", "AUDIT#x"]),
        ("leaks", vec!["ORG#x", "KEYHASH#x", "IDEMPOTENCY#x", "AUDIT#x"]),
        ("key_usage", vec!["ORG#x"]),
        (
            "operator",
            vec![
                "KEYSET",
                "EMAIL#x",
                "ORG#x",
                "USER#x",
                "GUARD#x",
                "KEYHASH#x",
                "IDEMPOTENCY#x",
                "AUDIT#x",
                "REPORTER#x",
            ],
        ),
        ("members", vec!["EMAIL#x", "ORG#x", "USER#x", "INVITATION#x", "GUARD#x", "AUDIT#x"]),
        ("invitations", vec!["EMAIL#x", "ORG#x", "USER#x", "INVITATION#x", "AUDIT#x"]),
        // Its events are the platform's alone.
        ("rotate_signing_key", vec!["KEYSET"]),
        ("audit_chain", vec!["CHAIN#x"]),
        ("webhooks", vec!["AUDIT#x", "WEBHOOK#x"]),
        ("webhook_queue", vec![]),
        ("webhook_send", vec!["WEBHOOK#x"]),
        ("key_expiry", vec!["AUDIT#x", "EXPIRY#x"]),
    ] {
        assert_eq!(kinds(name, &WRITES), writes, "{name}");
    }
}

#[test]
fn each_function_touches_only_what_it_needs() {
    for (name, touches) in [
        ("authorizer", vec!["KEYSET", "KEYHASH#x"]),
        ("jwks", vec!["KEYSET"]),
        ("dashboard", vec![]),
        ("docs", vec![]),
        ("logout", vec!["KEYSET", "SESSION#x", "AUDIT#x"]),
        ("refresh", vec!["KEYSET", "ORG#x", "SESSION#x", "AUDIT#x"]),
        ("leaks", vec!["KEYSET", "ORG#x", "KEYHASH#x", "IDEMPOTENCY#x", "AUDIT#x", "REPORTER#x"]),
        ("key_usage", vec!["ORG#x"]),
        ("login", vec!["KEYSET", "EMAIL#x", "ORG#x", "USER#x", "GUARD#x", "CHALLENGE#x", "AUDIT#x"]),
        (
            "password",
            vec!["KEYSET", "EMAIL#x", "RESET#x", "ORG#x", "USER#x", "GUARD#x", "SESSION#x", "AUDIT#x"],
        ),
        ("sessions", vec!["KEYSET", "ORG#x", "USER#x", "SESSION#x", "AUDIT#x"]),
        ("factors", vec!["KEYSET", "EMAIL#x", "ORG#x", "USER#x", "GUARD#x", "SESSION#x", "AUDIT#x"]),
        ("organizations", vec!["KEYSET", "ORG#x", "USER#x", "SESSION#x", "AUDIT#x"]),
        ("invitations", vec!["KEYSET", "EMAIL#x", "ORG#x", "USER#x", "INVITATION#x", "AUDIT#x"]),
        ("audit_chain", vec!["AUDIT#x", "CHAIN#x"]),
        ("webhooks", vec!["KEYSET", "ORG#x", "SESSION#x", "AUDIT#x", "WEBHOOK#x"]),
        ("webhook_queue", vec!["ORG#x", "WEBHOOK#x"]),
        ("webhook_send", vec!["WEBHOOK#x"]),
        ("key_expiry", vec!["ORG#x", "AUDIT#x", "EXPIRY#x"]),
    ] {
        assert_eq!(kinds(name, &ACTIONS), touches, "{name}");
    }
}

#[test]
fn an_event_is_put_and_never_touched_again() {
    let roles = roles();
    for (name, _) in roles.iter() {
        for action in ["UpdateItem", "DeleteItem", "BatchWriteItem"] {
            for key in ["AUDIT#x", "AUDIT#platform", "CHAIN#x", "CHAIN#platform"] {
                assert!(!roles.allow(name, &on_items(action, &[key])), "{name} {action} {key}");
            }
        }
        for action in ["GetItem", "Query", "BatchGetItem"] {
            assert_eq!(
                roles.allow(name, &on_items(action, &["AUDIT#x"])),
                name == "audit_chain" && action != "GetItem"
            );
            // What an organization is shown of its own trail; the platform's is nobody's.
            let shows = name == "organizations" && action == "Query";
            for (chain, may) in [("AUDIT#org_x", shows), ("AUDIT#platform", false)] {
                let allowed = roles.allow(name, &on_items(action, &[chain]));
                assert_eq!(
                    allowed,
                    may || (name == "audit_chain" && action != "GetItem"),
                    "{name} {action} {chain}"
                );
            }
        }
    }
    assert!(roles.allow("rotate_signing_key", &on_items("PutItem", &["AUDIT#platform"])));
}

#[test]
fn checkpoints_are_put_and_read_by_one_function_and_changed_by_none() {
    let roles = roles();
    for (name, _) in roles.iter() {
        for action in ACTIONS.into_iter().chain(["Scan", "BatchWriteItem", "DeleteTable", "UpdateTable"]) {
            let demand = Demand { resource: "Checkpoints".to_owned(), ..on_items(action, &["CHAIN#x"]) };
            let may = name == "audit_chain" && ["PutItem", "Query"].contains(&action);
            assert_eq!(roles.allow(name, &demand), may, "{name} {action}");
        }
    }
}

#[test]
fn each_function_reads_only_its_own_secrets() {
    for (name, own) in [
        ("authorizer", vec![]),
        ("jwks", vec![]),
        ("dashboard", vec![]),
        ("docs", vec![]),
        ("logout", vec![]),
        ("organizations", vec![]),
        ("members", vec![]),
        ("invitations", vec![]),
        ("operator", vec![]),
        ("login", vec!["CodesSecret"]),
        ("verify", vec!["SigningSecret", "CodesSecret", "FactorsSecret"]),
        ("factors", vec!["FactorsSecret"]),
        ("sessions", vec![]),
        ("register", vec!["SigningSecret", "CodesSecret"]),
        ("password", vec![]),
        ("refresh", vec!["SigningSecret"]),
        ("keys", vec!["SealingSecret"]),
        ("rotate_signing_key", vec!["SigningSecret"]),
        ("rotate_key", vec!["CodesSecret", "SealingSecret"]),
        ("audit_chain", vec!["AuditSecret"]),
        ("webhooks", vec!["WebhooksSecret"]),
        ("webhook_queue", vec![]),
        ("webhook_send", vec!["WebhooksSecret"]),
        ("key_expiry", vec![]),
    ] {
        assert_eq!(secrets(name), own, "{name}");
    }
}

#[test]
fn what_sends_webhooks_queues_none_and_what_queues_them_sends_none() {
    let roles = roles();
    let ask = |name: &str, action: &str| {
        let (action, resource) = (format!("sqs:{action}"), "WebhooksQueue".to_owned());
        roles.allow(name, &Demand { action, resource, leading_keys: Vec::new() })
    };
    for (name, _) in roles.iter() {
        assert_eq!(ask(name, "SendMessage"), name == "webhook_queue", "{name}");
        for action in ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"] {
            assert_eq!(ask(name, action), name == "webhook_send", "{name} {action}");
        }
        assert!(!ask(name, "PurgeQueue") && !ask(name, "SetQueueAttributes"), "{name}");
    }
}

#[test]
fn one_key_too_many_spoils_a_batch_and_no_key_is_no_permission() {
    let roles = roles();
    assert!(roles.allow("keys", &on_items("BatchGetItem", &["ORG#x", "SESSION#x"])));
    assert!(!roles.allow("keys", &on_items("BatchGetItem", &["ORG#x", "SESSION#x", "EMAIL#x"])));
    for (name, _) in roles.iter() {
        for action in ACTIONS.into_iter().chain(["Scan", "BatchWriteItem", "DeleteTable"]) {
            assert!(!roles.allow(name, &on_items(action, &[])), "{name} {action}");
        }
    }
    assert!(!roles.allow("nobody", &on_items("GetItem", &["KEYSET"])));
}

#[test]
fn no_action_and_no_resource_is_a_wildcard() {
    let roles = roles();
    assert!(roles.iter().count() >= 9);
    for (name, statements) in roles.iter() {
        for statement in statements {
            for text in statement.actions.iter().chain(&statement.resources) {
                assert!(!text.contains(['*', '?']), "{name}, {}: {text}", statement.sid);
            }
        }
    }
}

#[tokio::test]
async fn a_function_without_its_statement_answers_503() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let path = "/api/v1/auth/api-keys";
    assert_eq!(get(&devstack, path, Some(&tokens.access)).await.status(), 200);
    let template = std::fs::read_to_string(template_path()).unwrap();
    let without = template.replace(
        "- Sid: ListKeyRecords\n                Effect: Allow\n                Action: [dynamodb:Query]",
        "- Sid: ListKeyRecords\n                Effect: Allow\n                Action: [dynamodb:Scan]",
    );
    assert_ne!(without, template);
    devstack.requests.hold_to(Roles::parse(&without).unwrap());
    assert_eq!(get(&devstack, path, Some(&tokens.access)).await.status(), 503);
}
