//! What people do on the way to a case.

use devstack::seed::{PASSWORD, Person};
use serde_json::{Value, json};

use super::{Request, Stack};

/// Both tokens of a login.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Session {
    fn of(tokens: &Value) -> Self {
        let text =
            |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}")).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// An API key and its record's id.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// Its record's id.
    pub id: String,
    /// The key itself.
    pub key: String,
}

impl Stack {
    /// The first step of a login: the challenge's id, and the code from the mail.
    pub async fn challenge(&self, person: Person) -> (String, String) {
        let login =
            Request::post("/api/v1/auth/login").json(&json!({"email": person.email, "password": PASSWORD}));
        let answer = self.send(&login).await;
        let id = answer.data()["challenge_id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        (id, self.devstack.mailbox.code(person.email).unwrap())
    }

    /// A whole login.
    pub async fn log_in(&self, person: Person) -> Session {
        let (challenge, code) = self.challenge(person).await;
        let verify = Request::post("/api/v1/auth/login/2fa/verify")
            .json(&json!({"challenge_id": challenge, "code": code}));
        let answer = self.send(&verify).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Session::of(&answer.data())
    }

    /// The session after a refresh.
    pub async fn refresh(&self, session: &Session) -> Session {
        let answer = self
            .send(&Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": session.refresh})))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Session::of(&answer.data())
    }

    /// Makes a key with this body.
    pub async fn make_key(&self, session: &Session, body: &Value) -> MadeKey {
        let answer =
            self.send(&Request::post("/api/v1/auth/api-keys").bearer(&session.access).json(body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let text = |name: &str| answer.data()[name].as_str().unwrap().to_owned();
        MadeKey { id: text("api_key_id"), key: text("key") }
    }

    /// Revokes a key.
    pub async fn revoke(&self, session: &Session, key_id: &str) {
        let revoke = Request::delete(&format!("/api/v1/auth/api-keys/{key_id}")).bearer(&session.access);
        let answer = self.send(&revoke).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The organization as the credential's owner sees it; also says that the credential works.
    pub async fn me(&self, credential: &str) -> Value {
        let answer = self.send(&Request::get("/api/v1/organizations/me").bearer(credential)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.data()
    }
}
