//! A function's init: logs, app, and what is read ahead.

use crate::app::{App, Outside};
use crate::config::{Config, ConfigError, logs};

/// What a function uses beyond the table. What it uses must be configured; keys are read ahead, at init's full CPU, so that the first
/// call need not. A read that fails here fails nothing: the call that needs it reads again, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uses {
    /// The key set; reading it also opens the connection to the table.
    pub key_set: bool,
    /// The `aud` of access tokens.
    pub audience: bool,
    /// The `signing` secret.
    pub signing: bool,
    /// The `codes` secret.
    pub codes: bool,
    /// The `sealing` secret. It is not read ahead: few calls need it.
    pub sealing: bool,
    /// Mail.
    pub mail: bool,
    /// The variables of the secrets that it rotates. They are not read ahead: before the first rotation there may be none.
    pub rotates: &'static [&'static str],
}

impl Uses {
    fn variables(self) -> impl Iterator<Item = &'static str> {
        let Self { key_set: _, audience, signing, codes, sealing, mail, rotates } = self;
        let all = [
            ("TOKEN_AUDIENCE", audience),
            ("SIGNING_SECRET", signing),
            ("CODES_SECRET", codes),
            ("SEALING_SECRET", sealing),
            ("MAIL_FROM", mail),
        ];
        all.into_iter().filter_map(|(name, used)| used.then_some(name)).chain(rotates.iter().copied())
    }
}

/// Sets logs and app up.
///
/// # Errors
/// When the environment lacks something: Lambda shows it as a failed init.
pub async fn start(uses: Uses) -> Result<App, ConfigError> {
    logs::init();
    let app = App::new(&Config::from_environment(uses.variables())?, Outside::real())?;
    if uses.key_set {
        let _ = app.key_sets.current().await;
    }
    if uses.signing {
        let _ = app.secrets.signing().await;
    }
    if uses.codes {
        let _ = app.secrets.codes().await;
    }
    Ok(app)
}
