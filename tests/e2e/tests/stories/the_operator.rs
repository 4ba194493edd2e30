//! The operator, through a function that no route leads to: organizations begin here, and are helped and stopped here.

use e2e::{Method, PASSWORD, Person, Role, Stage, Value, json};

/// The owner of an organization that is not there yet. Addresses may have capital letters.
fn cedar_owner(stage: &Stage) -> Person {
    Person { user_id: "", email: stage.new_address("Owner"), full_name: "Cora Cedar", role: Role::Owner }
}

/// What makes that organization.
fn cedar(owner: &Person) -> Value {
    json!({
        "action": "create_organization",
        "name": "Cedar Tea",
        "country": "SE",
        "owner_email": owner.email,
        "owner_full_name": owner.full_name,
        "owner_password": PASSWORD,
    })
}

async fn refuses(stage: &Stage, event: &Value, code: &str) -> Value {
    let answer = stage.operator(event).await;
    assert_eq!((&answer["success"], &answer["error"]["code"]), (&json!(false), &json!(code)), "{answer}");
    assert!(answer["error"]["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    answer["error"].clone()
}

#[tokio::test]
async fn a_new_organization_logs_in_goes_live_and_calls() {
    let stage = Stage::open().await;
    let person = cedar_owner(&stage);
    let made = stage.operate(&cedar(&person)).await;
    assert_eq!(
        (&made["current_env"], &made["onboarding_status"], &made["is_active"]),
        (&json!("test"), &json!("NOT_STARTED"), &json!(true))
    );
    // Again, with another spelling of the address and another password: the same, and the password as it was.
    let mut again = cedar(&person);
    again["owner_email"] = json!(person.email.to_lowercase());
    again["owner_password"] = json!("another-password");
    assert_eq!(stage.operate(&again).await, made);

    let owner = stage.login(&person).await;
    let onboarded = json!({
        "action": "set_onboarding",
        "org_id": made["id"],
        "onboarding_status": "COMPLETED",
        "payments_status": "ENABLED",
    });
    for _ in 0..2 {
        assert_eq!(stage.operate(&onboarded).await["payments_status"], "ENABLED");
    }
    let path = format!("/organizations/{}/environment", made["id"].as_str().unwrap());
    let live = stage.call(Method::PUT, &path).bearer(&owner.access_token);
    live.json(&json!({ "env": "live" })).await.data(200);
    let key = stage.create_key(&owner, "Live").await;
    assert!(key.key.starts_with("sk_live_"));
    assert_eq!(stage.me(&key.key).await.data(200)["id"], made["id"]);
}

#[tokio::test]
async fn an_address_is_one_persons() {
    let stage = Stage::open().await;
    let owner = cedar_owner(&stage);
    let mut taken = cedar(&owner);
    taken["owner_email"] = json!(stage.acorn.admin.email);
    refuses(&stage, &taken, "address_taken").await;
    stage.operate(&cedar(&owner)).await;
    let mut renamed = cedar(&owner);
    renamed["name"] = json!("Cedar Coffee");
    refuses(&stage, &renamed, "address_taken").await;
}

#[tokio::test]
async fn a_suspended_organization_stands_still_until_it_is_reinstated() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Ours").await;
    let suspend = json!({"action": "suspend_organization", "org_id": stage.acorn.id});
    for _ in 0..2 {
        assert_eq!(stage.operate(&suspend).await["is_active"], false);
        stage.me(&key.key).await.refused(403, "organization_suspended");
    }
    let reinstate = json!({"action": "reinstate_organization", "org_id": stage.acorn.id});
    for _ in 0..2 {
        assert_eq!(stage.operate(&reinstate).await["is_active"], true);
        stage.me(&key.key).await.data(200);
    }
}

#[tokio::test]
async fn whoever_is_locked_out_is_let_in_again() {
    let stage = Stage::open().await;
    for _ in 0..10 {
        stage.guess_password(stage.acorn.owner.email, "wrong").await.refused(401, "invalid_credentials");
    }
    stage.guess_password(stage.acorn.owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    let unlock = json!({"action": "unlock_account", "email": stage.acorn.owner.email.to_uppercase()});
    // One guard for the network the guesses came from, one for all.
    assert_eq!(stage.operate(&unlock).await["guards_opened"], 2);
    assert_eq!(stage.operate(&unlock).await["guards_opened"], 0);
    stage.login(&stage.acorn.owner).await;
}

#[tokio::test]
async fn a_persons_sessions_end_all_at_once_and_nobody_elses() {
    const REQUEST: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let stage = Stage::open().await;
    let sessions = [stage.login(&stage.birch.owner).await, stage.login(&stage.birch.owner).await];
    let lost = stage.login(&stage.birch.owner).await;
    stage.refresh_as(&lost.refresh_token, REQUEST).await.data(200);
    let admin = stage.login(&stage.birch.admin).await;
    let end = json!({"action": "end_sessions", "email": stage.birch.owner.email});
    for _ in 0..2 {
        assert_eq!(stage.operate(&end).await["user_id"], stage.birch.owner.user_id);
    }
    for session in &sessions {
        stage.refresh(&session.refresh_token).await.refused(401, "invalid_refresh_token");
        stage.create(session, &json!({ "key_name": "Late" })).await.refused(401, "unauthorized");
        stage.switch(session, &stage.birch, "live").await.refused(401, "unauthorized");
    }
    stage.refresh_as(&lost.refresh_token, REQUEST).await.refused(401, "invalid_refresh_token");
    stage.create_key(&admin, "Still here").await;
    stage.refresh(&admin.refresh_token).await.data(200);

    // What begins afterwards goes on.
    stage.advance(1).await;
    let new = stage.login(&stage.birch.owner).await;
    stage.switch(&new, &stage.birch, "live").await.data(200);
    stage.refresh(&new.refresh_token).await.data(200);
}

#[tokio::test]
async fn a_leaked_key_is_revoked_in_its_organizations_stead_suspended_or_not() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Leaked").await;
    stage.operate(&json!({"action": "suspend_organization", "org_id": stage.acorn.id})).await;
    let revoke = json!({"action": "revoke_key", "org_id": stage.acorn.id, "api_key_id": key.id});
    let revoked = stage.operate(&revoke).await;
    assert_eq!((&revoked["status"], &revoked["api_key_id"]), (&json!("revoked"), &json!(key.id)));
    assert_eq!(stage.operate(&revoke).await, revoked);
    stage.operate(&json!({"action": "reinstate_organization", "org_id": stage.acorn.id})).await;
    stage.me(&key.key).await.asks_for_credential();
    let elsewhere = json!({"action": "revoke_key", "org_id": stage.birch.id, "api_key_id": key.id});
    refuses(&stage, &elsewhere, "not_found").await;
    stage.advance(60).await;
    stage.create_key(&owner, "Its successor").await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_changes_nothing() {
    let stage = Stage::open().await;
    let nobody = "org_01J0N0B0DY0000000000000000";
    for (event, code) in [
        (json!([]), "invalid_json"),
        (json!("suspend"), "invalid_json"),
        (json!({}), "validation_failed"),
        (json!({"action": "drop_table"}), "validation_failed"),
        (json!({"action": ["revoke_key"]}), "validation_failed"),
        (json!({"action": "create_organization"}), "validation_failed"),
        (json!({"action": "suspend_organization", "org_id": "stage.acorn"}), "validation_failed"),
        (json!({"action": "suspend_organization", "org_id": nobody}), "not_found"),
        (json!({"action": "end_sessions", "email": "nobody@nowhere.example"}), "not_found"),
        (json!({"action": "name_issuer", "issuer": "http://plain.example"}), "validation_failed"),
        (json!({"action": "name_issuer", "issuer": "https://slash.example/"}), "validation_failed"),
        (json!({"action": "name_issuer", "issuer": "https://another.example"}), "issuer_named"),
        (
            json!({"action": "set_onboarding", "org_id": stage.acorn.id, "onboarding_status": "completed", "payments_status": "ENABLED"}),
            "validation_failed",
        ),
    ] {
        refuses(&stage, &event, code).await;
    }
    let nobody = cedar_owner(&stage);
    let mut weak = cedar(&nobody);
    (weak["owner_password"], weak["country"]) = (json!("too short"), json!("Sweden"));
    let error = refuses(&stage, &weak, "validation_failed").await;
    let fields: Vec<&Value> = error["fields"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["country", "owner_password"]);
    stage.guess_password(nobody.email, "too short").await.refused(401, "invalid_credentials");
}
