//! Another organization's ids, and ids that are nobody's.

use devstack::seed::{ACORN, BIRCH};
use serde_json::{Value, json};
use shared::clock::Clock as _;
use shared::ids::{KeyId, OrgId};
use shared::rng::SystemRng;

use crate::harness::{Cases, Refusal, Request, Stack, encode};

/// Ids that are not one's own organization's. None of them tells whether there is such an organization.
fn others(stack: &Stack) -> Vec<(&'static str, String)> {
    let own = ACORN.id;
    vec![
        ("the neighbour's", BIRCH.id.to_owned()),
        ("nobody's", OrgId::new(stack.app().clock.as_ref(), &SystemRng).to_string()),
        ("own in small letters", own.to_lowercase()),
        ("own in capitals", own.to_uppercase()),
        ("own without its end", own[..own.len() - 1].to_owned()),
        ("own and more", format!("{own}0")),
        ("own without its prefix", own[4..].to_owned()),
        ("a person's", ACORN.owner.user_id.to_owned()),
        ("a wildcard", "*".to_owned()),
        ("an encoded wildcard", "%2A".to_owned()),
        ("a space", "%20".to_owned()),
        ("own and a space", format!("{own}%20")),
        ("own and a NUL", format!("{own}%00")),
        ("own and a hash", format!("{own}%23ORG")),
        ("its item's key", format!("ORG%23{own}")),
        ("two with a comma", format!("{own},{}", BIRCH.id)),
        ("two with a slash", format!("{own}%2F{}", BIRCH.id)),
        ("up and down again", format!("{own}%2f..%2f{}", BIRCH.id)),
        ("dots", "..".to_owned()),
        ("encoded dots", "%2e%2e".to_owned()),
        ("a backslash", format!("..%5C{}", BIRCH.id)),
        ("a parameter", format!("{own};id={}", BIRCH.id)),
        ("null", "null".to_owned()),
        ("no UTF-8", "%FF%FE".to_owned()),
        ("half an escape", "%".to_owned()),
        ("2 500 letters", "a".repeat(1_400)),
        ("a Cyrillic o", own.replacen('o', "%D0%BE", 1)),
    ]
}

#[tokio::test]
async fn an_organization_is_shown_to_its_own_people_and_servers_alone() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let key = stack.make_key(&owner, &json!({"key_name": "k"})).await.key;
    let mut cases = Cases::of(&stack);
    let refusal = Refusal::new(403, "wrong_organization");
    for credential in [&owner.access, &key] {
        let get = |id: &str| Request::get(&format!("/api/v1/organizations/{id}")).bearer(credential);
        let theirs = cases.refused("the neighbour's", get(BIRCH.id), &refusal).await;
        for (name, id) in others(&stack) {
            let answer = cases.refused(format!("show {name}"), get(&id), &refusal).await;
            let same = answer.indistinguishable() == theirs.indistinguishable();
            cases.judge(name, if same { Ok(()) } else { Err("it tells whether there is one".to_owned()) });
        }
        cases.accepted("one's own", get(ACORN.id), 200).await;
        cases.accepted("me", get("me"), 200).await;
    }
    cases.finish();
}

#[tokio::test]
async fn nobody_switches_the_neighbours_environment() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let put = |id: &str, body: &Value| {
        Request::put(&format!("/api/v1/organizations/{id}/environment")).bearer(&owner.access).json(body)
    };
    for (name, id) in others(&stack) {
        cases
            .refused(name, put(&id, &json!({"env": "live"})), &Refusal::new(403, "wrong_organization"))
            .await;
    }
    let body = json!({"env": "live", "id": BIRCH.id, "org_id": BIRCH.id, "organization_id": BIRCH.id});
    cases.refused("in the body", put(ACORN.id, &body), &Refusal::new(403, "onboarding_incomplete")).await;
    cases
        .refused(
            "the neighbour's, wrong body",
            put(BIRCH.id, &json!({"env": 1})),
            &Refusal::invalid(&["env"]),
        )
        .await;
    cases.finish();
}

/// Keys are looked for among one's own: what is not there answers the same, whether it is the neighbour's or nobody's.
#[tokio::test]
async fn nobody_revokes_the_neighbours_key() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let neighbour = stack.log_in(BIRCH.owner).await;
    let own = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    let theirs = stack.make_key(&neighbour, &json!({"key_name": "k"})).await;
    let mut cases = Cases::of(&stack);
    let delete = |id: &str| Request::delete(&format!("/api/v1/auth/api-keys/{id}")).bearer(&owner.access);
    let nobodys = KeyId::new(stack.app().clock.as_ref(), &SystemRng).to_string();
    let unknown = cases.refused("nobody's", delete(&nobodys), &Refusal::not_found()).await;
    let ids = [
        ("the neighbour's", theirs.id.clone()),
        ("the neighbour's with their organization", format!("{}%2F{}", BIRCH.id, theirs.id)),
        ("its item's key", format!("KEY%23{}", theirs.id)),
        ("own in small letters", own.id.to_lowercase()),
        ("own and a space", format!("{}%20", own.id)),
        ("own and a NUL", format!("{}%00", own.id)),
        ("own without its prefix", own.id[4..].to_owned()),
        ("own without its end", own.id[..own.id.len() - 1].to_owned()),
        ("the key itself", own.key.clone()),
        ("an organization's id", ACORN.id.to_owned()),
        ("the marker of the active one", "ACTIVE_KEY".to_owned()),
        ("a wildcard", "*".to_owned()),
        ("dots", "..".to_owned()),
        ("a space", "%20".to_owned()),
        ("no UTF-8", "%FF".to_owned()),
        ("1 400 letters", "a".repeat(1_400)),
    ];
    for (name, id) in ids {
        let answer = cases.refused(name, delete(&id), &Refusal::not_found()).await;
        let same = answer.indistinguishable() == unknown.indistinguishable();
        cases.judge(name, if same { Ok(()) } else { Err("it can be told from nobody's".to_owned()) });
    }
    for key in [&own.key, &theirs.key] {
        stack.me(key).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_list_holds_ones_own_keys_whatever_the_cursor() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let neighbour = stack.log_in(BIRCH.owner).await;
    let own = stack.make_key(&owner, &json!({"key_name": "own"})).await;
    let theirs = stack.make_key(&neighbour, &json!({"key_name": "theirs"})).await;
    stack.pass(time::Duration::milliseconds(1));
    let later = KeyId::new(stack.app().clock.as_ref(), &SystemRng).to_string();
    let mut cases = Cases::of(&stack);
    for (name, id) in [("the neighbour's", theirs.id), ("one that is none", later)] {
        let request =
            Request::get(&format!("/api/v1/auth/api-keys?cursor={}", encode(&id))).bearer(&owner.access);
        let answer = cases.accepted(name, request, 200).await;
        let keys = answer.data()["keys"].as_array().unwrap().clone();
        let only_own = keys.iter().all(|key| key["api_key_id"] == own.id.as_str());
        cases.judge(name, if only_own { Ok(()) } else { Err(answer.body) });
    }
    cases.finish();
}

#[tokio::test]
async fn a_body_does_not_say_whose_key_it_is() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let body = json!({
        "key_name": "k", "env": "live", "org_id": BIRCH.id, "organization_id": BIRCH.id, "created_by": BIRCH.owner.user_id,
        "api_key_id": "key_01J0ACRN000000000000000000", "key": "mine", "role": "owner",
    });
    let made = stack.make_key(&owner, &body).await;
    assert!(made.key.starts_with("sk_test_"), "the environment is the organization's");
    assert_eq!(stack.me(&made.key).await["id"], ACORN.id);
    let table = stack.snapshot().await;
    assert_eq!(table.items(&format!("ORG#{} KEY#", ACORN.id)).len(), 1);
    assert_eq!(table.items(&format!("ORG#{} KEY#", BIRCH.id)).len(), 0);
}

#[tokio::test]
async fn a_role_that_may_look_writes_nothing() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let viewer = stack.log_in(ACORN.viewer).await;
    let made = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    let mut cases = Cases::of(&stack);
    let key = format!("/api/v1/auth/api-keys/{}", made.id);
    let refusal = Refusal::new(403, "insufficient_role");
    let writes = [
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": "k"})),
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": "k", "idempotency_key": "i"})),
        Request::delete(&key),
        Request::put(&format!("/api/v1/organizations/{}/environment", ACORN.id))
            .json(&json!({"env": "live"})),
        Request::put(&format!("/api/v1/organizations/{}/environment", ACORN.id))
            .json(&json!({"env": "test"})),
        Request::new("PATCH", &format!("/api/v1/organizations/{}", ACORN.id)).json(&json!({"name": "n"})),
    ];
    for request in writes {
        let name = String::from_utf8_lossy(&request.bytes()).lines().next().unwrap().to_owned();
        cases.refused(name, request.bearer(&viewer.access), &refusal).await;
    }
    // A REST API takes the method from this header: it is the method then, for the authorizer and the handler as well.
    for method in ["DELETE", "delete"] {
        let overridden = Request::get(&key).header("X-HTTP-Method-Override", method).bearer(&viewer.access);
        let answer =
            if method == "DELETE" { refusal.clone() } else { Refusal::method_not_allowed("DELETE, PATCH") };
        cases.refused(format!("GET as {method}"), overridden, &answer).await;
    }
    let nobody = Request::get(&key).header("X-HTTP-Method-Override", "DELETE");
    cases.refused("GET as DELETE, nobody", nobody, &Refusal::unauthorized()).await;
    stack.me(&made.key).await;
    cases.finish();
}

#[tokio::test]
async fn whoever_is_suspended_or_logged_out_writes_nothing() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let left = stack.log_in(ACORN.admin).await;
    let made = stack.make_key(&owner, &json!({"key_name": "k"})).await;
    stack.send(&Request::post("/api/v1/auth/logout").bearer(&left.access)).await;
    let mut cases = Cases::of(&stack);
    let environment = format!("/api/v1/organizations/{}/environment", ACORN.id);
    let key = format!("/api/v1/auth/api-keys/{}", made.id);
    let writes = [
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": "k"})),
        Request::delete(&key),
        Request::put(&environment).json(&json!({"env": "test"})),
        Request::new("PATCH", &format!("/api/v1/organizations/{}", ACORN.id)).json(&json!({"name": "n"})),
    ];
    for request in &writes {
        cases
            .refused(
                format!("logged out: {request:?}"),
                request.clone().bearer(&left.access),
                &Refusal::unauthorized(),
            )
            .await;
    }
    let now = stack.devstack.clock.now_seconds();
    let app = stack.app();
    let event = || devstack::event(&app, ACORN.id);
    app.store.set_suspended(&OrgId::parse(ACORN.id).unwrap(), true, &event, now).await.unwrap();
    cases.forget();
    let suspended = Refusal::new(403, "organization_suspended");
    for request in &writes {
        cases
            .refused(format!("suspended: {request:?}"), request.clone().bearer(&owner.access), &suspended)
            .await;
    }
    for credential in [&owner.access, &made.key] {
        cases.refused("look", Request::get("/api/v1/organizations/me").bearer(credential), &suspended).await;
    }
    let refresh = Request::post("/api/v1/auth/refresh").json(&json!({"refresh_token": owner.refresh}));
    cases.refused("refresh", refresh, &suspended).await;
    let keys = Request::get("/api/v1/auth/api-keys").bearer(&owner.access);
    cases.refused("list", keys, &suspended).await;
    cases.finish();
}
