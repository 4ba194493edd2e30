//! Somebody logs in for the first time, makes a key, and their server calls with it. Later they log out.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use e2e::{Key, Method, PASSWORD, Session, Stage, Value, json, text};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

#[tokio::test]
async fn the_password_is_answered_with_a_challenge_and_the_code_with_tokens() {
    let stage = Stage::open().await;
    let person = stage.acorn.owner;
    let started = stage.guess_password(person.email, PASSWORD).await.data(200);
    assert!(text(&started["challenge_id"]).starts_with("ch_"), "{started}");
    assert_eq!(started["method"], "email_otp");
    assert_eq!(started["backup_code_allowed"], false);
    let user = json!({
        "id": person.user_id, "email": person.email, "full_name": person.full_name, "hasOnboarded": false,
    });
    assert_eq!(started["user"], user);
    assert_is_time(&started["expires_at"]);
    assert!(started.get("access_token").is_none(), "one step is not two: {started}");

    let mails = stage.mails(&person).await;
    let code = text(&mails[0]["code"]);
    assert_eq!(text(&mails[0]["to"]), person.email);
    assert!(!text(&mails[0]["subject"]).contains(&code), "subjects show on locked screens");

    let tokens = stage.verify(&text(&started["challenge_id"]), &code).await.data(200);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["user"], user);
    assert!(text(&tokens["access_token"]).starts_with("eyJ"));
    assert!(text(&tokens["refresh_token"]).starts_with("rt_"));
}

#[tokio::test]
async fn the_address_may_be_spelled_in_capitals_and_one_is_told_whether_one_has_onboarded() {
    let stage = Stage::open().await;
    let shouted = stage.birch.owner.email.to_uppercase();
    let started = stage.guess_password(&shouted, PASSWORD).await.data(200);
    assert_eq!(started["user"]["email"], stage.birch.owner.email);
    assert_eq!(started["user"]["hasOnboarded"], true);
}

#[tokio::test]
async fn the_first_key_is_shown_once_and_its_server_calls_with_it() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let created =
        stage.create(&owner, &json!({ "key_name": "Büro ☕", "expires_in_days": 30 })).await.data(201);
    let Key { id, key, data } = Key::from_data(created);
    assert!(id.starts_with("key_"), "{data}");
    assert!(key.starts_with("sk_test_") && key.len() == 46, "{data}");
    assert_eq!((&data["key_name"], &data["env"]), (&json!("Büro ☕"), &json!("test")));
    assert_is_time(&data["created_at"]);
    assert_is_time(&data["expires_at"]);

    // The server needs nothing but the key.
    let organization = stage.me(&key).await.data(200);
    assert_eq!(organization["id"], stage.acorn.id);

    // The list knows the key by its hint alone.
    let listed = stage.key_page(&owner, "?limit=1").await;
    assert!(!listed.text().contains(&key) && !listed.text().contains(&key[8..42]), "{listed}");
    let record = &listed.data(200)["keys"][0];
    let hint = format!("sk_test_…{}", &key[42..]);
    let expected = json!({
        "api_key_id": id, "key_name": "Büro ☕", "env": "test", "hint": hint, "status": "active",
        "created_at": data["created_at"], "expires_at": data["expires_at"], "revoked_at": null,
        "allowed_addresses": [], "last_used_at": null, "leak": null,
    });
    assert_eq!(*record, expected);
}

#[tokio::test]
async fn the_organization_looks_the_same_to_a_person_and_to_a_key_under_both_its_addresses() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "First").await;
    let organization = stage.me(&owner.access_token).await.data(200);
    let expected = json!({
        "id": stage.acorn.id, "name": stage.acorn.name, "owner_user_id": stage.acorn.owner.user_id, "country": stage.acorn.country,
        "onboarding_status": "IN_PROGRESS", "payments_status": "DISABLED", "current_env": "test", "is_active": true,
        "created_at": organization["created_at"], "updated_at": organization["updated_at"],
    });
    assert_eq!(organization, expected);
    assert_is_time(&organization["created_at"]);
    assert_is_time(&organization["updated_at"]);

    assert_eq!(stage.me(&key.key).await.data(200), organization);
    let by_id = format!("/organizations/{}", stage.acorn.id);
    for credential in [&owner.access_token, &key.key] {
        assert_eq!(stage.get(&by_id).bearer(credential).await.data(200), organization);
    }
    let lower_case = stage.get(&by_id).authorization(&format!("bEARER {}", key.key)).await;
    assert_eq!(lower_case.data(200), organization);
}

#[tokio::test]
async fn anybody_can_check_an_access_token_with_the_published_keys() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let metadata = stage.outside(Method::GET, "/.well-known/openid-configuration").await.document();
    let issuer = text(&metadata["issuer"]);
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    let keys = stage.outside(Method::GET, "/.well-known/jwks.json").await.document();

    let header = part(&owner.access_token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));
    let published = keys["keys"].as_array().unwrap().clone();
    let ours: Vec<_> = published.iter().filter(|key| key["kid"] == header["kid"]).collect();
    assert_eq!(ours.len(), 1, "{header} {keys}");
    let curve = ["kty", "crv", "alg", "use"].map(|name| ours[0][name].as_str().unwrap_or_default());
    assert_eq!(curve, ["EC", "P-256", "ES256", "sig"]);
    assert!(published.iter().all(|key| key.get("d").is_none()), "a private key is published");

    // A library that is not ours agrees, and with the signature of another token it does not.
    let set: JwkSet = serde_json::from_value(keys).unwrap();
    let key = DecodingKey::from_jwk(set.find(&text(&header["kid"])).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&issuer]);
    validation.set_audience(&["syncgram-pay"]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let claims = jsonwebtoken::decode::<Value>(&owner.access_token, &key, &validation).unwrap().claims;
    let other = stage.login(&stage.acorn.owner).await;
    let mixed = format!(
        "{}.{}",
        owner.access_token.rsplit_once('.').unwrap().0,
        other.access_token.rsplit('.').next().unwrap()
    );
    assert!(jsonwebtoken::decode::<Value>(&mixed, &key, &validation).is_err());

    let names = ["sub", "org", "role"].map(|name| claims[name].as_str().unwrap_or_default());
    assert_eq!(names, [stage.acorn.owner.user_id, stage.acorn.id, "owner"]);
    assert!(text(&claims["sid"]).starts_with("ses_"));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert_ne!(claims["jti"], part(&other.access_token, 1)["jti"]);
    assert_eq!(claims.as_object().unwrap().len(), 9, "nobody put anything else into it: {claims}");
}

#[tokio::test]
async fn every_refresh_brings_new_tokens_that_work() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let data = stage.refresh(&owner.refresh_token).await.data(200);
    let refreshed = Session::from_data(&data);
    assert_eq!((&data["token_type"], &data["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(data["user"]["id"], stage.acorn.owner.user_id);
    assert_ne!(refreshed.refresh_token, owner.refresh_token);
    assert_ne!(refreshed.access_token, owner.access_token);
    assert_eq!(part(&refreshed.access_token, 1)["sid"], part(&owner.access_token, 1)["sid"], "one session");
    stage.me(&refreshed.access_token).await.data(200);
    stage.refresh(&refreshed.refresh_token).await.data(200);
}

#[tokio::test]
async fn logging_out_kills_the_refresh_token_and_stops_every_write_and_no_other_session() {
    let stage = Stage::open().await;
    let (here, elsewhere) = (stage.login(&stage.acorn.owner).await, stage.login(&stage.acorn.owner).await);
    stage.logout(&here).await.empty();
    stage.refresh(&here.refresh_token).await.refused(401, "invalid_refresh_token");

    // The access token is not fifteen minutes old, and writes nothing all the same.
    stage.create(&here, &json!({ "key_name": "Too late" })).await.refused(401, "unauthorized");
    stage.switch(&here, &stage.acorn, "test").await.refused(401, "unauthorized");
    let key = stage.create_key(&elsewhere, "Elsewhere").await;
    stage.revoke(&here, &key.id).await.refused(401, "unauthorized");
    stage.me(&key.key).await.data(200);

    stage.logout(&here).await.empty();
    stage.refresh(&elsewhere.refresh_token).await.data(200);
}

/// RFC 3339, UTC, with a `Z`.
#[track_caller]
fn assert_is_time(value: &Value) {
    let time = text(value);
    let pattern: String =
        time.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    assert_eq!(pattern, "0000-00-00T00:00:00Z", "{time}");
}

/// A part of a JWT, decoded.
fn part(token: &str, nth: usize) -> Value {
    let encoded = token.split('.').nth(nth).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}
