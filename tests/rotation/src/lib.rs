//! A devstack whose secrets rotate, and execution environments that hold copies of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use defences::flight;
use devstack::engines::recorder::{self, Fault, Recorder};
use devstack::seed::{self, Person};
use devstack::{Devstack, Options};
use rotate_signing_key::RotationError;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::app::{App, Outside};
use shared::authz;
use shared::challenges::Code;
use shared::clock::Clock as _;
use shared::config::{Config, aws};
use shared::flows::{self, CodeType, Origin, Refusal, Tokens};
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::signer::Signer;
use shared::tokens::access_token::{Claims, LIFETIME_SECONDS};
use shared::tokens::key_ledger::KeyLedger;
use time::Duration;

/// The four steps, as Secrets Manager calls them.
pub const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// How often Secrets Manager rotates a secret: as the template says.
pub const INTERVAL_DAYS: i64 = 35;

/// The devstack, and the functions that rotate its secrets.
pub struct Place {
    /// The devstack.
    pub devstack: Arc<Devstack>,
    /// Where the rotation functions run.
    pub rotator: Environment,
    secrets: Client,
}

/// An execution environment: an app with caches of its own, on connections of its own.
pub struct Environment {
    /// The app.
    pub app: App,
    /// Its connections.
    pub requests: Recorder,
}

impl Environment {
    /// From now on it cannot read this secret, and goes on with what it holds.
    pub fn cut_off_from(&self, secret: &str) {
        let secret = secret.to_owned();
        self.requests.inject_elsewhere(move |it| (it.body["SecretId"] == secret.as_str()).then(denied));
    }

    /// It can reach everything again.
    pub fn heal(&self) {
        self.requests.heal();
    }

    /// Whether it accepts an access token; it has to say which.
    pub async fn accepts(&self, access_token: &str) -> bool {
        match authz::authenticate(&self.app, access_token).await {
            Ok(_) => true,
            Err(authz::Rejection::NotAuthentic(_)) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Refreshes.
    pub async fn refresh(&self, token: &str) -> Result<Tokens, Refusal> {
        flows::refresh(&self.app, &origin(), token, None).await
    }
}

/// An answer that the SDK does not try again.
pub fn denied() -> Fault {
    Fault::Answer(400, json!({"__type": "AccessDeniedException", "message": "injected"}))
}

impl Place {
    /// A new one, in memory, with the secrets that the devstack begins with: no rotation made them.
    pub async fn new() -> Self {
        Self::over(Arc::new(Devstack::start(Options::default()).await.unwrap()))
    }

    /// The rotation of the secrets of a devstack that runs already.
    pub fn over(devstack: Arc<Devstack>) -> Self {
        let rotator = environment(&devstack, &devstack.config);
        let secrets = aws::secretsmanager(&devstack.config, recorder::plain_http());
        Self { devstack, rotator, secrets }
    }

    /// A new one, a few days after the first rotation.
    pub async fn rotating() -> Self {
        let place = Self::new().await;
        place.rotate(&place.signing()).await;
        place.advance_days(INTERVAL_DAYS);
        place
    }

    /// A new execution environment.
    pub fn environment(&self) -> Environment {
        environment(&self.devstack, &self.devstack.config)
    }

    /// The same with another configuration.
    pub fn environment_like(&self, change: impl FnOnce(&mut Config)) -> Environment {
        let mut config = self.devstack.config.clone();
        change(&mut config);
        environment(&self.devstack, &config)
    }

    /// Seconds since the epoch.
    pub fn now(&self) -> i64 {
        self.devstack.clock.now_seconds()
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.devstack.clock.advance(Duration::seconds(seconds));
    }

    /// Lets days pass.
    pub fn advance_days(&self, days: i64) {
        self.devstack.clock.advance(Duration::days(days));
    }

    /// The `signing` secret's name.
    pub fn signing(&self) -> String {
        self.devstack.config.signing_secret.clone()
    }

    /// Secrets Manager, as an operator reaches it.
    pub fn secrets(&self) -> &Client {
        &self.secrets
    }

    /// A secret's current value.
    pub async fn current(&self, secret: &str) -> Value {
        let answer = self.secrets.get_secret_value().secret_id(secret).send().await.unwrap();
        serde_json::from_str(answer.secret_string().unwrap()).unwrap()
    }

    /// The key set's item.
    pub async fn ledger(&self) -> KeyLedger {
        self.devstack.app.store.key_ledger().await.unwrap().unwrap()
    }

    /// The names of the published keys.
    pub async fn published(&self) -> Vec<String> {
        self.ledger().await.keys.into_iter().map(|key| key.kid).collect()
    }

    /// Begins a rotation, as Secrets Manager does: its token.
    pub async fn begin(&self, secret: &str) -> Result<String, String> {
        let call = self.secrets.rotate_secret().secret_id(secret).send().await;
        let answer = call.map_err(|error| DisplayErrorContext(error).to_string())?;
        Ok(answer.version_id().unwrap().to_owned())
    }

    /// One step of a rotation.
    pub async fn step(&self, secret: &str, step: &str, token: &str) -> Result<Value, RotationError> {
        let event =
            json!({"Step": step, "SecretId": secret, "ClientRequestToken": token, "RotationToken": "r"});
        let app = &self.rotator.app;
        match secret == self.devstack.config.signing_secret {
            true => rotate_signing_key::handle(app, event, "test").await,
            false => rotate_key::handle(app, event, "test").await,
        }
    }

    /// All steps of a rotation that has begun; the first one that fails ends it.
    pub async fn steps(&self, secret: &str, token: &str) -> Result<Vec<Value>, RotationError> {
        let mut answers = Vec::new();
        for step in STEPS {
            answers.push(self.step(secret, step, token).await?);
        }
        Ok(answers)
    }

    /// A whole rotation: what it says it did.
    pub async fn rotate(&self, secret: &str) -> Vec<Value> {
        let token = self.begin(secret).await.unwrap();
        self.steps(secret, &token).await.unwrap()
    }

    /// Another event of the function.
    pub async fn call(&self, event: Value) -> Result<Value, RotationError> {
        rotate_signing_key::handle(&self.rotator.app, event, "test").await
    }

    /// The emergency drill.
    pub async fn kill(&self, kid: &str) -> Result<Value, RotationError> {
        self.call(json!({"emergency": true, "kid": kid})).await
    }

    /// A whole login by way of `environment`.
    pub async fn login(&self, environment: &Environment) -> Tokens {
        let app = &environment.app;
        let address = EmailAddress::parse(owner().email).unwrap();
        let password = Sensitive::new(seed::PASSWORD.to_owned());
        let started = flows::login(app, &origin(), &address, &password).await.unwrap();
        let code = Code::typed(&self.devstack.mailbox.code(owner().email).unwrap());
        flows::verify(app, &origin(), started.challenge_id.as_str(), &code, CodeType::Primary, None)
            .await
            .unwrap()
    }

    /// What whoever has a stored signer could make: a token that is good but for its key.
    pub async fn forge(&self, stored_signer: &Value) -> String {
        let now = self.now();
        let text = str::to_owned;
        let claims = Claims {
            iss: self.ledger().await.issuer,
            sub: text(owner().user_id),
            aud: self.devstack.config.audience.clone(),
            exp: now + LIFETIME_SECONDS,
            iat: now,
            jti: text("forged"),
            sid: text("ses_01J0ACRN000000000000000000"),
            org: text(seed::BIRCH.id),
            role: text("owner"),
        };
        let pkcs8 = BASE64_STANDARD.decode(stored_signer["pkcs8"].as_str().unwrap()).unwrap();
        Signer::new(kid(stored_signer), &pkcs8).unwrap().sign(&claims).unwrap()
    }

    /// What has to hold whenever no rotation is under way: both signers of the secret are published, somebody can log in, and the
    /// next rotation can begin and end.
    pub async fn is_sound(&self) {
        let value = self.current(&self.signing()).await;
        let published = self.published().await;
        for signer in ["signing", "next"] {
            assert!(published.contains(&kid(&value[signer])), "{signer} is not published");
        }
        assert_ne!(kid(&value["signing"]), kid(&value["next"]));
        let environment = self.environment();
        let tokens = self.login(&environment).await;
        assert!(environment.accepts(tokens.access_token.expose()).await);
        environment.refresh(tokens.refresh_token.expose()).await.unwrap();
    }
}

/// The name of a stored signer.
pub fn kid(stored_signer: &Value) -> String {
    stored_signer["kid"].as_str().unwrap().to_owned()
}

/// Whether an answer says that this became of that.
pub fn says(answers: &[Value], target: &str, what: &str) -> bool {
    let notes = answers.iter().flat_map(|answer| answer["notes"].as_array().unwrap());
    notes.into_iter().any(|note| note["target"] == target && note["what"] == what)
}

/// Where a call to a flow comes from.
pub fn origin() -> Origin {
    Origin { request_id: "test".to_owned(), network: "127.0.0.0/24".to_owned(), ..Origin::default() }
}

/// The owner of the organization that may go live.
pub fn owner() -> &'static Person {
    &seed::BIRCH.owner
}

fn environment(devstack: &Devstack, config: &Config) -> Environment {
    let requests = Recorder::default();
    let outside = Outside {
        clock: Arc::new(devstack.clock.clone()),
        rng: Arc::new(SystemRng),
        http_client: Some(requests.wrap(flight::in_real_time(recorder::plain_http()))),
    };
    Environment { app: App::new(config, outside).unwrap(), requests }
}
