//! The matrix for what changes an organization's people: every request of every call meets every fault; then its client asks again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use defences::Place;
use defences::environment::{Environment, HttpCall};
use defences::flight::flying;
use devstack::engines::dynamodb::Photograph;
use devstack::engines::recorder::{Fault, Recorded};
use devstack::gateway::invoke;
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use lambda_http::Body;
use reqwest::Method;
use serde_json::{Value, json};
use shared::principals::UserPrincipal;

use super::kinds::{self, Kind, Span};
use super::settings::{self, Settings};

/// What an answer may take at most.
const LONGEST: Duration = Duration::from_secs(3);

const NEWCOMER: &str = "newcomer@people.example";
const WAITING: &str = "waiting@people.example";

/// What somebody wants, what they are told when all is well, and what when it was done before.
#[derive(Clone)]
pub struct Deed {
    pub name: &'static str,
    pub function: &'static str,
    pub route: (&'static str, &'static str),
    pub parameters: Vec<(&'static str, String)>,
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
    pub by: Option<UserPrincipal>,
    pub usual: u16,
    pub again: u16,
}

/// Two people of Birch logged in, three invitations pending.
pub struct Stage {
    pub place: Place,
    photograph: Photograph,
    before: Vec<Value>,
    pub owner: UserPrincipal,
    admin: UserPrincipal,
    invitation: String,
    tokens: [String; 2],
    pub settings: Settings,
}

impl Stage {
    pub async fn new() -> Self {
        let place = Box::pin(Place::new()).await;
        let session = place.login(&BIRCH.owner).await;
        let path = format!("/api/v1/organizations/{}/invitations", BIRCH.id);
        let mut invitation = String::new();
        for email in [ACORN.admin.email, NEWCOMER, WAITING] {
            let request = place.request(Method::POST, &path).bearer_auth(&session.access_token);
            let (status, body) = place.send(request.json(&json!({"email": email, "role": "viewer"}))).await;
            assert_eq!(status, 201, "{body}");
            invitation = body["data"]["invitation_id"].as_str().unwrap().to_owned();
        }
        let token = |email: &str| {
            let mails = place.devstack.mailbox.newest_first(Some(email));
            mails[0].text.split_whitespace().find(|word| word.starts_with("it_")).unwrap().to_owned()
        };
        let tokens = [token(ACORN.admin.email), token(NEWCOMER)];
        super::accounts::begin(&place).await;
        let settings = Settings::begin(&place, &session).await;
        let owner = place.principal(&session).await;
        let admin = place.principal(&place.login(&BIRCH.admin).await).await;
        Self {
            photograph: place.devstack.dynamodb.photograph().await.unwrap(),
            before: place.items("", "").await,
            owner,
            admin,
            invitation,
            tokens,
            settings,
            place,
        }
    }

    pub async fn begin(&self) -> Environment {
        self.place.devstack.dynamodb.restore(&self.photograph).await.unwrap();
        self.place.environment()
    }

    /// Whether the change was made: its event is there exactly then.
    pub async fn is_done(&self) -> bool {
        self.place.items("AUDIT#", "").await.len() > events(&self.before)
    }
}

fn events(table: &[Value]) -> usize {
    table.iter().filter(|item| item["pk"].as_str().is_some_and(|it| it.starts_with("AUDIT#"))).count()
}

fn deeds(stage: &Stage) -> Vec<Deed> {
    let at = |part: &'static str| match part {
        "member" => "/api/v1/organizations/{id}/members/{user_id}",
        "members" => "/api/v1/organizations/{id}/members",
        "invitation" => "/api/v1/organizations/{id}/invitations/{invitation_id}",
        "invitations" => "/api/v1/organizations/{id}/invitations",
        _ => "/api/v1/organizations/{id}/owner",
    };
    let id = || vec![("id", BIRCH.id.to_owned())];
    let of = |name, value: &str| [id(), vec![(name, value.to_owned())]].concat();
    let by = |name, route, parameters, body, by: &UserPrincipal, [usual, again]: [u16; 2]| Deed {
        name,
        function: "members",
        route,
        parameters,
        body,
        headers: Vec::new(),
        by: Some(by.clone()),
        usual,
        again,
    };
    let accept = |name, body| Deed {
        name,
        function: "invitations",
        route: ("POST", "/api/v1/auth/invitations/accept"),
        parameters: Vec::new(),
        body,
        headers: Vec::new(),
        by: None,
        usual: 200,
        // The invitation works once: who was told nothing logs in, and finds it was accepted.
        again: 401,
    };
    let (owner, viewer) = (&stage.owner, BIRCH.viewer.user_id);
    let over = json!({"user_id": BIRCH.admin.user_id, "password": PASSWORD});
    let [known, new] = &stage.tokens;
    let newcomer = json!({"token": new, "full_name": "Nadia New", "password": "lamps over a quiet harbour"});
    vec![
        by("list", ("GET", at("members")), id(), Value::Null, owner, [200, 200]),
        by("waiting", ("GET", at("invitations")), id(), Value::Null, owner, [200, 200]),
        by(
            "role",
            ("PATCH", at("member")),
            of("user_id", viewer),
            json!({"role": "developer"}),
            owner,
            [200, 200],
        ),
        // Gone is gone.
        by("remove", ("DELETE", at("member")), of("user_id", viewer), Value::Null, owner, [204, 404]),
        by(
            "leave",
            ("DELETE", at("member")),
            of("user_id", BIRCH.admin.user_id),
            Value::Null,
            &stage.admin,
            [204, 403],
        ),
        // Whoever handed it over has it no more.
        by("hand over", ("POST", at("owner")), id(), over, owner, [200, 403]),
        by(
            "invite",
            ("POST", at("invitations")),
            id(),
            json!({"email": "x@people.example", "role": "viewer"}),
            owner,
            [201, 201],
        ),
        by(
            "withdraw",
            ("DELETE", at("invitation")),
            of("invitation_id", &stage.invitation),
            Value::Null,
            owner,
            [204, 404],
        ),
        accept("accept", json!({ "token": known })),
        accept("join", newcomer),
        Deed {
            function: "organizations",
            ..by(
                "organizations",
                ("GET", "/api/v1/organizations"),
                Vec::new(),
                Value::Null,
                owner,
                [200, 200],
            )
        },
    ]
}

impl Deed {
    pub async fn run(&self, at: &Environment) -> (u16, Value, bool) {
        let event = self.event();
        let response = Box::pin(invoke::handle(&at.app, self.function, &event)).await.unwrap();
        let body = match response.body() {
            Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        (response.status().as_u16(), body, response.headers().contains_key("retry-after"))
    }

    /// The gateway's event.
    pub fn event(&self) -> Value {
        let (method, resource) = self.route;
        let call = HttpCall {
            function: self.function,
            method,
            resource,
            parameter: None,
            body: self.body.clone(),
            idempotency_key: None,
            headers: self.headers.clone(),
            user: self.by.clone(),
        };
        let mut event = call.event();
        for (name, value) in &self.parameters {
            event["pathParameters"][name] = value.clone().into();
        }
        event
    }
}

/// A membership and its pointer, one owner whom the organization names, an invitation and its place; and no event twice.
async fn people_are_whole(stage: &Stage, what: &str) {
    let table = stage.place.items("", "").await;
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let of = |pk: &str, sk: &str| -> Vec<&Value> {
        let begins = |item: &Value, name: &str, with: &str| text(item, name).starts_with(with);
        table.iter().filter(|item| begins(item, "pk", pk) && begins(item, "sk", sk)).collect()
    };
    let members: BTreeSet<_> = of("ORG#", "MEMBER#")
        .iter()
        .map(|it| (text(it, "user_id"), text(it, "pk")[4..].to_owned()))
        .collect();
    let pointers: BTreeSet<_> = of("USER#", "MEMBER#")
        .iter()
        .map(|it| (text(it, "pk")[5..].to_owned(), text(it, "org_id")))
        .collect();
    assert_eq!(members, pointers, "{what}: half a membership");
    for organization in of("ORG#", "ORG") {
        let owners: Vec<_> = of(&text(organization, "pk"), "MEMBER#")
            .into_iter()
            .filter(|it| it["role"] == "owner")
            .map(|it| text(it, "user_id"))
            .collect();
        assert_eq!(owners, [text(organization, "owner_user_id")], "{what}: not one owner");
    }
    for user in of("EMAIL#", "USER") {
        let held = members.iter().filter(|(id, _)| *id == text(user, "user_id")).count();
        assert_eq!(user["memberships"].as_u64().unwrap_or(1), held as u64, "{what}: {user}");
    }
    let places: BTreeMap<_, _> = of("INVITATION#", "")
        .iter()
        .map(|it| (text(it, "pk")[11..].to_owned(), text(it, "org_id")))
        .collect();
    for invitation in of("ORG#", "INVITATION#") {
        assert!(
            places.contains_key(&text(invitation, "token_hash")),
            "{what}: an invitation that is not found"
        );
    }
    settings::are_whole(&table, what);
    assert!(events(&table) <= events(&stage.before) + 1, "{what}: told twice");
}

async fn again(deed: &Deed, stage: &Stage, at: &Environment, what: &str) {
    let right = if stage.is_done().await { deed.again } else { deed.usual };
    let ((status, body, _), _) = flying(deed.run(at)).await;
    assert_eq!(status, right, "{what}, then again: {body}");
}

async fn meets(deed: &Deed, stage: &Stage, (nth, request): (usize, &Recorded), kind: Kind, span: Span) {
    let what = format!("{}, request {nth}, {kind:?} {span:?}", deed.name);
    let at = stage.begin().await;
    kinds::inject(&at.requests, nth, kind, span);
    let ((status, body, waits), took) = flying(deed.run(&at)).await;
    at.requests.heal();
    assert!(status == deed.usual || (status == 503 && waits), "{what}: {status} {body}");
    assert!(took < LONGEST, "{what}: {took:?}");
    if span == Span::Once && kind != Kind::HalfAnswer && request.operation != "SendEmail" {
        assert_eq!(status, deed.usual, "{what}: {body}");
    }
    people_are_whole(stage, &what).await;
    if status == deed.usual {
        settings::answer_is_true(deed.name, &body, stage, &what).await;
    }
    if status == 503 {
        again(deed, stage, &at, &what).await;
    }
}

/// The environment dies as soon as the `nth` request was carried out; another serves the retry.
async fn is_killed(deed: &Deed, stage: &Stage, nth: usize) {
    let what = format!("{}, killed after request {nth}", deed.name);
    let at = stage.begin().await;
    kinds::numbered(&at.requests, move |number, _| (number >= nth).then_some(Fault::SilenceAfter));
    let dies = tokio::time::timeout(Duration::from_millis(500), deed.run(&at));
    let (ended, _) = flying(dies).await;
    assert!(ended.is_err(), "{what}: it lived");
    people_are_whole(stage, &what).await;
    again(deed, stage, &stage.place.environment(), &what).await;
}

/// What a deed asks for when all is well, and what it is answered.
pub async fn requests_of(deed: &Deed, stage: &Stage) -> (Vec<Recorded>, Value) {
    let at = stage.begin().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recording = Arc::clone(&seen);
    kinds::numbered(&at.requests, move |_, request| {
        recording.lock().unwrap().push(request.clone());
        None
    });
    let (status, body, _) = deed.run(&at).await;
    assert_eq!(status, deed.usual, "{}: {body}", deed.name);
    people_are_whole(stage, deed.name).await;
    (Vec::clone(&seen.lock().unwrap()), body)
}

async fn survives_everything(deed: &Deed, stage: &Stage) -> usize {
    let mut cases = 0;
    for (nth, request) in requests_of(deed, stage).await.0.iter().enumerate() {
        for (turn, kind) in kinds::ALL.into_iter().filter(|kind| kind.fits(request)).enumerate() {
            let spans = [Span::Once, Span::FromThenOn];
            let chosen =
                if super::whole() { &spans[..] } else { &spans[(turn + nth) % 2..=(turn + nth) % 2] };
            for span in chosen {
                Box::pin(meets(deed, stage, (nth, request), kind, *span)).await;
                cases += 1;
            }
        }
        if Kind::Conflict.fits(request) {
            Box::pin(is_killed(deed, stage, nth)).await;
            cases += 1;
        }
    }
    cases
}

/// All of them.
pub fn every_deed(stage: &Stage) -> Vec<Deed> {
    [deeds(stage), super::accounts::deeds(stage), settings::deeds(stage)].concat()
}

pub async fn all_survive(names: &[&str]) {
    let stage = Box::pin(Stage::new()).await;
    let deeds = every_deed(&stage);
    for name in names {
        let deed = deeds.iter().find(|it| it.name == *name).unwrap();
        let cases = Box::pin(survives_everything(deed, &stage)).await;
        assert!(cases >= 5, "{name}: {cases} faults");
    }
}

#[tokio::test]
async fn looking_at_people_survives_every_fault() {
    all_survive(&["list", "waiting", "organizations"]).await;
}

#[tokio::test]
async fn a_role_and_an_owner_survive_every_fault() {
    all_survive(&["role", "hand over"]).await;
}

#[tokio::test]
async fn leaving_and_being_removed_survive_every_fault() {
    all_survive(&["remove", "leave"]).await;
}

#[tokio::test]
async fn inviting_and_withdrawing_survive_every_fault() {
    all_survive(&["invite", "withdraw"]).await;
}

#[tokio::test]
async fn accepting_survives_every_fault() {
    all_survive(&["accept", "join"]).await;
}
