//! A stage that was deployed: the functions as they ship, which have no console.
//!
//! - Codes are read where the mail went: `E2E_MAILBOX` is the address of the list of mails that an emulator's SES keeps.
//! - Organizations begin, and are helped and stopped, by the operator's function: `E2E_OPERATOR` is the address where Lambda's
//!   `Invoke` is asked for it.
//! - Members beside the owner, and their roles, are nobody's to make yet: the story writes them into the table itself, told by the
//!   same variables as a function where that is: `TABLE_NAME`, `AWS_REGION`, `AWS_ENDPOINT_URL` and credentials.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use devstack::seed::{DemoOrganization, PASSWORD, Person};
use reqwest::Client;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::app::{App, Outside};
use shared::config::Config;
use shared::ids::{OrgId, UserId};
use shared::sensitive::Sensitive;
use shared::users::{Role, User};

use crate::stage::{keep, new_domain};
use crate::text;

/// For how many seconds one story may wait for time to pass. Most limits are about a minute.
const LONGEST_WAIT: i64 = 90;

/// What a story needs of a deployed stage beside its base URL.
pub(crate) struct Deployed {
    /// For what only the table can be told.
    app: App,
    operator: String,
    mailbox: String,
    http: Client,
    waited: AtomicI64,
}

impl Deployed {
    pub(crate) fn new(mailbox: String, operator: String) -> Self {
        let config =
            Config::from_environment(std::iter::empty()).expect("what a function is told about its table");
        let app = App::new(&config, Outside::real()).expect("clients of AWS");
        Self { app, operator, mailbox, http: Client::new(), waited: AtomicI64::new(0) }
    }

    /// What the operator's function answers to an event.
    pub(crate) async fn operator(&self, event: &Value) -> Value {
        let answer = self.http.post(&self.operator).json(event).send().await.expect("Lambda's Invoke");
        let body = answer.text().await.expect("an answer of the function");
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON of the operator's: {body}"))
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, seconds: i64) {
        let waited = self.waited.fetch_add(seconds, Ordering::Relaxed) + seconds;
        assert!(
            waited <= LONGEST_WAIT,
            "this story needs the clock moved: name it in tests/rehearsal/skipped"
        );
        tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).expect("forward"))).await;
    }

    /// The mails to a person, newest first, in the form of the devstack's mailbox.
    pub(crate) async fn mails(&self, email: &str) -> Vec<Value> {
        let answer = self.http.get(&self.mailbox).send().await.expect("the mailbox");
        let text = answer.text().await.expect("the mailbox");
        let list: Value = serde_json::from_str(&text).expect("a list of mails");
        let accounts = list["messages"].as_object().expect("mails by account");
        let mails = accounts.values().filter_map(Value::as_array).flatten();
        let mut own: Vec<_> = mails.filter(|mail| mail["To"] == json!([email])).map(read_mail).collect();
        own.reverse();
        own
    }

    /// An organization like this one that nobody has used yet, with people of the same names and roles.
    pub(crate) async fn create_like(&self, model: &DemoOrganization) -> DemoOrganization {
        // Other people at every stage: an address is one person's.
        let domain = new_domain();
        let at = |person: &Person| {
            let (name, _) = person.email.split_once('@').expect("an address");
            keep(&format!("{name}@{domain}"))
        };
        let owner = at(&model.owner);
        let made = self
            .operator(&json!({
                "action": "create_organization",
                "name": model.name,
                "country": model.country,
                "owner_email": owner,
                "owner_full_name": model.owner.full_name,
                "owner_password": PASSWORD,
            }))
            .await;
        assert_eq!(made["success"], true, "{made}");
        let id = keep(&text(&made["data"]["id"]));
        let demo = DemoOrganization {
            id,
            owner: Person {
                user_id: keep(&text(&made["data"]["owner_user_id"])),
                email: owner,
                ..model.owner
            },
            admin: self.add_member(id, Person { email: at(&model.admin), ..model.admin }).await,
            viewer: self.add_member(id, Person { email: at(&model.viewer), ..model.viewer }).await,
            ..*model
        };
        let (onboarding, payments) =
            if demo.ready_to_go_live { ("COMPLETED", "ENABLED") } else { ("IN_PROGRESS", "DISABLED") };
        let onboarded = self
            .operator(&json!({
                "action": "set_onboarding", "org_id": id, "onboarding_status": onboarding, "payments_status": payments,
            }))
            .await;
        assert_eq!(onboarded["success"], true, "{onboarded}");
        demo
    }

    /// A member who is not the owner. They get an id of their own.
    async fn add_member(&self, organization: &str, person: Person) -> Person {
        let user_id = UserId::new(self.app.clock.as_ref(), self.app.rng.as_ref());
        let person = Person { user_id: keep(user_id.as_str()), ..person };
        let org = OrgId::parse(organization).expect("an id");
        let (email, name) = (person.email.to_owned(), person.full_name.to_owned());
        let user = User::new(user_id, email, name, self.password_hash(), org);
        let address = EmailAddress::parse(person.email).expect("an address");
        let event = devstack::event(&self.app, organization);
        self.app.store.create_user(&address, &user, person.role, &event).await.expect("a person");
        person
    }

    /// One hash for everybody, made once: it is the most expensive part of a person.
    fn password_hash(&self) -> String {
        static HASH: OnceLock<String> = OnceLock::new();
        let make = || {
            let password = Sensitive::new(PASSWORD.to_owned());
            shared::passwords::hash(&password, self.app.rng.as_ref()).expect("a hash")
        };
        HASH.get_or_init(make).clone()
    }

    pub(crate) async fn set_role(&self, organization: &DemoOrganization, person: &Person, role: &str) {
        let organization = OrgId::parse(organization.id).expect("an id");
        let user = UserId::parse(person.user_id).expect("an id");
        let role: Role = serde_json::from_value(json!(role)).expect("a role");
        let event = devstack::event(&self.app, organization.as_str());
        self.app.store.set_role(&organization, &user, role, &event).await.expect("a member");
    }
}

/// Whether a deployed stage is told stories: on an emulator, as far as anybody can, whose mailbox this is.
pub(crate) fn is_emulated() -> bool {
    crate::stage::variable("E2E_MAILBOX").is_some()
}

fn read_mail(mail: &Value) -> Value {
    let text = mail["BodyText"].as_str().unwrap_or_default();
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let code = words.find(|word| word.len() == 6 && word.bytes().all(|letter| letter.is_ascii_digit()));
    json!({
        "to": mail["To"][0], "subject": mail["Subject"], "text": text, "code": code, "sent_at": mail["Timestamp"],
    })
}
