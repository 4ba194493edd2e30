//! A function's init: logs, app, what is read ahead, and what has to be set right before anything can work.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use futures::future::join_all;

use crate::app::{App, Outside};
use crate::causes::{Incurable, causes};
use crate::config::aws::{self, Connect, Connects};
use crate::config::{Config, ConfigError, logs};
use crate::courier::{Courier, Hires};
use crate::key_sets::KeySetsError;
use crate::panics;
use crate::secrets::SecretError;

/// What a function uses beyond the table. What it uses must be configured, and is read ahead: at init's full CPU, so that the first
/// call need not. What is merely unreachable then fails nothing: the call that needs it reads again, and says so.
///
/// Clients and secrets are named by what makes and reads them, not by yes and no: what a function does not name is not in its program.
#[derive(Clone, Copy, Default)]
pub struct Uses {
    /// The key set. Functions without a use for it read it all the same: it opens the connection to the table, and shows that the
    /// table is there.
    pub key_set: bool,
    /// The `aud` of access tokens.
    pub audience: bool,
    /// Secrets.
    pub secrets: &'static [Secret],
    /// The table of checkpoints.
    pub checkpoints: bool,
    /// Mail: [`MAIL`].
    pub mail: Option<Connect<aws_sdk_sesv2::Client>>,
    /// The queue of webhooks: [`QUEUE`].
    pub queue: Option<Connect<aws_sdk_sqs::Client>>,
    /// Who brings webhooks to their receivers: [`COURIER`].
    pub courier: Option<Hires>,
}

/// Mail, for [`Uses::mail`].
pub const MAIL: Option<Connect<aws_sdk_sesv2::Client>> = Some(aws::sesv2);

/// The queue of webhooks, for [`Uses::queue`].
pub const QUEUE: Option<Connect<aws_sdk_sqs::Client>> = Some(aws::sqs);

/// Who brings webhooks to their receivers, for [`Uses::courier`].
pub const COURIER: Option<Hires> = Some(Courier::hire);

/// A secret that a function uses.
#[derive(Clone, Copy)]
pub struct Secret {
    variable: &'static str,
    name: fn(&Config) -> &str,
    connect: Connect<aws_sdk_secretsmanager::Client>,
    read: Option<fn(&App) -> Reading<'_>>,
    /// Whether it may have no value yet: the first rotation gives it one. A secret without a value and no secret are one error code.
    may_be_empty: bool,
}

type Reading<'a> = Pin<Box<dyn Future<Output = Option<SecretError>> + 'a>>;

macro_rules! secrets {
    ($($(#[$about:meta])* $constant:ident = $variable:literal, $id:ident, $read:ident, may_be_empty: $empty:literal;)*) => {$(
        $(#[$about])*
        pub const $constant: Secret = Secret {
            variable: $variable,
            name: |config| &config.$id,
            connect: aws::secretsmanager,
            read: Some(|app| Box::pin(async { app.secrets.$read().await.err() })),
            may_be_empty: $empty,
        };
    )*};
}
secrets! {
    /// The `signing` secret.
    SIGNING = "SIGNING_SECRET", signing_secret, signing, may_be_empty: true;
    /// The `codes` secret.
    CODES = "CODES_SECRET", codes_secret, codes, may_be_empty: false;
    /// The `sealing` secret.
    SEALING = "SEALING_SECRET", sealing_secret, sealing, may_be_empty: false;
    /// The `audit` secret.
    AUDIT = "AUDIT_SECRET", audit_secret, audit, may_be_empty: false;
    /// The `factors` secret.
    FACTORS = "FACTORS_SECRET", factors_secret, factors, may_be_empty: false;
    /// The `webhooks` secret.
    WEBHOOKS = "WEBHOOKS_SECRET", webhooks_secret, webhooks, may_be_empty: false;
}

impl Secret {
    /// For whoever rotates it: it is not read ahead, since before the first rotation there may be none.
    #[must_use]
    pub const fn rotated(self) -> Self {
        Self { read: None, ..self }
    }
}

impl Uses {
    fn variables(self) -> impl Iterator<Item = &'static str> {
        let Self { key_set: _, audience, secrets, checkpoints, mail, queue, courier: _ } = self;
        let others = [
            ("TOKEN_AUDIENCE", audience),
            ("CHECKPOINTS_TABLE", checkpoints),
            ("MAIL_FROM", mail.is_some()),
            ("WEBHOOKS_QUEUE", queue.is_some()),
        ];
        let others = others.into_iter().filter_map(|(name, used)| used.then_some(name));
        others.chain(secrets.iter().map(|secret| secret.variable))
    }
}

/// Why a function does not start: what no retry cures. Its `Debug`, which is what `main` prints, is one line for people.
#[derive(thiserror::Error)]
pub enum InitError {
    /// The environment lacks something.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something the environment names is not what it must be.
    #[error("{name}, which the environment variable {variable} names, {trouble}")]
    Incurable {
        /// What the variable holds: a table's or a secret's name, which is no secret.
        name: String,
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        trouble: Incurable,
        /// What AWS said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Debug for InitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What AWS says is one line as far as anybody has seen; ours is one whatever it says.
        write!(out, "cannot start: {}", causes(self).replace('\n', " "))
    }
}

/// Sets logs and app up.
///
/// # Errors
/// When something is wrong that no retry cures. The process ends with one line that names it, Lambda shows a failed init, the gateway
/// answers 503, and the next call starts another process: so it works as soon as it is set right.
pub async fn start(uses: Uses) -> Result<App, InitError> {
    logs::init();
    panics::hush();
    let config = Config::from_environment(uses.variables())?;
    let connects = Connects {
        secretsmanager: uses.secrets.first().map(|secret| secret.connect),
        sesv2: uses.mail,
        sqs: uses.queue,
    };
    let mut app = App::with(&config, Outside::real(), connects)?;
    let courier = uses.courier.map(|hire| hire(config.reach)).transpose();
    app.courier = courier.map_err(|error| ConfigError::Tls(causes(&error)))?;
    read_ahead(&app, &config, uses).await?;
    Ok(app)
}

/// Reads everything at once: the waiting is the network's.
async fn read_ahead(app: &App, config: &Config, uses: Uses) -> Result<(), InitError> {
    let key_set = async { if uses.key_set { app.key_sets.current().await.err() } else { None } };
    let secrets = uses.secrets.iter().filter_map(|secret| {
        let reading = secret.read?(app);
        Some(async move { (secret, reading.await) })
    });
    let (key_set, secrets) = tokio::join!(key_set, join_all(secrets));
    if let Some(KeySetsError::Store(error)) = key_set
        && let Some(trouble) = error.incurable()
    {
        return Err(incurable("TABLE_NAME", &config.table, trouble, error));
    }
    for (secret, error) in secrets {
        if let Some(error) = error
            && let Some(trouble) = error.incurable()
            // Not wrong for good: each call that needs it says what it is.
            && !(secret.may_be_empty && trouble == Incurable::Absent)
        {
            return Err(incurable(secret.variable, (secret.name)(config), trouble, error));
        }
    }
    Ok(())
}

fn incurable(
    variable: &'static str,
    name: &str,
    trouble: Incurable,
    error: impl Error + Send + Sync + 'static,
) -> InitError {
    InitError::Incurable { name: name.to_owned(), variable, trouble, cause: Box::new(error) }
}
