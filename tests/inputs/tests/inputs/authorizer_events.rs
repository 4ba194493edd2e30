//! The authorizer, asked by every kind of gateway, about credentials of every kind.

use std::sync::Arc;

use devstack::seed::ACORN;
use serde_json::{Value, json};
use shared::app::{App, Outside};
use shared::clock::Clock as _;
use shared::config::{Config, Credentials, Endpoints, HttpApiAnswer};
use shared::ids::OrgId;
use shared::passwords::Hashing;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::webhooks::Reach;

use crate::harness::gateways::{ARN, EVERY_ROUTE, INVOCATION, Kind, Verdict, ask};
use crate::harness::{Session, Stack};

/// An app like the devstack's, with another configuration.
pub fn app_like(stack: &Stack, change: impl FnOnce(&mut Config)) -> App {
    let value = |name: &str| {
        let found = stack.devstack.environment.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut config = Config {
        table: value("TABLE_NAME"),
        region: value("AWS_REGION"),
        audience: value("TOKEN_AUDIENCE"),
        issuer: value("ISSUER"),
        mail_from: value("MAIL_FROM"),
        signing_secret: value("SIGNING_SECRET"),
        codes_secret: value("CODES_SECRET"),
        sealing_secret: value("SEALING_SECRET"),
        audit_secret: String::new(),
        factors_secret: String::new(),
        checkpoints_table: String::new(),
        webhooks_secret: String::new(),
        webhooks_queue: String::new(),
        reach: Reach::Internet,
        http_api_answer: HttpApiAnswer::default(),
        hashing: Hashing::InPlace,
        credentials: Credentials {
            access_key_id: value("AWS_ACCESS_KEY_ID"),
            secret_access_key: Sensitive::new(value("AWS_SECRET_ACCESS_KEY")),
            session_token: None,
        },
        endpoints: Endpoints {
            dynamodb: Some(value("AWS_ENDPOINT_URL_DYNAMODB")),
            secretsmanager: Some(value("AWS_ENDPOINT_URL_SECRETS_MANAGER")),
            sesv2: Some(value("AWS_ENDPOINT_URL_SESV2")),
            sqs: Some(value("AWS_ENDPOINT_URL_SQS")),
        },
        ca_bundle: None,
    };
    change(&mut config);
    let outside = Outside {
        clock: Arc::new(stack.devstack.clock.clone()),
        rng: Arc::new(SystemRng),
        http_client: None,
    };
    App::new(&config, outside).unwrap()
}

/// Somebody who is logged in, and a key of their organization.
pub async fn credentials(stack: &Stack) -> (Session, String) {
    let owner = stack.log_in(ACORN.owner).await;
    let key = stack.make_key(&owner, &json!({"key_name": "k"})).await.key;
    (owner, key)
}

async fn suspend(stack: &Stack) {
    let now = stack.devstack.clock.now_seconds();
    let app = stack.app();
    let event = || devstack::event(&app, ACORN.id);
    app.store.set_suspended(&OrgId::parse(ACORN.id).unwrap(), true, &event, now).await.unwrap();
}

fn names(context: &Value) -> Vec<&str> {
    let mut names: Vec<_> = context.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_kind_of_gateway_learns_who_it_is() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    for kind in Kind::ALL {
        let Verdict::Allowed(person) =
            ask(&stack.app(), kind.event(&format!("Bearer {}", owner.access))).await
        else {
            panic!("{kind:?} refuses an access token");
        };
        assert_eq!(
            names(&person),
            ["auth_method", "org_id", "principal_id", "role", "session_id"],
            "{kind:?}"
        );
        assert_eq!((&person["auth_method"], &person["role"]), (&json!("jwt"), &json!("owner")), "{kind:?}");
        assert_eq!(
            (&person["principal_id"], &person["org_id"]),
            (&json!(ACORN.owner.user_id), &json!(ACORN.id)),
            "{kind:?}"
        );

        let Verdict::Allowed(server) = ask(&stack.app(), kind.event(&format!("Bearer {key}"))).await else {
            panic!("{kind:?} refuses an API key");
        };
        assert_eq!(
            names(&server),
            ["api_key_id", "auth_method", "env", "org_id", "principal_id"],
            "{kind:?}"
        );
        assert_eq!((&server["auth_method"], &server["env"]), (&json!("api_key"), &json!("test")), "{kind:?}");
    }
}

#[tokio::test]
async fn an_http_api_of_payload_2_is_answered_as_it_is_configured() {
    let stack = Stack::start().await;
    let (owner, _) = credentials(&stack).await;
    let good = Kind::Http2.event(&format!("Bearer {}", owner.access));
    let bad = Kind::Http2.event("Bearer junk");

    let simple = authorizer::handle(&stack.app(), good.clone(), INVOCATION).await.unwrap();
    assert_eq!((&simple["isAuthorized"], simple.get("policyDocument")), (&json!(true), None));
    let simple = authorizer::handle(&stack.app(), bad.clone(), INVOCATION).await.unwrap();
    assert_eq!(
        (&simple["isAuthorized"], &simple["context"]),
        (&json!(false), &json!({"code": "unauthorized"}))
    );

    let app = app_like(&stack, |config| config.http_api_answer = HttpApiAnswer::Policy);
    let policy = authorizer::handle(&app, good, INVOCATION).await.unwrap();
    let statement = json!([{"Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": [EVERY_ROUTE]}]);
    assert_eq!((policy.get("isAuthorized"), &policy["policyDocument"]["Statement"]), (None, &statement));
    assert!(matches!(ask(&app, bad).await, Verdict::Denied(context) if context["code"] == "unauthorized"));
}

#[tokio::test]
async fn a_suspended_organizations_key_is_denied_with_the_reason() {
    let stack = Stack::start().await;
    let (_, key) = credentials(&stack).await;
    suspend(&stack).await;
    let policy = app_like(&stack, |config| config.http_api_answer = HttpApiAnswer::Policy);
    for kind in Kind::ALL {
        for app in [stack.app().as_ref(), &policy] {
            let verdict = ask(app, kind.event(&format!("Bearer {key}"))).await;
            assert_eq!(verdict, Verdict::Denied(json!({"code": "organization_suspended"})), "{kind:?}");
        }
    }
}

/// A header is found whatever the case of its name, and not twice.
#[tokio::test]
async fn a_headers_name_has_any_case_and_comes_once() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    let one = format!("Bearer {}", owner.access);
    let other = format!("Bearer {key}");
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        let with = |headers: Value, multiple: Value| {
            let mut event = kind.event(&one);
            event["headers"] = headers;
            event["multiValueHeaders"] = multiple;
            event
        };
        for name in ["authorization", "Authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"] {
            for event in [
                with(json!({name: one}), json!(null)),
                with(json!(null), json!({name: [one]})),
                with(json!({name: one}), json!({name: [one]})),
            ] {
                assert!(matches!(ask(&stack.app(), event).await, Verdict::Allowed(_)), "{kind:?} {name}");
            }
        }
        let doubtful = [
            with(json!({"authorization": one, "Authorization": other}), json!(null)),
            with(json!({"authorization": one, "Authorization": one}), json!(null)),
            with(json!({"Authorization": one}), json!({"Authorization": [one, other]})),
            with(json!({"Authorization": other}), json!({"Authorization": [one, other]})),
            with(json!(null), json!({"Authorization": [one], "authorization": [other]})),
            with(json!(null), json!({"Authorization": [one, one]})),
            with(json!({"Authorization": format!("{one},{other}")}), json!(null)),
            with(json!({"Authorization": one}), json!({"Authorization": other})),
            with(json!({"Authorization": one}), json!({"authorization": [null]})),
            with(json!({"Authorization": [one]}), json!(null)),
            with(json!({"Proxy-Authorization": one, "X-Authorization": one}), json!({})),
        ];
        for event in doubtful {
            let headers = format!("{} {}", event["headers"], event["multiValueHeaders"]);
            let verdict = ask(&stack.app(), event).await;
            assert!(!matches!(verdict, Verdict::Allowed(_)), "{kind:?} {headers}: {verdict:?}");
        }
    }
}

/// An event whose two maps of headers name two credentials: nobody can say which one the gateway meant.
#[tokio::test]
async fn two_maps_that_disagree_are_nobody() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    let bearers = [format!("Bearer {}", owner.access), format!("Bearer {key}"), "Bearer junk".to_owned()];
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        for (single, multiple) in bearers.iter().flat_map(|one| bearers.iter().map(move |two| (one, two))) {
            let mut event = kind.event(single);
            event["headers"] = json!({"Authorization": single});
            event["multiValueHeaders"] = json!({"Authorization": [multiple]});
            let allowed = matches!(ask(&stack.app(), event).await, Verdict::Allowed(_));
            assert!(!allowed || single == multiple, "{kind:?}: the one is {single}, the other {multiple}");
        }
    }
}

/// A cached policy must not deny the caller's next route, nor allow another API's, whatever the method's ARN is made of.
#[tokio::test]
async fn a_policy_is_for_one_stage_of_one_api() {
    let stack = Stack::start().await;
    let (owner, _) = credentials(&stack).await;
    let policy = app_like(&stack, |config| config.http_api_answer = HttpApiAnswer::Policy);
    let base = ARN.strip_suffix("/GET/api/v1/organizations/me").unwrap();
    for kind in Kind::ALL {
        for path in [
            "/GET/",
            "/GET",
            "",
            "/",
            "/DELETE/a/b/c",
            "/GET/keys/../admin",
            "/GET/*",
            "/*/*",
            "/GET/:::",
            "/GET//",
            "/GET/%2F*",
        ] {
            let arn = format!("{base}{path}");
            let mut event = kind.event(&format!("Bearer {}", owner.access));
            event[if kind == Kind::Http2 { "routeArn" } else { "methodArn" }] = json!(arn);
            let verdict = ask(&policy, event).await;
            assert!(matches!(verdict, Verdict::Allowed(_)), "{kind:?} {arn}: {verdict:?}");
        }
    }
}
