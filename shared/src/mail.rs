//! Mail: the one-time code on its way to a person.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::challenges::{Code, LIFETIME_SECONDS};

/// Why nothing was sent. The cause can quote the address, so only its kind goes into a log.
#[derive(Debug, thiserror::Error)]
#[error("the mail was not sent: {kind}")]
pub struct MailError {
    /// The kind of failure: `rejected`, `unreachable` or `unbuildable`.
    pub kind: &'static str,
}

/// Sends mail through SES.
#[derive(Clone)]
pub struct Mailer {
    client: Client,
    from: String,
}

impl Mailer {
    /// Mail comes `from` this address, an identity that SES has verified.
    pub fn new(client: Client, from: String) -> Self {
        Self { client, from }
    }

    /// Sends a code to the address its owner registered.
    pub async fn send_code(&self, to: &str, code: &Code) -> Result<(), MailError> {
        let minutes = LIFETIME_SECONDS / 60;
        let text = format!(
            "Your Syncgram Pay login code is {}.\n\nIt is good for {minutes} minutes and for one login. \
             If you are not logging in, somebody knows your password: change it.\n",
            code.expose()
        );
        let content = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let unbuildable = |_| MailError { kind: "unbuildable" };
        let subject = content("Your Syncgram Pay login code").map_err(unbuildable)?;
        let body = Body::builder().text(content(&text).map_err(unbuildable)?).build();
        let message = Message::builder().subject(subject).body(body).build();
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(message).build());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some() => Err(MailError { kind: "rejected" }),
            Err(_) => Err(MailError { kind: "unreachable" }),
        }
    }
}
