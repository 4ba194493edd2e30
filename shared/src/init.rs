//! A function's init: logs, app, what is read ahead, and what has to be set right before anything can work.

use std::error::Error;
use std::fmt;

use crate::app::{App, Outside};
use crate::causes::{Incurable, causes};
use crate::config::{Config, ConfigError, logs};
use crate::key_sets::KeySetsError;
use crate::panics;
use crate::secrets::SecretError;

/// What a function uses beyond the table. What it uses must be configured, and is read ahead: at init's full CPU, so that the first
/// call need not. What is merely unreachable then fails nothing: the call that needs it reads again, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uses {
    /// The key set. Functions without a use for it read it all the same: it opens the connection to the table, and shows that the
    /// table is there.
    pub key_set: bool,
    /// The `aud` of access tokens.
    pub audience: bool,
    /// The `signing` secret.
    pub signing: bool,
    /// The `codes` secret.
    pub codes: bool,
    /// The `sealing` secret.
    pub sealing: bool,
    /// The `audit` secret, and the table of checkpoints.
    pub audit: bool,
    /// Mail.
    pub mail: bool,
    /// The variables of the secrets that it rotates. They are not read ahead: before the first rotation there may be none.
    pub rotates: &'static [&'static str],
}

impl Uses {
    fn variables(self) -> impl Iterator<Item = &'static str> {
        let Self { key_set: _, audience, signing, codes, sealing, audit, mail, rotates } = self;
        let all = [
            ("TOKEN_AUDIENCE", audience),
            ("SIGNING_SECRET", signing),
            ("CODES_SECRET", codes),
            ("SEALING_SECRET", sealing),
            ("AUDIT_SECRET", audit),
            ("CHECKPOINTS_TABLE", audit),
            ("MAIL_FROM", mail),
        ];
        all.into_iter().filter_map(|(name, used)| used.then_some(name)).chain(rotates.iter().copied())
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
    let app = App::new(&config, Outside::real())?;
    read_ahead(&app, &config, uses).await?;
    Ok(app)
}

/// Reads everything at once: the waiting is the network's.
async fn read_ahead(app: &App, config: &Config, uses: Uses) -> Result<(), InitError> {
    let key_set = async { if uses.key_set { app.key_sets.current().await.err() } else { None } };
    let signing = async { if uses.signing { app.secrets.signing().await.err() } else { None } };
    let codes = async { if uses.codes { app.secrets.codes().await.err() } else { None } };
    let sealing = async { if uses.sealing { app.secrets.sealing().await.err() } else { None } };
    let audit = async { if uses.audit { app.secrets.audit().await.err() } else { None } };
    let (key_set, signing, codes, sealing, audit) = tokio::join!(key_set, signing, codes, sealing, audit);
    let secrets = [
        // A secret without a value and no secret are one error code, and this one has no value until its first rotation: not wrong
        // for good, and each call that needs it says which it is.
        ("SIGNING_SECRET", &config.signing_secret, signing.filter(|error| !is_absent(error))),
        ("CODES_SECRET", &config.codes_secret, codes),
        ("SEALING_SECRET", &config.sealing_secret, sealing),
        ("AUDIT_SECRET", &config.audit_secret, audit),
    ];
    if let Some(KeySetsError::Store(error)) = key_set
        && let Some(trouble) = error.incurable()
    {
        return Err(incurable("TABLE_NAME", &config.table, trouble, error));
    }
    for (variable, name, error) in secrets {
        if let Some(error) = error
            && let Some(trouble) = error.incurable()
        {
            return Err(incurable(variable, name, trouble, error));
        }
    }
    Ok(())
}

fn is_absent(error: &SecretError) -> bool {
    error.incurable() == Some(Incurable::Absent)
}

fn incurable(
    variable: &'static str,
    name: &str,
    trouble: Incurable,
    error: impl Error + Send + Sync + 'static,
) -> InitError {
    InitError::Incurable { name: name.to_owned(), variable, trouble, cause: Box::new(error) }
}
