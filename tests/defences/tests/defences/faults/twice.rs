//! F9: every call is delivered twice, one after the other and both at once, to two environments; and each event is one, by one id.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use defences::environment::Environment;
use defences::flight::flying;
use devstack::engines::recorder::Fault;
use serde_json::Value;

use super::flows::{EVERY_FLOW, Flow};
use super::invariants;
use super::stage::Stage;

#[tokio::test]
async fn a_call_that_is_delivered_twice_is_one() {
    let stage = Box::pin(Stage::new()).await;
    for flow in EVERY_FLOW {
        let first = stage.begin(flow).await;
        let second = stage.place.environment();
        let one = flow.run(&stage, &first).await;
        let two = flow.run(&stage, &second).await;
        assert_eq!((one.status, two.status), (flow.usual(), flow.again()), "{flow:?}: {}", two.body);
        let table = stage.table().await;
        if flow == Flow::CreateKeyWithKey || flow == Flow::RevokeKey {
            assert_eq!(one.body["data"], two.body["data"], "{flow:?}: the same answer");
        }
        if flow == Flow::RefreshWithKey {
            assert_eq!(one.body["data"]["refresh_token"], two.body["data"]["refresh_token"]);
        }
        invariants::hold(&stage, &table);
    }
}

#[tokio::test]
async fn a_call_that_is_delivered_twice_at_once_is_one() {
    let stage = Box::pin(Stage::new()).await;
    for flow in EVERY_FLOW {
        let first = stage.begin(flow).await;
        let second = stage.place.environment();
        let both = async { tokio::join!(flow.run(&stage, &first), flow.run(&stage, &second)) };
        let ((one, two), _) = flying(both).await;
        let mut told = [one.status, two.status];
        told.sort_unstable_by_key(|status| *status != flow.usual());
        assert_eq!(told[0], flow.usual(), "{flow:?}: {} {}", one.body, two.body);
        assert!([flow.usual(), flow.again()].contains(&told[1]), "{flow:?}: {} {}", one.body, two.body);
        if flow.again() != flow.usual() {
            assert_eq!(told[1], flow.again(), "{flow:?}: it was done twice");
        }
        invariants::hold(&stage, &stage.table().await);
    }
}

/// One mail for a code that is sent again, however often it is asked for.
#[tokio::test]
async fn a_code_that_is_asked_for_again_twice_is_mailed_once() {
    let stage = Box::pin(Stage::new()).await;
    let mails = || stage.place.devstack.mailbox.newest_first(None).len();
    let before = mails();
    let (first, second) = (stage.begin(Flow::Resend).await, stage.place.environment());
    tokio::join!(Flow::Resend.run(&stage, &first), Flow::Resend.run(&stage, &second));
    assert_eq!(mails(), before + 1);
}

/// The ids of the audit events that are there now and were not before.
async fn events(stage: &Stage) -> BTreeSet<String> {
    let text = |item: &Value| item["event_id"].as_str().unwrap().to_owned();
    let before: BTreeSet<String> =
        stage.before.iter().filter(|item| !item["event_id"].is_null()).map(text).collect();
    let now = stage.place.items("AUDIT#", "EVENT#").await;
    let mut now: BTreeSet<String> = now.iter().map(text).collect();
    now.retain(|id| !before.contains(id));
    now
}

/// The ids of the events that an environment sent, and how often it sent one.
fn sent(at: &Environment) -> (BTreeSet<String>, usize) {
    let (mut ids, mut times) = (BTreeSet::new(), 0);
    for request in at.requests.take() {
        for write in request.body["TransactItems"].as_array().into_iter().flatten() {
            if let Some(id) = write["Put"]["Item"]["event_id"]["S"].as_str() {
                ids.insert(id.to_owned());
                times += 1;
            }
        }
    }
    (ids, times)
}

/// A flow is carried out and its answers are lost, once or for good; then its client asks again. One event, by one id.
async fn is_one_event(flow: Flow, stage: &Stage, fault: &Fault, for_good: bool) -> bool {
    // The stage itself writes an event where nobody has named the issuer yet.
    let at = stage.begin(flow).await;
    let begun = events(stage).await;
    let usual = flow.run(stage, &at).await;
    assert_eq!(usual.status, flow.usual(), "{flow:?}: {}", usual.body);
    let made = events(stage).await.len() - begun.len();

    let at = stage.begin(flow).await;
    let begun = events(stage).await;
    let (fault, met) = (fault.clone(), AtomicBool::new(false));
    let what = format!("{flow:?}, {fault:?}, for good: {for_good}");
    at.requests.inject(move |request| {
        // The write that holds the event, of all that a flow makes.
        let holds_one = request.body["TransactItems"].to_string().contains("\"event_id\"");
        let meets = holds_one && (!met.swap(true, Ordering::SeqCst) || for_good);
        meets.then(|| fault.clone())
    });
    let (outcome, _) = flying(flow.run(stage, &at)).await;
    at.requests.heal();
    let (ids, times) = sent(&at);
    let new: BTreeSet<String> = &events(stage).await - &begun;
    if made > 0 {
        assert!(times > ids.len(), "{what}: nothing was sent again");
        assert_eq!((new.len(), &new), (made, &ids), "{what}: {}", outcome.body);
    }
    let (again, _) = flying(flow.run(stage, &stage.place.environment())).await;
    // Without an `Idempotency-Key` a client that asks again cannot be told from a thief, and that is an event of its own.
    let theft = usize::from(flow == Flow::Refresh && again.status == 401);
    // Whoever begins again has another secret.
    let anew = usize::from(flow == Flow::BeginTotp && again.status == flow.usual());
    let left = (&events(stage).await - &begun).len();
    assert_eq!(left, made + theft + anew, "{what}, then again: {}", again.body);
    made > 0
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_one_event_of_one_id() {
    let stage = Box::pin(Stage::new()).await;
    let mut changes = 0;
    for flow in EVERY_FLOW {
        for (fault, for_good) in
            [(Fault::AnswerLost, false), (Fault::SilenceAfter, false), (Fault::AnswerLost, true)]
        {
            changes += usize::from(Box::pin(is_one_event(flow, &stage, &fault, for_good)).await);
        }
    }
    assert!(changes >= 3 * 10, "{changes} changes: most flows are one");
}
