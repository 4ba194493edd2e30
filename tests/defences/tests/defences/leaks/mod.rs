//! Nothing leaks: every flow, well and ill, with the most talkative log that an operator can ask for; then each secret is searched for in
//! logs and metrics, errors, answers, mails and the table.

mod credentials;
mod dashboard;
mod operators;
mod panics;
mod people;
mod refusals;
mod search;
mod secrets;
mod stored;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use defences::environment::Environment;
use defences::faults::{self, Span};
use defences::flight::flying;
use defences::{origin, owner};
use devstack::engines::recorder::Fault;
use devstack::seed::PASSWORD;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::allowed_addresses::AllowedAddresses;
use shared::challenges::Code;
use shared::clock::SystemClock;
use shared::config::logs;
use shared::flows::{self, CodeType, KeyRequest};
use shared::metrics::Place as Metrics;
use shared::sensitive::Sensitive;
use tracing::instrument::WithSubscriber as _;

use super::faults::flows::{EVERY_FLOW, Flow};
use super::faults::stage::Stage;
use search::{Canary, Written};
use secrets::Secrets;

/// Everything that is logged from now on by any thread: as shipped, at its most talkative.
fn logged() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let written = Written::default();
        let place = Metrics::new("n", "s");
        let shipped = logs::subscriber("trace", place, Arc::new(SystemClock), written.clone());
        tracing::subscriber::set_global_default(shipped).unwrap();
        written
    })
}

/// Every flow as it should be, and with another fault at each of its requests; what everybody is answered.
async fn every_flow(stage: &Stage, secrets: &mut Secrets) -> String {
    let mut answers = String::new();
    let mut turn = 0;
    for flow in EVERY_FLOW {
        let at = stage.begin(flow).await;
        let requests = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        faults::numbered(&at.requests, move |_, request| {
            seen.lock().unwrap().push(request.clone());
            None
        });
        answers += &secrets.answered(flow.run(stage, &at).await.body);
        secrets.mailed(&stage.place);
        secrets.none_in("the table", &lines(&stage.table().await));
        let requests = requests.lock().unwrap().clone();
        for (nth, request) in requests.iter().enumerate() {
            let kinds: Vec<_> = faults::ALL.into_iter().filter(|kind| kind.fits(request)).collect();
            turn += 1;
            let kind = kinds[turn % kinds.len()];
            let at = stage.begin(flow).await;
            faults::inject(&at.requests, nth, kind, Span::FromThenOn);
            let (outcome, _) = flying(flow.run(stage, &at)).await;
            at.requests.heal();
            answers += &secrets.answered(outcome.body);
            answers.push('\n');
        }
        secrets.mailed(&stage.place);
    }
    answers
}

fn lines(items: &[Value]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

/// What Secrets Manager may give instead of a secret: cut off, no JSON, JSON with something else in it, and an error that quotes it.
fn spoilt(secret: &str) -> [Fault; 5] {
    let value = |text: &str| Fault::Answer(200, json!({"Name": "n", "SecretString": text}));
    let wrong = format!("{{\"signing\": \"{secret}\", \"refresh\": 7, \"key\": [\"{secret}\"]}}");
    [
        Fault::HalfAnswer,
        value(secret),
        value(&wrong),
        Fault::Answer(200, json!(format!("{{\"SecretString\": \"{secret}"))),
        Fault::Answer(400, json!({"__type": "InternalServiceError", "SecretString": secret})),
    ]
}

/// The errors of use cases, in both ways of printing them: what a mistake of ours would put into a log.
async fn errors(stage: &Stage, at: &Environment) -> String {
    let (app, origin) = (&at.app, origin());
    let password = Sensitive::new(PASSWORD.to_owned());
    let address = EmailAddress::parse(owner().email).unwrap();
    let refresh = stage.birch.refresh_token.as_str();
    let code = Code::typed(&stage.challenge.1);
    let key = KeyRequest {
        key_name: "k".to_owned(),
        expires_in_days: None,
        env: None,
        allowed_addresses: AllowedAddresses::default(),
        idempotency_key: Some(Sensitive::new("an-idempotency-key-of-mine".to_owned())),
    };
    let mut text = format!("{password:?} {code:?} {:?}\n", key.idempotency_key);
    text += &printed(flows::login(app, &origin, &address, &password).await.err());
    text +=
        &printed(flows::verify(app, &origin, &stage.challenge.0, &code, CodeType::Primary, None).await.err());
    text += &printed(flows::refresh(app, &origin, refresh, Some("0123456789abcdef")).await.err());
    text += &printed(flows::create_key(app, &origin, &stage.acorn_owner, &key).await.err());
    text
}

fn printed<E: std::error::Error + Debug>(error: Option<E>) -> String {
    error.map_or(String::new(), |error| format!("{error}\n{error:?}\n{error:#?}\n"))
}

/// Each secret rotates, well and with its answers spoilt.
async fn rotations(stage: &Stage, secrets: &mut Secrets) -> String {
    let place = rotation::Place::over(Arc::clone(&stage.place.devstack));
    let config = &stage.place.devstack.config;
    let mut said = String::new();
    for name in [&config.signing_secret, &config.codes_secret, &config.sealing_secret] {
        for answer in place.rotate(name).await {
            said += &format!("{answer}\n");
        }
        secrets.stored(&stage.place).await;
        let token = place.begin(name).await.unwrap();
        let value = place.current(name).await.to_string();
        for fault in spoilt(&value) {
            place.rotator.requests.inject_elsewhere(move |request| {
                (request.operation == "GetSecretValue").then(|| fault.clone())
            });
            let (step, _) = flying(place.step(name, "createSecret", &token)).await;
            said += &printed(step.err());
        }
        place.rotator.heal();
        for answer in place.steps(name, &token).await.unwrap() {
            said += &format!("{answer}\n");
        }
        secrets.stored(&stage.place).await;
        // The public keys that environments keep are a minute old at most.
        stage.place.devstack.clock.advance(time::Duration::days(rotation::INTERVAL_DAYS));
    }
    said
}

#[tokio::test]
async fn no_secret_is_in_logs_errors_answers_mails_or_the_table() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let mut secrets = Secrets::of(&stage).await;
    let mut answers = Box::pin(every_flow(&stage, &mut secrets)).await;
    answers += &Box::pin(dashboard::session(&stage, &mut secrets)).await;
    secrets.none_in("the table", &lines(&stage.table().await));

    let mut errors_said = String::new();
    let place = rotation::Place::over(Arc::clone(&stage.place.devstack));
    let signing = place.current(&stage.place.devstack.config.signing_secret).await.to_string();
    for fault in spoilt(&signing) {
        let at = stage.begin(Flow::Login).await;
        at.requests.inject_elsewhere(move |_| Some(fault.clone()));
        errors_said += &flying(Box::pin(errors(&stage, &at))).await.0;
    }
    for kind in faults::ALL {
        let at = stage.begin(Flow::Login).await;
        at.requests.inject(move |request| kind.fits(request).then(|| kind.of(request)));
        errors_said += &flying(Box::pin(errors(&stage, &at))).await.0;
    }
    assert!(errors_said.contains("Failed"), "nothing failed: {errors_said}");
    errors_said += &Box::pin(rotations(&stage, &mut secrets)).await;
    secrets.mailed(&stage.place);

    secrets.none_in("an answer", &answers);
    secrets.none_in("an error", &errors_said);
    secrets.none_in("the table", &lines(&stage.table().await));
    let mails = stage.place.devstack.mailbox.newest_first(None);
    assert!(mails.len() > 5, "{} mails", mails.len());
    secrets.none_in_mails(&mails);
    let log = logged.text();
    secrets.none_in("the log", &log);
    secrets.none_in("the gateway's log", &stage.place.devstack.logs.text());
    // The search looked at something: lines of every kind of call, and their metrics.
    for what in [
        "\"action\":\"login\"",
        "\"action\":\"refresh\"",
        "\"action\":\"key.create\"",
        "\"action\":\"totp.confirm\"",
        "\"action\":\"backup_codes.make\"",
        "origin_not_allowed",
        "_aws",
    ] {
        assert!(log.contains(what), "{what} is not in the log");
    }
}

/// The control: what is in a log is found, whatever it is written in; and a log without the cap on libraries would hold secrets.
#[tokio::test]
async fn a_planted_secret_is_found_and_uncapped_libraries_would_tell() {
    let stage = Box::pin(Stage::new()).await;
    let secrets = Secrets::of(&stage).await;
    let written = Written::default();
    let everything = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(written.clone())
        .finish();
    let everything = tracing::Dispatch::new(everything);
    for flow in [Flow::Login, Flow::Verify, Flow::Refresh, Flow::CreateKeyWithKey] {
        let at = stage.begin(flow).await;
        let outcome = flow.run(&stage, &at).with_subscriber(everything.clone()).await;
        assert_eq!(outcome.status, flow.usual());
    }
    let uncapped = written.text();
    let told: Vec<_> = secrets.0.iter().filter(|it| it.found_in(&uncapped).is_some()).collect();
    eprintln!(
        "{} KiB, uncapped; told: {:?}",
        uncapped.len() / 1024,
        told.iter().map(|it| &it.what).collect::<Vec<_>>()
    );
    assert!(!told.is_empty());

    let secret = "a-planted-secret-of-some-length";
    let canary = Canary::new("planted", secret);
    let url =
        base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, format!("before {secret} after"));
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [secret.to_owned(), format!("x{secret}y"), url, hex, format!("{:?}", secret.as_bytes())] {
        let place = Metrics::new("n", "s");
        let written = Written::default();
        let shipped = logs::subscriber("trace", place, Arc::new(SystemClock), written.clone());
        tracing::subscriber::with_default(
            shipped,
            || tracing::trace!(target: "shared::test", text, "a mistake"),
        );
        assert!(canary.found_in(&written.text()).is_some(), "{text}: {}", written.text());
    }
    assert!(Canary::new("a code", "123456").found_in("x 123456, y").is_some());
    assert!(Canary::new("a code", "123456").found_in("x1234567").is_none());
}

/// Whatever an operator sets, libraries say warnings and worse: a level is a word, not a filter.
#[test]
fn no_level_makes_libraries_talk() {
    for level in
        ["trace", "TRACE", "debug", "trace,aws_smithy_runtime=trace", "trace,hyper=trace,h2=trace", "off"]
    {
        let place = Metrics::new("n", "s");
        let written = Written::default();
        let shipped = logs::subscriber(level, place, Arc::new(SystemClock), written.clone());
        tracing::subscriber::with_default(shipped, || {
            tracing::trace!(target: "aws_smithy_runtime::client", "body");
            tracing::debug!(target: "aws_sdk_dynamodb", "body");
            tracing::info!(target: "lambda_runtime", "body");
            tracing::info!(target: "hyper::proto", "body");
            tracing::trace!(target: "h2::codec", "body");
        });
        assert_eq!(written.text(), "", "{level}");
    }
}
