//! An authorizer as the SDK's own examples suggest it: everything at its defaults. It checks what ours checks, as far as a client
//! can tell: a token's signature and claims, and a key's record.

use std::env;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::Client;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    org: String,
    role: String,
    sid: String,
}

struct Keys {
    issuer: String,
    keys: Vec<(String, DecodingKey)>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let table = env::var("TABLE_NAME")?;
    let audience = env::var("TOKEN_AUDIENCE")?;
    let keys = tokio::sync::OnceCell::new();
    let (client, table, audience, keys) = (&client, &table, &audience, &keys);
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let text = event.payload["authorizationToken"].as_str().unwrap_or_default();
        let credential = text.strip_prefix("Bearer ").ok_or("Unauthorized")?;
        let arn = event.payload["methodArn"].as_str().unwrap_or_default();
        let context = if credential.starts_with("sk_") {
            key(client, table, credential).await?
        } else {
            token(keys.get_or_try_init(|| key_set(client, table)).await?, audience, credential)?
        };
        Ok::<_, Error>(json!({
            "principalId": context["principal_id"],
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": arn }],
            },
            "context": context,
        }))
    }))
    .await
}

async fn key(client: &Client, table: &str, credential: &str) -> Result<Value, Error> {
    let hash: String = Sha256::digest(credential.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let found = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(format!("KEYHASH#{hash}")))
        .key("sk", AttributeValue::S("CREDENTIAL".to_owned()))
        .consistent_read(true)
        .send()
        .await?;
    let item = found.item.ok_or("Unauthorized")?;
    let text = |name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned().unwrap_or_default();
    if item.contains_key("revoked_at") {
        return Err("Unauthorized".into());
    }
    Ok(json!({
        "principal_id": text("api_key_id"), "org_id": text("org_id"), "env": text("env"), "auth_method": "api_key",
    }))
}

async fn key_set(client: &Client, table: &str) -> Result<Keys, Error> {
    let found = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S("KEYSET".to_owned()))
        .key("sk", AttributeValue::S("KEYSET".to_owned()))
        .send()
        .await?;
    let item = found.item.ok_or("no key set")?;
    let issuer = item.get("issuer").and_then(|it| it.as_s().ok()).cloned().ok_or("no issuer")?;
    let mut keys = Vec::new();
    for key in item.get("keys").and_then(|it| it.as_l().ok()).into_iter().flatten() {
        let key = key.as_m().map_err(|_| "a key that is none")?;
        let text = |name: &str| key.get(name).and_then(|it| it.as_s().ok()).map_or("", String::as_str);
        keys.push((text("kid").to_owned(), DecodingKey::from_ec_components(text("x"), text("y"))?));
    }
    Ok(Keys { issuer, keys })
}

fn token(keys: &Keys, audience: &str, credential: &str) -> Result<Value, Error> {
    let kid = decode_header(credential)?.kid.ok_or("Unauthorized")?;
    let (_, key) = keys.keys.iter().find(|(name, _)| *name == kid).ok_or("Unauthorized")?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[&keys.issuer]);
    let claims = decode::<Claims>(credential, key, &validation)?.claims;
    Ok(json!({
        "principal_id": claims.sub, "org_id": claims.org, "role": claims.role, "session_id": claims.sid, "auth_method": "jwt",
    }))
}
