//! The authorizer called as each kind of gateway calls it, with nothing in front.

use serde_json::{Value, json};
use shared::app::App;

/// The method that is asked about.
pub const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/api/v1/organizations/me";
/// Lambda's id of the call.
pub const INVOCATION: &str = "8f507cfc-xmpl-4697-b07a-ac58fc914c95";
/// Every route of that API and stage.
pub const EVERY_ROUTE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A REST API, `TOKEN`.
    RestToken,
    /// A REST API, `REQUEST`.
    RestRequest,
    /// An HTTP API, payload 1.0.
    Http1,
    /// An HTTP API, payload 2.0.
    Http2,
}

impl Kind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::RestToken, Self::RestRequest, Self::Http1, Self::Http2];

    /// Whether it is a REST API, which answers 401 to the magic word.
    pub fn is_rest(self) -> bool {
        matches!(self, Self::RestToken | Self::RestRequest)
    }

    /// The event, with this `Authorization` header.
    pub fn event(self, header: &str) -> Value {
        match self {
            Self::RestToken => json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": header}),
            Self::RestRequest => json!({
                "type": "REQUEST",
                "methodArn": ARN,
                "resource": "/api/v1/organizations/me",
                "path": "/api/v1/organizations/me",
                "httpMethod": "GET",
                "headers": {"Accept": "*/*", "Authorization": header, "Host": "abc123.execute-api.eu-west-1.amazonaws.com"},
                "multiValueHeaders": {"Accept": ["*/*"], "Authorization": [header], "Host": ["abc123.execute-api.eu-west-1.amazonaws.com"]},
                "queryStringParameters": {},
                "multiValueQueryStringParameters": {},
                "pathParameters": {},
                "stageVariables": {},
                "requestContext": {
                    "resourceId": "r1", "resourcePath": "/api/v1/organizations/me", "httpMethod": "GET", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
                    "path": "/prod/api/v1/organizations/me", "accountId": "123456789012", "stage": "prod", "apiId": "abc123",
                    "identity": {"sourceIp": "203.0.113.7", "userAgent": "curl/8.0", "apiKey": null},
                },
            }),
            Self::Http1 => json!({
                "version": "1.0",
                "type": "REQUEST",
                "methodArn": ARN,
                "identitySource": header,
                "authorizationToken": header,
                "resource": "/api/v1/organizations/me",
                "path": "/api/v1/organizations/me",
                "httpMethod": "GET",
                "headers": {"Accept": "*/*", "Authorization": header},
                "queryStringParameters": {},
                "requestContext": {
                    "requestId": "JKJaXmPLvHcESHA=", "apiId": "abc123", "stage": "prod", "httpMethod": "GET", "path": "/api/v1/organizations/me",
                    "identity": {"sourceIp": "203.0.113.7", "userAgent": "curl/8.0"},
                },
            }),
            Self::Http2 => json!({
                "version": "2.0",
                "type": "REQUEST",
                "routeArn": ARN,
                "identitySource": [header],
                "routeKey": "GET /api/v1/organizations/me",
                "rawPath": "/api/v1/organizations/me",
                "rawQueryString": "",
                "headers": {"accept": "*/*", "authorization": header, "x-forwarded-for": "203.0.113.7"},
                "requestContext": {
                    "accountId": "123456789012", "apiId": "abc123", "domainName": "abc123.execute-api.eu-west-1.amazonaws.com", "requestId": "JKJaXmPLvHcESHA=",
                    "routeKey": "GET /api/v1/organizations/me", "stage": "prod", "time": "24/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_510_800_000_i64,
                    "http": {"method": "GET", "path": "/api/v1/organizations/me", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl/8.0"},
                },
            }),
        }
    }
}

/// What a gateway makes of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Whoever it is comes in; the context.
    Allowed(Value),
    /// The statement is there: 403.
    Denied(Value),
    /// The magic word: 401.
    Unauthorized,
    /// Any other error, or an answer no gateway understands: the service is away.
    Failed(String),
}

/// Calls the authorizer and reads its answer as strictly as a gateway does.
pub async fn ask(app: &App, event: Value) -> Verdict {
    match authorizer::handle(app, event, INVOCATION).await {
        Ok(answer) => read(&answer),
        Err(error) if error.to_string() == "Unauthorized" => Verdict::Unauthorized,
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn read(answer: &Value) -> Verdict {
    let nonsense = || Verdict::Failed(format!("no answer: {answer}"));
    let context = &answer["context"];
    let flat = context.as_object().is_some_and(|it| it.values().all(Value::is_string));
    if !flat {
        return nonsense();
    }
    if let Some(simple) = answer.get("isAuthorized") {
        return match simple {
            Value::Bool(true) => Verdict::Allowed(context.clone()),
            Value::Bool(false) => Verdict::Denied(context.clone()),
            _ => nonsense(),
        };
    }
    let policy = &answer["policyDocument"];
    let statement = &policy["Statement"][0];
    let one =
        policy["Statement"].as_array().is_some_and(|all| all.len() == 1) && policy["Version"] == "2012-10-17";
    let resources =
        statement["Resource"].as_array().map_or(vec![&statement["Resource"]], |all| all.iter().collect());
    let action = statement["Action"] == "execute-api:Invoke"
        || statement["Action"] == serde_json::json!(["execute-api:Invoke"]);
    match statement["Effect"].as_str() {
        _ if !one || !action || !answer["principalId"].is_string() => nonsense(),
        // Wider than one stage of one API, an allow is somebody else's door.
        Some("Allow") if resources == [EVERY_ROUTE] => Verdict::Allowed(context.clone()),
        Some("Deny") if !resources.is_empty() => Verdict::Denied(context.clone()),
        _ => nonsense(),
    }
}

/// A credential that is nobody's: 401 from a REST API, 403 from an HTTP API.
///
/// # Errors
/// Which kind answers what, where that is something else.
pub async fn refused_by_all(app: &App, header: &str) -> Result<(), String> {
    for kind in Kind::ALL {
        let verdict = ask(app, kind.event(header)).await;
        let right = match kind.is_rest() {
            true => verdict == Verdict::Unauthorized,
            false => matches!(&verdict, Verdict::Denied(context) if context["code"] == "unauthorized"),
        };
        if !right {
            return Err(format!("{kind:?} gives {verdict:?}"));
        }
    }
    Ok(())
}

/// A credential that is somebody's: allowed by every kind.
///
/// # Errors
/// Which kind answers what, where that is something else.
pub async fn allowed_by_all(app: &App, header: &str) -> Result<(), String> {
    for kind in Kind::ALL {
        let verdict = ask(app, kind.event(header)).await;
        if !matches!(verdict, Verdict::Allowed(_)) {
            return Err(format!("{kind:?} gives {verdict:?}"));
        }
    }
    Ok(())
}
