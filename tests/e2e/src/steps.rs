//! The steps that most stories share. Those that can be refused give the answer; those that begin other stories insist.

use devstack::seed::{DemoOrganization, PASSWORD, Person};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Stage};

/// A login that waits for its second step.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Its id.
    pub id: String,
    /// The code that was mailed for it.
    pub code: String,
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

impl Session {
    /// The tokens in the data of a verify or a refresh.
    pub fn from_data(data: &Value) -> Self {
        Self { access_token: text(&data["access_token"]), refresh_token: text(&data["refresh_token"]) }
    }
}

/// An API key that was just made.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its record's id.
    pub id: String,
    /// The key itself.
    pub key: String,
    /// All of the answer's data.
    pub data: Value,
}

impl Key {
    /// The key in the data of a creation.
    pub fn from_data(data: Value) -> Self {
        Self { id: text(&data["api_key_id"]), key: text(&data["key"]), data }
    }
}

/// A value that is a text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A code of the right form that is not the right one.
pub fn other_code(right: &str) -> String {
    let number: u32 = right.parse().expect("a code of digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Logging in and out.
impl Stage {
    /// The first step, with any address and password.
    pub async fn guess_password(&self, email: &str, password: &str) -> Answer {
        self.post("/auth/login").json(&json!({ "email": email, "password": password })).await
    }

    /// The first step done right.
    pub async fn start_login(&self, person: &Person) -> Challenge {
        let data = self.guess_password(person.email, PASSWORD).await.data(200);
        Challenge { id: text(&data["challenge_id"]), code: self.newest_code(person).await }
    }

    /// The newest code in a person's mailbox.
    pub async fn newest_code(&self, person: &Person) -> String {
        let mails = self.mails(person).await;
        text(&mails.first().expect("a mail")["code"])
    }

    /// The second step, with any code.
    pub async fn verify(&self, challenge_id: &str, code: &str) -> Answer {
        let body = json!({ "challenge_id": challenge_id, "code": code });
        self.post("/auth/login/2fa/verify").json(&body).await
    }

    /// Asks for another code.
    pub async fn resend(&self, challenge_id: &str) -> Answer {
        self.post("/auth/login/2fa/resend").json(&json!({ "challenge_id": challenge_id })).await
    }

    /// Both steps done right.
    pub async fn login(&self, person: &Person) -> Session {
        let challenge = self.start_login(person).await;
        Session::from_data(&self.verify(&challenge.id, &challenge.code).await.data(200))
    }

    /// A refresh.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/auth/refresh").json(&json!({ "refresh_token": refresh_token })).await
    }

    /// A refresh that can be repeated.
    pub async fn refresh_as(&self, refresh_token: &str, idempotency_key: &str) -> Answer {
        let call = self.post("/auth/refresh").header("Idempotency-Key", idempotency_key);
        call.json(&json!({ "refresh_token": refresh_token })).await
    }

    /// Logs out.
    pub async fn logout(&self, session: &Session) -> Answer {
        self.post("/auth/logout").bearer(&session.access_token).await
    }
}

/// Keys and organizations.
impl Stage {
    /// Asks for a key, with any body.
    pub async fn create(&self, session: &Session, body: &Value) -> Answer {
        self.post("/auth/api-keys").bearer(&session.access_token).json(body).await
    }

    /// Makes a key.
    pub async fn create_key(&self, session: &Session, key_name: &str) -> Key {
        Key::from_data(self.create(session, &json!({ "key_name": key_name })).await.data(201))
    }

    /// Revokes a key.
    pub async fn revoke(&self, session: &Session, key_id: &str) -> Answer {
        let route = format!("/auth/api-keys/{key_id}");
        self.call(Method::DELETE, &route).bearer(&session.access_token).await
    }

    /// One page of keys; `query` begins with a question mark.
    pub async fn key_page(&self, session: &Session, query: &str) -> Answer {
        self.get(&format!("/auth/api-keys{query}")).bearer(&session.access_token).await
    }

    /// The newest keys, a hundred at most.
    pub async fn keys(&self, session: &Session) -> Vec<Value> {
        let data = self.key_page(session, "?limit=100").await.data(200);
        data["keys"].as_array().expect("a list of keys").clone()
    }

    /// The organization of whoever the credential is.
    pub async fn me(&self, credential: &str) -> Answer {
        self.get("/organizations/me").bearer(credential).await
    }

    /// Switches an organization's environment.
    pub async fn switch(&self, session: &Session, organization: &DemoOrganization, env: &str) -> Answer {
        let route = format!("/organizations/{}/environment", organization.id);
        self.call(Method::PUT, &route).bearer(&session.access_token).json(&json!({ "env": env })).await
    }
}
