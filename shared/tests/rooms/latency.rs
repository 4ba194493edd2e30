//! How long an attempt took, from its first line to its last by the clock that was passed in, stands in its line.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shared::app::{App, Outside};
use shared::authz;
use shared::clock::{Clock, ManualClock, SystemClock};
use shared::config::{Config, Credentials, Endpoints, HttpApiAnswer, logs};
use shared::flows::{self, Origin};
use shared::ids::{OrgId, SessionId, UserId};
use shared::metrics::Place;
use shared::passwords::Hashing;
use shared::principals::UserPrincipal;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::users::Role;
use shared::webhooks::Reach;
use time::{Duration, OffsetDateTime};

/// Each look at it finds that time has passed.
struct Ticking {
    clock: ManualClock,
    by: Duration,
}

impl Clock for Ticking {
    fn now(&self) -> OffsetDateTime {
        self.clock.advance(self.by);
        self.clock.now()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An app whose clock ticks, and which reaches nothing: what is judged here is judged without a call.
fn app(by: Duration) -> App {
    let config = Config {
        table: "t".to_owned(),
        region: "eu-west-1".to_owned(),
        audience: "a".to_owned(),
        mail_from: String::new(),
        signing_secret: String::new(),
        codes_secret: String::new(),
        sealing_secret: String::new(),
        audit_secret: String::new(),
        factors_secret: String::new(),
        checkpoints_table: String::new(),
        webhooks_secret: String::new(),
        webhooks_queue: String::new(),
        reach: Reach::Internet,
        issuer: String::new(),
        http_api_answer: HttpApiAnswer::default(),
        hashing: Hashing::InPlace,
        credentials: Credentials {
            access_key_id: "a".to_owned(),
            secret_access_key: Sensitive::new("s".to_owned()),
            session_token: None,
        },
        endpoints: Endpoints::default(),
        ca_bundle: None,
    };
    let clock = Arc::new(Ticking { clock: ManualClock::new(SystemClock.now()), by });
    App::new(&config, Outside { clock, rng: Arc::new(SystemRng), http_client: None }).unwrap()
}

/// The one line of a refused call of the authorizer, and that of a refused use case.
fn lines(by: Duration) -> Vec<Value> {
    let written = Lines::default();
    let (place, writer) = (Place::new("N", "s"), written.clone());
    let at = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
    let subscriber = logs::subscriber("", place, Arc::new(ManualClock::new(at)), move || writer.clone());
    let app = app(by);
    let user = UserPrincipal {
        user_id: UserId::new(&SystemClock, &SystemRng),
        org_id: OrgId::new(&SystemClock, &SystemRng),
        role: Role::Owner,
        session_id: SessionId::new(&SystemClock, &SystemRng),
    };
    let origin = Origin { request_id: "r".to_owned(), network: "n".to_owned(), ..Origin::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let event = json!({"type": "TOKEN", "methodArn": "", "authorizationToken": "Bearer sk_test_no"});
            authz::decide(&app, &event, "i").await.unwrap_err();
            flows::revoke_key(&app, &origin, &user, "no key's id").await.unwrap_err();
        });
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_attempt_says_how_long_it_took() {
    let lines = lines(Duration::microseconds(1_250));
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, reason) in lines.iter().zip(["malformed_key", "not_found"]) {
        assert_eq!((&line["reason"], &line["Latency"]), (&json!(reason), &json!(1.25)), "{line}");
        assert_eq!(line["_aws"]["Timestamp"], 1_790_000_000_000_i64, "{line}");
        assert_eq!(line["timestamp"], "2026-09-21T14:13:20Z", "{line}");
        assert_eq!(line["level"], "WARN", "{line}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_take_less_than_no_time() {
    for line in lines(Duration::seconds(-1)) {
        assert_eq!(line["Latency"], 0.0, "{line}");
    }
}
