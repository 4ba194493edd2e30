//! What the measured programs find: a devstack's engines, people who are in it, and the events that a gateway would send.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use devstack::clock::DevClock;
use devstack::gateway::event::{Incoming, build};
use devstack::seed::{BIRCH, PASSWORD};
use devstack::{Devstack, Options};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::api_keys::PlainKey;
use shared::ids::{OrgId, UserId, new_token_id};
use shared::secrets::Signing;
use shared::tokens::access_token::{Claims, verify};
use shared::tokens::key_set::Keyring;
use shared::users::{Role, User};

use crate::tls::Front;

/// An event as its bytes go over the wire.
pub type Event = Arc<[u8]>;

type Failed = Box<dyn Error>;

/// A devstack, and a TLS front of its table.
pub struct Stage {
    devstack: Devstack,
    front: Front,
    certificate: String,
    client: reqwest::Client,
}

/// Where a key's credential is read.
pub struct Reading {
    /// The engine's `host:port`.
    pub address: String,
    /// The table.
    pub table: String,
    /// What the credential is kept under.
    pub key_hash: String,
}

impl Reading {
    /// What the probe is asked in place of a key's check.
    pub fn event(&self) -> Event {
        bytes(&json!({ "key_hash": self.key_hash }))
    }
}

/// What a person or a server holds.
pub struct Credentials {
    /// An access token.
    pub access_token: String,
    /// A refresh token.
    pub refresh_token: String,
}

impl Stage {
    /// Starts it; `folder` takes the certificate of its TLS front.
    ///
    /// # Errors
    /// When the devstack does not start.
    pub async fn start(folder: &Path) -> Result<Self, Failed> {
        let devstack = Devstack::start(Options { clock: DevClock::running(), ..Options::default() }).await?;
        let certificate = folder.join("authority.pem");
        let front = Front::start(&devstack.dynamodb.endpoint, &certificate).await?;
        let certificate = certificate.to_string_lossy().into_owned();
        Ok(Self { devstack, front, certificate, client: reqwest::Client::new() })
    }

    /// The environment of a function; `tls`: its way to the table is encrypted.
    pub fn environment(&self, tls: bool) -> Vec<(String, String)> {
        let mut environment = environment(&self.devstack);
        if tls {
            environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL_DYNAMODB");
            environment.push(("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.front.endpoint.clone()));
            // The same authority under the names that Rust, Python and Node know it by.
            for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
                environment.push((name.to_owned(), self.certificate.clone()));
            }
        }
        environment
    }

    /// Somebody logs in.
    ///
    /// # Errors
    /// When the devstack does not let them.
    pub async fn log_in(&self) -> Result<Credentials, Failed> {
        let email = BIRCH.owner.email;
        let answer = self.post("login", &json!({"email": email, "password": PASSWORD}), None).await?;
        let code = self.devstack.mailbox.code(email).ok_or("no code was mailed")?;
        let step = json!({"challenge_id": answer["data"]["challenge_id"], "code": code});
        let answer = self.post("login/2fa/verify", &step, None).await?;
        let text =
            |name: &str| answer["data"][name].as_str().map(str::to_owned).ok_or("a login without tokens");
        Ok(Credentials { access_token: text("access_token")?, refresh_token: text("refresh_token")? })
    }

    /// An API key of a person's.
    ///
    /// # Errors
    /// When the devstack makes none.
    pub async fn make_key(&self, access_token: &str) -> Result<String, Failed> {
        let answer = self.post("api-keys", &json!({"key_name": "bench"}), Some(access_token)).await?;
        Ok(answer["data"]["key"].as_str().ok_or("an answer without a key")?.to_owned())
    }

    /// The published keys.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn keyring(&self) -> Result<Arc<Keyring>, Failed> {
        Ok(self.devstack.app.key_sets.current().await?)
    }

    /// What signs tokens, and the claims of this one.
    ///
    /// # Errors
    /// When the secret cannot be read, or the token is none of ours.
    pub async fn signing(&self, token: &str) -> Result<(Arc<Signing>, Claims), Failed> {
        let app = &self.devstack.app;
        let claims = verify(token, self.keyring().await?.as_ref(), &app.audience, app.clock.now_seconds())?;
        Ok((app.secrets.signing().await?, claims))
    }

    /// Tokens like this one, each with an id of its own.
    ///
    /// # Errors
    /// When they cannot be signed.
    pub async fn tokens(&self, like: &str, count: usize) -> Result<Vec<String>, Failed> {
        let app = &self.devstack.app;
        let (signing, claims) = self.signing(like).await?;
        let mut tokens = Vec::with_capacity(count);
        for _ in 0..count {
            let jti = new_token_id(app.clock.as_ref(), app.rng.as_ref());
            tokens.push(signing.signer.sign(&Claims { jti, ..claims.clone() })?);
        }
        Ok(tokens)
    }

    /// A read of a key's credential, for whoever makes it.
    ///
    /// # Errors
    /// When the key is none.
    pub fn reading(&self, key: &str) -> Result<Reading, Failed> {
        Ok(Reading {
            address: self.devstack.dynamodb.endpoint.trim_start_matches("http://").to_owned(),
            table: self.devstack.config.table.clone(),
            key_hash: PlainKey::parse(key)?.hash(),
        })
    }

    /// What the probe is asked in place of a refresh with this person's session.
    ///
    /// # Errors
    /// When the token is none of ours.
    pub async fn rotation(&self, access_token: &str) -> Result<Event, Failed> {
        let app = &self.devstack.app;
        let keyring = self.keyring().await?;
        let Claims { sid, org, sub, .. } =
            verify(access_token, keyring.as_ref(), &app.audience, app.clock.now_seconds())?;
        Ok(bytes(&json!({ "session": sid, "org": org, "user": sub })))
    }

    /// The code that was last mailed to somebody.
    pub fn code(&self, email: &str) -> Option<String> {
        self.devstack.mailbox.code(email)
    }

    async fn post(&self, path: &str, body: &Value, bearer: Option<&str>) -> Result<Value, Failed> {
        let mut request =
            self.client.post(format!("{}/api/v1/auth/{path}", self.devstack.base_url)).json(body);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let answer: Value = request.send().await?.json().await?;
        if answer["success"] == true { Ok(answer) } else { Err(format!("{path}: {answer}").into()) }
    }

    /// More people, all with the demo password: `count` of them, whose addresses are given back.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn people(&self, count: usize) -> Result<Vec<String>, Failed> {
        let app = &self.devstack.app;
        let owner = EmailAddress::parse(BIRCH.owner.email)?;
        let model = app.store.user(&owner).await?.ok_or("the demo's owner is not there")?;
        let mut emails = Vec::with_capacity(count);
        for nth in 0..count {
            let email = format!("person-{nth}-{}@bench.example", app.clock.now_seconds());
            let user = User {
                user_id: UserId::new(app.clock.as_ref(), app.rng.as_ref()),
                email: email.clone(),
                org_id: OrgId::parse(BIRCH.id)?,
                ..model.clone()
            };
            let event = devstack::event(app, BIRCH.id);
            app.store.create_user(&EmailAddress::parse(&email)?, &user, Role::Viewer, &event).await?;
            emails.push(email);
        }
        Ok(emails)
    }
}

/// What a function finds in its environment beside this devstack.
pub fn environment(devstack: &Devstack) -> Vec<(String, String)> {
    let mut environment: BTreeMap<String, String> =
        devstack.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    // What Lambda sets, and the runtime crate and the SDKs look at.
    let fixed = [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
    ];
    environment.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment.into_iter().collect()
}

/// What a REST API asks its `TOKEN` authorizer.
pub fn authorizer_event(credential: &str) -> Event {
    bytes(&json!({
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/api/v1/organizations/me",
        "authorizationToken": format!("Bearer {credential}"),
    }))
}

/// A request that a gateway passes on to a function.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, as the template has it.
    pub resource: &'a str,
    /// The path's parameter, if it has one.
    pub parameter: Option<(&'a str, &'a str)>,
    /// What the authorizer said of the caller; `Null` on a public route.
    pub context: &'a Value,
    /// The body; `Null` for none.
    pub body: &'a Value,
}

/// A public `POST` with a JSON body.
pub fn post_event(resource: &str, body: &Value) -> Event {
    event(&Sent { method: "POST", resource, parameter: None, context: &Value::Null, body })
}

/// The event of a request.
pub fn event(sent: &Sent<'_>) -> Event {
    let mut headers = HeaderMap::new();
    let fixed = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("host", "api.syncgram.example"),
        ("user-agent", "curl/8.5.0"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let parameters =
        sent.parameter.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let path = sent.parameter.map_or_else(
        || sent.resource.to_owned(),
        |(name, value)| sent.resource.replace(&format!("{{{name}}}"), value),
    );
    let body = if sent.body.is_null() { String::new() } else { sent.body.to_string() };
    bytes(&build(&Incoming {
        resource: sent.resource,
        path: &path,
        query: None,
        method: sent.method,
        headers: &headers,
        parameters: &parameters,
        authorizer: sent.context.as_object(),
        body: body.as_bytes(),
        source_ip: "203.0.113.7",
        request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        api_id: "abcdef1234",
        stage: "prod",
        now: 1_767_225_600,
    }))
}

fn bytes(event: &Value) -> Event {
    event.to_string().into_bytes().into()
}
