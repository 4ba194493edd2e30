//! The payments APIs of `infra/examples`: our authorizer is asked what their gateways would ask it, their own handler gets what it says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use devstack::Devstack;
use devstack::engines::recorder::Fault;
use devstack::gateway::authorizer::{self as token, judge};
use devstack::gateway::event::{self, Incoming};
use devstack::gateway::invoke::InvokeError;
use devstack::gateway::template::Api;
use devstack::gateway::variables::Variables;
use devstack::seed::{ACORN, BIRCH};
use http::HeaderMap;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{devstack, log_in, post, send};
use super::template::{file, of_type};

const REST: &str = "infra/examples/payments-rest/template.yaml";
const HTTP: &str = "infra/examples/payments-http/template.yaml";
const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:payments/prod";

/// The examples' Python, which keeps its payments in memory, and the devstack that their callers are known to.
struct Place {
    devstack: Devstack,
    rest: Api,
    python: Mutex<Python>,
}

struct Python {
    child: Child,
    answers: Box<dyn BufRead + Send>,
}

impl Drop for Python {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Which gateway stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Rest,
    Http,
}

/// A status and a body.
type Answer = (u16, Value);

impl Place {
    async fn open() -> Self {
        let devstack = devstack().await;
        let serve = "import json, sys, payments\nfor line in sys.stdin:\n    name, event = json.loads(line)\n    print(json.dumps(getattr(payments, name)(event, None)), flush=True)";
        let mut child = Command::new("python3")
            .args(["-B", "-c", serve])
            .current_dir(devstack::repository().join("infra/examples/payments"))
            .env("AUTH_URL", &devstack.base_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = Box::new(BufReader::new(child.stdout.take().unwrap()));
        let rest = Api::read(&devstack::repository().join(REST)).unwrap();
        Self { devstack, rest, python: Mutex::new(Python { child, answers }) }
    }

    fn handler(&self, name: &str, event: &Value) -> Answer {
        // It calls the devstack, which answers on another thread meanwhile.
        tokio::task::block_in_place(|| {
            let mut python = self.python.lock().unwrap();
            writeln!(python.child.stdin.as_mut().unwrap(), "{}", json!([name, event])).unwrap();
            let mut line = String::new();
            python.answers.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            let status = answer["statusCode"].as_u64().unwrap().try_into().unwrap();
            (status, serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
        })
    }

    async fn authorizer(&self, event: Value) -> Result<Value, InvokeError> {
        let answer = authorizer::handle(&self.devstack.app, event, "invocation").await;
        answer.map_err(|error| InvokeError::Function(error.to_string()))
    }

    /// `route` is a method and a path, `id` what stands for `{id}` in it.
    async fn call(&self, door: Door, route: &str, id: &str, bearer: Option<&str>, body: Value) -> Answer {
        let (method, resource) = route.split_once(' ').unwrap();
        let path = resource.replace("{id}", id);
        let parameters = resource.contains("{id}").then(|| ("id".to_owned(), id.to_owned()));
        let bearer = bearer.map(|it| format!("Bearer {it}"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let arn = format!("{ARN}/{method}{path}");
        match door {
            Door::Rest => {
                let parameters = parameters.into_iter().collect();
                self.rest_api(method, resource, &path, &parameters, bearer, &body, &arn).await
            }
            Door::Http => self.http_api(route, &path, parameters, bearer, &body, &arn).await,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what an event is made of")]
    async fn rest_api(
        &self,
        method: &str,
        resource: &str,
        path: &str,
        parameters: &BTreeMap<String, String>,
        bearer: Option<String>,
        body: &str,
        arn: &str,
    ) -> Answer {
        let mut headers = HeaderMap::new();
        bearer.map(|it| headers.insert("authorization", it.parse().unwrap()));
        let asked = &self.rest.authorizers["BearerAuthorizer"];
        let judged = match asked.token(&headers) {
            Ok(credential) => judge(self.authorizer(token::event(&credential, arn)).await, arn),
            Err(denied) => Err(denied),
        };
        let context = match judged {
            Ok(context) => context,
            Err(denied) => {
                let mut variables = Variables::default();
                variables.set("requestId", "r-1");
                if let Some(code) = denied.context.get("code").and_then(Value::as_str) {
                    variables.set("authorizer.code", code);
                }
                let answer = self.rest.responses.render(denied.refusal, &variables);
                let status = answer.status().as_u16();
                assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
                assert_eq!(answer.headers().contains_key("retry-after"), status == 503);
                assert_eq!(answer.headers()["x-request-id"], "r-1");
                let bytes = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
                return (status, serde_json::from_slice(&bytes).unwrap());
            }
        };
        let event = event::build(&Incoming {
            resource,
            path,
            query: None,
            method,
            headers: &headers,
            parameters,
            authorizer: Some(&context),
            body: body.as_bytes(),
            source_ip: "198.51.100.23",
            request_id: "r-1",
            api_id: "payments",
            stage: "prod",
            now: 0,
        });
        self.handler("rest_api", &event)
    }

    async fn http_api(
        &self,
        route: &str,
        path: &str,
        parameters: Option<(String, String)>,
        bearer: Option<String>,
        body: &str,
        arn: &str,
    ) -> Answer {
        let Some(bearer) = bearer else {
            return (401, json!({"message": "Unauthorized"}));
        };
        let mut event: Value = serde_json::from_str(&file("tests/events/authorizer-http-v2.json")).unwrap();
        event["routeArn"] = arn.into();
        event["routeKey"] = route.into();
        event["rawPath"] = path.into();
        event["identitySource"] = json!([bearer]);
        event["headers"]["authorization"] = bearer.into();
        let Ok(answer) = self.authorizer(event.clone()).await else {
            return (500, json!({"message": "Internal Server Error"}));
        };
        if answer["isAuthorized"] != true {
            return (403, json!({"message": "Forbidden"}));
        }
        // The handler's event is the authorizer's, but for these.
        event["requestContext"]["authorizer"] = json!({"lambda": answer["context"]});
        event["pathParameters"] = parameters.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
        event["body"] = body.into();
        self.handler("http_api", &event)
    }
}

#[test]
fn every_route_asks_the_authorizer_and_no_answer_is_kept() {
    // `ReauthorizeEvery: 0` is what the devstack's reader of templates insists on.
    let ours = Api::read(&devstack::template_path()).unwrap();
    let rest = Api::read(&devstack::repository().join(REST)).unwrap();
    let expression = |api: &Api| api.authorizers["BearerAuthorizer"].validation.as_ref().unwrap().to_string();
    assert_eq!(
        expression(&rest),
        expression(&ours),
        "neither more nor less reaches the authorizer than at our own routes"
    );
    for (path, method, target) in rest.routes.iter() {
        assert_eq!(target.authorizer.as_deref(), Some("BearerAuthorizer"), "{method} {path}");
    }

    let http: serde_yaml_ng::Value = serde_yaml_ng::from_str(&file(HTTP)).unwrap();
    let (_, authorizer) = of_type(&http, "AWS::ApiGatewayV2::Authorizer").next().unwrap();
    let authorizer = &authorizer["Properties"];
    // Left out, it would be 300 seconds.
    assert_eq!(authorizer["AuthorizerResultTtlInSeconds"], 0);
    assert_eq!(authorizer["AuthorizerPayloadFormatVersion"], "2.0");
    assert_eq!(authorizer["EnableSimpleResponses"], true);
    let mut keys: Vec<_> = of_type(&http, "AWS::ApiGatewayV2::Route")
        .map(|(name, route)| {
            assert_eq!(route["Properties"]["AuthorizationType"], "CUSTOM", "{name}");
            route["Properties"]["RouteKey"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut same: Vec<_> = rest.routes.iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    keys.sort();
    same.sort();
    assert_eq!(keys, same, "both have the same routes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_rest_api_they_answer_as_the_contract_says() {
    told_to(Door::Rest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_an_http_api_the_gateways_own_answers_are_its_own() {
    told_to(Door::Http).await;
}

async fn told_to(door: Door) {
    let place = Place::open().await;
    let owner = log_in(&place.devstack, BIRCH.owner).await.access;
    let viewer = log_in(&place.devstack, BIRCH.viewer).await.access;
    let made = json!({"key_name": "Payments"});
    let made = post(&place.devstack, "/api/v1/auth/api-keys", Some(&owner), made).await;
    let key = made["data"]["key"].as_str().unwrap();

    nobody(&place, door, &owner, key).await;
    let payment = payments(&place, door, &owner, key).await;
    refunds(&place, door, &payment, [&owner, &viewer, key]).await;
    suspended(&place, door, &owner, key).await;
    unavailable(&place, door, key).await;

    let record = format!("/api/v1/auth/api-keys/{}", made["data"]["api_key_id"].as_str().unwrap());
    assert_eq!(send(&place.devstack, Method::DELETE, &record, Some(&owner), Value::Null).await.status(), 200);
    let after = place.call(door, "GET /payments", "", Some(key), Value::Null).await;
    refused(door, after, (401, "unauthorized"), 403);
}

/// A REST API answers in our envelope, an HTTP API with a status alone.
fn refused(door: Door, (status, body): Answer, (rest, code): (u16, &str), http: u16) {
    match door {
        Door::Rest => assert_eq!((status, body["error"]["code"].as_str()), (rest, Some(code)), "{body}"),
        Door::Http => assert_eq!(status, http, "{body}"),
    }
}

/// The handler's own refusal, the same behind both.
fn told((status, body): Answer, expected: u16, code: &str) {
    assert_eq!((status, body["error"]["code"].as_str()), (expected, Some(code)), "{body}");
}

async fn nobody(place: &Place, door: Door, owner: &str, key: &str) {
    let unsigned = format!("{}.", owner.rsplit_once('.').unwrap().0);
    let typo = format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' });
    for (bearer, http) in [(None, 401), (Some("x"), 403), (Some(&*unsigned), 403), (Some(&*typo), 403)] {
        let answer =
            place.call(door, "POST /payments", "", bearer, json!({"amount": 1, "currency": "EUR"})).await;
        refused(door, answer, (401, "unauthorized"), http);
    }
}

async fn payments(place: &Place, door: Door, owner: &str, key: &str) -> String {
    let pay = json!({"amount": 1999, "currency": "EUR"});
    let (status, made) = place.call(door, "POST /payments", "", Some(key), pay.clone()).await;
    assert_eq!((status, &made["data"]["env"]), (201, &json!("test")), "the key's environment: {made}");
    told(place.call(door, "POST /payments", "", Some(owner), pay).await, 403, "api_key_required");
    // A person's environment is their organization's, and another organization's payments are nobody else's.
    let other = log_in(&place.devstack, ACORN.owner).await.access;
    for (bearer, seen) in [(key, json!([made["data"]])), (owner, json!([made["data"]])), (&other, json!([]))]
    {
        let (status, listed) = place.call(door, "GET /payments", "", Some(bearer), Value::Null).await;
        assert_eq!((status, &listed["data"]["payments"]), (200, &seen), "{listed}");
    }
    made["data"]["id"].as_str().unwrap().to_owned()
}

async fn refunds(place: &Place, door: Door, payment: &str, [owner, viewer, key]: [&str; 3]) {
    let refund = async |bearer: &str, id: &str| {
        place.call(door, "POST /refunds/{id}", id, Some(bearer), Value::Null).await
    };
    told(refund(viewer, payment).await, 403, "insufficient_role");
    told(refund(key, payment).await, 403, "session_required");
    told(refund(owner, "pay_test_x").await, 404, "not_found");
    let other = log_in(&place.devstack, ACORN.admin).await.access;
    told(refund(&other, payment).await, 404, "not_found");
    let (status, refunded) = refund(owner, payment).await;
    assert_eq!((status, &refunded["data"]["status"]), (200, &json!("refunded")), "{refunded}");
}

/// The key from the very next call; the token lives on, and is told where the organization is asked.
async fn suspended(place: &Place, door: Door, owner: &str, key: &str) {
    let act = async |action: &str| {
        post(&place.devstack, "/_devstack/operator", None, json!({"action": action, "org_id": BIRCH.id}))
            .await
    };
    act("suspend_organization").await;
    let denied = place.call(door, "GET /payments", "", Some(key), Value::Null).await;
    refused(door, denied, (403, "organization_suspended"), 403);
    told(
        place.call(door, "GET /payments", "", Some(owner), Value::Null).await,
        403,
        "organization_suspended",
    );
    told(place.call(door, "POST /refunds/{id}", "x", Some(owner), Value::Null).await, 404, "not_found");
    act("reinstate_organization").await;
    assert_eq!(place.call(door, "GET /payments", "", Some(key), Value::Null).await.0, 200);
}

async fn unavailable(place: &Place, door: Door, key: &str) {
    let away = json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException"});
    place.devstack.requests.inject(move |_| Some(Fault::Answer(400, away.clone())));
    let answer = place.call(door, "GET /payments", "", Some(key), Value::Null).await;
    refused(door, answer, (503, "service_unavailable"), 500);
    place.devstack.requests.heal();
}
