//! The composition root: everything a function uses, built once in init. It has no behaviour.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::clock::{Clock, SystemClock};
use crate::config::aws::{self, Connects};
use crate::config::{Config, ConfigError, HttpApiAnswer};
use crate::courier::Courier;
use crate::key_sets::KeySets;
use crate::mail::Mailer;
use crate::passwords::Passwords;
use crate::queue::Queue;
use crate::rng::{Rng, SystemRng};
use crate::secrets::Secrets;
use crate::store::{Checkpoints, Store};
use crate::tokens::remembered::Remembered;
use crate::webhooks::Reach;

/// What is passed in, so that tests can pass something else.
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Stands in for the real HTTP client of the AWS clients.
    pub http_client: Option<SharedHttpClient>,
}

impl Outside {
    /// The operating system's clock and randomness, and real connections.
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), rng: Arc::new(SystemRng), http_client: None }
    }
}

/// Everything a function uses.
pub struct App {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// The table.
    pub store: Store,
    /// How far the audit chains had come: for whoever extends them.
    pub checkpoints: Checkpoints,
    /// The secrets.
    pub secrets: Secrets,
    /// The public keys and the issuer.
    pub key_sets: KeySets,
    /// The access tokens already seen to be signed.
    pub remembered: Remembered,
    /// The mail.
    pub mailer: Mailer,
    /// The queue of webhooks.
    pub queue: Queue,
    /// Who brings webhooks to their receivers, in the one function that does.
    pub courier: Option<Courier>,
    /// How far webhooks reach.
    pub reach: Reach,
    /// Argon2 and its memory.
    pub passwords: Passwords,
    /// `aud` of every access token.
    pub audience: String,
    /// The `iss` that the first rotation writes down where none is yet; empty where an operator names it.
    pub issuer: String,
    /// How an HTTP API's authorizer is answered.
    pub http_api_answer: HttpApiAnswer,
}

impl App {
    /// Builds everything; connects to nothing yet.
    ///
    /// # Errors
    /// When the trust store cannot be made.
    pub fn new(config: &Config, outside: Outside) -> Result<Self, ConfigError> {
        Self::with(config, outside, Connects::all())
    }

    /// [`App::new`] with these clients only.
    ///
    /// # Errors
    /// When the trust store cannot be made.
    pub fn with(config: &Config, outside: Outside, connects: Connects) -> Result<Self, ConfigError> {
        let Outside { clock, rng, http_client } = outside;
        let http_client = http_client.map_or_else(|| aws::https_client(config), Ok)?;
        let dynamodb = aws::dynamodb(config, http_client.clone());
        let checkpoints =
            Checkpoints::new(dynamodb.clone(), config.checkpoints_table.clone(), Arc::clone(&rng));
        let store = Store::new(dynamodb, config.table.clone(), Arc::clone(&rng));
        let secretsmanager = connects.secretsmanager.map(|connect| connect(config, http_client.clone()));
        let secrets = Secrets::new(secretsmanager, Arc::clone(&clock), config);
        let sqs = connects.sqs.map(|connect| connect(config, http_client.clone()));
        let sesv2 = connects.sesv2.map(|connect| connect(config, http_client));
        Ok(Self {
            key_sets: KeySets::new(store.clone(), Arc::clone(&clock)),
            remembered: Remembered::default(),
            mailer: Mailer::new(sesv2, config.mail_from.clone()),
            queue: Queue::new(sqs, config.webhooks_queue.clone()),
            courier: None,
            reach: config.reach,
            passwords: Passwords::new(config.hashing),
            audience: config.audience.clone(),
            issuer: config.issuer.clone(),
            http_api_answer: config.http_api_answer,
            store,
            checkpoints,
            secrets,
            clock,
            rng,
        })
    }
}
