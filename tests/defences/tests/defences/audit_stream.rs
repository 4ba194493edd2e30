//! The stream's consumer: it may fail anywhere, and be given everything twice, late or in pieces, and loses and doubles nothing.

use std::collections::BTreeSet;

use defences::Place;
use devstack::engines::recorder::Fault;
use devstack::seed::BIRCH;
use serde_json::{Value, json};

use crate::audit_chains::{one_more, verified};

/// A place with this many new events, of which the stream knows and no chain.
async fn place_with(events: usize) -> Place {
    let place = Place::new().await;
    place.devstack.chain().await.unwrap();
    for _ in 0..events {
        one_more(&place).await;
    }
    place
}

/// Calls the consumer; the records that have to come again, all of them if it threw.
async fn consume(place: &Place, records: &[Value]) -> Vec<Value> {
    let answer = place.devstack.functions.event("audit_chain", json!({ "Records": records })).await;
    let Ok(answer) = answer else {
        return records.to_vec();
    };
    let failed: Vec<&Value> =
        answer["batchItemFailures"].as_array().unwrap().iter().map(|it| &it["itemIdentifier"]).collect();
    let again = |record: &&Value| failed.contains(&&record["dynamodb"]["SequenceNumber"]);
    records.iter().filter(again).cloned().collect()
}

/// Each event of the organization has one link, and the chain is whole. The first three are its people.
async fn expect_whole(place: &Place, new: usize, what: &str) {
    let (links, unchained, findings) = verified(place).await;
    assert_eq!((unchained, findings), (vec![], vec![]), "{what}");
    let of = format!("CHAIN#{}", BIRCH.id);
    let chained: Vec<String> =
        place.items(&of, "LINK#").await.iter().map(|link| link["event_id"].to_string()).collect();
    let events = place.items(&format!("AUDIT#{}", BIRCH.id), "EVENT#").await;
    let events: BTreeSet<String> = events.iter().map(|event| event["event_id"].to_string()).collect();
    assert_eq!((links as usize, chained.len(), events.len()), (3 + new, 3 + new, 3 + new), "{what}");
    assert_eq!(chained.into_iter().collect::<BTreeSet<_>>(), events, "{what}");
}

#[tokio::test]
async fn cut_off_at_any_call_and_given_the_batch_again_it_loses_and_doubles_nothing() {
    for operation in ["BatchGetItem", "Query", "TransactWriteItems", "PutItem"] {
        for fault in [Fault::NotSent, Fault::AnswerLost] {
            let place = place_with(4).await;
            let records = place.devstack.stream.take().await.unwrap();
            let met = fault.clone();
            let inject = move |it: &devstack::engines::recorder::Recorded| {
                (it.operation == operation).then(|| met.clone())
            };
            place.devstack.chain_requests.inject(inject);
            let again = consume(&place, &records).await;
            assert_eq!(again.len(), records.len(), "{operation} {fault:?}: what is not done is said to be");
            place.devstack.chain_requests.heal();
            assert!(consume(&place, &again).await.is_empty());
            expect_whole(&place, 4, &format!("{operation} {fault:?}")).await;
        }
    }
}

#[tokio::test]
async fn without_the_key_nothing_is_chained_and_everything_comes_again() {
    let place = Place::new().await;
    one_more(&place).await;
    place.devstack.chain_requests.inject_elsewhere(|_| Some(Fault::NotSent));
    assert!(place.devstack.chain().await.is_err());
    assert!(place.items("CHAIN#", "").await.is_empty());
    place.devstack.chain_requests.heal();
    place.devstack.chain().await.unwrap();
    expect_whole(&place, 1, "after the key came back").await;
}

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing() {
    let place = place_with(5).await;
    let records = place.devstack.stream.take().await.unwrap();
    let twice: Vec<Value> = records.iter().chain(&records).cloned().collect();
    assert!(consume(&place, &twice).await.is_empty());
    let before = place.items("CHAIN#", "").await;
    for _ in 0..2 {
        assert!(consume(&place, &records).await.is_empty());
    }
    assert_eq!(place.items("CHAIN#", "").await, before);
    expect_whole(&place, 5, "twice").await;
}

#[tokio::test]
async fn batches_out_of_order_are_chained_as_they_come() {
    let place = place_with(6).await;
    let mut records = place.devstack.stream.take().await.unwrap();
    let late = records.split_off(3);
    records.reverse();
    for batch in [late, records] {
        assert!(consume(&place, &batch).await.is_empty());
    }
    expect_whole(&place, 6, "out of order").await;
}

#[tokio::test]
async fn two_shards_at_once_extend_one_chain() {
    for _ in 0..5 {
        let place = place_with(40).await;
        let records = place.devstack.stream.take().await.unwrap();
        let shard = |rest: usize| -> Vec<Value> {
            records.iter().enumerate().filter(|(nth, _)| nth % 2 == rest).map(|(_, it)| it.clone()).collect()
        };
        // In small batches, and every shard's twice, as if each had been given up by a consumer that was still at it.
        let (one, other) = (shard(0), shard(1));
        let run = async |records: &[Value]| {
            for batch in records.chunks(5) {
                let mut batch = batch.to_vec();
                while !batch.is_empty() {
                    batch = consume(&place, &batch).await;
                }
            }
        };
        tokio::join!(run(&one), run(&other), run(&one), run(&other));
        expect_whole(&place, 40, "two shards").await;
    }
}

#[tokio::test]
async fn what_is_no_event_holds_nothing_up() {
    let place = place_with(2).await;
    let mut records = place.devstack.stream.take().await.unwrap();
    let mut odd = records[0].clone();
    odd["dynamodb"]["NewImage"]["sk"] = json!({"S": "EVENT#nobody's"});
    let mut removed = records[0].clone();
    removed["eventName"] = json!("REMOVE");
    let mut elsewhere = records[0].clone();
    elsewhere["dynamodb"]["NewImage"]["pk"] = json!({"S": "SESSION#x"});
    records.splice(0..0, [odd, removed, elsewhere]);
    assert!(consume(&place, &records).await.is_empty());
    expect_whole(&place, 2, "beside what is no event").await;
    let odd = place.devstack.logs.lines().into_iter().filter(|line| line["reason"] == "not_an_event");
    assert_eq!(odd.count(), 1);
}

#[tokio::test]
async fn nothing_is_put_behind_a_link_that_the_key_did_not_make() {
    let place = place_with(2).await;
    let end = json!({
        "pk": {"S": format!("CHAIN#{}", BIRCH.id)}, "sk": {"S": format!("LINK#{:012}", 4)}, "v": {"N": "1"},
        "number": {"N": "4"}, "event_id": {"S": "evt_01J0ACRN000000000000000000"}, "event_digest": {"S": "d"},
        "seen_at": {"N": "1"}, "previous_mac": {"S": "m"}, "mac": {"S": "m"},
    });
    let put = json!({"TableName": place.devstack.dynamodb.table, "Item": end});
    place.devstack.dynamodb.ask("DynamoDB_20120810.PutItem", &put).await.unwrap();
    place.login(&devstack::seed::ACORN.owner).await;
    let records = place.devstack.stream.take().await.unwrap();
    let again = consume(&place, &records).await;
    assert_eq!(again.len(), 2, "the other organization's is chained");
    let told = place.devstack.logs.lines().into_iter().filter(|line| line["reason"] == "broken_end");
    assert_eq!(told.map(|line| line["ChainTrouble"].clone()).collect::<Vec<_>>(), [json!(1)]);
    let (pk, sk) = (end["pk"]["S"].as_str().unwrap(), end["sk"]["S"].as_str().unwrap());
    place.devstack.dynamodb.forget(pk, sk).await.unwrap();
    assert!(consume(&place, &again).await.is_empty());
    expect_whole(&place, 2, "after it was taken away").await;
}

#[tokio::test]
async fn one_organizations_trouble_is_not_anothers() {
    let place = place_with(2).await;
    place.login(&devstack::seed::ACORN.owner).await;
    let records = place.devstack.stream.take().await.unwrap();
    place.devstack.chain_requests.inject(|it| {
        let birch = it.operation == "TransactWriteItems" && it.body.to_string().contains(BIRCH.id);
        birch.then_some(Fault::NotSent)
    });
    let again = consume(&place, &records).await;
    assert_eq!(again.len(), 2);
    assert_eq!(place.items(&format!("CHAIN#{}", devstack::seed::ACORN.id), "LINK#").await.len(), 4);
    place.devstack.chain_requests.heal();
    assert!(consume(&place, &again).await.is_empty());
    expect_whole(&place, 2, "healed").await;
}

#[tokio::test]
async fn each_batch_leaves_one_checkpoint_apart_from_the_table() {
    let place = place_with(2).await;
    let records = place.devstack.stream.take().await.unwrap();
    for _ in 0..2 {
        consume(&place, &records).await;
    }
    let scan = json!({ "TableName": place.devstack.dynamodb.checkpoints });
    let all = place.devstack.dynamodb.ask("DynamoDB_20120810.Scan", &scan).await.unwrap();
    let ours = all["Items"].as_array().unwrap().iter();
    let ours = ours.filter(|it| it["pk"]["S"] == format!("CHAIN#{}", BIRCH.id));
    let mut numbers: Vec<&str> = ours.map(|it| it["number"]["N"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    // That of the people, and that of these two.
    assert_eq!(numbers, ["3", "5"]);
}
