//! People with an authenticator app.

use devstack::phone::Phone;
use devstack::seed::PASSWORD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Place, Session};

/// Somebody's app, and their backup codes.
#[derive(Clone)]
pub struct App {
    /// The app.
    pub phone: Phone,
    /// The codes.
    pub backup_codes: Vec<String>,
    /// The answers that showed their secrets: of beginning, and of confirming.
    pub shown: [Value; 2],
}

/// What somebody has begun to set up.
#[derive(Clone)]
pub struct Begun {
    /// The app that waits to be confirmed.
    pub phone: Phone,
    /// The answer that showed its secret.
    pub shown: Value,
}

impl App {
    /// What proves that it is they, with the app's code of `now`.
    pub fn proof(&self, now: i64) -> Value {
        json!({"password": PASSWORD, "code": self.phone.code(now)})
    }
}

impl Place {
    /// What time it is.
    pub fn now(&self) -> i64 {
        self.devstack.app.clock.now_seconds()
    }

    /// A call for somebody who is logged in.
    pub async fn call(&self, session: &Session, method: Method, path: &str, body: Value) -> Answer {
        let request = self.request(method, path).bearer_auth(&session.access_token);
        self.send(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// Begins to set an app up.
    #[expect(clippy::unwrap_used, reason = "tests only: an app that cannot be set up fails the test")]
    pub async fn begin_totp(&self, session: &Session) -> Begun {
        let password = json!({"password": PASSWORD});
        let (status, begun) = self.call(session, Method::POST, "/api/v1/auth/factors/totp", password).await;
        assert_eq!(status, 201, "{begun}");
        let phone = Phone::scan(begun["data"]["uri"].as_str().unwrap()).unwrap();
        Begun { phone, shown: begun }
    }

    /// Turns an app on with its code of now, which is used by that.
    #[expect(clippy::unwrap_used, reason = "tests only: an app that cannot be turned on fails the test")]
    pub async fn turn_totp_on(&self, session: &Session) -> App {
        let Begun { phone, shown: begun } = self.begin_totp(session).await;
        let code = json!({"code": phone.code(self.now())});
        let (status, confirmed) =
            self.call(session, Method::POST, "/api/v1/auth/factors/totp/confirm", code).await;
        assert_eq!(status, 200, "{confirmed}");
        let codes = confirmed["data"]["backup_codes"].as_array().unwrap();
        let backup_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        App { phone, backup_codes, shown: [begun, confirmed] }
    }
}
