//! What people do with their own account: second factors and sessions.

use devstack::phone::Phone;
use devstack::seed::{PASSWORD, Person};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Challenge, Session, Stage, text};

/// Somebody's authenticator app, and the backup codes that they wrote down.
pub struct App {
    /// The app.
    pub phone: Phone,
    /// The codes.
    pub backup_codes: Vec<String>,
}

/// Backup codes in an answer.
pub fn backup_codes(data: &Value) -> Vec<String> {
    data["backup_codes"].as_array().expect("a list of codes").iter().map(text).collect()
}

impl Stage {
    /// Which second factors somebody has.
    pub async fn factors(&self, session: &Session) -> Value {
        self.get("/auth/factors").bearer(&session.access_token).await.data(200)
    }

    /// Begins to set an app up, with any password.
    pub async fn begin_totp(&self, session: &Session, password: &str) -> Answer {
        let call = self.post("/auth/factors/totp").bearer(&session.access_token);
        call.json(&json!({ "password": password })).await
    }

    /// Confirms an app with any code.
    pub async fn confirm_totp(&self, session: &Session, code: &str) -> Answer {
        let call = self.post("/auth/factors/totp/confirm").bearer(&session.access_token);
        call.json(&json!({ "code": code })).await
    }

    /// Turns the app off, with any body.
    pub async fn remove_totp(&self, session: &Session, body: &Value) -> Answer {
        let call = self.call(Method::DELETE, "/auth/factors/totp").bearer(&session.access_token);
        call.json(body).await
    }

    /// Makes new backup codes, with any body.
    pub async fn remake_backup_codes(&self, session: &Session, body: &Value) -> Answer {
        self.post("/auth/factors/backup-codes").bearer(&session.access_token).json(body).await
    }

    /// Sets an app up, and turns it on with the code of this moment: which is used by that.
    pub async fn turn_totp_on(&self, session: &Session) -> App {
        let begun = self.begin_totp(session, PASSWORD).await.data(201);
        let phone = Phone::scan(&text(&begun["uri"])).expect("what an app reads");
        let confirmed = self.confirm_totp(session, &phone.code(self.now().await)).await.data(200);
        App { phone, backup_codes: backup_codes(&confirmed) }
    }

    /// The first step of somebody with an app: nothing is mailed.
    pub async fn start_login_with_app(&self, person: &Person) -> Value {
        let newest = self.mails(person).await.first().cloned();
        let data = self.guess_password(person.email, PASSWORD).await.data(200);
        assert_eq!(data["method"], "totp");
        assert_eq!(self.mails(person).await.first().cloned(), newest, "a code was mailed");
        data
    }

    /// The second step, with a backup code.
    pub async fn verify_with_backup_code(&self, challenge_id: &str, code: &str) -> Answer {
        let body = json!({ "challenge_id": challenge_id, "code": code, "code_type": "backup" });
        self.post("/auth/login/2fa/verify").json(&body).await
    }

    /// Both steps, the second with the app's code of `at`.
    pub async fn login_with_app(&self, person: &Person, phone: &Phone, at: i64) -> Session {
        let id = text(&self.start_login_with_app(person).await["challenge_id"]);
        Session::from_data(&self.verify(&id, &phone.code(at)).await.data(200))
    }

    /// A challenge for somebody with an app; its code is the app's of `at`.
    pub async fn challenge_with_app(&self, person: &Person, phone: &Phone, at: i64) -> Challenge {
        let id = text(&self.start_login_with_app(person).await["challenge_id"]);
        Challenge { id, code: phone.code(at) }
    }

    /// One page of sessions; `query` begins with a question mark.
    pub async fn session_page(&self, session: &Session, query: &str) -> Answer {
        self.get(&format!("/auth/sessions{query}")).bearer(&session.access_token).await
    }

    /// The newest sessions, fifty at most.
    pub async fn sessions(&self, session: &Session) -> Vec<Value> {
        let data = self.session_page(session, "?limit=50").await.data(200);
        data["sessions"].as_array().expect("a list of sessions").clone()
    }

    /// Ends a session.
    pub async fn end_session(&self, session: &Session, id: &str) -> Answer {
        self.call(Method::DELETE, &format!("/auth/sessions/{id}")).bearer(&session.access_token).await
    }

    /// Ends all sessions but the one that asks.
    pub async fn end_other_sessions(&self, session: &Session) -> Answer {
        self.call(Method::DELETE, "/auth/sessions").bearer(&session.access_token).await
    }
}
