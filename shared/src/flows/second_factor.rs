//! What judges the code of a second step: everything that judging takes is had before the code is counted.

use std::sync::Arc;

use super::Refusal;
use super::verify::CodeType;
use crate::app::App;
use crate::challenges::{Challenge, Code, SecondStep};
use crate::factors::{BackupCode, SealedTotp, TotpSecret};
use crate::failure::Failure;
use crate::secrets::RotatingKey;
use crate::store::Spent;
use crate::users::User;

/// An authenticator app that is on, and the backup codes beside it.
pub(super) struct SecondFactor<'a> {
    user: &'a User,
    keys: Arc<RotatingKey>,
    secret: TotpSecret,
    last_step: i64,
    /// Whether the secret is sealed under a key that something else took the place of.
    is_outdated: bool,
}

impl<'a> SecondFactor<'a> {
    /// That of a person, if there is one.
    ///
    /// # Errors
    /// [`Refusal::Failed`] when the secret is away, or opens nothing.
    pub async fn of(app: &App, user: &'a User) -> Result<Option<Self>, Refusal> {
        let Some(totp) = &user.totp else {
            return Ok(None);
        };
        let keys = app.secrets.factors().await?;
        let (secret, is_current) =
            totp.sealed.open(&keys.all(), &user.user_id).map_err(|_| Failure::Sealing)?;
        let (last_step, is_outdated) = (totp.last_step, !is_current);
        Ok(Some(Self { user, keys, secret, last_step, is_outdated }))
    }

    /// What a code spends, if it is right.
    pub fn judge(&self, app: &App, code: &Code, kind: CodeType, now: i64) -> Result<Option<Spent>, Refusal> {
        match kind {
            CodeType::Primary => {
                let step = self.secret.step_of(code.expose(), now, Some(self.last_step));
                step.map(|step| Ok(Spent::Step { step, resealed: self.resealed(app)? })).transpose()
            }
            CodeType::Backup => Ok(self.find(code).map(Spent::BackupCode)),
        }
    }

    fn resealed(&self, app: &App) -> Result<Option<SealedTotp>, Refusal> {
        if !self.is_outdated {
            return Ok(None);
        }
        let sealed =
            SealedTotp::seal(app.rng.as_ref(), self.keys.current(), &self.user.user_id, &self.secret);
        Ok(Some(sealed.map_err(|_| Failure::Sealing)?))
    }

    /// The hash of a backup code that is left. Which of them it is, and whether it is one, shows in no time that could be measured: what is
    /// compared are hashes under a key.
    fn find(&self, code: &Code) -> Option<String> {
        let code = BackupCode::typed(code.expose());
        let mut hashes = self.keys.all().into_iter().map(|key| code.hash(key, &self.user.user_id));
        hashes.find(|hash| self.user.backup_codes.contains(hash))
    }
}

/// Whoever passed the first step, where more of them is needed than the challenge has.
pub(super) async fn person(app: &App, challenge: &Challenge) -> Result<Option<User>, Refusal> {
    match challenge.method {
        SecondStep::EmailOtp => Ok(None),
        SecondStep::Totp => Ok(app.store.user_by_hash(&challenge.address_hash).await?),
    }
}

/// Everything that judging a code takes.
pub(super) enum Judge<'a> {
    /// Of a mailed code.
    Mailed(Arc<RotatingKey>),
    /// Of an authenticator app's, or a backup code. Without one, it was turned off since the first step, and no code is right.
    Own(Option<SecondFactor<'a>>),
}

impl<'a> Judge<'a> {
    pub async fn ready(app: &App, challenge: &Challenge, user: Option<&'a User>) -> Result<Self, Refusal> {
        Ok(match (challenge.method, user) {
            (SecondStep::EmailOtp, _) => Self::Mailed(app.secrets.codes().await?),
            (SecondStep::Totp, None) => Self::Own(None),
            (SecondStep::Totp, Some(user)) => Self::Own(SecondFactor::of(app, user).await?),
        })
    }

    pub fn judge(
        &self,
        app: &App,
        challenge: &Challenge,
        code: &Code,
        kind: CodeType,
        now: i64,
    ) -> Result<Option<Spent>, Refusal> {
        match self {
            Self::Mailed(codes) => {
                let right = challenge.accepts(code, &codes.all());
                Ok((right && kind == CodeType::Primary).then_some(Spent::MailedCode))
            }
            Self::Own(Some(factor)) => factor.judge(app, code, kind, now),
            Self::Own(None) => Ok(None),
        }
    }
}
