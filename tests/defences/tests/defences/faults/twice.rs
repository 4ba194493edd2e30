//! F9: every call is delivered twice, one after the other and both at once, to two environments.

use defences::flight::flying;

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
