//! A `TOKEN` authorizer of a REST API: what the gateway asks the function, and how it judges the answer.

use std::collections::BTreeMap;

use http::HeaderMap;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::invoke::InvokeError;
use super::responses::Refusal;

/// An authorizer of the template.
#[derive(Debug, Clone)]
pub struct TokenAuthorizer {
    /// The function's name.
    pub function: String,
    /// The header that holds the credential.
    pub header: String,
    /// What the credential must look like before the function is called.
    pub validation: Option<Regex>,
}

/// Who the caller is: what the gateway passes on as `requestContext.authorizer`.
pub type Context = Map<String, Value>;

/// A refusal, and the reason for the access log (`$context.authorizer.error`): never shown to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Which gateway response answers.
    pub refusal: Refusal,
    /// Why, for the operator.
    pub reason: String,
    /// What the authorizer said beside its policy: gateway responses and the access log can name it.
    pub context: Context,
}

impl Denied {
    /// A refusal of the gateway's own.
    pub fn new(refusal: Refusal, reason: impl Into<String>) -> Self {
        Self { refusal, reason: reason.into(), context: Context::new() }
    }
}

fn denied(refusal: Refusal, reason: impl Into<String>) -> Denied {
    Denied::new(refusal, reason)
}

impl TokenAuthorizer {
    /// The credential to ask the function about.
    ///
    /// What a REST API does with a header that comes twice is not documented. Here the values are joined by a comma,
    /// as RFC 9110 section 5.3 allows anyone on the way to do. Two credentials then are one text that is neither: the
    /// validation expression refuses it, and the authorizer would.
    pub fn token(&self, headers: &HeaderMap) -> Result<String, Denied> {
        let values: Vec<_> = headers
            .get_all(self.header.as_str())
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let token = values.join(", ");
        if token.is_empty() {
            return Err(denied(Refusal::Unauthorized, format!("no {} header", self.header)));
        }
        match &self.validation {
            Some(expression) if !expression.is_match(&token) => {
                Err(denied(Refusal::Unauthorized, "refused by the validation expression"))
            }
            _ => Ok(token),
        }
    }
}

/// The event of a `TOKEN` authorizer.
pub fn event(token: &str, method_arn: &str) -> Value {
    json!({"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token})
}

/// Judges what the authorizer answered for the method `method_arn`.
pub fn judge(answer: Result<Value, InvokeError>, method_arn: &str) -> Result<Context, Denied> {
    let answer = match answer {
        Ok(answer) => answer,
        // To the letter: "unauthorized" or "Unauthorized." are errors like any other.
        Err(InvokeError::Function(message)) if message == "Unauthorized" => {
            return Err(denied(Refusal::Unauthorized, "the authorizer says Unauthorized"));
        }
        Err(error) => return Err(denied(Refusal::AuthorizerFailure, error.to_string())),
    };
    let malformed = |reason: String| denied(Refusal::AuthorizerConfigurationError, reason);
    let principal = answer.get("principalId").and_then(Value::as_str);
    let principal = principal.ok_or_else(|| malformed("no principalId".to_owned()))?;
    let policy = answer.get("policyDocument").ok_or_else(|| malformed("no policyDocument".to_owned()))?;
    let mut context = flat(answer.get("context")).map_err(malformed)?;

    match evaluate(policy, method_arn).map_err(malformed)? {
        Decision::Allow => {}
        Decision::ExplicitDeny => {
            return Err(Denied { context, ..denied(Refusal::AccessDenied, "denied by the policy") });
        }
        Decision::NoMatch => return Err(denied(Refusal::AccessDenied, "no statement allows this method")),
    }
    context.insert("principalId".to_owned(), principal.into());
    // The only value that is not a text; the real one measures it.
    context.insert("integrationLatency".to_owned(), 0.into());
    Ok(context)
}

/// The context as the function sees it: every value a text. Objects and lists make the whole answer invalid.
fn flat(context: Option<&Value>) -> Result<Context, String> {
    let members = match context {
        None | Some(Value::Null) => return Ok(Context::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err("the context is no object".to_owned()),
    };
    members
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.as_str().into())),
            Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string().into())),
            _ => Err(format!("context.{name} is no text, number or boolean")),
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Allow,
    ExplicitDeny,
    NoMatch,
}

/// Evaluates an IAM policy: any matching `Deny` wins, then any matching `Allow`, else nothing matches.
fn evaluate(policy: &Value, method_arn: &str) -> Result<Decision, String> {
    let statements = policy.get("Statement").ok_or("the policy has no Statement")?;
    let mut decision = Decision::NoMatch;
    for statement in one_or_more(statements) {
        // An unknown element could narrow the statement: judged without it, it would allow too much.
        let known = ["Sid", "Effect", "Action", "Resource"];
        let members = statement.as_object().ok_or("a statement is no object")?;
        if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("the devstack does not evaluate {unknown} in a policy"));
        }
        let matches = any_matches(statement, "Action", "execute-api:Invoke", true)?
            && any_matches(statement, "Resource", method_arn, false)?;
        match (statement.get("Effect").and_then(Value::as_str), matches) {
            (Some("Deny"), true) => return Ok(Decision::ExplicitDeny),
            (Some("Allow"), true) => decision = Decision::Allow,
            (Some("Allow" | "Deny"), false) => {}
            _ => return Err("the Effect of a statement is Allow or Deny".to_owned()),
        }
    }
    Ok(decision)
}

fn one_or_more(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        other => std::slice::from_ref(other),
    }
}

/// Whether one of the patterns of `element` matches `text`. Actions are matched without regard to case.
fn any_matches(statement: &Value, element: &str, text: &str, ignore_case: bool) -> Result<bool, String> {
    let patterns = statement.get(element).ok_or_else(|| format!("a statement has no {element}"))?;
    let mut any = false;
    for pattern in one_or_more(patterns) {
        let pattern = pattern.as_str().ok_or_else(|| format!("{element} is no text"))?;
        any |= match ignore_case {
            true => wildcard(pattern.to_lowercase().as_bytes(), text.to_lowercase().as_bytes()),
            false => wildcard(pattern.as_bytes(), text.as_bytes()),
        };
    }
    Ok(any)
}

/// IAM's wildcards: `*` for any number of characters, slashes among them, `?` for exactly one.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how far the text was when it was met.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// The context as `$context.authorizer.…`, for the access log.
pub(super) fn as_variables(context: &Context) -> BTreeMap<String, String> {
    context
        .iter()
        .filter_map(|(name, value)| Some((format!("authorizer.{name}"), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:devstack/prod/GET/api/v1/organizations/me";

    fn authorizer(validation: Option<&str>) -> TokenAuthorizer {
        TokenAuthorizer {
            function: "authorizer".to_owned(),
            header: "Authorization".to_owned(),
            validation: validation.map(|expression| Regex::new(expression).unwrap()),
        }
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("authorization", value.parse().unwrap());
        }
        headers
    }

    fn policy(effect: &str, resource: &str) -> Value {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
        ]})
    }

    fn answer(policy: Value) -> Value {
        json!({"principalId": "usr_1", "policyDocument": policy, "context": {"role": "owner"}})
    }

    fn refusal(answer: Result<Value, InvokeError>) -> Refusal {
        judge(answer, ARN).unwrap_err().refusal
    }

    #[test]
    fn a_missing_header_is_refused_without_the_function() {
        let none = authorizer(None).token(&headers(&[])).unwrap_err();
        assert_eq!(none.refusal, Refusal::Unauthorized);
        assert!(authorizer(None).token(&headers(&[""])).is_err(), "an empty one as well");
    }

    #[test]
    fn the_validation_expression_decides_before_the_function() {
        let checked = authorizer(Some(r"^Bearer +[a-z]+$"));
        assert_eq!(checked.token(&headers(&["Bearer abc"])).unwrap(), "Bearer abc");
        for bad in ["Bearer abc1", "bearer abc", "Bearer abc ", "xBearer abc"] {
            assert_eq!(checked.token(&headers(&[bad])).unwrap_err().refusal, Refusal::Unauthorized, "{bad}");
        }
    }

    #[test]
    fn two_credentials_are_none() {
        let checked = authorizer(Some(r"^Bearer +[a-z]+$"));
        assert!(checked.token(&headers(&["Bearer abc", "Bearer def"])).is_err());
        assert!(checked.token(&headers(&["Bearer abc", "Bearer abc"])).is_err());
        let joined = authorizer(None).token(&headers(&["Bearer abc", "Bearer def"])).unwrap();
        assert_eq!(joined, "Bearer abc, Bearer def");
    }

    #[test]
    fn only_the_exact_word_is_a_401() {
        let error = |text: &str| Err(InvokeError::Function(text.to_owned()));
        assert_eq!(refusal(error("Unauthorized")), Refusal::Unauthorized);
        for other in ["unauthorized", "Unauthorized ", "Error: Unauthorized", ""] {
            assert_eq!(refusal(error(other)), Refusal::AuthorizerFailure, "{other:?}");
        }
        let away = Err(InvokeError::Unreachable("refused".to_owned()));
        assert_eq!(refusal(away), Refusal::AuthorizerFailure);
    }

    #[test]
    fn an_allow_passes_the_context_on_as_texts() {
        let mut answer =
            answer(policy("Allow", "arn:aws:execute-api:eu-west-1:123456789012:devstack/prod/*"));
        answer["context"] = json!({"role": "owner", "n": 7, "flag": true});
        let context = judge(Ok(answer), ARN).unwrap();
        let expected = json!({
            "role": "owner", "n": "7", "flag": "true", "principalId": "usr_1", "integrationLatency": 0
        });
        assert_eq!(Value::Object(context.clone()), expected);
        assert_eq!(as_variables(&context)["authorizer.principalId"], "usr_1");
    }

    #[test]
    fn a_deny_or_no_match_is_a_403() {
        let all = "arn:aws:execute-api:*";
        assert_eq!(refusal(Ok(answer(policy("Deny", all)))), Refusal::AccessDenied);
        assert_eq!(
            refusal(Ok(answer(policy("Allow", "arn:aws:execute-api:*/POST/*")))),
            Refusal::AccessDenied
        );
        let both = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["a:b", "EXECUTE-API:invoke"], "Resource": ["x", ARN]},
        ]});
        assert_eq!(refusal(Ok(answer(both))), Refusal::AccessDenied, "a deny wins");
        let another = json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}});
        assert_eq!(refusal(Ok(answer(another))), Refusal::AccessDenied);
    }

    #[test]
    fn a_bad_shape_is_a_failure_and_never_an_allow() {
        let allow = || policy("Allow", "*");
        let mut condition = allow();
        condition["Statement"][0]["Condition"] = json!({"IpAddress": {}});
        for bad in [
            Value::Null,
            json!({}),
            json!({"principalId": "usr_1"}),
            json!({"policyDocument": allow()}),
            json!({"principalId": 7, "policyDocument": allow()}),
            json!({"principalId": "usr_1", "policyDocument": {}}),
            json!({"principalId": "usr_1", "policyDocument": condition}),
            json!({"principalId": "usr_1", "policyDocument": {"Statement": [{"Effect": "Allow"}]}}),
            json!({"principalId": "usr_1", "policyDocument": policy("allow", "*")}),
            json!({"principalId": "usr_1", "policyDocument": allow(), "context": {"a": {"b": 1}}}),
            json!({"principalId": "usr_1", "policyDocument": allow(), "context": "x"}),
            json!({"isAuthorized": true}),
        ] {
            assert_eq!(refusal(Ok(bad.clone())), Refusal::AuthorizerConfigurationError, "{bad}");
        }
    }

    #[test]
    fn wildcards_match_as_iams() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*/GET/*", "x/prod/GET/a/b", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**b", "aab", true),
            ("a*b*c", "a-b-b-c", true),
            ("", "a", false),
            ("A", "a", false),
        ] {
            assert_eq!(wildcard(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
    }
}
