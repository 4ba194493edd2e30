//! The public documents: which keys verify our access tokens, and who issues them.

use std::sync::Arc;

use super::trail::Trail;
use super::{Origin, Refusal};
use crate::app::App;
use crate::tokens::key_set::Keyring;

/// The key set, at most a minute old.
pub async fn published_keys(app: &App, origin: &Origin) -> Result<Arc<Keyring>, Refusal> {
    Trail::new(app, "key_set.show", origin).end_look(app.key_sets.current().await.map_err(Refusal::from))
}
