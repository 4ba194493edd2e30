//! Every request of every flow meets every fault; then its client asks again.

use std::time::Duration;

use defences::environment::{Environment, Outcome};
use defences::flight::flying;
use devstack::engines::recorder::{Fault, Recorded};

use super::flows::Flow;
use super::invariants;
use super::kinds::{self, Kind, Span};
use super::stage::Stage;

/// What an answer may take at most.
const LONGEST: Duration = Duration::from_secs(3);

/// The requests that a flow makes in an environment that has served nothing, in their order, whichever service they go to.
async fn requests_of(flow: Flow, stage: &Stage) -> Vec<Recorded> {
    let at = stage.begin(flow).await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let recording = std::sync::Arc::clone(&seen);
    kinds::numbered(&at.requests, move |_, request| {
        recording.lock().unwrap().push(request.clone());
        None
    });
    let outcome = flow.run(stage, &at).await;
    assert_eq!(outcome.status, flow.usual(), "{flow:?}: {}", outcome.body);
    invariants::hold(stage, &stage.table().await);
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty());
    seen
}

/// Right, or 503 that says when to come back; never anything else.
pub fn judge(flow: Flow, outcome: &Outcome, took: Duration, what: &str) {
    let is_away = outcome.status == 503 && outcome.retry_after.is_some_and(|seconds| seconds > 0);
    assert!(outcome.status == flow.usual() || is_away, "{what}: {} {}", outcome.status, outcome.body);
    assert!(took < LONGEST, "{what}: {took:?}");
}

/// The client asks again, and it ends well.
async fn again(flow: Flow, stage: &Stage, at: &Environment, what: &str) {
    let before = stage.table().await;
    let (outcome, _) = flying(flow.run(stage, at)).await;
    let done = invariants::is_done(flow, stage, &before);
    let right = if done { flow.again() } else { flow.usual() };
    let right = outcome.status == right;
    assert!(right, "{what}, then again: {} {}", outcome.status, outcome.body);
    let table = stage.table().await;
    invariants::hold(stage, &table);
    if outcome.status == flow.usual() {
        invariants::answer_is_true(flow, &outcome, stage, &table);
    } else {
        Box::pin(super::ways_on::lead_on(flow, stage, at, what)).await;
    }
}

async fn meets(flow: Flow, stage: &Stage, (nth, request): (usize, &Recorded), kind: Kind, span: Span) {
    let what = format!("{flow:?}, request {nth}, {kind:?} {span:?}");

    let at = stage.begin(flow).await;
    kinds::inject(&at.requests, nth, kind, span);
    let (outcome, took) = flying(flow.run(stage, &at)).await;
    at.requests.heal();
    judge(flow, &outcome, took, &what);
    if span == Span::Once && kind != Kind::HalfAnswer && request.operation != "SendEmail" {
        // The SDK or the store tries again, and knows what it did the first time. Mail is never sent twice.
        assert_eq!(outcome.status, flow.usual(), "{what}: {}", outcome.body);
    }
    let table = stage.table().await;
    invariants::hold(stage, &table);
    invariants::answer_is_true(flow, &outcome, stage, &table);
    if outcome.status == 503 {
        Box::pin(again(flow, stage, &at, &what)).await;
    }
}

/// The environment dies as soon as the `nth` request was carried out; another serves the retry.
async fn is_killed(flow: Flow, stage: &Stage, nth: usize) {
    let what = format!("{flow:?}, killed after request {nth}");
    let at = stage.begin(flow).await;
    kinds::numbered(&at.requests, move |number, _| (number >= nth).then_some(Fault::SilenceAfter));
    // Time flies once the request was carried out: this comes long before its time-out.
    let dies = tokio::time::timeout(Duration::from_millis(500), flow.run(stage, &at));
    let (ended, _) = flying(dies).await;
    assert!(ended.is_err(), "{what}: it lived, and said {ended:?}");
    invariants::hold(stage, &stage.table().await);
    Box::pin(again(flow, stage, &stage.place.environment(), &what)).await;
}

/// The spans to try. Without `FAULTS=whole`, a fault comes once or for good, by turns; where the request is carried out, both ways.
fn spans(turn: usize, kind: Kind) -> Vec<Span> {
    let both = [Span::Once, Span::FromThenOn];
    if matches!(kind, Kind::AnswerLost | Kind::ErrorAfter | Kind::SilenceAfter) || super::whole() {
        both.to_vec()
    } else {
        vec![both[turn % 2]]
    }
}

async fn survives_everything(flow: Flow, stage: &Stage) -> usize {
    let requests = Box::pin(requests_of(flow, stage)).await;
    let mut cases = 0;
    for (nth, request) in requests.iter().enumerate() {
        let is_write = Kind::Conflict.fits(request);
        for (turn, kind) in kinds::ALL.into_iter().filter(|kind| kind.fits(request)).enumerate() {
            for span in spans(turn + nth, kind) {
                Box::pin(meets(flow, stage, (nth, request), kind, span)).await;
                cases += 1;
            }
        }
        if is_write {
            Box::pin(is_killed(flow, stage, nth)).await;
            cases += 1;
        }
    }
    cases
}

macro_rules! flows {
    ($($name:ident: $($flow:ident),+;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let stage = Box::pin(Stage::new()).await;
            for flow in [$(Flow::$flow),+] {
                let cases = Box::pin(survives_everything(flow, &stage)).await;
                // A guard against a matrix that injects nothing.
                assert!(cases >= 5, "{flow:?}: {cases} faults");
            }
        }
    )*};
}

flows! {
    a_first_step_survives_every_fault: Login, WrongPassword;
    a_second_step_survives_every_fault: Verify, WrongCode, Resend;
    a_refresh_survives_every_fault: Refresh, RefreshWithKey, Theft;
    a_key_survives_every_fault: CreateKey, CreateKeyWithKey, ListKeys, RevokeKey;
    an_organization_and_a_logout_survive_every_fault: Logout, ShowOrganization, SwitchEnvironment, KeySet;
    a_second_step_with_an_app_survives_every_fault: VerifyTotp, VerifyBackup;
    changed_factors_survive_every_fault: ShowFactors, BeginTotp, ConfirmTotp, RemoveTotp, RemakeBackupCodes;
    sessions_survive_every_fault: ListSessions, EndSession, EndOtherSessions;
    an_authorizer_survives_every_fault: AuthorizeToken, AuthorizeKey;
    an_operators_organizations_survive_every_fault: CreateOrganization, SetOnboarding, Suspend, Reinstate;
    an_operators_accounts_survive_every_fault: Unlock, EndSessions, OperatorRevokesKey, NameIssuer;
}
