//! Walks every route once, as somebody who is in the table, and writes down what it cost.

mod accounts;
mod factors;
mod people;

use std::collections::BTreeMap;

use devstack::seed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::crypto;

use crate::load::{Loaded, text};
use crate::meter::Cost;
use crate::{ScaleError, Table, session};

/// What CloudWatch Logs adds to the bytes of each line ("CloudWatch Logs quotas": the size of a batch).
const LINE_OVERHEAD: usize = 26;

/// What one call of a route costs when everything that is kept between calls is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct RouteCost {
    /// The route, or what else is done.
    pub what: String,
    /// The status; 0 where no gateway answers.
    pub status: u16,
    /// The functions that run, the authorizer among them.
    pub functions: Vec<String>,
    /// The requests to DynamoDB, by operation, and to other services.
    pub round_trips: BTreeMap<String, usize>,
    /// The items that these name.
    pub items: usize,
    /// Read request units.
    pub read_units: usize,
    /// Write request units.
    pub write_units: usize,
    /// The bytes that read units were counted for.
    pub bytes_read: usize,
    /// The bytes that write units were counted for.
    pub bytes_written: usize,
    /// By how much the table grew, in bytes.
    pub bytes_kept: i64,
    /// The audit events that were written: each costs `an audit event is chained` later.
    pub events: usize,
    /// The bytes of the answer, headers included.
    pub answer_bytes: usize,
    /// The bytes of our own log lines by log group, and what CloudWatch adds to each line. Lambda's own lines are not among them.
    pub log_bytes: BTreeMap<String, usize>,
}

impl RouteCost {
    /// The same without what differs by a digit from run to run: logs tell times, and answers tell numbers.
    #[must_use]
    pub fn counted(&self) -> Self {
        Self { answer_bytes: 0, log_bytes: BTreeMap::new(), ..self.clone() }
    }
}

/// Measures one thing after the other.
struct Walk<'a> {
    table: &'a Table,
    costs: Vec<RouteCost>,
}

impl Walk<'_> {
    /// Calls a route and notes its cost; its answer.
    async fn call(
        &mut self,
        route: &str,
        as_named: &str,
        functions: &[&str],
        bearer: &str,
        body: Value,
    ) -> Result<Value, ScaleError> {
        let logged = self.table.devstack.logs.text().len();
        self.table.meter.take();
        let answer = self.table.call(route, bearer, &body).await?;
        let cost = RouteCost { status: answer.status, answer_bytes: answer.bytes, ..RouteCost::default() };
        self.note(as_named, functions, logged, cost);
        Ok(answer.data)
    }

    /// Notes what was counted since the meter was read last, and logged since so many bytes.
    fn note(&mut self, what: &str, functions: &[&str], logged: usize, cost: RouteCost) {
        let counted = self.table.meter.take();
        let sum = |of: fn(&Cost) -> usize| counted.iter().map(of).sum::<usize>();
        let mut round_trips = BTreeMap::new();
        for it in &counted {
            *round_trips.entry(it.operation.clone()).or_default() += 1;
        }
        let log = self.table.devstack.logs.text();
        self.costs.push(RouteCost {
            what: what.to_owned(),
            functions: functions.iter().map(|it| (*it).to_owned()).collect(),
            round_trips,
            items: sum(|it| it.items),
            read_units: sum(|it| it.read_units),
            write_units: sum(|it| it.write_units),
            bytes_read: sum(|it| it.bytes_read),
            bytes_written: sum(|it| it.bytes_written),
            bytes_kept: counted.iter().map(|it| it.bytes_kept).sum(),
            events: sum(|it| it.events),
            log_bytes: log_bytes(log.get(logged..).unwrap_or_default(), functions),
            ..cost
        });
    }
}

/// Whose line it is: the gateway's names a route, the authorizer's its action, any other is the function's.
fn log_bytes(lines: &str, functions: &[&str]) -> BTreeMap<String, usize> {
    let mut bytes = BTreeMap::new();
    for line in lines.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_default();
        let group = match (parsed["route"].is_string(), parsed["action"].as_str()) {
            (true, _) => "api",
            (_, Some("authorize")) => "authorizer",
            _ => functions.last().copied().unwrap_or_default(),
        };
        *bytes.entry(group.to_owned()).or_default() += line.len() + LINE_OVERHEAD;
    }
    bytes
}

/// What each route costs `somebody`, when `another` has walked before, so that all that is kept between calls is there. Neither may have
/// logged in before. The clock moves by some minutes.
///
/// # Errors
/// When a route does not answer what it must for the next to be called.
pub async fn count(table: &Table, another: &Loaded, somebody: &Loaded) -> Result<Vec<RouteCost>, ScaleError> {
    forget_mails(table).await?;
    walk(table, another).await?;
    // The walk's minutes have made the key set too old.
    table.call("GET /.well-known/jwks.json", "", &Value::Null).await?;
    walk(table, somebody).await
}

/// Forgets which mails this network has asked for: their guard grows with each, and counts of before would be counted here.
async fn forget_mails(table: &Table) -> Result<(), ScaleError> {
    let network = crypto::sha256_hex(&[b"127.0.0.0/24"]);
    let key = json!({"pk": {"S": format!("GUARD#{network}")}, "sk": {"S": "MAILS_FROM"}});
    let dynamodb = &table.devstack.dynamodb;
    let delete = json!({"TableName": dynamodb.table, "Key": key});
    dynamodb.ask("DynamoDB_20120810.DeleteItem", &delete).await.map_err(ScaleError)?;
    Ok(())
}

/// Walks all routes as `somebody`, who has never logged in. Two minutes pass on the way.
///
/// # Errors
/// When a route does not answer what it must for the next to be called.
pub async fn walk(table: &Table, somebody: &Loaded) -> Result<Vec<RouteCost>, ScaleError> {
    let mut walk = Walk { table, costs: Vec::new() };
    let access = walk.sessions(somebody).await?;
    walk.organizations(somebody, &access).await?;
    walk.webhooks(somebody, &access).await?;
    let key = walk.keys(somebody, &access).await?;
    walk.authorizer(&key, &access).await?;
    walk.documents().await?;
    walk.people(somebody, &access).await?;
    walk.the_rest(somebody, &access).await?;
    walk.factors(somebody).await?;
    walk.leaks().await?;
    walk.accounts(somebody).await?;
    Ok(walk.costs)
}

impl Walk<'_> {
    /// Login, verify, refresh; the access token.
    async fn sessions(&mut self, somebody: &Loaded) -> Result<String, ScaleError> {
        let login = "POST /api/v1/auth/login";
        let right = json!({"email": somebody.email, "password": seed::PASSWORD});
        let challenge = self.call(login, login, &["login"], "", right).await?;
        let body =
            json!({"challenge_id": challenge["challenge_id"], "code": self.table.code(&somebody.email)?});
        let verify = "POST /api/v1/auth/login/2fa/verify";
        let tokens = session(&self.call(verify, verify, &["verify"], "", body).await?)?;
        let refresh = "POST /api/v1/auth/refresh";
        let body = json!({"refresh_token": tokens.refresh_token});
        Ok(session(&self.call(refresh, refresh, &["refresh"], "", body).await?)?.access_token)
    }

    async fn organizations(&mut self, somebody: &Loaded, access: &str) -> Result<(), ScaleError> {
        let both = ["authorizer", "organizations"];
        let me = "GET /api/v1/organizations/me";
        self.call(me, &format!("{me}, by a session"), &both, access, Value::Null).await?;
        self.call(me, &format!("{me}, by a key"), &both, somebody.key.expose(), Value::Null).await?;
        let one = format!("GET /api/v1/organizations/{}", somebody.org);
        self.call(
            &one,
            "GET /api/v1/organizations/{id}, by a key",
            &both,
            somebody.key.expose(),
            Value::Null,
        )
        .await?;
        let rename = format!("PATCH /api/v1/organizations/{}", somebody.org);
        self.call(&rename, "PATCH /api/v1/organizations/{id}", &both, access, json!({"name": "Scale"}))
            .await?;
        let trail = format!("GET /api/v1/organizations/{}/audit", somebody.org);
        self.call(&trail, "GET /api/v1/organizations/{id}/audit", &both, access, Value::Null).await?;
        let switch = format!("PUT /api/v1/organizations/{}/environment", somebody.org);
        let named = "PUT /api/v1/organizations/{id}/environment";
        self.call(&switch, named, &both, access, json!({"env": "live"})).await?;
        Ok(())
    }

    /// Set, show, replace its secret, test, remove.
    async fn webhooks(&mut self, somebody: &Loaded, access: &str) -> Result<(), ScaleError> {
        let path = format!("/api/v1/organizations/{}/webhook", somebody.org);
        for (method, part, body) in [
            ("PUT", "", json!({"url": "https://hooks.scale.example/"})),
            ("GET", "", Value::Null),
            ("POST", "/secret", Value::Null),
            ("POST", "/test", Value::Null),
            ("DELETE", "", Value::Null),
        ] {
            let named = format!("{method} /api/v1/organizations/{{id}}/webhook{part}");
            let route = format!("{method} {path}{part}");
            self.call(&route, &named, &["authorizer", "webhooks"], access, body).await?;
        }
        Ok(())
    }

    /// List, revoke, create; the new key.
    async fn keys(&mut self, somebody: &Loaded, access: &str) -> Result<String, ScaleError> {
        let both = ["authorizer", "keys"];
        let list = "GET /api/v1/auth/api-keys";
        self.call(list, list, &both, access, Value::Null).await?;
        let change = format!("PATCH /api/v1/auth/api-keys/{}", somebody.key_id);
        let body = json!({"allowed_addresses": ["203.0.113.0/24"]});
        self.call(&change, "PATCH /api/v1/auth/api-keys/{api_key_id}", &both, access, body).await?;
        let revoke = format!("DELETE /api/v1/auth/api-keys/{}", somebody.key_id);
        self.call(&revoke, "DELETE /api/v1/auth/api-keys/{api_key_id}", &both, access, Value::Null).await?;
        let create = "POST /api/v1/auth/api-keys";
        let body = json!({"key_name": "Scale", "idempotency_key": "scale"});
        let made = self.call(create, create, &both, access, body).await?;
        text(&made["key"])
    }

    /// The authorizer alone, as behind other people's gateways.
    async fn authorizer(&mut self, key: &str, access: &str) -> Result<(), ScaleError> {
        let functions = &self.table.devstack.functions;
        for (what, credential) in [
            ("the authorizer, a session's token", access),
            ("the authorizer, a key", key),
            ("the authorizer, a key that is none", "sk_test_none"),
        ] {
            let event = json!({
                "type": "TOKEN", "authorizationToken": format!("Bearer {credential}"),
                "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/payments",
            });
            let logged = self.table.devstack.logs.text().len();
            self.table.meter.take();
            // Refusing is an error of the function's, and costs what it costs.
            let _ = functions.authorizer("authorizer", event).await;
            self.note(what, &["authorizer"], logged, RouteCost::default());
        }
        Ok(())
    }

    /// What a browser asks for, and our own documents.
    async fn documents(&mut self) -> Result<(), ScaleError> {
        for document in ["jwks.json", "openid-configuration"] {
            let route = format!("GET /.well-known/{document}");
            self.call(&route, &route, &["jwks"], "", Value::Null).await?;
        }
        for route in ["GET /docs", "GET /docs/openapi.yaml"] {
            self.call(route, route, &["docs"], "", Value::Null).await?;
        }
        let dashboard = "GET /dashboard";
        self.call(dashboard, dashboard, &["dashboard"], "", Value::Null).await?;
        let address = format!("{}/dashboard", self.table.devstack.base_url);
        let page = self.table.client.get(address).send().await?.text().await?;
        let script = page.split_once("src=\"dashboard/").and_then(|(_, rest)| rest.split_once('"'));
        let (script, _) = script.ok_or_else(|| ScaleError("no script in the dashboard".to_owned()))?;
        let named = "GET /dashboard/{version}/{file}, its script";
        self.call(&format!("GET /dashboard/{script}"), named, &["dashboard"], "", Value::Null).await?;
        Ok(())
    }

    async fn the_rest(&mut self, somebody: &Loaded, access: &str) -> Result<(), ScaleError> {
        self.chain().await?;
        let logout = "POST /api/v1/auth/logout";
        self.call(logout, logout, &["authorizer", "logout"], access, Value::Null).await?;
        let logged = self.table.devstack.logs.text().len();
        self.table.meter.take();
        self.chain().await?;
        self.note("an audit event is chained", &["audit_chain"], logged, RouteCost::default());
        let login = "POST /api/v1/auth/login";
        let right = json!({"email": somebody.email, "password": seed::PASSWORD});
        let challenge = self.table.post("/auth/login", "", &right).await?;
        // A code may be sent again after a minute.
        self.table.pass(time::Duration::minutes(1)).await;
        let resend = "POST /api/v1/auth/login/2fa/resend";
        let body = json!({"challenge_id": challenge["challenge_id"]});
        self.call(resend, resend, &["verify"], "", body).await?;
        let wrong = json!({"email": somebody.email, "password": "not the password"});
        self.call(login, &format!("{login}, a wrong password"), &["login"], "", wrong).await?;
        Ok(())
    }

    async fn chain(&self) -> Result<(), ScaleError> {
        self.table.devstack.chain().await.map_err(ScaleError)
    }
}
