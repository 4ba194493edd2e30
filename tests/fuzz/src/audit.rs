//! What chains audit events: batches of the table's stream, and what verification is asked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::envelope::operators_refusal;
use crate::world::world;

const INVOCATION: &str = "8f507cfc-fuzz-4697-b07a-ac58fc914c95";

/// The records of a batch. The table takes no write, so nothing is chained: every event comes again, by its record's own number.
pub fn records(data: &[u8]) {
    let world = world();
    let Ok(records) = serde_json::from_slice::<Vec<Value>>(&world.fill(data)) else {
        return;
    };
    let event = json!({ "Records": records });
    let Ok(answer) = world.wait(audit_chain::handle(&world.app, event, INVOCATION)) else {
        return;
    };
    let number = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
    let sent: BTreeSet<String> = records.iter().filter_map(number).collect();
    let events: BTreeSet<String> = records.iter().filter(|it| is_event(it)).filter_map(number).collect();
    let failed = answer["batchItemFailures"].as_array().expect("a list of what has to come again");
    let failed = failed.iter().map(|it| it["itemIdentifier"].as_str().expect("a number").to_owned());
    let failed: BTreeSet<String> = failed.collect();
    assert!(failed.is_subset(&sent), "a record comes again that never came: {failed:?}");
    assert!(failed.is_superset(&events), "an event is lost: {events:?}, again {failed:?}");
}

/// Whether a record is of a new event, by its keys alone.
fn is_event(record: &Value) -> bool {
    let image = &record["dynamodb"]["NewImage"];
    let text = |name: &str| image[name]["S"].as_str().unwrap_or_default();
    let chain = text("pk").strip_prefix("AUDIT#").unwrap_or_default();
    let chain = chain == "platform" || shared::ids::OrgId::parse(chain).is_ok();
    let id = shared::ids::EventId::parse(text("sk").strip_prefix("EVENT#").unwrap_or_default());
    record["eventName"] == "INSERT" && chain && id.is_ok()
}

/// What verification is asked: an envelope, whatever it is.
pub fn verification(data: &[u8]) {
    let world = world();
    let Ok(asked) = serde_json::from_slice::<Value>(&world.fill(data)) else {
        return;
    };
    let answer = world.wait(audit_chain::handle(&world.app, json!({ "verify": asked }), INVOCATION));
    let answer = answer.expect("verification always answers");
    if answer["success"] == true {
        let chain = answer["data"]["chain"].as_str().expect("the chain");
        assert!(chain == "platform" || shared::ids::OrgId::parse(chain).is_ok(), "no chain: {chain}");
    } else {
        operators_refusal(&answer, INVOCATION);
    }
}
