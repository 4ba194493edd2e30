//! A function's init: logs, app, and what is read ahead.

use crate::app::App;
use crate::config::{ConfigError, logs};

/// What init reads ahead, at init's full CPU, so that the first call need not. A read that fails here fails nothing: the call
/// that needs it reads again, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct WarmUp {
    /// The key set; also opens the connection to the table.
    pub key_set: bool,
    /// The `signing` secret.
    pub signing: bool,
    /// The `codes` secret.
    pub codes: bool,
}

/// Sets logs and app up.
///
/// # Errors
/// When the environment lacks something: Lambda shows it as a failed init.
pub async fn start(warm_up: WarmUp) -> Result<App, ConfigError> {
    logs::init();
    let app = App::from_environment()?;
    if warm_up.key_set {
        let _ = app.key_sets.current().await;
    }
    if warm_up.signing {
        let _ = app.secrets.signing().await;
    }
    if warm_up.codes {
        let _ = app.secrets.codes().await;
    }
    Ok(app)
}
