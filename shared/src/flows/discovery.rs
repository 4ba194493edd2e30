//! The public documents: which keys verify our access tokens, and who issues them.

use std::sync::Arc;

use super::Refusal;
use crate::app::App;
use crate::tokens::key_set::Keyring;

/// The key set, at most a minute old.
pub async fn published_keys(app: &App) -> Result<Arc<Keyring>, Refusal> {
    Ok(app.key_sets.current().await?)
}
