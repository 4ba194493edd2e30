//! What second factors and the list of sessions cost.

use devstack::phone::Phone;
use devstack::seed;
use serde_json::{Value, json};
use time::Duration;

use super::Walk;
use crate::ScaleError;
use crate::load::{Loaded, text};

impl Walk<'_> {
    /// Lists and ends sessions, sets an authenticator app up and takes it away again. The clock moves by a minute: an app's code is good once.
    pub(super) async fn factors(&mut self, somebody: &Loaded) -> Result<(), ScaleError> {
        let other = self.table.log_in(&somebody.email).await?;
        let access = self.table.log_in(&somebody.email).await?.access_token;
        let own = ["authorizer", "sessions"];
        let list = "GET /api/v1/auth/sessions";
        let listed = self.call(list, list, &own, &access, Value::Null).await?;
        let sessions = listed["sessions"].as_array().cloned().unwrap_or_default();
        let ended = sessions
            .iter()
            .find(|it| it["current"] == false)
            .ok_or_else(|| ScaleError::new(&"one session"))?;
        let end = format!("DELETE /api/v1/auth/sessions/{}", text(&ended["session_id"])?);
        self.call(&end, "DELETE /api/v1/auth/sessions/{session_id}", &own, &access, Value::Null).await?;
        let all = "DELETE /api/v1/auth/sessions";
        self.call(all, all, &own, &access, Value::Null).await?;
        drop(other);

        let both = ["authorizer", "factors"];
        let show = "GET /api/v1/auth/factors";
        self.call(show, show, &both, &access, Value::Null).await?;
        let begin = "POST /api/v1/auth/factors/totp";
        let begun = self.call(begin, begin, &both, &access, json!({"password": seed::PASSWORD})).await?;
        let phone =
            Phone::scan(&text(&begun["uri"])?).ok_or_else(|| ScaleError::new(&"no app reads this"))?;
        let confirm = "POST /api/v1/auth/factors/totp/confirm";
        let code = |walk: &Self| phone.code(walk.table.devstack.app.clock.now_seconds());
        let body = json!({"code": code(self)});
        self.call(confirm, confirm, &both, &access, body).await?;
        for route in ["POST /api/v1/auth/factors/backup-codes", "DELETE /api/v1/auth/factors/totp"] {
            self.table.pass(Duration::seconds(30)).await;
            let body = json!({"password": seed::PASSWORD, "code": code(self)});
            self.call(route, route, &both, &access, body).await?;
        }
        Ok(())
    }

    /// What nobody signed: most of what a public door is told.
    pub(super) async fn leaks(&mut self) -> Result<(), ScaleError> {
        let report = "POST /api/v1/secret-scanning/github";
        self.call(report, &format!("{report}, unsigned"), &["leaks"], "", json!([])).await?;
        Ok(())
    }
}
