//! Second factors in the table: they stand in their person's item, which each login writes, so that nothing of them is used twice.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::standing::active_check;
use super::write::{Write, number, text};
use super::{Store, StoreError, Transacted, Writer, decode, keys};
use crate::audit::Event;
use crate::factors::{PendingTotp, SealedTotp, Totp};
use crate::guards::Guard;
use crate::ids::UserId;
use crate::users::User;

/// What a code that was right uses up, on condition that it was not used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// A mailed code: its challenge is all there is of it.
    MailedCode,
    /// A step of the authenticator app, and every one before it.
    Step {
        /// Which.
        step: i64,
        /// The app's secret, where it has to be sealed anew.
        resealed: Option<SealedTotp>,
    },
    /// A backup code, by its hash.
    BackupCode(String),
}

impl Spent {
    /// What a write of the person's item also does: to be put behind other assignments of its `SET`, and behind all of it.
    pub(super) fn changes(&self) -> (&'static str, &'static str) {
        match self {
            Self::MailedCode => ("", ""),
            Self::Step { resealed: None, .. } => (", #totp.#last_step = :step", ""),
            Self::Step { resealed: Some(_), .. } => {
                (", #totp.#last_step = :step, #totp.#sealed = :sealed", "")
            }
            Self::BackupCode(_) => ("", " DELETE #backup_codes :spent_codes"),
        }
    }

    /// The condition, and the values of [`Spent::changes`].
    pub(super) fn bind(&self, write: Write) -> Result<Write, StoreError> {
        Ok(match self {
            Self::MailedCode => write,
            Self::Step { resealed, .. } => {
                let write = self.condition(write);
                match resealed {
                    None => write,
                    Some(sealed) => write.bind(":sealed", attribute(sealed)?),
                }
            }
            Self::BackupCode(hash) => {
                self.condition(write).bind(":spent_codes", AttributeValue::Ss(vec![hash.clone()]))
            }
        })
    }

    /// The condition alone, for a write that takes all of it away.
    fn condition(&self, write: Write) -> Write {
        match self {
            Self::MailedCode => write,
            Self::Step { step, .. } => {
                write.and_when("#totp.#last_step < :step").bind(":step", number(*step))
            }
            Self::BackupCode(hash) => {
                write.and_when("contains(#backup_codes, :spent_code)").bind(":spent_code", text(hash))
            }
        }
    }
}

/// A change of somebody's factors: whose they are as they were read, and who makes it.
#[derive(Debug, Clone, Copy)]
pub struct FactorsChange<'a> {
    /// Who makes it, and what they have to be.
    pub by: Writer<'a>,
    /// Hash of their address.
    pub address_hash: &'a str,
    /// They, as they were read.
    pub user: &'a User,
    /// The network they are in: names a guard that both steps of a login open.
    pub network: &'a str,
    /// The change's event.
    pub event: &'a Event,
    /// Seconds since the epoch.
    pub now: i64,
}

impl FactorsChange<'_> {
    /// A write of the person's item, if it is still theirs and what they log in with is what was read.
    fn person(&self, change: &str) -> Write {
        let condition = match self.user.credentials {
            0 => {
                "#user_id = :user_id AND (attribute_not_exists(#credentials) OR #credentials = :credentials)"
            }
            _ => "#user_id = :user_id AND #credentials = :credentials",
        };
        Write::update(keys::user(self.address_hash), change)
            .when(condition)
            .bind(":user_id", text(self.user.user_id.as_str()))
            .bind(":credentials", number(i64::from(self.user.credentials)))
    }

    /// The next number of credentials: logins of before do not end.
    fn next(&self) -> AttributeValue {
        number(i64::from(self.user.credentials) + 1)
    }
}

/// How a change of somebody's factors ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorsOutcome {
    /// It is so.
    Changed,
    /// What it was proved with is spent, or the factors are others than were read.
    Spent,
    /// Who asks is no longer who they were: look again.
    StandingChanged,
}

impl Store {
    /// A person by the hash of their address, and the authenticator app that they have begun to set up: one read.
    pub async fn user_and_pending_totp(
        &self,
        address_hash: &str,
        id: &UserId,
    ) -> Result<(Option<User>, Option<PendingTotp>), StoreError> {
        let (user, pending) = (keys::user(address_hash), keys::pending_totp(id));
        let mut found = self.get_several(&[user.clone(), pending.clone()]).await?;
        let pending = found.remove(&pending).map(decode).transpose()?;
        Ok((found.remove(&user).map(decode).transpose()?, pending))
    }

    /// Begins to set an app up, in the place of what was begun before.
    pub async fn begin_totp(
        &self,
        change: &FactorsChange<'_>,
        pending: &PendingTotp,
    ) -> Result<FactorsOutcome, StoreError> {
        let begin = Write::put(keys::pending_totp(&change.user.user_id), pending)?;
        // A password alone opens no guard.
        self.change_factors(change, vec![begin], &[]).await
    }

    /// Turns on what was begun as `pending`, with its first backup codes.
    pub async fn turn_totp_on(
        &self,
        change: &FactorsChange<'_>,
        pending: &PendingTotp,
        totp: &Totp,
        backup_codes: Vec<String>,
    ) -> Result<FactorsOutcome, StoreError> {
        let turn_on = change
            .person("SET #totp = :totp, #backup_codes = :backup_codes, #credentials = :next")
            .and_when("attribute_not_exists(#totp)")
            .bind(":totp", attribute(totp)?)
            .bind(":backup_codes", AttributeValue::Ss(backup_codes))
            .bind(":next", change.next());
        let begun = Write::delete(keys::pending_totp(&change.user.user_id))
            .when("#sealed = :sealed AND #expires_at > :now")
            .bind(":sealed", attribute(&pending.sealed)?)
            .bind(":now", number(change.now));
        self.change_factors(change, vec![turn_on, begun], &opened(change)).await
    }

    /// Turns the app off, and takes the backup codes away with it.
    pub async fn turn_totp_off(
        &self,
        change: &FactorsChange<'_>,
        spent: &Spent,
    ) -> Result<FactorsOutcome, StoreError> {
        let turn_off = change
            .person("SET #credentials = :next REMOVE #totp, #backup_codes")
            .and_when("attribute_exists(#totp)")
            .bind(":next", change.next());
        self.change_factors(change, vec![spent.condition(turn_off)], &opened(change)).await
    }

    /// Puts new backup codes in the place of those that are left.
    pub async fn replace_backup_codes(
        &self,
        change: &FactorsChange<'_>,
        spent: &Spent,
        backup_codes: Vec<String>,
    ) -> Result<FactorsOutcome, StoreError> {
        let (set, _) = spent.changes();
        let replace = change
            .person(&format!("SET #backup_codes = :backup_codes{set}"))
            .and_when("attribute_exists(#totp)")
            .bind(":backup_codes", AttributeValue::Ss(backup_codes));
        let replace = match spent {
            // It goes with all others.
            Spent::BackupCode(_) => spent.condition(replace),
            Spent::MailedCode | Spent::Step { .. } => spent.bind(replace)?,
        };
        self.change_factors(change, vec![replace], &opened(change)).await
    }

    /// All of it, or nothing: the writes, who may make them, and the guards that are opened.
    async fn change_factors(
        &self,
        change: &FactorsChange<'_>,
        mut writes: Vec<Write>,
        opened: &[Guard],
    ) -> Result<FactorsOutcome, StoreError> {
        let (changes, by) = (writes.len(), change.by);
        writes.extend(by.checks(change.now));
        writes.push(active_check(by.org));
        writes.extend(opened.iter().map(|guard| Write::delete(keys::guard(guard))));
        let Transacted::Cancelled(findings) =
            self.transact_with(writes, slice::from_ref(change.event)).await?
        else {
            return Ok(FactorsOutcome::Changed);
        };
        match findings.iter().skip(changes).any(|finding| finding.failed) {
            true => Ok(FactorsOutcome::StandingChanged),
            false => Ok(FactorsOutcome::Spent),
        }
    }
}

/// The guards that both steps of a login open.
fn opened(change: &FactorsChange<'_>) -> [Guard; 3] {
    Guard::opened_by_success(change.address_hash, change.network)
}

fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    let corrupt = |_| StoreError::Corrupt { item: "EMAIL".to_owned(), trouble: "it is no item" };
    serde_dynamo::to_attribute_value(value).map_err(corrupt)
}
