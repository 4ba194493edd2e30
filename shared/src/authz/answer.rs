//! What a gateway is answered: a policy, or a simple yes or no. Context values are strings, which a REST API requires.
//!
//! API Gateway developer guide, "Output from an API Gateway Lambda authorizer" and, for the simple form, "Control access to HTTP APIs with AWS
//! Lambda authorizers". The types are our own, since those of `aws_lambda_events` are made by way of a tree of values, which was a sixth of what
//! a decision about a known token costs.

use serde::Serialize;
use serde_json::Value;

use crate::ids::{KeyId, OrgId, SessionId, UserId};
use crate::principals::Principal;

/// An answer in one of the two forms.
pub(super) enum Form {
    /// An IAM policy over this resource.
    Policy(String),
    /// `isAuthorized`.
    Simple,
}

/// What the gateway is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// An IAM policy, for a REST API or an HTTP API.
    #[serde(rename_all = "camelCase")]
    Policy {
        /// Whose credential it is.
        principal_id: String,
        /// One statement about every route of the API's stage.
        policy_document: Policy,
        /// What the handlers learn.
        context: Context,
    },
    /// Yes or no, for an HTTP API.
    #[serde(rename_all = "camelCase")]
    Simple {
        /// Yes or no.
        is_authorized: bool,
        /// What the handlers learn.
        context: Context,
    },
}

impl Answer {
    /// The answer as a JSON value.
    pub fn to_value(&self) -> Value {
        // Plain strings always serialize; were they not to, a null is no answer to any gateway, and the call is refused.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// An IAM policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: [&'static str; 1],
    effect: &'static str,
    resource: [String; 1],
}

/// What the handlers behind the authorizer learn.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Context {
    /// Of a person.
    User {
        auth_method: &'static str,
        principal_id: UserId,
        org_id: OrgId,
        role: &'static str,
        session_id: SessionId,
    },
    /// Of a server.
    ApiKey {
        auth_method: &'static str,
        principal_id: KeyId,
        org_id: OrgId,
        env: &'static str,
        api_key_id: KeyId,
    },
    /// Of whoever is denied: why.
    Denied { code: &'static str },
}

/// Allow, with who it is.
pub(super) fn allow(form: Form, principal: Principal) -> Answer {
    let principal_id = principal.id().to_owned();
    build(form, true, principal_id, context(principal))
}

/// Deny, with the reason.
pub(super) fn deny(form: Form, principal_id: &str, code: &'static str) -> Answer {
    build(form, false, principal_id.to_owned(), Context::Denied { code })
}

fn context(principal: Principal) -> Context {
    match principal {
        Principal::User(user) => Context::User {
            auth_method: "jwt",
            principal_id: user.user_id,
            org_id: user.org_id,
            role: user.role.as_str(),
            session_id: user.session_id,
        },
        Principal::ApiKey(key) => Context::ApiKey {
            auth_method: "api_key",
            principal_id: key.api_key_id.clone(),
            org_id: key.org_id,
            env: key.env.as_str(),
            api_key_id: key.api_key_id,
        },
    }
}

fn build(form: Form, allowed: bool, principal_id: String, context: Context) -> Answer {
    match form {
        Form::Simple => Answer::Simple { is_authorized: allowed, context },
        Form::Policy(resource) => {
            let effect = if allowed { "Allow" } else { "Deny" };
            let statement = Statement { action: ["execute-api:Invoke"], effect, resource: [resource] };
            let policy_document = Policy { version: "2012-10-17", statement: [statement] };
            Answer::Policy { principal_id, policy_document, context }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::principals::UserPrincipal;
    use crate::rng::SystemRng;
    use crate::users::Role;
    use aws_lambda_events::apigw::{
        ApiGatewayCustomAuthorizerResponse, ApiGatewayV2CustomAuthorizerSimpleResponse,
    };

    fn principal() -> Principal {
        let (clock, rng) = (SystemClock, SystemRng);
        Principal::User(UserPrincipal {
            user_id: UserId::new(&clock, &rng),
            org_id: OrgId::new(&clock, &rng),
            role: Role::Owner,
            session_id: SessionId::new(&clock, &rng),
        })
    }

    fn answers() -> [Answer; 4] {
        let forms = || [Form::Policy("arn:aws:execute-api:r:1:a/prod/*".to_owned()), Form::Simple];
        let [policy, simple] = forms();
        let [deny_policy, deny_simple] = forms();
        [
            allow(policy, principal()),
            allow(simple, principal()),
            deny(deny_policy, "anonymous", "unauthorized"),
            deny(deny_simple, "anonymous", "unauthorized"),
        ]
    }

    /// AWS's own types read what we answer, and would have written the same.
    #[test]
    fn answers_are_what_the_gateways_types_say() {
        for answer in answers() {
            let value = answer.to_value();
            let theirs = match &answer {
                Answer::Policy { .. } => {
                    let read: ApiGatewayCustomAuthorizerResponse =
                        serde_json::from_value(value.clone()).unwrap();
                    let mut written = serde_json::to_value(read).unwrap();
                    // We meter nobody by usage plan: left out rather than sent as null.
                    written.as_object_mut().unwrap().remove("usageIdentifierKey");
                    written
                }
                Answer::Simple { .. } => {
                    let read: ApiGatewayV2CustomAuthorizerSimpleResponse =
                        serde_json::from_value(value.clone()).unwrap();
                    serde_json::to_value(read).unwrap()
                }
            };
            assert_eq!(value, theirs);
            let context = value["context"].as_object().unwrap();
            assert!(context.values().all(Value::is_string), "a REST API takes strings alone: {value}");
        }
    }
}
