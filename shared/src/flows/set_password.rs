//! What a password that is set has to be, and what follows when it is another.

use super::Refusal;
use crate::app::App;
use crate::mail::letters;
use crate::passwords;
use crate::sensitive::Sensitive;
use crate::users::User;

/// Refuses what too many people have, and what is made of who its owner is. How long it is was judged with the body.
pub(super) fn judge(password: &Sensitive<String>, email: &str, full_name: &str) -> Result<(), Refusal> {
    match passwords::is_common(password.expose(), &[email, full_name]) {
        true => Err(Refusal::CommonPassword),
        false => Ok(()),
    }
}

/// Tells a person that their password is another one now. It is so whether or not they can be told.
pub(super) async fn tell(app: &App, user: &User, request_id: &str) {
    if let Err(error) = app.mailer.send(&user.email, &letters::password_changed()).await {
        tracing::error!(request_id, cause = %error, "nobody was told of a changed password");
    }
}
