//! F13: a black hole, and a table that is slow. Attempts, operations and calls each have their time-out, and these are what they are.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use defences::flight::flying;
use devstack::engines::recorder::Fault;
use tokio::time::Instant;

use super::flows::{EVERY_FLOW, Flow};
use super::kinds::{self, Kind, Span};
use super::matrix::judge;
use super::stage::Stage;

const SECOND: Duration = Duration::from_secs(1);

/// When each request was sent, counted from the first; and how long the call took.
async fn times(stage: &Stage, flow: Flow, fault: Fault) -> (Vec<Duration>, Duration) {
    let at = stage.begin(flow).await;
    let sent = Arc::new(Mutex::new(Vec::new()));
    let sending = Arc::clone(&sent);
    kinds::numbered(&at.requests, move |_, _| {
        sending.lock().unwrap().push(Instant::now());
        Some(fault.clone())
    });
    let (outcome, took) = flying(flow.run(stage, &at)).await;
    judge(flow, &outcome, took, &format!("{flow:?}"));
    let sent = sent.lock().unwrap();
    (sent.iter().map(|at| *at - sent[0]).collect(), took)
}

#[tokio::test]
async fn an_attempt_has_one_second_and_an_operation_two_and_a_half() {
    let stage = Box::pin(Stage::new()).await;
    let (sent, took) = times(&stage, Flow::AuthorizeKey, Fault::Silence).await;
    // An attempt of a second, and a pause of up to a second, as the SDK likes.
    assert!(sent.len() >= 2 && (SECOND..=2 * SECOND + SECOND / 10).contains(&sent[1]), "{sent:?}");
    assert!((2_400..2_600).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn an_operation_is_tried_three_times() {
    let stage = Box::pin(Stage::new()).await;
    let mut most = 0;
    // The pauses between are drawn, so that not every operation has the time for a third.
    for _ in 0..12 {
        most = most.max(times(&stage, Flow::AuthorizeKey, Fault::NotSent).await.0.len());
    }
    assert_eq!(most, 3);
}

#[tokio::test]
async fn no_call_takes_longer_than_its_deadline_however_many_operations_it_makes() {
    let stage = Box::pin(Stage::new()).await;
    let mut cut = 0;
    for flow in EVERY_FLOW {
        // Each attempt would be answered in time, and each operation.
        let (sent, took) = times(&stage, flow, Fault::Late(SECOND * 9 / 10)).await;
        if took > shared::deadline::OF_A_CALL - SECOND / 10 {
            cut += 1;
            assert!(took < shared::deadline::OF_A_CALL + SECOND / 10, "{flow:?}: {took:?}");
        }
        assert!(sent.len() <= 5, "{flow:?} went on: {sent:?}");
    }
    assert!(cut >= 4, "only {cut} calls were cut: nothing was tested");
}

#[tokio::test]
async fn tries_of_the_store_take_from_the_deadline_too() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin(Flow::SetOnboarding).await;
    // Every try waits most of a second for its refusal: seven would be six seconds.
    kinds::numbered(&at.requests, |_, request| {
        let Fault::Answer(status, body) = Kind::Conflict.of(request) else { return None };
        Kind::Conflict.fits(request).then(|| Fault::LateAnswer(SECOND * 9 / 10, status, body))
    });
    let (outcome, took) = flying(Flow::SetOnboarding.run(&stage, &at)).await;
    assert_eq!(outcome.status, 503);
    assert!((2_700..2_900).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn the_mail_has_a_time_of_its_own() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin(Flow::Login).await;
    // Five operations of two seconds together, which leaves the engine time of its own; the mail's second comes on top of them.
    kinds::numbered(&at.requests, |_, request| {
        let mail = request.operation == "SendEmail";
        Some(Fault::Late(if mail { SECOND } else { SECOND * 2 / 5 }))
    });
    let (outcome, took) = flying(Flow::Login.run(&stage, &at)).await;
    assert_eq!(outcome.status, 200, "{}", outcome.body);
    assert!(took > shared::deadline::OF_A_CALL, "{took:?}");
}

#[tokio::test]
async fn nothing_is_done_after_the_deadline() {
    let stage = Box::pin(Stage::new()).await;
    let at = stage.begin(Flow::Verify).await;
    kinds::inject(&at.requests, 0, Kind::Silence, Span::FromThenOn);
    let (outcome, _) = flying(Flow::Verify.run(&stage, &at)).await;
    assert_eq!(outcome.status, 503);
    assert_eq!(stage.table().await, stage.before);
}

/// The functions that send mail.
const MAILING: [&str; 7] = ["Login", "Verify", "Register", "Password", "Factors", "Members", "Leaks"];

/// Every function's own time-out leaves room for the deadline, and for a mail, a hash and a start.
#[test]
fn functions_have_longer_than_their_deadline() {
    let template = std::fs::read_to_string(devstack::template_path()).unwrap();
    let (mut function, mut seen) = (String::new(), 0);
    for line in template.lines() {
        if let Some(name) =
            line.strip_prefix("  ").filter(|it| it.ends_with("Function:") && !it.starts_with(' '))
        {
            function = name.trim_end_matches(':').to_owned();
        }
        let Some(seconds) = line.strip_prefix("      Timeout: ").and_then(|it| it.parse::<u64>().ok()) else {
            continue;
        };
        seen += 1;
        let mails = MAILING.iter().any(|name| function == format!("{name}Function"));
        let mail = if mails { shared::config::aws::OPERATION_TIMEOUT } else { Duration::ZERO };
        let least = shared::deadline::OF_A_CALL + mail + SECOND;
        assert!(Duration::from_secs(seconds) > least, "{function}: {seconds} s, not {least:?}");
    }
    assert!(seen >= 11, "{seen} time-outs: the reading is broken");
}
