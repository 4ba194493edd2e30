//! Mail that the system sent: kept here, delivered nowhere.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The recipient. A mail to several is kept once for each.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The first number of six digits in the text.
    pub code: Option<String>,
    /// When it was sent, RFC 3339, by the devstack's clock.
    pub sent_at: String,
}

type Listener = Arc<dyn Fn(&Mail) + Send + Sync>;

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    listener: Option<Listener>,
}

/// The mailbox of everybody; clones share it.
#[derive(Clone, Default)]
pub struct Mailbox {
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

/// A devstack that runs for days forgets the oldest.
const KEPT: usize = 1_000;

impl Mailbox {
    /// Everything sent to `to`, or to anybody, newest first.
    pub fn newest_first(&self, to: Option<&str>) -> Vec<Mail> {
        let state = self.lock();
        let wanted = state.mails.iter().rev().filter(|mail| to.is_none_or(|to| mail.to == to));
        wanted.cloned().collect()
    }

    /// The newest code sent to `to`.
    pub fn code(&self, to: &str) -> Option<String> {
        self.newest_first(Some(to)).into_iter().find_map(|mail| mail.code)
    }

    /// From now on `listener` hears of every mail as it arrives.
    pub fn listen(&self, listener: impl Fn(&Mail) + Send + Sync + 'static) {
        self.lock().listener = Some(Arc::new(listener));
    }

    /// Keeps the mail of a `SendEmail` request of SES v2.
    pub(super) fn deliver(&self, request: &Value, sent_at: &str) {
        let simple = &request["Content"]["Simple"];
        let text = simple["Body"]["Text"]["Data"].as_str().unwrap_or_default();
        let recipients = ["ToAddresses", "CcAddresses", "BccAddresses"]
            .into_iter()
            .filter_map(|kind| request["Destination"][kind].as_array())
            .flatten()
            .filter_map(Value::as_str);
        for to in recipients {
            self.keep(Mail {
                to: to.to_owned(),
                subject: simple["Subject"]["Data"].as_str().unwrap_or_default().to_owned(),
                text: text.to_owned(),
                code: first_code(text),
                sent_at: sent_at.to_owned(),
            });
        }
    }

    fn keep(&self, mail: Mail) {
        let listener = {
            let mut state = self.lock();
            if state.mails.len() == KEPT {
                state.mails.remove(0);
            }
            state.mails.push(mail.clone());
            state.listener.clone()
        };
        if let Some(listener) = listener {
            listener(&mail);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first word of exactly six digits.
fn first_code(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| word.len() == 6 && word.bytes().all(|c| c.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(to: &str, text: &str) -> Value {
        json!({
            "FromEmailAddress": "login@example.com",
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": {"Data": "Your code"}, "Body": {"Text": {"Data": text}}}},
        })
    }

    #[test]
    fn mail_is_kept_newest_first_and_heard_of() {
        let mailbox = Mailbox::default();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        mailbox.listen(move |mail| hears.lock().unwrap().push(mail.to.clone()));
        mailbox.deliver(&request("a@example.com", "Code: 111111."), "2025-01-01T00:00:00Z");
        mailbox.deliver(&request("b@example.com", "Code: 222222."), "2025-01-01T00:00:01Z");
        mailbox.deliver(&request("a@example.com", "Code: 333333."), "2025-01-01T00:00:02Z");

        assert_eq!(mailbox.code("a@example.com").as_deref(), Some("333333"));
        assert_eq!(mailbox.code("c@example.com"), None);
        let all = mailbox.newest_first(None);
        assert_eq!(
            all.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(),
            ["a@example.com", "b@example.com", "a@example.com"]
        );
        assert_eq!((all[0].subject.as_str(), all[0].sent_at.as_str()), ("Your code", "2025-01-01T00:00:02Z"));
        assert_eq!(*heard.lock().unwrap(), ["a@example.com", "b@example.com", "a@example.com"]);
    }

    #[test]
    fn a_code_is_six_digits_on_their_own() {
        assert_eq!(first_code("Your code is 012345, for 10 minutes.").as_deref(), Some("012345"));
        assert_eq!(first_code("1234567 a123456 12345 x-654321").as_deref(), Some("654321"));
        assert_eq!(first_code("no code"), None);
    }
}
