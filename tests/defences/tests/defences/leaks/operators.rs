//! What operators see and what the audit trail keeps: their function's answers, what `scripts/operator` prints, and a verification.

use std::process::Command;

use devstack::seed::{ACORN, BIRCH};
use serde_json::{Value, json};

use super::search::Canary;
use super::{Secrets, lines, logged};
use crate::faults::flows::{EVERY_FLOW, Flow};
use crate::faults::stage::Stage;

const PASSWORD: &str = "the first password of Cedar's owner";

/// Orders that hold a password, good and bad.
fn orders() -> Vec<Value> {
    let good = json!({
        "action": "create_organization", "name": "Cedar", "country": "NL", "owner_email": "owner@cedar.example",
        "owner_full_name": "Cy Cedar", "owner_password": PASSWORD,
    });
    let with = |name: &str, value: Value| {
        let mut order = good.clone();
        order[name] = value;
        order
    };
    let mut orders = vec![
        good.clone(),
        // Its address is taken, by an organization of another name.
        with("name", "Spruce".into()),
        with("owner_password", json!([PASSWORD])),
        with("owner_password", PASSWORD.repeat(10).into()),
        with("action", PASSWORD.into()),
        with(PASSWORD, PASSWORD.into()),
        with("country", PASSWORD.into()),
        with("owner_email", PASSWORD.into()),
        json!(PASSWORD),
        json!([PASSWORD]),
    ];
    for (action, member) in [
        ("unlock_account", "email"),
        ("end_sessions", "email"),
        ("suspend_organization", "org_id"),
        ("revoke_key", "api_key_id"),
        ("set_onboarding", "onboarding_status"),
        ("name_issuer", "issuer"),
    ] {
        orders.push(json!({"action": action, member: PASSWORD}));
    }
    orders
}

#[tokio::test]
async fn what_operators_order_is_not_repeated() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin(Flow::CreateOrganization).await;
    let password = Canary::new("a first password", PASSWORD);
    let mut told = Vec::new();
    for order in orders() {
        let outcome = at.operator(order.clone()).await;
        told.push(outcome.status);
        assert!(password.found_in(&outcome.body.to_string()).is_none(), "{order}: {}", outcome.body);
    }
    assert_eq!(told[..2], [200, 409], "{told:?}");
    assert!(password.found_in(&lines(&stage.table().await)).is_none());
    for line in logged.text().lines() {
        assert!(password.found_in(line).is_none(), "{line}");
    }
}

/// What `make operator` prints, all of it.
async fn printed(stage: &Stage, words: &[String]) -> String {
    let port = stage.place.devstack.base_url.rsplit(':').next().unwrap();
    let mut command = Command::new(devstack::repository().join("scripts/operator"));
    command.args(["--port", port]).args(words);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_for_operators_holds_no_secret() {
    let stage = Box::pin(Stage::new()).await;
    let mut secrets = Secrets::of(&stage).await;
    secrets.add("a first password", PASSWORD);
    for order in orders() {
        let Some(order) = order.as_object() else { continue };
        let word = |(name, value): (&String, &Value)| value.as_str().map(|value| format!("{name}={value}"));
        let words: Vec<String> = order.iter().filter_map(word).collect();
        secrets.none_in("what an operator is told", &printed(&stage, &words).await);
    }
    let cut_off = ["create_organization".to_owned(), PASSWORD.to_owned()];
    let said = printed(&stage, &cut_off).await;
    assert!(said.contains("NAME=VALUE"), "{said}");
}

/// The trail of every flow, chained and verified: whole, and with a secret that somebody wrote into it.
#[tokio::test]
async fn a_verification_of_the_audit_trail_quotes_no_secret() {
    let stage = Box::pin(Stage::new()).await;
    let mut secrets = Secrets::of(&stage).await;
    let devstack = &stage.place.devstack;
    for flow in EVERY_FLOW {
        let at = stage.place.environment();
        secrets.answered(flow.run(&stage, &at).await.body);
    }
    secrets.mailed(&stage.place);
    devstack.chain().await.unwrap();
    let verified = async || {
        let mut said = String::new();
        for chain in [ACORN.id, BIRCH.id, "platform"] {
            let asked = json!({"verify": {"chain": chain}});
            said += &format!("{}\n", devstack.functions.event("audit_chain", asked).await.unwrap());
        }
        said
    };
    let whole = verified().await;
    assert!(whole.matches("\"findings\":[]").count() == 3, "{whole}");
    secrets.none_in("a verification", &whole);
    secrets.none_in("the table", &lines(&stage.table().await));

    secrets.add("what was written into an event", PASSWORD);
    for item in stage.place.items("", "EVENT#").await {
        let (pk, sk) = (&item["pk"], &item["sk"]);
        let update = json!({
            "TableName": devstack.dynamodb.table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": "SET #actor = :secret, #reason = :secret, #target = :odd",
            "ExpressionAttributeNames": {"#actor": "actor", "#reason": "reason", "#target": "target"},
            "ExpressionAttributeValues": {":secret": {"S": PASSWORD}, ":odd": {"L": [{"S": PASSWORD}]}},
        });
        devstack.dynamodb.ask("DynamoDB_20120810.UpdateItem", &update).await.unwrap();
    }
    let spoilt = verified().await;
    assert_ne!(whole, spoilt, "nothing was found");
    secrets.none_in("a verification", &spoilt);
    secrets.none_in("the log", &devstack.logs.text());
}
