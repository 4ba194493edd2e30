//! Both steps of a login again: what a session alone may not change.

use super::super::second_factor::SecondFactor;
use super::super::trail::Trail;
use super::super::verify::CodeType;
use super::{Origin, Person, Refusal};
use crate::app::App;
use crate::challenges::Code;
use crate::guards::Guard;
use crate::sensitive::Sensitive;
use crate::store::Spent;

/// What somebody proves that it is they with.
#[derive(Debug)]
pub struct Proof {
    /// The password that is set now.
    pub password: Sensitive<String>,
    /// A code.
    pub code: Code,
    /// Which kind of code it is.
    pub kind: CodeType,
}

impl Person<'_> {
    /// What their proof spends. Password and code are counted at once, before either is judged.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without an app, [`Refusal::TooManyAttempts`], [`Refusal::InvalidCredentials`], [`Refusal::InvalidCode`].
    pub async fn prove(
        &self,
        app: &App,
        origin: &Origin,
        proof: &Proof,
        trail: &Trail<'_>,
        now: i64,
    ) -> Result<Spent, Refusal> {
        let factor = SecondFactor::of(app, &self.user).await?.ok_or(Refusal::NotFound)?;
        let [network, anywhere] = Guard::passwords(&self.address, &origin.network);
        self.count(app, &[network, anywhere, Guard::codes(&self.address_hash)], trail, now).await?;
        if !app.passwords.verify(&proof.password, Some(&self.user.password_hash)).await? {
            return Err(Refusal::InvalidCredentials);
        }
        factor.judge(app, &proof.code, proof.kind, now)?.ok_or(Refusal::InvalidCode)
    }
}
