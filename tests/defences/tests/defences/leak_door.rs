//! A report that a key leaked: one change of everything that the key is, told once to its owner, and worth nothing without its signature.

use std::collections::BTreeSet;

use defences::{Answer, Place, Session, owner};
use devstack::engines::recorder::Fault;
use devstack::seed::{ACORN, BIRCH};
use e2e::reporter::{PLACE, Reporter, found, verdict};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::api_keys::{Env, PlainKey};
use shared::rng::SystemRng;
use time::Duration;

use crate::budget::{EVENT, cost, costs};

/// A key of Birch's and of Acorn's, and somebody whose reports are believed.
struct Scene {
    place: Place,
    reporter: Reporter,
    owners: [Session; 2],
    keys: [Value; 2],
}

async fn make(place: &Place, by: &Session, name: &str) -> Value {
    let body = json!({"key_name": name, "idempotency_key": name});
    let request = place.request(Method::POST, "/api/v1/auth/api-keys").bearer_auth(&by.access_token);
    let (status, body) = place.send(request.json(&body)).await;
    assert_eq!(status, 201, "{body}");
    body["data"].clone()
}

impl Scene {
    async fn new() -> Self {
        let (place, reporter) = (Place::new().await, Reporter::stranger());
        let trusted = place.devstack.functions.event("operator", reporter.order()).await.unwrap();
        assert_eq!(trusted["success"], true, "{trusted}");
        let owners = [place.login(owner()).await, place.login(&ACORN.owner).await];
        let keys = [make(&place, &owners[0], "birch").await, make(&place, &owners[1], "acorn").await];
        cost(&place);
        Self { place, reporter, owners, keys }
    }

    fn secret(&self, nth: usize) -> &str {
        self.keys[nth]["key"].as_str().unwrap()
    }

    fn request(&self, headers: &[(&str, String)], body: &str) -> RequestBuilder {
        let request = self.place.request(Method::POST, "/api/v1/secret-scanning/github");
        let request = request.header("content-type", "application/json").body(body.to_owned());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    async fn report(&self, tokens: &[&str]) -> Answer {
        let body = Value::from(tokens.iter().map(|token| found(token)).collect::<Vec<_>>()).to_string();
        self.place.send(self.request(&self.reporter.headers(&body), &body)).await
    }

    async fn table(&self) -> Vec<Value> {
        self.place.items("", "").await
    }

    fn mails(&self) -> Vec<String> {
        self.place.devstack.mailbox.newest_first(None).into_iter().map(|mail| mail.to).collect()
    }
}

/// What of a table is not in another.
fn news(before: &[Value], after: &[Value]) -> Vec<Value> {
    after.iter().filter(|item| !before.contains(item)).cloned().collect()
}

fn names(items: &[Value]) -> BTreeSet<String> {
    let stem = |item: &Value, name: &str| item[name].as_str().unwrap().split('#').next().unwrap().to_owned();
    items.iter().map(|item| format!("{} {}", stem(item, "pk"), stem(item, "sk"))).collect()
}

#[tokio::test]
async fn a_report_is_one_change_of_all_that_a_key_is_with_its_event() {
    let scene = Scene::new().await;
    let (before, mails, now) = (scene.table().await, scene.mails().len(), scene.place.now());
    assert_eq!(
        scene.report(&[scene.secret(0)]).await,
        (200, json!([verdict(scene.secret(0), "true_positive")]))
    );
    // Reporter; credential; record and marker; organization and owner, to be told. Record, credential, marker and sealed answer.
    assert_eq!(cost(&scene.place), costs(5, 1, 1 + 1 + 2 + 2 + 4 + EVENT));
    let after = scene.table().await;
    let changed = news(&before, &after);
    let expected = ["AUDIT EVENT", "IDEMPOTENCY ANSWER", "KEYHASH CREDENTIAL", "ORG KEY"];
    assert_eq!(names(&changed), expected.map(str::to_owned).into());
    assert_eq!(
        names(&news(&after, &before)),
        ["IDEMPOTENCY ANSWER", "KEYHASH CREDENTIAL", "ORG ACTIVE_KEY", "ORG KEY"].map(str::to_owned).into()
    );
    let of = |name: &str| changed.iter().find(|it| it["sk"].as_str().unwrap().starts_with(name)).unwrap();
    assert_eq!((&of("KEY#")["revoked_at"], &of("CREDENTIAL")["revoked_at"]), (&json!(now), &json!(now)));
    let leak = json!({"reported_by": "github", "source": "commit", "url": PLACE});
    assert_eq!((&of("KEY#")["leak"], &of("ANSWER")["sealed"]), (&leak, &Value::Null));
    let event = of("EVENT#");
    let told =
        ["chain", "action", "actor", "target", "reason"].map(|name| event[name].as_str().unwrap_or_default());
    assert_eq!(told, [BIRCH.id, "key.leaked", "github", scene.keys[0]["api_key_id"].as_str().unwrap(), ""]);
    assert_eq!(scene.mails()[..scene.mails().len() - mails], [BIRCH.owner.email]);

    // Whoever made it gets it no more.
    let again = scene.place.request(Method::POST, "/api/v1/auth/api-keys");
    let again = again.bearer_auth(&scene.owners[0].access_token);
    let again = again.json(&json!({"key_name": "birch", "idempotency_key": "birch"}));
    let (status, body) = scene.place.send(again).await;
    assert_eq!((status, &body["error"]["code"]), (409, &json!("idempotency_spent")));
}

#[tokio::test]
async fn many_keys_in_one_report_are_each_their_own_organizations() {
    let scene = Scene::new().await;
    // One that was revoked by hand before, and so has another story.
    let path = format!("/api/v1/auth/api-keys/{}", scene.keys[0]["api_key_id"].as_str().unwrap());
    let revoke = scene.place.request(Method::DELETE, &path).bearer_auth(&scene.owners[0].access_token);
    assert_eq!(scene.place.send(revoke).await.0, 200);
    scene.place.devstack.clock.advance(Duration::seconds(61));
    let next = make(&scene.place, &scene.owners[0], "next").await;
    let (before, mails) = (scene.table().await, scene.mails().len());

    let made_up = PlainKey::generate(Env::Test, &SystemRng);
    let tokens = [
        scene.secret(1),
        scene.secret(0),
        made_up.expose(),
        next["key"].as_str().unwrap(),
        "sk_test_",
        scene.secret(1),
    ];
    let labels = [
        "true_positive",
        "true_positive",
        "false_positive",
        "true_positive",
        "false_positive",
        "true_positive",
    ];
    let expected: Vec<Value> =
        tokens.iter().zip(labels).map(|(token, label)| verdict(token, label)).collect();
    assert_eq!(scene.report(&tokens).await, (200, Value::from(expected)));
    let changed = news(&before, &scene.table().await);
    let events: BTreeSet<&str> = changed
        .iter()
        .filter(|it| it["action"] == "key.leaked")
        .map(|it| it["chain"].as_str().unwrap())
        .collect();
    assert_eq!(events, BTreeSet::from([BIRCH.id, ACORN.id]));
    let records: Vec<&Value> =
        changed.iter().filter(|it| it["sk"].as_str().unwrap().starts_with("KEY#")).collect();
    assert_eq!(records.len(), 2, "what was revoked before stays as it was: {records:?}");
    let told: BTreeSet<String> = scene.mails()[..scene.mails().len() - mails].iter().cloned().collect();
    assert_eq!(
        (scene.mails().len() - mails, told),
        (2, [BIRCH.owner.email, ACORN.owner.email].map(str::to_owned).into())
    );

    // Word for word once more, as a report that was kept would be: nothing, and the key made since lives.
    scene.place.devstack.clock.advance(Duration::seconds(61));
    let last = make(&scene.place, &scene.owners[0], "last").await;
    let (before, mails) = (scene.table().await, scene.mails());
    assert_eq!(scene.report(&tokens).await.0, 200);
    assert_eq!((scene.table().await, scene.mails()), (before, mails));
    let me = scene.place.request(Method::GET, "/api/v1/organizations/me");
    assert_eq!(scene.place.send(me.bearer_auth(last["key"].as_str().unwrap())).await.0, 200);
}

/// Nothing is done, and nothing but the reporter is looked for, before the signature is known to be theirs, over the bytes as they came.
#[tokio::test]
async fn what_is_not_signed_byte_for_byte_costs_one_read_and_changes_nothing() {
    let scene = Scene::new().await;
    let body = json!([found(scene.secret(0))]).to_string();
    let pretty = serde_json::to_string_pretty(&json!([found(scene.secret(0))])).unwrap();
    let escaped = body.replace("sk_", "\\u0073k_");
    let [identifier, signature] = scene.reporter.headers(&body);
    let stranger = Reporter::stranger();
    let forged = ("Github-Public-Key-Signature", stranger.sign(&body));
    let before = scene.table().await;
    for (what, headers, body, reads) in [
        ("a stranger", stranger.headers(&body).to_vec(), &body, 1),
        ("a stranger under a trusted name", vec![identifier.clone(), forged], &body, 1),
        ("the same in other bytes", vec![identifier.clone(), signature.clone()], &pretty, 1),
        ("the same with an escape", vec![identifier.clone(), signature.clone()], &escaped, 1),
        ("an empty report", vec![identifier.clone(), signature.clone()], &"[]".to_owned(), 1),
        ("no signature", vec![identifier.clone()], &body, 1),
        ("no name", vec![signature.clone()], &body, 0),
        (
            "a name that is none",
            vec![("Github-Public-Key-Identifier", "KEYSET".to_owned()), signature.clone()],
            &body,
            0,
        ),
        ("another reporter's form", vec![("X-Gitlab-Token", signature.1.clone())], &body, 0),
        ("two signatures", vec![identifier.clone(), signature.clone(), signature.clone()], &body, 1),
        ("two names", vec![identifier.clone(), identifier.clone(), signature.clone()], &body, 0),
    ] {
        let (status, answer) = scene.place.send(scene.request(&headers, body)).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_signature")), "{what}");
        assert_eq!(cost(&scene.place), costs(reads, 0, reads), "{what}");
    }
    // Genuine, and none of the one form that is read.
    for body in
        [json!({"matches": [found(scene.secret(0))]}), json!([{"secret": scene.secret(0), "type": "t"}])]
    {
        let body = body.to_string();
        let (status, answer) = scene.place.send(scene.request(&scene.reporter.headers(&body), &body)).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("invalid_report")), "{body}");
        assert_eq!(cost(&scene.place), costs(1, 0, 1), "{body}");
    }
    assert_eq!(scene.table().await, before);
}

#[tokio::test]
async fn what_is_no_key_of_ours_costs_a_read_a_hundred_and_what_has_no_form_none() {
    let scene = Scene::new().await;
    let unknown: Vec<PlainKey> =
        std::iter::repeat_with(|| PlainKey::generate(Env::Test, &SystemRng)).take(201).collect();
    let unknown: Vec<&str> = unknown.iter().map(PlainKey::expose).collect();
    let (status, answer) = scene.report(&unknown).await;
    assert_eq!((status, answer.as_array().unwrap().len()), (200, 201));
    assert_eq!(cost(&scene.place), costs(1 + 3, 0, 1 + 201));
    assert_eq!(scene.report(&["sk_test_", "", "sk_live_0123"]).await.0, 200);
    assert_eq!(cost(&scene.place), costs(1, 0, 1));
    assert_eq!(scene.report(&[]).await, (200, json!([])));
    assert_eq!(cost(&scene.place), costs(1, 0, 1));
}

/// The mail comes after the revocation, and is not what it depends on.
#[tokio::test]
async fn a_mail_that_cannot_be_sent_holds_up_no_revocation() {
    let scene = Scene::new().await;
    let mails = scene.mails().len();
    scene
        .place
        .devstack
        .requests
        .inject_elsewhere(|it| (it.operation == "SendEmail").then_some(Fault::NotSent));
    assert_eq!(scene.report(&[scene.secret(0), scene.secret(1)]).await.0, 200);
    scene.place.devstack.requests.heal();
    assert_eq!(scene.mails().len(), mails);
    for nth in 0..2 {
        let me = scene.place.request(Method::GET, "/api/v1/organizations/me").bearer_auth(scene.secret(nth));
        assert_eq!(scene.place.send(me).await.0, 401);
    }
    let lines = scene.place.devstack.logs.lines();
    let said = lines.iter().filter(|line| line["message"] == "the owner was not told of a leak");
    assert_eq!(said.count(), 2, "whom to tell by hand");
}
