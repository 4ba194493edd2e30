//! The same matrix for webhooks, for an organization's name, for where a key is good, and for a report that it leaked.

use defences::{Place, Session};
use devstack::seed::{ACORN, BIRCH};
use e2e::reporter::{Reporter, found};
use reqwest::Method;
use serde_json::{Value, json};
use shared::ids::OrgId;
use shared::principals::UserPrincipal;
use shared::webhooks::MOST_PREVIOUS;

use super::people::{Deed, Stage, all_survive};

const WEBHOOK: &str = "/api/v1/organizations/{id}/webhook";
const FIRST: &str = "first webhook";
const SECRET: &str = "webhook secret";
/// What Birch is to be called.
const NAME: &str = "Another";

/// Birch has a key, and a webhook; Acorn has none yet.
pub struct Settings {
    /// Who gives Acorn one.
    acorn: UserPrincipal,
    key_id: String,
    /// A report that the key leaked, and its headers.
    report: Value,
    headers: Vec<(&'static str, String)>,
}

impl Settings {
    pub async fn begin(place: &Place, birch: &Session) -> Self {
        let ask = async |method: Method, path: &str, body: Value| {
            let request = place.request(method, path).bearer_auth(&birch.access_token).json(&body);
            let (status, body) = place.send(request).await;
            assert_eq!(status, 201, "{body}");
            body["data"].clone()
        };
        let made = ask(Method::POST, "/api/v1/auth/api-keys", json!({"key_name": "k"})).await;
        let url = json!({"url": "https://hooks.birch.example/"});
        ask(Method::PUT, &WEBHOOK.replace("{id}", BIRCH.id), url).await;
        let reporter = Reporter::stranger();
        place.devstack.functions.event("operator", reporter.order()).await.unwrap();
        let report = json!([found(made["key"].as_str().unwrap())]);
        Self {
            acorn: place.principal(&place.login(&ACORN.owner).await).await,
            key_id: made["api_key_id"].as_str().unwrap().to_owned(),
            headers: reporter.headers(&report.to_string()).into(),
            report,
        }
    }
}

pub fn deeds(stage: &Stage) -> Vec<Deed> {
    let settings = &stage.settings;
    let deed = |name, function, route, id: &str, body, [usual, again]: [u16; 2]| Deed {
        name,
        function,
        route,
        parameters: vec![("id", id.to_owned())],
        body,
        headers: Vec::new(),
        by: Some(stage.owner.clone()),
        usual,
        again,
    };
    let of_webhook =
        |name, method, path, body, told| deed(name, "webhooks", (method, path), BIRCH.id, body, told);
    let url = |text: &str| json!({ "url": text });
    let list = json!({"allowed_addresses": ["192.0.2.0/24"]});
    vec![
        // It is there and nobody has its secret: they replace it.
        Deed {
            by: Some(settings.acorn.clone()),
            ..deed(
                FIRST,
                "webhooks",
                ("PUT", WEBHOOK),
                ACORN.id,
                url("https://hooks.acorn.example/"),
                [201, 200],
            )
        },
        of_webhook("webhook", "PUT", WEBHOOK, url("https://hooks.birch.example/2"), [200, 200]),
        // The receiver still has the one before, which signs along with both.
        of_webhook(SECRET, "POST", "/api/v1/organizations/{id}/webhook/secret", Value::Null, [200, 200]),
        // It is on its way; another one in a minute.
        of_webhook(
            "webhook test",
            "POST",
            "/api/v1/organizations/{id}/webhook/test",
            Value::Null,
            [200, 429],
        ),
        of_webhook("no webhook", "DELETE", WEBHOOK, Value::Null, [204, 204]),
        deed(
            "name",
            "organizations",
            ("PATCH", "/api/v1/organizations/{id}"),
            BIRCH.id,
            json!({ "name": NAME }),
            [200, 200],
        ),
        Deed {
            parameters: vec![("api_key_id", settings.key_id.clone())],
            ..deed("addresses", "keys", ("PATCH", "/api/v1/auth/api-keys/{api_key_id}"), "", list, [200, 200])
        },
        Deed {
            headers: settings.headers.clone(),
            by: None,
            parameters: Vec::new(),
            ..deed(
                "leak",
                "leaks",
                ("POST", "/api/v1/secret-scanning/github"),
                "",
                settings.report.clone(),
                [200, 200],
            )
        },
    ]
}

/// Record and credential of a key say the same, a leak is told where it is kept, and each change of a webhook has its event.
pub fn are_whole(table: &[Value], what: &str) {
    let of = |pk: &'static str, sk: &'static str| {
        let begins = |item: &Value, name: &str, with: &str| item[name].as_str().unwrap().starts_with(with);
        table.iter().filter(move |item| begins(item, "pk", pk) && begins(item, "sk", sk))
    };
    let events = |action: &str| of("AUDIT#", "EVENT#").filter(|it| it["action"] == action).count();
    for record in of("ORG#", "KEY#") {
        let mut same = of("KEYHASH#", "").filter(|it| it["api_key_id"] == record["api_key_id"]);
        let credential = same.next().unwrap();
        for said in ["revoked_at", "allowed_addresses"] {
            assert_eq!(record[said], credential[said], "{what}: half a change");
        }
        let revoked = !record["revoked_at"].is_null();
        let marked = of("ORG#", "ACTIVE_KEY").any(|it| it["api_key_id"] == record["api_key_id"]);
        assert_ne!(revoked, marked, "{what}: a marker of a dead key, or a key without one");
        assert_eq!(!record["leak"].is_null(), events("key.leaked") == 1, "{what}: {record}");
    }
    let listed = of("ORG#", "KEY#").any(|it| !it["allowed_addresses"].is_null());
    assert_eq!(listed, events("key.set_addresses") == 1, "{what}: a list without its event");
    let renamed = of("ORG#", "ORG").any(|it| it["name"] == NAME);
    assert_eq!(renamed, events("organization.rename") == 1, "{what}: a name without its event");
    let changes = events("webhook.set") + events("webhook.rotate_secret");
    let revisions: i64 = of("WEBHOOK#", "").map(|it| it["revision"].as_i64().unwrap()).sum();
    if events("webhook.remove") == 0 {
        assert_eq!(usize::try_from(revisions).unwrap(), changes, "{what}: a change without its event");
    }
    for webhook in of("WEBHOOK#", "") {
        let previous = webhook["previous"].as_array().map_or(0, Vec::len);
        assert!(previous <= MOST_PREVIOUS, "{what}: {previous} sign along");
    }
}

/// What is said to be done is, and a secret that was shown is the one that signs.
pub async fn answer_is_true(name: &str, body: &Value, stage: &Stage, what: &str) {
    if deeds(stage).iter().any(|deed| deed.name == name) {
        assert!(stage.is_done().await, "{what}: it is said to be done");
    }
    let org = match name {
        FIRST => ACORN.id,
        SECRET => BIRCH.id,
        _ => return,
    };
    let (app, org) = (stage.place.app(), OrgId::parse(org).unwrap());
    let kept = app.store.webhook(&org).await.unwrap().unwrap();
    let keys = app.secrets.webhooks().await.unwrap();
    let signs = kept.secret.open(&keys.all(), &org).unwrap();
    assert_eq!(body["data"]["secret"], signs.expose(), "{what}: the secret that was shown signs nothing");
}

#[tokio::test]
async fn a_webhook_survives_every_fault() {
    all_survive(&[FIRST, "webhook", "no webhook"]).await;
}

#[tokio::test]
async fn a_webhooks_secret_and_its_test_survive_every_fault() {
    all_survive(&[SECRET, "webhook test"]).await;
}

#[tokio::test]
async fn a_name_and_a_list_of_addresses_survive_every_fault() {
    all_survive(&["name", "addresses"]).await;
}

#[tokio::test]
async fn a_report_of_a_leak_survives_every_fault() {
    all_survive(&["leak"]).await;
}
