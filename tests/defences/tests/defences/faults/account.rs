//! What people do with their own account, each as one call of a function.

use defences::account::App;
use defences::environment::HttpCall;
use defences::{Place, Session};
use devstack::seed::{BIRCH, PASSWORD};
use serde_json::{Value, json};
use shared::principals::UserPrincipal;

use super::flows::Flow;
use super::stage::Stage;

/// A person with an app, and one who has begun to set one up.
pub struct Accounts {
    /// The viewer, with an app, twice logged in.
    pub viewer: UserPrincipal,
    pub app: App,
    /// Their other session.
    pub other_session: String,
    /// A login of theirs that waits for its second step.
    pub challenge_id: String,
    /// What the viewer of the other organization has begun.
    pub beginner: UserPrincipal,
    pub begun: defences::account::Begun,
}

impl Accounts {
    /// Before the time of the stage goes on: then no code is used.
    pub async fn new(place: &Place, beginner: &Session) -> Self {
        let (first, second) = (place.login(&BIRCH.viewer).await, place.login(&BIRCH.viewer).await);
        let app = place.turn_totp_on(&first).await;
        let login = json!({"email": BIRCH.viewer.email, "password": PASSWORD});
        let (_, started) = place.post("login", login).await;
        Self {
            viewer: place.principal(&first).await,
            other_session: place.principal(&second).await.session_id.to_string(),
            challenge_id: started["data"]["challenge_id"].as_str().unwrap().to_owned(),
            beginner: place.principal(beginner).await,
            begun: place.begin_totp(beginner).await,
            app,
        }
    }
}

impl Flow {
    /// The call, if it is one of these.
    pub fn on_an_account(self, stage: &Stage) -> Option<HttpCall> {
        let accounts = &stage.accounts;
        let now = stage.place.now();
        let (viewer, beginner) = (Some(&accounts.viewer), Some(&accounts.beginner));
        let none = Value::Null;
        let (post, delete, get) = ("POST", "DELETE", "GET");
        let verify = "/api/v1/auth/login/2fa/verify";
        let (totp, sessions) = ("/api/v1/auth/factors/totp", "/api/v1/auth/sessions");
        let second = |code: &str, kind: &str| json!({"challenge_id": accounts.challenge_id, "code": code, "code_type": kind});
        let (function, method, resource, body, user) = match self {
            Self::VerifyTotp => {
                ("verify", post, verify, second(&accounts.app.phone.code(now), "primary"), None)
            }
            Self::VerifyBackup => {
                ("verify", post, verify, second(&accounts.app.backup_codes[0], "backup"), None)
            }
            Self::ShowFactors => ("factors", get, "/api/v1/auth/factors", none, viewer),
            Self::BeginTotp => ("factors", post, totp, json!({"password": PASSWORD}), beginner),
            Self::ConfirmTotp => {
                let code = json!({"code": accounts.begun.phone.code(now)});
                ("factors", post, "/api/v1/auth/factors/totp/confirm", code, beginner)
            }
            Self::RemoveTotp => ("factors", delete, totp, accounts.app.proof(now), viewer),
            Self::RemakeBackupCodes => {
                ("factors", post, "/api/v1/auth/factors/backup-codes", accounts.app.proof(now), viewer)
            }
            Self::ListSessions => ("sessions", get, sessions, none, viewer),
            Self::EndSession => ("sessions", delete, "/api/v1/auth/sessions/{session_id}", none, viewer),
            Self::EndOtherSessions => ("sessions", delete, sessions, none, viewer),
            _ => return None,
        };
        let parameter = (self == Self::EndSession).then(|| ("session_id", accounts.other_session.clone()));
        let user = user.cloned();
        Some(HttpCall {
            function,
            method,
            resource,
            parameter,
            body,
            idempotency_key: None,
            headers: Vec::new(),
            user,
        })
    }
}
