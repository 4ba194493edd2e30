//! The devstack's secrets, kept with its data: made anew at every start they would end every session.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use shared::rng::Rng;
use shared::secrets::generate;
use shared::signer::SignError;

/// What is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Who issues access tokens: the base URL of the latest start.
    pub issuer: String,
    /// See `shared::secrets`.
    pub signing: String,
    /// See `shared::secrets`.
    pub codes: String,
    /// See `shared::secrets`.
    pub sealing: String,
    /// See `shared::secrets`. Data of before there was one gets one.
    #[serde(default)]
    pub audit: String,
    /// As `audit`.
    #[serde(default)]
    pub factors: String,
    /// The same.
    #[serde(default)]
    pub webhooks: String,
}

impl Secrets {
    /// New ones.
    pub fn generate(issuer: &str, rng: &dyn Rng) -> Result<Self, SignError> {
        Ok(Self {
            issuer: issuer.to_owned(),
            signing: generate::signing(rng)?,
            codes: generate::key(rng),
            sealing: generate::key(rng),
            audit: generate::key(rng),
            factors: generate::key(rng),
            webhooks: generate::key(rng),
        })
    }

    /// Gives those that data of before did not have.
    pub fn complete(&mut self, rng: &dyn Rng) {
        for secret in [&mut self.audit, &mut self.factors, &mut self.webhooks] {
            if secret.is_empty() {
                *secret = generate::key(rng);
            }
        }
    }

    /// Those in the file at `path`, or `None` when there is no file.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file at `path`, for its owner's eyes only. It is there whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_whole(path, serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// By the names that Secrets Manager knows them by.
    pub fn by_name(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            (SIGNING, self.signing.clone()),
            (CODES, self.codes.clone()),
            (SEALING, self.sealing.clone()),
            (AUDIT, self.audit.clone()),
            (FACTORS, self.factors.clone()),
            (WEBHOOKS, self.webhooks.clone()),
        ])
    }
}

/// The name of the signing secret.
pub const SIGNING: &str = "devstack/signing";
/// The name of the codes secret.
pub const CODES: &str = "devstack/codes";
/// The name of the sealing secret.
pub const SEALING: &str = "devstack/sealing";
/// The name of the audit secret.
pub const AUDIT: &str = "devstack/audit";
/// The name of the factors secret.
pub const FACTORS: &str = "devstack/factors";
/// The name of the webhooks secret.
pub const WEBHOOKS: &str = "devstack/webhooks";

/// Writes a file that only its owner may read, by way of another name: a reader finds all of it or nothing.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        assert!(Secrets::read(&path).unwrap().is_none());
        let secrets = Secrets::generate("http://127.0.0.1:3000", &shared::rng::SystemRng).unwrap();
        secrets.write(&path).unwrap();
        assert!(Secrets::read(&path).unwrap() == Some(secrets));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "{").unwrap();
        assert!(Secrets::read(&path).is_err());
    }
}
