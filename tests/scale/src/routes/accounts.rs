//! What signing up and passwords cost.

use devstack::seed;
use serde_json::json;

use super::Walk;
use crate::ScaleError;
use crate::load::Loaded;

const NEW: &str = "six parrots over Leeds";

impl Walk<'_> {
    /// Signs somebody up, changes `somebody`'s password, and resets it. It comes last: nobody logs in with the old one.
    pub(super) async fn accounts(&mut self, somebody: &Loaded) -> Result<(), ScaleError> {
        let register = "POST /api/v1/auth/register";
        let email = format!("n-{}", somebody.email);
        let account = json!({"email": email, "password": NEW, "full_name": "Olivia Newcomer"});
        self.call(register, register, &["register"], "", account).await?;
        let resend = "POST /api/v1/auth/verify-email/resend";
        self.call(resend, resend, &["register"], "", json!({ "email": email })).await?;
        let verify = "POST /api/v1/auth/verify-email";
        let body = json!({"email": email, "otp": self.table.code(&email)?});
        self.call(verify, verify, &["register"], "", body).await?;

        let session = self.table.log_in(&somebody.email).await?;
        let change = "PUT /api/v1/auth/password";
        let body = json!({"current_password": seed::PASSWORD, "new_password": NEW});
        self.call(change, change, &["authorizer", "password"], &session.access_token, body).await?;
        let forgot = "POST /api/v1/auth/password/forgot";
        self.call(forgot, forgot, &["password"], "", json!({"email": somebody.email})).await?;
        let mails = self.table.devstack.mailbox.newest_first(Some(&somebody.email));
        let mail = mails.first().map(|mail| mail.text.as_str()).unwrap_or_default();
        let token = mail.split_whitespace().find(|word| word.starts_with("rst_"));
        let token = token.ok_or_else(|| ScaleError::new(&"no reset token came"))?;
        let reset = "POST /api/v1/auth/password/reset";
        self.call(reset, reset, &["password"], "", json!({"token": token, "password": NEW})).await?;
        Ok(())
    }
}
