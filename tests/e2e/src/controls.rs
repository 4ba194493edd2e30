//! What no client can do: read somebody's mail, move time, and what an operator would do. By the devstack's console, or as a
//! deployed stage has it.

use devstack::seed::{DemoOrganization, Person};
use reqwest::Method;
use serde_json::{Value, json};

use shared::clock::{Clock, SystemClock};

use crate::Stage;

impl Stage {
    /// Moves time. On a deployed stage nobody can, so a short time is waited for.
    pub async fn advance(&self, seconds: i64) {
        if let Some(deployed) = &self.deployed {
            return deployed.wait(seconds).await;
        }
        self.control("/clock/advance", &json!({ "seconds": seconds })).await;
    }

    /// What time it is there. Seconds since the epoch.
    pub async fn now(&self) -> i64 {
        if self.deployed.is_some() {
            return SystemClock.now_seconds();
        }
        let answer = self.outside(Method::GET, "/_devstack/clock").await;
        answer.body()["seconds"].as_i64().expect("a time")
    }

    /// Has CloudWatch Logs hand over what the authorizer has logged. A deployed stage does so by itself, a little later.
    pub async fn hand_logs_over(&self) {
        match &self.deployed {
            Some(deployed) => deployed.wait(2).await,
            None => self.control("/usage", &json!({})).await,
        }
    }

    /// The mails to a person, newest first: `to`, `subject`, `text`, `code`, `sent_at`.
    pub async fn mails(&self, person: &Person) -> Vec<Value> {
        self.mails_to(person.email).await
    }

    /// The mails to an address, as it was written on them.
    pub async fn mails_to(&self, email: &str) -> Vec<Value> {
        if let Some(deployed) = &self.deployed {
            return deployed.mails(email).await;
        }
        let path = format!("/_devstack/mailbox?to={email}");
        let answer = self.outside(Method::GET, &path).await;
        assert_eq!(answer.status(), 200, "{answer}");
        answer.body().as_array().expect("a list of mails").clone()
    }

    /// Suspends an organization, or lifts it.
    pub async fn suspend(&self, organization: &DemoOrganization, suspended: bool) {
        let action = if suspended { "suspend_organization" } else { "reinstate_organization" };
        self.operate(&json!({ "action": action, "org_id": organization.id })).await;
    }

    /// Records how far an organization's onboarding and payments have come.
    pub async fn onboard(&self, organization: &DemoOrganization, onboarding: &str, payments: &str) {
        self.operate(&json!({
            "action": "set_onboarding",
            "org_id": organization.id,
            "onboarding_status": onboarding,
            "payments_status": payments,
        }))
        .await;
    }

    /// Gives a person another role.
    pub async fn set_role(&self, organization: &DemoOrganization, person: &Person, role: &str) {
        if let Some(deployed) = &self.deployed {
            return deployed.set_role(organization, person, role).await;
        }
        let path = format!("/organizations/{}/members/{}", organization.id, person.user_id);
        self.control(&path, &json!({ "role": role })).await;
    }

    /// What the operator's function answers to an event.
    pub async fn operator(&self, event: &Value) -> Value {
        if let Some(deployed) = &self.deployed {
            return deployed.operator(event).await;
        }
        let answer = self.outside(Method::POST, "/_devstack/operator").json(event).await;
        assert_eq!(answer.status(), 200, "is this a devstack? {answer}");
        answer.body().clone()
    }

    /// What the operator's function does, as `data` of its answer.
    pub async fn operate(&self, event: &Value) -> Value {
        let answer = self.operator(event).await;
        assert_eq!(answer["success"], true, "{event}: {answer}");
        answer["data"].clone()
    }

    async fn control(&self, path: &str, body: &Value) {
        let answer = self.outside(Method::POST, &format!("/_devstack{path}")).json(body).await;
        assert_eq!(answer.status(), 200, "is this a devstack? {answer}");
    }
}
