//! Mail: the one-time code on its way to a person.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

use crate::challenges::{Code, LIFETIME_SECONDS};
use crate::sensitive::Sensitive;

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

    /// Sends a code to the address its owner registered.
    pub async fn send_code(&self, to: &str, code: &Code) -> Result<(), MailError> {
        let text = text(code);
        let content = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let unbuildable = |_| MailError { kind: "unbuildable" };
        let subject = content("Your Syncgram Pay login code").map_err(unbuildable)?;
        let body = Body::builder().text(content(text.expose()).map_err(unbuildable)?).build();
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

/// What a mail says. What the SDK makes of it cannot be wiped.
fn text(code: &Code) -> Sensitive<String> {
    let minutes = LIFETIME_SECONDS / 60;
    // As long as it gets from the beginning: a text that grows leaves its beginnings behind.
    let mut text = String::with_capacity(256);
    text.push_str("Your Syncgram Pay login code is ");
    text.push_str(code.expose());
    text.push_str(".\n\nIt is good for ");
    text.push_str(&minutes.to_string());
    text.push_str(
        " minutes and for one login. If you are not logging in, somebody knows your password: change it.\n",
    );
    Sensitive::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mails_text_is_wiped_and_was_never_moved() {
        let text: Sensitive<String> = text(&Code::typed("123456"));
        assert!(text.expose().contains(" 123456.\n"));
        assert_eq!(text.expose().capacity(), 256, "it grew");
        assert_eq!(format!("{text:?}"), "[sensitive]");
    }
}
