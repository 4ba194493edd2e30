//! Reads the API out of `infra/template.yaml`, as SAM would: routes from the functions' `Api` events, authorizers and
//! gateway responses from the `AWS::Serverless::Api`. Whatever the devstack would have to guess is refused with a sentence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::{HeaderName, StatusCode};
use regex::Regex;
use serde_yaml_ng::Value;

use super::authorizer::TokenAuthorizer;
use super::responses::{GatewayResponse, GatewayResponses};
use super::routes::{RouteTable, Target};
use super::yaml::{at, members, referenced, scalar, text};

/// Everything the gateway needs to know.
#[derive(Debug)]
pub struct Api {
    /// The stage's name.
    pub stage: String,
    /// Routes and where they lead.
    pub routes: RouteTable,
    /// Authorizers by name.
    pub authorizers: BTreeMap<String, TokenAuthorizer>,
    /// The gateway's own answers.
    pub responses: GatewayResponses,
    /// The access log's format, with `$context.…` in it.
    pub access_log: Option<String>,
    /// How long an answer is, in bytes, that is compressed for whoever asks for it; none is without.
    pub compressed_from: Option<u64>,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML.
    #[error("the template is no YAML: {0}")]
    Syntax(#[from] serde_yaml_ng::Error),
    /// The template says something that the devstack cannot follow.
    #[error("the template's {place}: {reason}")]
    Meaning {
        /// The resource or event.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

fn wrong(place: impl Into<String>, reason: impl Into<String>) -> TemplateError {
    TemplateError::Meaning { place: place.into(), reason: reason.into() }
}

impl Api {
    /// Reads the template at `path`.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads a template.
    pub fn parse(yaml: &str) -> Result<Self, TemplateError> {
        Self::of(&serde_yaml_ng::from_str(yaml)?)
    }

    /// What a template says.
    pub(crate) fn of(template: &Value) -> Result<Self, TemplateError> {
        let (api_id, api) = the_api(template)?;
        let auth = at(api, &["Auth"]);
        let default_authorizer = auth
            .and_then(|auth| at(auth, &["DefaultAuthorizer"]))
            .and_then(scalar)
            .filter(|name| name != "NONE");
        let authorizers = members(auth.and_then(|auth| at(auth, &["Authorizers"])))
            .map(|(name, value)| Ok((name.to_owned(), token_authorizer(name, value)?)))
            .collect::<Result<BTreeMap<_, _>, TemplateError>>()?;

        let routes = routes(template, api_id, default_authorizer.as_deref())?;
        for (path, method, target) in routes.iter() {
            if let Some(name) = target.authorizer.as_ref().filter(|name| !authorizers.contains_key(*name)) {
                return Err(wrong(
                    format!("route {method} {path}"),
                    format!("there is no authorizer {name}"),
                ));
            }
        }
        Ok(Self {
            stage: at(api, &["StageName"])
                .and_then(|stage| text(template, stage))
                .ok_or_else(|| wrong(api_id, "no StageName"))?,
            routes,
            authorizers,
            responses: gateway_responses(template, api)?,
            access_log: at(api, &["AccessLogSetting", "Format"]).and_then(scalar),
            compressed_from: compressed_from(api_id, api)?,
        })
    }
}

fn compressed_from(api_id: &str, api: &Value) -> Result<Option<u64>, TemplateError> {
    let said = at(api, &["MinimumCompressionSize"]);
    let number = |said: &Value| said.as_u64().filter(|bytes| *bytes <= 10 * 1024 * 1024);
    said.map(|said| {
        number(said).ok_or_else(|| wrong(api_id, "MinimumCompressionSize is a number up to 10485760"))
    })
    .transpose()
}

fn is_type(resource: &Value, name: &str) -> bool {
    at(resource, &["Type"]).and_then(Value::as_str) == Some(name)
}

fn resources<'a>(template: &'a Value, kind: &'static str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    members(at(template, &["Resources"])).filter(move |(_, resource)| is_type(resource, kind))
}

/// The one REST API: its logical id and its properties.
fn the_api(template: &Value) -> Result<(&str, &Value), TemplateError> {
    let mut apis = resources(template, "AWS::Serverless::Api");
    match (apis.next(), apis.next()) {
        (Some((id, api)), None) => {
            let properties = at(api, &["Properties"]).ok_or_else(|| wrong(id, "no Properties"))?;
            Ok((id, properties))
        }
        _ => Err(wrong("Resources", "exactly one AWS::Serverless::Api is expected")),
    }
}

/// The folder, package and binary of a function: `LoginFunction` is `login`, `ApiKeysFunction` would be `api-keys`.
fn function_name(logical_id: &str) -> String {
    let mut name = String::new();
    for letter in logical_id.strip_suffix("Function").unwrap_or(logical_id).chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn token_authorizer(name: &str, value: &Value) -> Result<TokenAuthorizer, TemplateError> {
    let place = format!("authorizer {name}");
    let kind = at(value, &["FunctionPayloadType"]).and_then(scalar);
    if kind.is_some_and(|kind| kind != "TOKEN") {
        return Err(wrong(place, "the devstack knows authorizers of the type TOKEN"));
    }
    let identity = |member: &str| at(value, &["Identity", member]).and_then(scalar);
    // The default of API Gateway is 300 seconds, so it has to be said.
    if identity("ReauthorizeEvery").as_deref() != Some("0") {
        return Err(wrong(place, "Identity.ReauthorizeEvery is to be 0: the devstack keeps no answers"));
    }
    let validation = identity("ValidationExpression");
    // Whether API Gateway looks for the expression anywhere in the credential is not documented.
    if validation.as_ref().is_some_and(|text| !text.starts_with('^') || !text.ends_with('$')) {
        return Err(wrong(place, "the ValidationExpression is to begin with ^ and to end with $"));
    }
    Ok(TokenAuthorizer {
        function: at(value, &["FunctionArn"])
            .and_then(referenced)
            .map(|id| function_name(&id))
            .ok_or_else(|| wrong(&place, "FunctionArn names no function of this template"))?,
        header: identity("Header").unwrap_or_else(|| "Authorization".to_owned()),
        validation: validation
            .map(|text| Regex::new(&text))
            .transpose()
            .map_err(|error| wrong(&place, format!("the ValidationExpression cannot be read: {error}")))?,
    })
}

/// Every `Api` event of every function.
fn routes(template: &Value, api_id: &str, default: Option<&str>) -> Result<RouteTable, TemplateError> {
    let mut table = RouteTable::default();
    for (id, function) in resources(template, "AWS::Serverless::Function") {
        for (event, value) in members(at(function, &["Properties", "Events"])) {
            if !is_type(value, "Api") {
                continue;
            }
            let place = format!("{id}.Events.{event}");
            let property = |name: &str| at(value, &["Properties", name]);
            let required = |name: &str| {
                property(name).and_then(scalar).ok_or_else(|| wrong(&place, format!("no {name}")))
            };
            if property("RestApiId").and_then(referenced).as_deref() != Some(api_id) {
                return Err(wrong(&place, format!("RestApiId is to be !Ref {api_id}")));
            }
            let authorizer =
                match property("Auth").and_then(|auth| at(auth, &["Authorizer"])).and_then(scalar) {
                    Some(none) if none == "NONE" => None,
                    Some(name) => Some(name),
                    None => default.map(str::to_owned),
                };
            let target = Target { function: function_name(id), authorizer };
            table
                .add(&required("Path")?, &required("Method")?, target)
                .map_err(|taken| wrong(&place, format!("the function {taken} already has this route")))?;
        }
    }
    Ok(table)
}

/// Those inside the API, and those that are resources of their own.
fn gateway_responses(template: &Value, api: &Value) -> Result<GatewayResponses, TemplateError> {
    let inside = members(at(api, &["GatewayResponses"]))
        .map(|(kind, value)| (kind.to_owned(), value, ["ResponseParameters", "Headers"].as_slice(), ""));
    let own = resources(template, "AWS::ApiGateway::GatewayResponse").filter_map(|(_, resource)| {
        let properties = at(resource, &["Properties"])?;
        let kind = at(properties, &["ResponseType"]).and_then(scalar)?;
        Some((kind, properties, ["ResponseParameters"].as_slice(), "gatewayresponse.header."))
    });
    let mut responses = BTreeMap::new();
    for (kind, value, headers, prefix) in inside.chain(own) {
        let response = gateway_response(value, headers, prefix).map_err(|reason| wrong(&kind, reason))?;
        response.check().map_err(|reason| wrong(&kind, reason))?;
        responses.insert(kind, response);
    }
    Ok(GatewayResponses(responses))
}

fn gateway_response(value: &Value, headers: &[&str], prefix: &str) -> Result<GatewayResponse, String> {
    let status = at(value, &["StatusCode"]).and_then(scalar);
    let status = status.map(|code| code.parse::<StatusCode>().map_err(|_| format!("{code} is no status")));
    let mut response = GatewayResponse { status: status.transpose()?, ..GatewayResponse::default() };
    for (name, expression) in members(at(value, headers)) {
        let name = name.strip_prefix(prefix).unwrap_or(name);
        let header = name.parse::<HeaderName>().map_err(|_| format!("{name} is no header's name"))?;
        let expression = scalar(expression).ok_or_else(|| format!("the header {name} is no text"))?;
        response.headers.push((header, expression));
    }
    let mut templates = members(at(value, &["ResponseTemplates"]));
    if let Some((content_type, body)) = templates.next() {
        let body = scalar(body).ok_or("the response template is no text")?;
        response.body = Some((content_type.to_owned(), body));
    }
    match templates.next() {
        Some(_) => Err("the devstack knows one response template".to_owned()),
        None => Ok(response),
    }
}

#[cfg(test)]
mod tests {
    use super::super::variables::Variables;
    use super::*;

    const SMALL: &str = r#"
Parameters: {Stage: {Type: String, Default: v1}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      Auth:
        DefaultAuthorizer: Bearer
        Authorizers:
          Bearer:
            FunctionArn: !GetAtt BearerCheckFunction.Arn
            Identity: {Header: X-Key, ValidationExpression: '^a+$', ReauthorizeEvery: 0}
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 401
          ResponseParameters: {Headers: {X-Request-Id: context.requestId}}
          ResponseTemplates: {application/json: '{"id":"$context.requestId"}'}
  Denied:
    Type: AWS::ApiGateway::GatewayResponse
    Properties:
      ResponseType: ACCESS_DENIED
      StatusCode: "403"
      ResponseParameters: {gatewayresponse.header.Cache-Control: "'no-store'"}
  LoginFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /in, Method: post, Auth: {Authorizer: NONE}}}
        Closed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /out, Method: GET}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
"#;

    fn refused(yaml: &str) -> String {
        Api::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn routes_authorizers_and_responses_are_read() {
        let api = Api::parse(SMALL).unwrap();
        assert_eq!(api.stage, "v1");
        let routes: Vec<_> = api
            .routes
            .iter()
            .map(|(path, method, target)| {
                (path, method, target.function.as_str(), target.authorizer.as_deref())
            })
            .collect();
        assert_eq!(routes, [("/in", "POST", "login", None), ("/out", "GET", "login", Some("Bearer"))]);
        let bearer = &api.authorizers["Bearer"];
        assert_eq!((bearer.function.as_str(), bearer.header.as_str()), ("bearer-check", "X-Key"));
        assert!(bearer.validation.as_ref().unwrap().is_match("aa"));
        let denied = &api.responses.0["ACCESS_DENIED"];
        assert_eq!(denied.headers, [(http::header::CACHE_CONTROL, "'no-store'".to_owned())]);
        assert_eq!(api.responses.0["UNAUTHORIZED"].headers[0].0, "x-request-id");
    }

    #[test]
    fn what_would_have_to_be_guessed_is_refused() {
        for (from, to, reason) in [
            ("ReauthorizeEvery: 0", "ReauthorizeEvery: 300", "keeps no answers"),
            (", ReauthorizeEvery: 0", "", "keeps no answers"),
            ("'^a+$'", "'a+'", "begin with ^"),
            ("'^a+$'", "'^(a$'", "cannot be read"),
            ("DefaultAuthorizer: Bearer", "DefaultAuthorizer: Other", "no authorizer Other"),
            ("$context.requestId", "$context.authorizer.word", "does not know"),
            ("Path: /out, Method: GET", "Path: /in, Method: POST", "already has this route"),
            ("Path: /out", "Paht: /out", "no Path"),
            ("RestApiId: !Ref Api, Path: /out", "Path: /out", "RestApiId"),
            ("Type: AWS::Serverless::Api", "Type: AWS::Serverless::HttpApi", "exactly one"),
            ("StatusCode: 401", "StatusCode: many", "no status"),
        ] {
            assert!(SMALL.contains(from), "{from}");
            let sentence = refused(&SMALL.replace(from, to));
            assert!(sentence.contains(reason), "{from} → {to}: {sentence}");
        }
        assert!(refused("a: [").contains("no YAML"));
    }

    fn shipped() -> (Api, Value) {
        let path = crate::template_path();
        let yaml = std::fs::read_to_string(&path).unwrap();
        (Api::read(&path).unwrap(), serde_yaml_ng::from_str(&yaml).unwrap())
    }

    #[test]
    fn the_shipped_template_can_be_read() {
        let (api, _) = shipped();
        let login = api.routes.find("/api/v1/auth/login", "POST").unwrap();
        assert_eq!((login.target.function.as_str(), &login.target.authorizer), ("login", &None));
        let me = api.routes.find("/api/v1/organizations/me", "GET").unwrap();
        assert!(me.target.authorizer.is_some());
        assert_eq!(me.resource, "/api/v1/organizations/me");
        for (path, method) in [("/nowhere/at/all", "GET"), ("/", "GET"), ("/api/v1/auth/login", "DELETE")] {
            assert!(api.routes.find(path, method).is_some(), "{method} {path}");
        }
    }

    #[tokio::test]
    async fn every_gateway_response_of_the_shipped_template_wears_the_envelope() {
        use super::super::responses::Refusal;
        let (api, _) = shipped();
        let mut variables = Variables::default();
        variables.set("requestId", "r-1");
        variables.set("authorizer.code", "word_of_the_authorizer");
        for (refusal, status, code) in [
            (Refusal::Unauthorized, 401, "unauthorized"),
            (Refusal::AccessDenied, 403, "word_of_the_authorizer"),
            (Refusal::AuthorizerFailure, 503, "service_unavailable"),
            (Refusal::AuthorizerConfigurationError, 503, "service_unavailable"),
            (Refusal::FunctionFailure, 503, "service_unavailable"),
        ] {
            let answer = api.responses.render(refusal, &variables);
            assert_eq!(answer.status(), status, "{refusal:?}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.headers()["x-request-id"], "r-1");
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["success"], false);
            assert_eq!(body["error"]["code"], code);
            assert_eq!(body["error"]["request_id"], "r-1");
        }
    }

    #[test]
    fn the_shipped_table_is_the_one_the_devstack_makes() {
        let (_, template) = shipped();
        let (_, table) = resources(&template, "AWS::DynamoDB::Table").next().unwrap();
        let keys = at(table, &["Properties", "KeySchema"]).unwrap().as_sequence().unwrap();
        let key = |at: usize| (keys[at]["AttributeName"].as_str(), keys[at]["KeyType"].as_str());
        assert_eq!(key(0), (Some("pk"), Some("HASH")));
        assert_eq!(key(1), (Some("sk"), Some("RANGE")));
        assert_eq!(keys.len(), 2);
        assert_eq!(at(table, &["Properties", "GlobalSecondaryIndexes"]), None);
        let ttl = at(table, &["Properties", "TimeToLiveSpecification", "AttributeName"]).unwrap();
        assert_eq!(ttl.as_str(), Some(crate::engines::dynamodb::TTL_ATTRIBUTE));
    }
}
