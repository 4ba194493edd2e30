//! What a name in a line stands for, made when a line first asks for it.

use e2e::reporter::{Reporter, found};
use inputs::{MadeKey, Request, Stack};
use serde_json::json;
use shared::ids::{ChallengeId, KeyId, OrgId, SessionId};
use time::Duration;

use crate::world::{World, person};

impl World {
    /// Makes sure that there is a value of this name. Names that begin with `$` are what a step before has kept.
    pub async fn ensure(&mut self, name: &str) {
        let of_a_token = matches!(name, "h" | "p" | "s" | "unused");
        if self.values.contains_key(name) || of_a_token || name.starts_with('$') || name == "n" {
            return;
        }
        let app = self.stack.app();
        let (clock, rng) = (app.clock.as_ref(), app.rng.as_ref());
        match name {
            "org.none" => self.set(name, OrgId::new(clock, rng).as_str()),
            "key.none.id" => self.set(name, KeyId::new(clock, rng).as_str()),
            "challenge.none" => self.set(name, ChallengeId::new(clock, rng).as_str()),
            "session.none" => self.set(name, SessionId::new(clock, rng).as_str()),
            "kid" => self.learn_to_forge().await,
            "key" | "key.id" | "key.other" | "key.other.id" | "key.live" | "key.live.id" => {
                self.make_active_key(name.strip_suffix(".id").unwrap_or(name)).await;
            }
            "key.revoked" | "key.revoked.id" | "key.old" | "key.old.id" | "key.suspended"
            | "org.suspended" => {
                self.make_lost_key(name).await;
            }
            "key.home" => self.make_key_with_addresses().await,
            "key.leaked" | "report" | "report.by" | "report.signature" | "report.forged" => {
                self.make_report().await
            }
            "challenge" | "code" | "wrong" => self.challenge("", "viewer").await,
            "challenge.other" | "code.other" | "wrong.other" => {
                self.challenge(".other", "other.viewer").await
            }
            "challenge.admin" | "code.admin" | "wrong.admin" => self.challenge(".admin", "admin").await,
            "email.accent" | "email.umlaut" | "email.long" | "password.accent" => {
                self.people_with_odd_names().await;
            }
            "stage.access" | "stage.kid" | "stage.refresh" | "stage.key" => self.other_stage().await,
            _ => match name.rsplit_once('.') {
                Some((who, "access" | "refresh")) => {
                    self.session(who).await;
                }
                _ => panic!("nothing is known of «{name}»"),
            },
        }
    }

    /// Addresses and passwords that are more than plain letters.
    async fn people_with_odd_names(&mut self) {
        let password = "pässwörd-mit-ümlaut";
        self.set("password.accent", password);
        for (name, word, password) in [
            ("email.accent", "rené", devstack::seed::PASSWORD),
            ("email.umlaut", "umlaut", password),
            ("email.long", "long", &format!("{}a", "a".repeat(72))),
        ] {
            let owner = self.organization(word, Some(password)).await;
            self.set(name, owner.email);
        }
    }

    /// The active key of the own organization, of the other in test mode, or of the other gone live.
    async fn make_active_key(&mut self, name: &str) {
        let session = self.session(if name == "key" { "owner" } else { "other" }).await;
        if name == "key.live" {
            self.go_live(&session).await;
        }
        let made = self.stack.make_key(&session, &json!({"key_name": name})).await;
        self.keep(name, &made);
    }

    fn keep(&mut self, name: &str, made: &MadeKey) {
        self.set(name, &made.key);
        self.set(&format!("{name}.id"), &made.id);
    }

    /// A key of an organization of its own that was revoked, revoked and replaced, or whose organization is suspended.
    async fn make_lost_key(&mut self, name: &str) {
        let word = name.split('.').find(|part| *part != "key" && *part != "org").unwrap();
        let owner = self.organization(word, None).await;
        let session = self.stack.log_in(owner).await;
        let made = self.stack.make_key(&session, &json!({"key_name": word})).await;
        self.keep(&format!("key.{word}"), &made);
        if word == "suspended" {
            let id = OrgId::parse(&self.values["org.suspended"]).unwrap();
            let app = self.stack.app();
            let event = || devstack::event(&app, id.as_str());
            app.store.set_suspended(&id, true, &event, self.now()).await.unwrap();
            return;
        }
        self.stack.revoke(&session, &made.id).await;
        if word == "old" {
            // One key a minute.
            self.pass(60);
            self.stack.make_key(&session, &json!({"key_name": "new"})).await;
        }
    }

    /// A key, of an organization of its own, that is good from a few addresses alone.
    async fn make_key_with_addresses(&mut self) {
        let owner = self.organization("home", None).await;
        let session = self.stack.log_in(owner).await;
        let body = json!({"key_name": "home", "allowed_addresses": ["203.0.113.0/24", "2001:db8::/32"]});
        let made = self.stack.make_key(&session, &body).await;
        self.keep("key.home", &made);
    }

    /// A key that leaked, of an organization of its own, and a report of it by somebody who is trusted.
    async fn make_report(&mut self) {
        let owner = self.organization("leaked", None).await;
        let session = self.stack.log_in(owner).await;
        let made = self.stack.make_key(&session, &json!({"key_name": "leaked"})).await;
        let (reporter, stranger) = (Reporter::stranger(), Reporter::stranger());
        let trusted = self.functions.event("operator", reporter.order()).await.unwrap();
        assert_eq!(trusted["success"], true, "{trusted}");
        let report = json!([found(&made.key)]).to_string();
        self.keep("key.leaked", &made);
        self.set("report.by", &reporter.identifier);
        self.set("report.signature", reporter.sign(&report));
        self.set("report.forged", stranger.sign(&report));
        self.set("report", report);
    }

    pub async fn challenge(&mut self, suffix: &str, who: &str) {
        let (id, code) = self.stack.challenge(person(who)).await;
        self.set(&format!("challenge{suffix}"), id);
        // The other code, so that it is certainly not this one.
        let other = if code == "000000" { "111111" } else { "000000" };
        self.set(&format!("wrong{suffix}"), other);
        self.set(&format!("code{suffix}"), code);
    }

    /// What somebody has at another stage: the same program with other secrets.
    async fn other_stage(&mut self) {
        let stage = Stack::start().await;
        let session = stage.log_in(person("owner")).await;
        let made = stage.make_key(&session, &json!({"key_name": "elsewhere"})).await;
        let keys = stage.send(&Request::get("/.well-known/jwks.json")).await.json();
        self.set("stage.access", session.access);
        self.set("stage.refresh", session.refresh);
        self.set("stage.key", made.key);
        self.set("stage.kid", keys["keys"][0]["kid"].as_str().unwrap());
        self.stage = Some(stage);
    }

    /// Before the next telling: a challenge is for one of them.
    pub fn forget_challenges(&mut self) {
        self.values.retain(|name, _| {
            !["challenge", "code", "wrong"].contains(&name.split('.').next().unwrap())
                || name.ends_with("none")
        });
    }

    /// After a guess: nobody's address is locked for as long as an hour.
    pub fn after_a_guess(&mut self) {
        self.stack.pass(Duration::hours(1));
        self.forget_people();
        self.tell_the_time();
    }
}
