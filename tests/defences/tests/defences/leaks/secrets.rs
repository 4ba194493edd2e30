//! What nobody may find: everything that a stage's people know, and what they are answered and mailed.

use std::sync::Arc;

use defences::Place;
use devstack::engines::mailbox::Mail;
use devstack::phone::Phone;
use devstack::seed::PASSWORD;
use serde_json::Value;

use super::search::Canary;
use crate::faults::stage::Stage;

/// What the story knows that nobody else may.
pub struct Secrets(pub Vec<Canary>);

impl Secrets {
    pub async fn of(stage: &Stage) -> Self {
        let mut all = Self(Vec::new());
        for text in [PASSWORD, "not the password", "0123456789abcdef", "an-idempotency-key-of-mine"] {
            all.add("what a client sends", text);
        }
        all.token("an access token", &stage.birch.access_token);
        for token in [&stage.birch.refresh_token, &stage.used_token] {
            all.add("a refresh token", token);
        }
        all.add("an API key", &stage.key);
        all.add("an API key's random part", &stage.key[8..40]);
        all.shown(&stage.accounts.begun.shown);
        stage.accounts.app.shown.iter().for_each(|answer| all.shown(answer));
        all.stored(&stage.place).await;
        all.mailed(&stage.place);
        all
    }

    pub fn add(&mut self, what: &str, text: &str) {
        if !self.0.iter().any(|canary| canary.is(text)) {
            self.0.push(Canary::new(what, text));
        }
    }

    fn token(&mut self, what: &str, token: &str) {
        self.add(what, token);
        self.add("a signature", token.rsplit('.').next().unwrap());
    }

    /// Every key in Secrets Manager, as it is there.
    pub async fn stored(&mut self, place: &Place) {
        let config = &place.devstack.config;
        let place = rotation::Place::over(Arc::clone(&place.devstack));
        for name in [
            &config.signing_secret,
            &config.codes_secret,
            &config.sealing_secret,
            &config.audit_secret,
            &config.factors_secret,
            &config.webhooks_secret,
        ] {
            self.keys_in(name, &place.current(name).await);
        }
    }

    fn keys_in(&mut self, name: &str, value: &Value) {
        for (member, value) in value.as_object().into_iter().flatten() {
            match value {
                Value::String(text) if ["key", "previous", "next", "pkcs8"].contains(&member.as_str()) => {
                    self.add(&format!("{member} of {name}"), text);
                }
                other => self.keys_in(name, other),
            }
        }
    }

    /// What an answer showed of a second factor: the secret, alone and in its URI, and backup codes, as they are shown and as they are typed.
    fn shown(&mut self, answer: &Value) {
        let data = &answer["data"];
        for name in ["secret", "uri", "qr_svg"] {
            if let Some(text) = data[name].as_str() {
                self.add(name, text);
            }
        }
        // It is kept as bytes, if it is kept.
        if let Some(phone) = data["secret"].as_str().and_then(Phone::typed) {
            self.0.push(Canary::of_bytes("the bytes of a secret", phone.secret()));
        }
        for code in data["backup_codes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.add("a backup code", code);
            self.add("a backup code without its hyphen", &code.replace('-', ""));
        }
    }

    /// What each mail is there to tell its reader. A notice has nothing.
    pub fn mailed(&mut self, place: &Place) {
        for secret in place.devstack.mailbox.newest_first(None).iter().filter_map(own_secret) {
            self.add("a mailed code or token", &secret);
        }
    }

    /// An answer, without what is in it for whoever asked, which is a secret from now on.
    pub fn answered(&mut self, mut answer: Value) -> String {
        self.shown(&answer);
        for name in ["secret", "uri", "qr_svg", "backup_codes"] {
            shown(&mut answer, name);
        }
        for name in ["access_token", "refresh_token", "key"] {
            if let Some(secret) = shown(&mut answer, name) {
                self.token(name, secret.as_str().unwrap());
            }
        }
        answer.to_string()
    }

    pub fn none_in(&self, where_: &str, text: &str) {
        for line in text.lines() {
            for canary in &self.0 {
                if let Some(form) = canary.found_in(line) {
                    panic!("{} ({form}) is in {where_}: {line}", canary.what);
                }
            }
        }
    }

    /// A mail has its own secret, for its reader; nothing else has any.
    pub fn none_in_mails(&self, mails: &[Mail]) {
        for mail in mails {
            let text = own_secret(mail).map_or(mail.text.clone(), |own| mail.text.replace(&own, ""));
            self.none_in("a mail, beside its own secret", &text);
            self.none_in("a mail's subject", &mail.subject);
        }
    }
}

/// Takes out of an answer what is in it for whoever asked. A report of leaks is answered with a list, which has nothing.
fn shown(answer: &mut Value, name: &str) -> Option<Value> {
    answer.get_mut("data")?.as_object_mut()?.remove(name)
}

/// A mail's code, or the token in it.
pub fn own_secret(mail: &Mail) -> Option<String> {
    let is_token = |word: &&str| ["rst_", "it_"].iter().any(|prefix| word.starts_with(prefix));
    mail.code.clone().or_else(|| mail.text.split_whitespace().find(is_token).map(str::to_owned))
}
