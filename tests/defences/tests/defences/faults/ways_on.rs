//! Where a retry is refused because the first try was carried out: the way on that the contract leaves its client.

use defences::environment::{Environment, HttpCall};
use devstack::phone::Phone;
use devstack::seed::{BIRCH, PASSWORD};
use serde_json::{Value, json};
use shared::principals::UserPrincipal;
use time::Duration;

use super::flows::Flow;
use super::invariants;
use super::stage::Stage;

/// Follows it to its end.
pub async fn lead_on(flow: Flow, stage: &Stage, at: &Environment, what: &str) {
    match flow {
        Flow::Verify | Flow::Refresh => log_in_again(stage, at, what).await,
        Flow::Resend => ask_a_minute_later(stage, at, what).await,
        Flow::CreateKey => rotate(stage, at, what).await,
        Flow::VerifyTotp | Flow::VerifyBackup => log_in_with_the_next_code(stage, at, what).await,
        Flow::ConfirmTotp => {
            remake(stage, at, (&stage.accounts.beginner, &stage.accounts.begun.phone), what).await
        }
        Flow::RemakeBackupCodes => {
            remake(stage, at, (&stage.accounts.viewer, &stage.accounts.app.phone), what).await;
        }
        // What was to be gone is.
        Flow::RemoveTotp => {}
        other => panic!("{what}: {other:?} leads nowhere"),
    }
    invariants::hold_but_for_logins(stage, &stage.table().await);
}

fn call(function: &'static str, method: &'static str, resource: &'static str, body: Value) -> HttpCall {
    HttpCall {
        function,
        method,
        resource,
        parameter: None,
        body,
        idempotency_key: None,
        headers: Vec::new(),
        user: None,
    }
}

async fn log_in_again(stage: &Stage, at: &Environment, what: &str) {
    let body = json!({"email": BIRCH.admin.email, "password": PASSWORD});
    let started = at.http(&call("login", "POST", "/api/v1/auth/login", body)).await;
    assert_eq!(started.status, 200, "{what}: {}", started.body);
    let code = stage.place.devstack.mailbox.code(BIRCH.admin.email).unwrap();
    let body = json!({"challenge_id": started.body["data"]["challenge_id"], "code": code});
    let done = at.http(&call("verify", "POST", "/api/v1/auth/login/2fa/verify", body)).await;
    assert_eq!(done.status, 200, "{what}: {}", done.body);
}

/// The app's next code, half a minute ahead, is good already.
async fn log_in_with_the_next_code(stage: &Stage, at: &Environment, what: &str) {
    let body = json!({"email": BIRCH.viewer.email, "password": PASSWORD});
    let started = at.http(&call("login", "POST", "/api/v1/auth/login", body)).await;
    assert_eq!(started.status, 200, "{what}: {}", started.body);
    let code = stage.accounts.app.phone.code(stage.place.now() + 30);
    let body = json!({"challenge_id": started.body["data"]["challenge_id"], "code": code});
    let done = at.http(&call("verify", "POST", "/api/v1/auth/login/2fa/verify", body)).await;
    assert_eq!(done.status, 200, "{what}: {}", done.body);
}

/// New backup codes in the place of those that nobody saw.
async fn remake(stage: &Stage, at: &Environment, (who, phone): (&UserPrincipal, &Phone), what: &str) {
    let body = json!({"password": PASSWORD, "code": phone.code(stage.place.now() + 30)});
    let mut call = call("factors", "POST", "/api/v1/auth/factors/backup-codes", body);
    call.user = Some(who.clone());
    let made = at.http(&call).await;
    assert_eq!(made.status, 201, "{what}: {}", made.body);
}

/// As long as it was told to wait: then a code comes that works.
async fn ask_a_minute_later(stage: &Stage, at: &Environment, what: &str) {
    let told = Flow::Resend.run(stage, at).await.retry_after.unwrap();
    assert!((1..=60).contains(&told), "{what}: {told}");
    let later = stage.place.environment_later(Duration::seconds(told));
    let sent = Flow::Resend.run(stage, &later).await;
    assert_eq!(sent.status, 200, "{what}: {}", sent.body);
    let code = stage.place.devstack.mailbox.code(BIRCH.admin.email).unwrap();
    let body = json!({"challenge_id": stage.challenge.0, "code": code});
    let done = later.http(&call("verify", "POST", "/api/v1/auth/login/2fa/verify", body)).await;
    assert_eq!(done.status, 200, "{what}: {}", done.body);
}

/// List, revoke, and a minute after the first create.
async fn rotate(stage: &Stage, at: &Environment, what: &str) {
    let by = |mut call: HttpCall| {
        call.user = Some(stage.acorn_owner.clone());
        call
    };
    let listed = at.http(&by(call("keys", "GET", "/api/v1/auth/api-keys", Value::Null))).await;
    let id = listed.body["data"]["keys"][0]["api_key_id"].as_str().unwrap().to_owned();
    let mut revoke = by(call("keys", "DELETE", "/api/v1/auth/api-keys/{api_key_id}", Value::Null));
    revoke.parameter = Some(("api_key_id", id));
    assert_eq!(at.http(&revoke).await.status, 200, "{what}");
    let later = stage.place.environment_later(Duration::seconds(60));
    let made = Flow::CreateKey.run(stage, &later).await;
    assert_eq!(made.status, 201, "{what}: {}", made.body);
    invariants::answer_is_true(Flow::CreateKey, &made, stage, &stage.table().await);
}
