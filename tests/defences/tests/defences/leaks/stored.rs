//! What is stored and cannot be read is not quoted: an item that somebody spoilt, an answer of DynamoDB's that quotes one.

use defences::environment::Environment;
use defences::flight::flying;
use devstack::engines::recorder::Fault;
use serde_json::{Map, Value, json};

use super::search::Canary;
use super::{errors, logged, printed};
use crate::faults::flows::Flow;
use crate::faults::stage::Stage;

const SECRET: &str = "an-item-holds-this-where-it-should-not";

/// Flows that read between them each kind of item.
const FLOWS: [Flow; 11] = [
    Flow::Login,
    Flow::Verify,
    Flow::Resend,
    Flow::Refresh,
    Flow::CreateKeyWithKey,
    Flow::ListKeys,
    Flow::RevokeKey,
    Flow::ShowOrganization,
    Flow::KeySet,
    Flow::AuthorizeToken,
    Flow::AuthorizeKey,
];

/// Every item, in DynamoDB's own JSON.
async fn items(stage: &Stage) -> Vec<Map<String, Value>> {
    let dynamodb = &stage.place.devstack.dynamodb;
    let all = dynamodb.ask("DynamoDB_20120810.Scan", &json!({"TableName": dynamodb.table})).await.unwrap();
    all["Items"].as_array().unwrap().iter().map(|item| item.as_object().unwrap().clone()).collect()
}

/// Spoils the attribute of each item that is the `nth` in its order, keys apart. Says whether any item has so many.
async fn spoil(stage: &Stage, items: &[Map<String, Value>], nth: usize, value: &Value) -> bool {
    let dynamodb = &stage.place.devstack.dynamodb;
    let mut any = false;
    for item in items {
        let mut item = item.clone();
        let Some((_, found)) =
            item.iter_mut().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str())).nth(nth)
        else {
            continue;
        };
        *found = value.clone();
        any = true;
        let put = json!({"TableName": dynamodb.table, "Item": item});
        dynamodb.ask("DynamoDB_20120810.PutItem", &put).await.unwrap();
    }
    any
}

/// How the flows fail over the table as it is, which none of them puts back. Whoever may see what an item holds sees what is there.
async fn failures(stage: &Stage, at: &Environment) -> String {
    let mut failures = String::new();
    for flow in FLOWS {
        let (outcome, _) = flying(flow.run(stage, at)).await;
        if outcome.status >= 400 {
            failures += &format!("{flow:?}: {}\n", outcome.body);
        }
    }
    failures
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_not_quoted() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let secret = Canary::new("what a spoilt item holds", SECRET);
    let items = items(&stage).await;
    // Of a wrong type, and a text where there may be one.
    let values = [json!({"M": {SECRET: {"S": SECRET}}}), json!({"S": SECRET})];
    let mut unreadable = 0;
    'rounds: for nth in 0.. {
        for value in &values {
            let at = stage.begin(Flow::Login).await;
            if !spoil(&stage, &items, nth, value).await {
                break 'rounds;
            }
            let failures = failures(&stage, &at).await;
            unreadable += failures.matches("service_unavailable").count();
            assert!(secret.found_in(&failures).is_none(), "{nth}: {failures}");
        }
    }
    assert!(unreadable > 50, "{unreadable} answers of items that cannot be read");
    for line in logged.text().lines() {
        assert!(secret.found_in(line).is_none(), "{line}");
    }
}

#[tokio::test]
async fn an_answer_of_dynamodbs_that_is_none_is_not_quoted() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let secret = Canary::new("what DynamoDB says", SECRET);
    let item = json!({"pk": {"S": "KEYSET"}, "sk": {"S": "KEYSET"}, "v": {"N": "1"}, "keys": {"S": SECRET}, "issuer": {"L": [{"S": SECRET}]}});
    let reasons =
        json!([{"Code": "ConditionalCheckFailed", "Item": item}, {"Code": SECRET, "Message": SECRET}]);
    let cancelled = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    for fault in [
        Fault::Answer(200, json!(SECRET)),
        Fault::Answer(200, json!([SECRET])),
        Fault::Answer(200, json!({ "Item": SECRET, "Responses": SECRET, "Items": SECRET })),
        Fault::Answer(
            200,
            json!({ "Item": item, "Items": [item], "Responses": [{"Item": item}, {"Item": item}, {"Item": item}] }),
        ),
        Fault::Answer(400, json!({"__type": cancelled, "CancellationReasons": reasons})),
        Fault::Answer(400, json!({"__type": "Unheard#Of", "Item": item})),
    ] {
        let at = stage.begin(Flow::Login).await;
        at.requests.inject(move |_| Some(fault.clone()));
        let (said, _) = flying(Box::pin(errors(&stage, &at))).await;
        let failures = failures(&stage, &at).await;
        let key_set = printed(at.app.key_sets.current().await.err());
        for (what, text) in [("an error", said), ("an answer", failures), ("the key set's error", key_set)] {
            assert!(secret.found_in(&text).is_none(), "{what}: {text}");
        }
    }
    for line in logged.text().lines() {
        assert!(secret.found_in(line).is_none(), "{line}");
    }
}
