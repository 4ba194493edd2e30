//! Checkpoints of the chains: in a table of their own, where whoever may write the other cannot.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use super::chains::MAX_NUMBER;
use super::write::Write;
use super::{Store, StoreError, Written, decode, keys};
use crate::audit::Chain;
use crate::links::Checkpoint;
use crate::rng::Rng;

/// The table of checkpoints. Nothing in it is ever changed.
#[derive(Clone)]
pub struct Checkpoints(Store);

impl Checkpoints {
    /// Checkpoints in `table`.
    pub fn new(client: Client, table: String, rng: Arc<dyn Rng>) -> Self {
        Self(Store::new(client, table, rng))
    }

    /// Writes a checkpoint, once: of a number that has one already, that one is given.
    pub async fn put(
        &self,
        chain: &Chain,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let put = Write::put(keys::checkpoint(chain, checkpoint.number), checkpoint)?
            .when("attribute_not_exists(#pk)");
        match self.0.write(put).await? {
            Written::Done => Ok(None),
            Written::Refused(old) => old.map(decode).transpose(),
        }
    }

    /// The latest checkpoint of a chain.
    pub async fn latest(&self, chain: &Chain) -> Result<Option<Checkpoint>, StoreError> {
        let (from, to) = (keys::checkpoint(chain, 0), keys::checkpoint(chain, MAX_NUMBER));
        let items = self.0.between(&from, &to, 1, false).await?;
        items.into_iter().next().map(decode).transpose()
    }

    /// The checkpoints of a chain between two numbers, both included.
    pub async fn within(&self, chain: &Chain, from: i64, to: i64) -> Result<Vec<Checkpoint>, StoreError> {
        let limit = i32::try_from(to - from + 1).unwrap_or(i32::MAX);
        let (from, to) = (keys::checkpoint(chain, from), keys::checkpoint(chain, to));
        self.0.between(&from, &to, limit, true).await?.into_iter().map(decode).collect()
    }
}
