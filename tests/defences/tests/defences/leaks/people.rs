//! The same for what people do with their accounts and with each other: signing up, passwords, invitations, and what they are mailed.

use defences::faults::{self, Span};
use defences::flight::flying;
use defences::{origin, owner};
use devstack::seed::PASSWORD;
use serde_json::json;
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::challenges::Code;
use shared::flows::{self, NewAccount, Newcomer};
use shared::sensitive::Sensitive;

use super::secrets::{Secrets, own_secret};
use super::{lines, logged, printed};
use crate::faults::people::{Deed, Stage, every_deed, requests_of};

/// What people type as a password of their own, in one deed or another.
const CHOSEN: [&str; 3] = [PASSWORD, "six parrots over Leeds", "lamps over a quiet harbour"];

fn deeds(stage: &Stage) -> Vec<Deed> {
    let mut deeds = every_deed(stage);
    let register = deeds.iter().find(|deed| deed.name == "register").unwrap().clone();
    let body = json!({"email": "waits@shop.example"});
    let route = ("POST", "/api/v1/auth/verify-email/resend");
    deeds.push(Deed { name: "resend", route, body, usual: 200, ..register });
    deeds
}

/// Every deed as it should be, and with another fault at each of its requests; what everybody is answered.
async fn every_answer(stage: &Stage, secrets: &mut Secrets) -> String {
    let (mut answers, mut turn) = (String::new(), 0);
    for deed in deeds(stage) {
        let (requests, answer) = requests_of(&deed, stage).await;
        answers += &secrets.answered(answer);
        secrets.mailed(&stage.place);
        secrets.none_in("the table", &lines(&stage.place.items("", "").await));
        for (nth, request) in requests.iter().enumerate() {
            let kinds: Vec<_> = faults::ALL.into_iter().filter(|kind| kind.fits(request)).collect();
            turn += 1;
            let at = stage.begin().await;
            faults::inject(&at.requests, nth, kinds[turn % kinds.len()], Span::FromThenOn);
            let ((_, answer, _), _) = flying(deed.run(&at)).await;
            at.requests.heal();
            answers += &format!("{}\n", secrets.answered(answer));
        }
        secrets.mailed(&stage.place);
    }
    answers
}

/// The errors of use cases, in both ways of printing them.
async fn errors(stage: &Stage, app: &App, mailed: &[String]) -> String {
    let (origin, by) = (origin(), &stage.owner);
    let address = EmailAddress::parse("waits@shop.example").unwrap();
    let [old, new] = [CHOSEN[0], CHOSEN[1]].map(|text| Sensitive::new(text.to_owned()));
    let account = NewAccount {
        email: "waits@shop.example".to_owned(),
        address: address.clone(),
        password: new.clone(),
        full_name: "O".to_owned(),
        country: None,
    };
    let mut text = format!("{account:?}\n");
    text += &printed(flows::register(app, &origin, &account).await.err());
    text += &printed(flows::resend_sign_up_code(app, &origin, &address, &account.email).await.err());
    text += &printed(flows::forgot_password(app, &origin, &address, owner().email).await.err());
    text += &printed(flows::change_password(app, &origin, by, &old, &new).await.err());
    text += &printed(flows::begin_totp(app, &origin, by, &old).await.err());
    for secret in mailed {
        let (code, token) = (Code::typed(secret), Sensitive::new(secret.clone()));
        let newcomer = Newcomer { full_name: "N".to_owned(), password: new.clone() };
        text += &format!("{code:?} {newcomer:?}\n");
        text += &printed(flows::verify_email(app, &origin, &address, &code).await.err());
        text += &printed(flows::confirm_totp(app, &origin, by, &code).await.err());
        text += &printed(flows::reset_password(app, &origin, &token, &new).await.err());
        text += &printed(flows::accept_invitation(app, &origin, secret, Some(newcomer)).await.err());
    }
    text
}

#[tokio::test]
async fn no_secret_of_people_is_in_logs_errors_answers_mails_or_the_table() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let mut secrets = Secrets(Vec::new());
    CHOSEN.iter().for_each(|password| secrets.add("a password", password));
    secrets.stored(&stage.place).await;
    secrets.mailed(&stage.place);
    let mailbox = || stage.place.devstack.mailbox.newest_first(None);
    // A code, a reset token and an invitation's are among them.
    let mailed: Vec<String> = mailbox().iter().filter_map(own_secret).collect();
    let of = |prefix: &str| mailed.iter().any(|secret| secret.starts_with(prefix));
    assert!(of("rst_") && of("it_") && mailed.iter().any(|secret| secret.len() == 6), "{}", mailed.len());

    let answers = Box::pin(every_answer(&stage, &mut secrets)).await;
    let mut said = String::new();
    for kind in faults::ALL {
        let at = stage.begin().await;
        at.requests.inject(move |request| kind.fits(request).then(|| kind.of(request)));
        said += &flying(Box::pin(errors(&stage, &at.app, &mailed))).await.0;
    }
    assert!(said.contains("Failed"), "nothing failed: {said}");
    secrets.mailed(&stage.place);
    secrets.none_in("an answer", &answers);
    secrets.none_in("an error", &said);
    secrets.none_in("the table", &lines(&stage.place.items("", "").await));
    secrets.none_in_mails(&mailbox());
    let log = logged.text();
    secrets.none_in("the log", &log);
    secrets.none_in("the gateway's log", &stage.place.devstack.logs.text());
    for action in [
        "register",
        "verify_email",
        "verify_email.resend",
        "password.forgot",
        "password.reset",
        "password.change",
        "member.accept_invitation",
    ] {
        assert!(log.contains(&format!("\"action\":\"{action}\"")), "{action} is not in the log");
    }
}
