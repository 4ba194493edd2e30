//! Mail on its way to a person. What it says is in `letters`.

pub mod letters;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

pub use letters::Letter;

/// Why nothing was sent. The cause can quote the address, so only its kind goes into a log.
#[derive(Debug, thiserror::Error)]
#[error("the mail was not sent: {kind}")]
pub struct MailError {
    /// The kind of failure: `rejected`, `unreachable`, `unbuildable` or `unused`.
    pub kind: &'static str,
}

/// Sends mail through SES.
#[derive(Clone)]
pub struct Mailer {
    client: Option<Client>,
    from: String,
}

impl Mailer {
    /// Mail comes `from` this address, an identity that SES has verified. Without a client nothing is sent: a function that mails nothing
    /// has none.
    pub fn new(client: Option<Client>, from: String) -> Self {
        Self { client, from }
    }

    /// Sends a letter to an address as its owner gave it.
    pub async fn send(&self, to: &str, letter: &Letter) -> Result<(), MailError> {
        let content = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let unbuildable = |_| MailError { kind: "unbuildable" };
        let subject = content(letter.subject).map_err(unbuildable)?;
        let body = Body::builder().text(content(letter.text.expose()).map_err(unbuildable)?).build();
        let message = Message::builder().subject(subject).body(body).build();
        let client = self.client.as_ref().ok_or(MailError { kind: "unused" })?;
        let request = client
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
