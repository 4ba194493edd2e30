//! What people and programs do, each as one call of a function.

use defences::environment::{Environment, HttpCall, Outcome};
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use serde_json::{Value, json};

use super::stage::Stage;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Login,
    WrongPassword,
    Verify,
    WrongCode,
    Resend,
    Refresh,
    RefreshWithKey,
    Theft,
    Logout,
    CreateKey,
    CreateKeyWithKey,
    ListKeys,
    RevokeKey,
    ShowOrganization,
    SwitchEnvironment,
    KeySet,
    AuthorizeToken,
    AuthorizeKey,
    CreateOrganization,
    SetOnboarding,
    Suspend,
    Reinstate,
    Unlock,
    EndSessions,
    OperatorRevokesKey,
    NameIssuer,
    VerifyTotp,
    VerifyBackup,
    ShowFactors,
    BeginTotp,
    ConfirmTotp,
    RemoveTotp,
    RemakeBackupCodes,
    ListSessions,
    EndSession,
    EndOtherSessions,
}

pub const EVERY_FLOW: [Flow; 36] = [
    Flow::Login,
    Flow::WrongPassword,
    Flow::Verify,
    Flow::WrongCode,
    Flow::Resend,
    Flow::Refresh,
    Flow::RefreshWithKey,
    Flow::Theft,
    Flow::Logout,
    Flow::CreateKey,
    Flow::CreateKeyWithKey,
    Flow::ListKeys,
    Flow::RevokeKey,
    Flow::ShowOrganization,
    Flow::SwitchEnvironment,
    Flow::KeySet,
    Flow::AuthorizeToken,
    Flow::AuthorizeKey,
    Flow::CreateOrganization,
    Flow::SetOnboarding,
    Flow::Suspend,
    Flow::Reinstate,
    Flow::Unlock,
    Flow::EndSessions,
    Flow::OperatorRevokesKey,
    Flow::NameIssuer,
    Flow::VerifyTotp,
    Flow::VerifyBackup,
    Flow::ShowFactors,
    Flow::BeginTotp,
    Flow::ConfirmTotp,
    Flow::RemoveTotp,
    Flow::RemakeBackupCodes,
    Flow::ListSessions,
    Flow::EndSession,
    Flow::EndOtherSessions,
];

impl Flow {
    /// What its client is told when all is well.
    pub fn usual(self) -> u16 {
        match self {
            Self::WrongPassword | Self::WrongCode | Self::Theft => 401,
            Self::Logout | Self::RemoveTotp | Self::EndSession | Self::EndOtherSessions => 204,
            Self::CreateKey | Self::CreateKeyWithKey | Self::BeginTotp | Self::RemakeBackupCodes => 201,
            _ => 200,
        }
    }

    /// What a client is told that asks again, not knowing that it was done the first time. Where that is a refusal, the contract says
    /// so, or has no means to know the client again; each leads to a clean way on.
    pub fn again(self) -> u16 {
        match self {
            // The contract's own: without an `Idempotency-Key` nobody can tell a retry from a theft.
            Self::Refresh => 401,
            // A code works once, and a client has nothing to be known by: they log in again. Nobody has the session that was made.
            Self::Verify | Self::VerifyTotp | Self::VerifyBackup => 401,
            // It is on, and nobody has its first backup codes: they make new ones. It is off already.
            Self::ConfirmTotp => 409,
            Self::RemoveTotp => 404,
            // A code of the app works once: the next one makes new codes, in the place of those that nobody saw.
            Self::RemakeBackupCodes => 401,
            // The old code is dead; a new one is mailed a minute later.
            Self::Resend => 429,
            // The key is there and nobody has its secret: list, revoke, create.
            Self::CreateKey => 409,
            other => other.usual(),
        }
    }

    pub async fn run(self, stage: &Stage, at: &Environment) -> Outcome {
        Box::pin(self.call(stage, at)).await
    }

    async fn call(self, stage: &Stage, at: &Environment) -> Outcome {
        match self {
            Self::AuthorizeToken => at.authorize(&stage.birch.access_token).await,
            Self::AuthorizeKey => at.authorize(&stage.key).await,
            other => match (other.http(stage), other.order(stage)) {
                (Some(call), _) => at.http(&call).await,
                (_, Some(order)) => at.operator(order).await,
                _ => panic!("{self:?} is not called"),
            },
        }
    }

    pub fn http(self, stage: &Stage) -> Option<HttpCall> {
        let (challenge_id, code) = (&stage.challenge.0, &stage.challenge.1);
        let (birch, acorn) = (Some(&stage.birch_owner), Some(&stage.acorn_owner));
        let none = Value::Null;
        let login = |password: &str| json!({"email": ACORN.admin.email, "password": password});
        let refresh = |token: &str| json!({ "refresh_token": token });
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let verify = |code: &str| json!({"challenge_id": challenge_id, "code": code});
        let auth = |path: &'static str| ("POST", path);
        let (function, (method, resource), body, user) = match self {
            Self::Login => ("login", auth("/api/v1/auth/login"), login(PASSWORD), None),
            Self::WrongPassword => ("login", auth("/api/v1/auth/login"), login("not the password"), None),
            Self::Verify => ("verify", auth("/api/v1/auth/login/2fa/verify"), verify(code), None),
            Self::WrongCode => ("verify", auth("/api/v1/auth/login/2fa/verify"), verify(wrong), None),
            Self::Resend => {
                let body = json!({ "challenge_id": challenge_id });
                ("verify", auth("/api/v1/auth/login/2fa/resend"), body, None)
            }
            Self::Refresh | Self::RefreshWithKey => {
                ("refresh", auth("/api/v1/auth/refresh"), refresh(&stage.birch.refresh_token), None)
            }
            Self::Theft => ("refresh", auth("/api/v1/auth/refresh"), refresh(&stage.used_token), None),
            Self::Logout => ("logout", auth("/api/v1/auth/logout"), none, birch),
            Self::CreateKey => ("keys", auth("/api/v1/auth/api-keys"), json!({"key_name": "k"}), acorn),
            Self::CreateKeyWithKey => {
                let body = json!({"key_name": "k", "idempotency_key": "mine"});
                ("keys", auth("/api/v1/auth/api-keys"), body, acorn)
            }
            Self::ListKeys => ("keys", ("GET", "/api/v1/auth/api-keys"), none, birch),
            Self::RevokeKey => ("keys", ("DELETE", "/api/v1/auth/api-keys/{api_key_id}"), none, birch),
            Self::ShowOrganization => ("organizations", ("GET", "/api/v1/organizations/me"), none, birch),
            Self::SwitchEnvironment => (
                "organizations",
                ("PUT", "/api/v1/organizations/{id}/environment"),
                json!({"env": "live"}),
                birch,
            ),
            Self::KeySet => ("jwks", ("GET", "/.well-known/jwks.json"), none, None),
            other => return other.on_an_account(stage),
        };
        let parameter = match self {
            Self::RevokeKey => Some(("api_key_id", stage.key_id.clone())),
            Self::SwitchEnvironment => Some(("id", BIRCH.id.to_owned())),
            _ => None,
        };
        let idempotency_key = (self == Self::RefreshWithKey).then_some("0123456789abcdef");
        let user = user.cloned();
        Some(HttpCall {
            function,
            method,
            resource,
            parameter,
            body,
            idempotency_key,
            headers: Vec::new(),
            user,
        })
    }

    fn order(self, stage: &Stage) -> Option<Value> {
        Some(match self {
            Self::CreateOrganization => json!({
                "action": "create_organization", "name": "Cedar", "country": "NL", "owner_email": "owner@cedar.example",
                "owner_full_name": "Cy Cedar", "owner_password": PASSWORD,
            }),
            Self::SetOnboarding => json!({
                "action": "set_onboarding", "org_id": ACORN.id, "onboarding_status": "COMPLETED", "payments_status": "ENABLED",
            }),
            Self::Suspend => json!({"action": "suspend_organization", "org_id": BIRCH.id}),
            Self::Reinstate => json!({"action": "reinstate_organization", "org_id": BIRCH.id}),
            Self::Unlock => json!({"action": "unlock_account", "email": ACORN.admin.email}),
            Self::EndSessions => json!({"action": "end_sessions", "email": BIRCH.owner.email}),
            Self::OperatorRevokesKey => {
                json!({"action": "revoke_key", "org_id": BIRCH.id, "api_key_id": stage.key_id})
            }
            Self::NameIssuer => json!({"action": "name_issuer", "issuer": "https://issuer.example"}),
            _ => return None,
        })
    }
}
