//! Bad credentials at the authorizer: the log says why they were refused, and none of it.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::Duration;

use super::{Secrets, logged, printed};
use crate::faults::flows::Flow;
use crate::faults::stage::Stage;

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/organizations/me";

/// Credentials that are refused, and what they are.
fn bad(stage: &Stage) -> Vec<(&'static str, String)> {
    let (key, token, refresh) = (&stage.key, &stage.birch.access_token, &stage.birch.refresh_token);
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let claims = parts[1].clone();
    let unsigned = format!("{}.{claims}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#));
    let other = if parts[2].starts_with('A') { "B" } else { "A" };
    parts[2].replace_range(..1, other);
    let forged = parts.join(".");
    let last = if key.ends_with('0') { "1" } else { "0" };
    vec![
        ("a key with a wrong checksum", format!("{}{last}", &key[..key.len() - 1])),
        ("a key that was cut off", key[..key.len() - 4].to_owned()),
        ("a key of another environment", key.replacen("_test_", "_live_", 1)),
        ("a key with something behind it", format!("{key}, {key}")),
        ("a forged token", forged),
        ("a token of no algorithm", unsigned),
        ("a token that was cut off", token[..token.len() - 10].to_owned()),
        ("half a token", format!("{}.{claims}", parts[0])),
        ("a long token", format!("{token}{}", "A".repeat(5000))),
        ("a refresh token", refresh.clone()),
        ("a key in base64", BASE64_STANDARD.encode(format!("{key}:"))),
    ]
}

/// Every way to bring a credential to an authorizer.
fn events(credential: &str) -> Vec<Value> {
    let bearer = format!("Bearer {credential}");
    let token = |header: &str| json!({"type": "TOKEN", "authorizationToken": header, "methodArn": ARN});
    let with = |version: Value, headers: Value| json!({"version": version, "type": "REQUEST", "methodArn": ARN, "routeArn": ARN, "headers": headers});
    let mut events = vec![token(&bearer), token(credential), token(&format!("Basic {credential}"))];
    for version in [json!(null), json!("1.0"), json!("2.0")] {
        events.push(with(version.clone(), json!({ "authorization": bearer })));
        events.push(with(version.clone(), json!({ "x-api-key": credential })));
        events.push(with(version.clone(), json!({ "cookie": format!("token={credential}") })));
        events.push(with(version.clone(), json!({ "authorization": bearer, "Authorization": bearer })));
        let mut elsewhere = with(version.clone(), json!({}));
        elsewhere["queryStringParameters"] = json!({ "access_token": credential });
        elsewhere["pathParameters"] = json!({ "api_key_id": credential });
        elsewhere["path"] = format!("/{credential}").into();
        elsewhere["rawQueryString"] = format!("access_token={credential}").into();
        elsewhere["identitySource"] = json!([credential]);
        elsewhere["methodArn"] = format!("{ARN}/{credential}").into();
        elsewhere["requestContext"] = json!({
            "requestId": format!("{credential} {credential}"), "path": credential,
            "identity": {"sourceIp": credential}, "http": {"sourceIp": credential, "path": credential},
        });
        events.push(elsewhere);
        let mut odd = with(version, json!({ "authorization": bearer }));
        odd["methodArn"] = credential.into();
        odd["routeArn"] = credential.into();
        events.push(odd);
    }
    events
}

#[tokio::test]
async fn a_bad_credential_is_in_no_answer_and_no_log_of_the_authorizer() {
    let logged = logged();
    let stage = Box::pin(Stage::new()).await;
    let mut secrets = Secrets::of(&stage).await;
    let bad = bad(&stage);
    for (what, credential) in &bad {
        secrets.add(what, credential);
    }
    let claims = stage.birch.access_token.split('.').nth(1).unwrap();
    secrets.add("a token's claims", claims);
    let (at, late) =
        (stage.begin(Flow::AuthorizeToken).await, stage.place.environment_later(Duration::hours(1)));
    let mut said = String::new();
    let good = [("an expired token", stage.birch.access_token.clone()), ("a key", stage.key.clone())];
    for (what, credential) in bad.into_iter().chain(good) {
        for event in events(&credential) {
            // A key is good in its own place, a token an hour ago.
            let app = if what == "an expired token" { &late.app } else { &at.app };
            match authorizer::handle(app, event.clone(), "test").await {
                Ok(answer) => {
                    let allows = answer.to_string().contains("Allow") || answer["isAuthorized"] == true;
                    assert!(!allows || what == "a key", "{what}: {event}");
                    said += &format!("{answer}\n");
                }
                error => said += &printed(error.err()),
            }
        }
    }
    secrets.none_in("an answer", &said);
    let log = logged.text();
    for why in
        ["malformed_key", "no_bearer", "unknown_form", "expired_token", "bad_signature", "implausible_arn"]
    {
        assert!(log.contains(&format!("\"reason\":\"{why}\"")), "{why} is not in the log");
    }
    secrets.none_in("the log", &log);
}

/// Real credentials in wrong places of a request, through the gateway.
#[tokio::test]
async fn a_credential_in_a_wrong_place_is_in_no_log_of_the_gateway() {
    let stage = Box::pin(Stage::new()).await;
    let secrets = Secrets::of(&stage).await;
    let place = &stage.place;
    let keys = "/api/v1/auth/api-keys";
    for credential in [&stage.key, &stage.birch.access_token, &stage.birch.refresh_token] {
        let basic = BASE64_STANDARD.encode(format!("{credential}:"));
        let get = |path: &str| place.request(reqwest::Method::GET, path);
        for request in [
            get(keys).header("x-api-key", credential),
            get(keys).header("authorization", credential),
            get(keys).header("authorization", format!("Basic {basic}")),
            get(keys).header("authorization", format!("Bearer {credential},{credential}")),
            get(keys).header("cookie", format!("token={credential}")),
            get(&format!("{keys}?api_key={credential}")),
            get(&format!("{keys}/{credential}")).bearer_auth(&stage.birch.access_token),
            get(&format!("/{credential}")).header("authorization", format!("Bearer {credential}")),
            place
                .request(reqwest::Method::DELETE, &format!("{keys}/{credential}"))
                .bearer_auth(&stage.birch.access_token),
        ] {
            let response = request.send().await.unwrap();
            assert!(response.status().is_client_error(), "{}", response.status());
            secrets.none_in("a header", &format!("{:?}", response.headers()));
            secrets.none_in("an answer", &response.text().await.unwrap());
        }
    }
    secrets.none_in("the gateway's log", &place.devstack.logs.text());
}
