//! The table is away: nobody is let in, and nobody is told that their credential is bad.

use devstack::engines::recorder::{Fault, Recorded};
use devstack::seed::{ACORN, PASSWORD};
use serde_json::json;
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;
use tokio::task::JoinSet;

use crate::authorizer_events::{app_like, credentials};
use crate::harness::gateways::{Kind, Verdict, ask};
use crate::harness::{Cases, Refusal, Request, Stack};
use crate::routes;

fn away() -> Refusal {
    Refusal::new(503, "service_unavailable")
}

#[tokio::test]
async fn an_authorizer_without_its_table_errs_and_does_not_say_unauthorized() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    // A port that was free a moment ago: whoever connects is refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let unknown = PlainKey::generate(Env::Test, &SystemRng);
    // All at once, each with an app of its own: every question waits for the retries of its read.
    let mut verdicts = JoinSet::new();
    for kind in Kind::ALL {
        for credential in [owner.access.as_str(), &key, unknown.expose()] {
            let app = app_like(&stack, |config| config.endpoints.dynamodb = Some(nowhere.clone()));
            let mut event = kind.event(&format!("Bearer {credential}"));
            if credential == key {
                // An event that names no API either is no reason to say more than is known.
                (event["methodArn"], event["routeArn"]) = (json!("garbage"), json!("garbage"));
            }
            verdicts.spawn(async move { (kind, ask(&app, event).await) });
        }
    }
    for (kind, verdict) in verdicts.join_all().await {
        let failed = matches!(&verdict, Verdict::Failed(text) if text.contains("could not be checked"));
        assert!(failed, "{kind:?}: {verdict:?}");
    }
    // What needs no look into the table is judged all the same.
    let app = app_like(&stack, |config| config.endpoints.dynamodb = Some(nowhere));
    let malformed = format!("Bearer {}", &key[..45]);
    assert_eq!(ask(&app, Kind::RestToken.event(&malformed)).await, Verdict::Unauthorized);
}

#[tokio::test]
async fn every_route_says_that_the_service_is_away() {
    let stack = Stack::start().await;
    let (owner, key) = credentials(&stack).await;
    let (challenge, code) = stack.challenge(ACORN.viewer).await;
    let later = challenge.clone();
    let throttled = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"});
    stack.devstack.requests.inject(move |_: &Recorded| Some(Fault::Answer(400, throttled.clone())));
    let api = |path: &str| format!("/api/v1{path}");
    let me = Request::get(&api("/organizations/me"));
    let requests = [
        ("an API key", me.clone().bearer(&key)),
        ("an unknown API key", me.clone().bearer(PlainKey::generate(Env::Test, &SystemRng).expose())),
        ("an access token", me.bearer(&owner.access)),
        (
            "login",
            Request::post(&api("/auth/login"))
                .json(&json!({"email": ACORN.owner.email, "password": PASSWORD})),
        ),
        (
            "login, unknown",
            Request::post(&api("/auth/login")).json(&json!({"email": "a@b.example", "password": PASSWORD})),
        ),
        (
            "verify",
            Request::post(&api("/auth/login/2fa/verify"))
                .json(&json!({"challenge_id": challenge, "code": code})),
        ),
        ("resend", Request::post(&api("/auth/login/2fa/resend")).json(&json!({"challenge_id": challenge}))),
        ("refresh", Request::post(&api("/auth/refresh")).json(&json!({"refresh_token": owner.refresh}))),
        ("logout", Request::post(&api("/auth/logout")).bearer(&owner.access)),
        (
            "create a key",
            Request::post(&api("/auth/api-keys")).bearer(&owner.access).json(&json!({"key_name": "k"})),
        ),
        ("list keys", Request::get(&api("/auth/api-keys")).bearer(&owner.access)),
        (
            "revoke a key",
            Request::delete(&api("/auth/api-keys/key_01J0ACRN000000000000000000")).bearer(&owner.access),
        ),
        (
            "environment",
            Request::put(&api(&format!("/organizations/{}/environment", ACORN.id)))
                .bearer(&owner.access)
                .json(&json!({"env": "test"})),
        ),
        (
            "name",
            Request::new("PATCH", &api(&format!("/organizations/{}", ACORN.id)))
                .bearer(&owner.access)
                .json(&json!({"name": "n"})),
        ),
        (
            "audit trail",
            Request::get(&api(&format!("/organizations/{}/audit", ACORN.id))).bearer(&owner.access),
        ),
        ("factors", Request::get(&api("/auth/factors")).bearer(&owner.access)),
        ("sessions", Request::get(&api("/auth/sessions")).bearer(&owner.access)),
        ("end the other sessions", Request::delete(&api("/auth/sessions")).bearer(&owner.access)),
        ("organizations", Request::get(&api("/organizations")).bearer(&owner.access)),
    ];
    let mut cases = Cases::of(&stack);
    for (name, request) in requests {
        cases.refused(name, request, &away()).await;
    }
    // What has not the form of a token is none, table or not.
    let judged_first = ["refresh", "reset", "accept an invitation"];
    let rest = routes::with_bodies(&stack, &owner);
    for route in rest.into_iter().filter(|route| !judged_first.contains(&route.name)) {
        cases.refused(route.name, route.request.json(&route.good), &away()).await;
    }
    // Nothing of it needs the table.
    cases.refused("no JSON", Request::post(&api("/auth/login")).said_json("x"), &Refusal::no_json()).await;
    cases.refused("no credential", Request::get(&api("/auth/api-keys")), &Refusal::unauthorized()).await;
    cases
        .refused(
            "made-up refresh token",
            Request::post(&api("/auth/refresh")).json(&json!({"refresh_token": "rt_x"})),
            &Refusal::new(401, "invalid_refresh_token"),
        )
        .await;
    cases.refused("nowhere", Request::get("/nowhere"), &Refusal::not_found()).await;

    // The key set is a minute old: without the table nothing may be decided by it.
    stack.pass(time::Duration::minutes(1));
    cases.forget();
    cases
        .refused(
            "an access token, a minute later",
            Request::get(&api("/organizations/me")).bearer(&owner.access),
            &away(),
        )
        .await;
    cases.refused("the key set, a minute later", Request::get("/.well-known/jwks.json"), &away()).await;
    // Who the dashboard is, stands beside the keys: nothing is judged, and no code counted, by an issuer that may have gone.
    let verify = Request::post(&api("/auth/login/2fa/verify"));
    let verify = verify.json(&json!({"challenge_id": later, "code": code}));
    for (name, request) in [("verify", verify.clone()), ("refresh", Request::post(&api("/auth/refresh")))] {
        let dashboard = request.header("X-Syncgram-Client", "dashboard");
        for origin in [&stack.devstack.base_url, "https://evil.example"] {
            cases
                .refused(format!("{name} from {origin}"), dashboard.clone().header("Origin", origin), &away())
                .await;
        }
    }
    cases.accepted("the app itself", Request::get("/dashboard"), 200).await;
    stack.devstack.requests.heal();
    stack.me(&owner.access).await;
    cases.accepted("verify, when all is well", verify, 200).await;
    cases.finish();
}
