//! The world an attack is told in: a devstack, its people, and what they have. What no line asks for is not made.

use std::sync::OnceLock;

use devstack::gateway::invoke::Functions;
use devstack::gateway::template::Api;
use devstack::seed::{ACORN, BIRCH, PASSWORD, Person};
use inputs::{Forge, Request, Session, Stack};
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::api_keys::Env;
use shared::clock::Clock as _;
use shared::ids::{OrgId, UserId};
use shared::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use shared::passwords;
use shared::sensitive::Sensitive;
use shared::users::User;
use time::Duration;

use crate::placeholders::Values;

/// A world.
pub struct World {
    pub stack: Stack,
    /// The routes of the template.
    pub api: &'static Api,
    /// The functions with nothing in front.
    pub functions: Functions,
    /// What lines have asked for so far.
    pub values: Values,
    /// Makes tokens like the own owner's.
    pub forge: Option<Forge>,
    /// The public key that it signs for, as it is published.
    pub published: Value,
    /// Another stage, with keys of its own.
    pub stage: Option<Stack>,
}

impl World {
    pub async fn new() -> Self {
        let stack = Stack::start().await;
        static API: OnceLock<Api> = OnceLock::new();
        let api = API.get_or_init(|| Api::read(&devstack::template_path()).unwrap());
        let functions = Functions::InProcess(stack.app(), stack.app(), tracing::Dispatch::none());
        let mut world = Self {
            stack,
            api,
            functions,
            values: Values::new(),
            forge: None,
            published: Value::Null,
            stage: None,
        };
        world.say_what_is_known();
        world
    }

    /// Keeps a value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Lets time pass. Access tokens do not live through much of it.
    pub fn pass(&mut self, seconds: i64) {
        self.stack.pass(Duration::seconds(seconds));
        self.tell_the_time();
    }

    /// `«now»` is the time, `«soon»` ten minutes later: seconds since the epoch.
    pub fn tell_the_time(&mut self) {
        let now = self.now();
        self.set("now", now.to_string());
        self.set("soon", (now + 600).to_string());
    }

    pub fn now(&self) -> i64 {
        self.stack.devstack.clock.now_seconds()
    }

    /// Forgets whoever is logged in: an hour has passed.
    pub fn forget_people(&mut self) {
        self.values.retain(|name, _| !name.ends_with(".access") && !name.ends_with(".refresh"));
    }

    pub async fn log_in(&mut self, name: &str, person: Person) -> Session {
        let session = self.stack.log_in(person).await;
        self.set(&format!("{name}.access"), &session.access);
        self.set(&format!("{name}.refresh"), &session.refresh);
        session
    }

    /// The session of one of the people.
    pub async fn session(&mut self, name: &str) -> Session {
        if !self.values.contains_key(&format!("{name}.access")) {
            return self.log_in(name, person(name)).await;
        }
        let value = |what: &str| self.values[&format!("{name}.{what}")].clone();
        Session { access: value("access"), refresh: value("refresh") }
    }

    /// Learns to make tokens like the own owner's.
    pub async fn learn_to_forge(&mut self) {
        let genuine = self.session("owner").await.access;
        let forge = Forge::like(&self.stack, &genuine).await;
        let published = self.stack.send(&Request::get("/.well-known/jwks.json")).await.json();
        let keys = published["keys"].as_array().unwrap();
        self.published = keys.iter().find(|key| key["kid"] == forge.header["kid"]).unwrap().clone();
        self.set("kid", forge.header["kid"].as_str().unwrap());
        self.forge = Some(forge);
    }

    /// An organization with an owner and nothing else. Without a password, it is everybody's.
    pub async fn organization(&mut self, word: &str, password: Option<&str>) -> Person {
        let (app, now) = (self.stack.app(), self.now());
        let password = Sensitive::new(password.unwrap_or(PASSWORD).to_owned());
        let password_hash = passwords::hash(&password, app.rng.as_ref()).unwrap();
        let id = OrgId::new(app.clock.as_ref(), app.rng.as_ref());
        let owner = UserId::new(app.clock.as_ref(), app.rng.as_ref());
        let email = format!("owner@{word}.example");
        let organization = Organization {
            id: id.clone(),
            name: word.to_owned(),
            owner_user_id: owner.clone(),
            onboarding_status: OnboardingStatus::Completed,
            payments_status: PaymentsStatus::Enabled,
            current_env: Env::Test,
            country: "NL".to_owned(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        let name = "Somebody Else".to_owned();
        let user = User::new(owner.clone(), email.clone(), name, password_hash, id.clone());
        let address = EmailAddress::parse(&email).unwrap();
        let event = devstack::event(&app, id.as_str());
        app.store.create_organization(&organization, &address, &user, &event).await.unwrap();
        self.set(&format!("org.{word}"), id.as_str());
        let leaked = |text: &str| -> &'static str { text.to_owned().leak() };
        Person { user_id: leaked(owner.as_str()), email: leaked(&email), ..ACORN.owner }
    }

    /// Goes live, as an organization that may.
    pub async fn go_live(&self, session: &Session) {
        let path = format!("/api/v1/organizations/{}/environment", BIRCH.id);
        let answer =
            self.stack.send(&Request::put(&path).bearer(&session.access).json(&json!({"env": "live"}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn say_what_is_known(&mut self) {
        let issuer = self.stack.devstack.base_url.clone();
        let known = [
            ("org", ACORN.id),
            ("org.other", BIRCH.id),
            ("user", ACORN.owner.user_id),
            ("user.admin", ACORN.admin.user_id),
            ("user.viewer", ACORN.viewer.user_id),
            ("user.other", BIRCH.owner.user_id),
            ("email", ACORN.owner.email),
            ("email.admin", ACORN.admin.email),
            ("email.viewer", ACORN.viewer.email),
            ("email.other", BIRCH.owner.email),
            ("password", PASSWORD),
            ("iss", &issuer),
            ("aud", "syncgram-pay"),
            ("a", "a"),
            ("space", " "),
            ("open", r#"{"a":"#),
            ("shut", "}"),
            ("member", r#""k":1,"#),
            ("accent", "\u{301}"),
            // A family of four, joined without a gap: one to the eye.
            ("wide", "\u{1f468}\u{200d}\u{1f469}"),
            ("cursor", "ACTIVE_KEY"),
        ];
        for (name, value) in known {
            self.set(name, value);
        }
        self.tell_the_time();
    }
}

/// The people that a name begins with.
pub fn person(name: &str) -> Person {
    match name {
        "owner" => ACORN.owner,
        "admin" => ACORN.admin,
        "viewer" => ACORN.viewer,
        "other" => BIRCH.owner,
        "other.admin" => BIRCH.admin,
        "other.viewer" => BIRCH.viewer,
        _ => panic!("there is nobody called {name}"),
    }
}
