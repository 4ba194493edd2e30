//! The versions of one secret, and the staging labels they carry: what a rotation works on.
//!
//! Secrets Manager user guide, "Lambda rotation functions": `AWSCURRENT` is what everybody reads, `AWSPENDING` what a rotation is
//! making. A version is named by the rotation's token, and never changes once it has a value.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use zeroize::Zeroizing;

use super::SecretError;
use crate::causes::Cause;
use crate::deadline;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// One secret, by its versions.
pub struct Versions<'a> {
    pub(super) name: &'static str,
    pub(super) id: &'a str,
    pub(super) client: Option<&'a Client>,
}

/// Which labels the versions carry.
#[derive(Debug, Clone)]
pub struct Stages {
    /// Whether Secrets Manager rotates the secret.
    pub rotation_enabled: bool,
    labels: HashMap<String, Vec<String>>,
}

impl Stages {
    /// The version everybody reads, if there is one.
    pub fn current(&self) -> Option<&str> {
        self.with(CURRENT)
    }

    /// The version a rotation is making, if there is one: it may have become the current one already.
    pub fn pending(&self) -> Option<&str> {
        self.with(PENDING)
    }

    fn with(&self, label: &str) -> Option<&str> {
        let carries = |labels: &Vec<String>| labels.iter().any(|it| it == label);
        self.labels.iter().find(|(_, labels)| carries(labels)).map(|(version, _)| version.as_str())
    }
}

/// How putting a value ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The version has the value.
    Done,
    /// The version had another value already, and keeps it.
    AlreadyThere,
}

impl Versions<'_> {
    /// Which of the secrets it is, for errors and lines.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The labels as they are now.
    pub async fn stages(&self) -> Result<Stages, SecretError> {
        let call = self.client()?.describe_secret().secret_id(self.id).send();
        let answer = deadline::within(call).await.map_err(|late| self.unreadable(late))?;
        let answer = answer.map_err(|cause| self.unreadable(cause))?;
        Ok(Stages {
            rotation_enabled: answer.rotation_enabled.unwrap_or_default(),
            labels: answer.version_ids_to_stages.unwrap_or_default(),
        })
    }

    /// The value of a version, if it has one.
    pub async fn value(&self, version: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        let call = self.client()?.get_secret_value().secret_id(self.id).version_id(version).send();
        match deadline::within(call).await.map_err(|late| self.unreadable(late))? {
            Ok(answer) => Ok(answer.secret_string.map(Zeroizing::new)),
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(self.unreadable(error)),
            },
        }
    }

    /// Gives a version its value, and the label `AWSPENDING`.
    pub async fn put_pending(&self, version: &str, value: &str) -> Result<Put, SecretError> {
        let call = self.client()?.put_secret_value().secret_id(self.id).client_request_token(version);
        let call = call.secret_string(value).version_stages(PENDING).send();
        match deadline::within(call).await.map_err(|late| self.unwritable(late))? {
            Ok(_) => Ok(Put::Done),
            Err(error) => match error.as_service_error() {
                Some(PutSecretValueError::ResourceExistsException(_)) => Ok(Put::AlreadyThere),
                _ => Err(self.unwritable(error)),
            },
        }
    }

    /// Moves `AWSCURRENT` to a version from the one it was made from: says whether that one was still current. Secrets Manager
    /// refuses to take a label from a version that does not carry it, so of two that race, one wins.
    pub async fn make_current(&self, version: &str, from: Option<&str>) -> Result<bool, SecretError> {
        let call = self.client()?.update_secret_version_stage().secret_id(self.id).version_stage(CURRENT);
        let call = call.move_to_version_id(version).set_remove_from_version_id(from.map(str::to_owned));
        let answer = deadline::within(call.send()).await.map_err(|late| self.unwritable(late))?;
        let Err(error) = answer else {
            return Ok(true);
        };
        // Why it was refused is told by how things stand: the first version there ever is gets the label by itself, and the answer
        // of a try that did it may have been lost.
        let stages = self.stages().await?;
        match stages.current() {
            Some(current) if current == version => Ok(true),
            current if current != from => Ok(false),
            _ => Err(self.unwritable(error)),
        }
    }

    /// Takes `AWSPENDING` from a version, if it still carries it: without that, no later rotation begins.
    pub async fn end_pending(&self, version: &str) -> Result<(), SecretError> {
        if self.stages().await?.pending() != Some(version) {
            return Ok(());
        }
        let call = self.client()?.update_secret_version_stage().secret_id(self.id).version_stage(PENDING);
        let call = call.remove_from_version_id(version).send();
        let answer = deadline::within(call).await.map_err(|late| self.unwritable(late))?;
        let Err(error) = answer else {
            return Ok(());
        };
        match self.stages().await?.pending() == Some(version) {
            true => Err(self.unwritable(error)),
            false => Ok(()),
        }
    }

    fn client(&self) -> Result<&Client, SecretError> {
        self.client.ok_or(SecretError::Unused { name: self.name })
    }

    fn unreadable(&self, cause: impl Error + Send + Sync + 'static) -> SecretError {
        SecretError::Unreadable { name: self.name, cause: Cause::of(&cause) }
    }

    fn unwritable(&self, cause: impl Error + Send + Sync + 'static) -> SecretError {
        SecretError::Unwritable { name: self.name, cause: Cause::of(&cause) }
    }
}
