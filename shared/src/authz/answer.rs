//! What a gateway is answered: a policy, or a simple yes or no. Context values are strings, which a REST API requires.

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerResponse,
    ApiGatewayV2CustomAuthorizerSimpleResponse,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use serde_json::{Value, json};

use crate::principals::Principal;

/// An answer in one of the two forms.
pub(super) enum Form<'a> {
    /// An IAM policy over this resource.
    Policy(&'a str),
    /// `isAuthorized`.
    Simple,
}

/// Allow, with who it is.
pub(super) fn allow(form: &Form<'_>, principal: &Principal) -> Value {
    build(form, IamPolicyEffect::Allow, principal.id(), context(principal))
}

/// Deny, with the reason.
pub(super) fn deny(form: &Form<'_>, principal_id: &str, code: &str) -> Value {
    build(form, IamPolicyEffect::Deny, principal_id, json!({ "code": code }))
}

/// What the handlers behind the authorizer learn.
fn context(principal: &Principal) -> Value {
    match principal {
        Principal::User(user) => json!({
            "auth_method": "jwt",
            "principal_id": user.user_id,
            "org_id": user.org_id,
            "role": user.role.as_str(),
            "session_id": user.session_id,
        }),
        Principal::ApiKey(key) => json!({
            "auth_method": "api_key",
            "principal_id": key.api_key_id,
            "org_id": key.org_id,
            "env": key.env.as_str(),
            "api_key_id": key.api_key_id,
        }),
    }
}

fn build(form: &Form<'_>, effect: IamPolicyEffect, principal_id: &str, context: Value) -> Value {
    let built = match form {
        Form::Simple => {
            let mut answer = ApiGatewayV2CustomAuthorizerSimpleResponse::default();
            answer.is_authorized = matches!(effect, IamPolicyEffect::Allow);
            answer.context = context;
            serde_json::to_value(answer)
        }
        Form::Policy(resource) => {
            let mut statement = IamPolicyStatement::default();
            statement.action = vec!["execute-api:Invoke".to_owned()];
            statement.effect = effect;
            statement.resource = vec![(*resource).to_owned()];
            let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
            policy.version = Some("2012-10-17".to_owned());
            policy.statement = vec![statement];
            let mut answer = ApiGatewayCustomAuthorizerResponse::default();
            answer.principal_id = Some(principal_id.to_owned());
            answer.policy_document = policy;
            answer.context = context;
            serde_json::to_value(answer).map(without_usage_key)
        }
    };
    // Plain strings always serialize; were they not to, a null is no answer to any gateway, and the call is refused.
    built.unwrap_or(Value::Null)
}

/// We meter nobody by usage plan; the member is left out rather than sent as null.
fn without_usage_key(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("usageIdentifierKey");
    }
    answer
}
