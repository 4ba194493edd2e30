//! A stage that was deployed: the functions as they ship, which have no console.
//!
//! Codes are read where the mail went: `E2E_MAILBOX` is the address of the list of mails that an emulator's SES keeps. Everything
//! else is an operator's work, done here with the same code as the operator's own and told by the same variables as a function
//! where the table is: `TABLE_NAME`, `AWS_REGION`, `AWS_ENDPOINT_URL` and credentials.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use devstack::seed::{DemoOrganization, PASSWORD, Person};
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::api_keys::Env;
use shared::app::App;
use shared::ids::{OrgId, UserId};
use shared::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use shared::sensitive::Sensitive;
use shared::users::{Role, User};

/// For how many seconds one story may wait for time to pass. Most limits are about a minute.
const LONGEST_WAIT: i64 = 90;

/// What a story needs of a deployed stage beside its base URL.
pub(crate) struct Deployed {
    operator: App,
    mailbox: String,
    http: Client,
    waited: AtomicI64,
}

impl Deployed {
    pub(crate) fn new(mailbox: String) -> Self {
        let operator = App::from_environment().expect("what a function is told about its table");
        Self { operator, mailbox, http: Client::new(), waited: AtomicI64::new(0) }
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
    pub(crate) async fn mails(&self, person: &Person) -> Vec<Value> {
        let answer = self.http.get(&self.mailbox).send().await.expect("the mailbox");
        let text = answer.text().await.expect("the mailbox");
        let list: Value = serde_json::from_str(&text).expect("a list of mails");
        let accounts = list["messages"].as_object().expect("mails by account");
        let mails = accounts.values().filter_map(Value::as_array).flatten();
        let mut own: Vec<_> =
            mails.filter(|mail| mail["To"] == json!([person.email])).map(read_mail).collect();
        own.reverse();
        own
    }

    /// An organization like this one that nobody has used yet, with people of the same names and roles.
    ///
    /// To be done by the operator's own door once there is one.
    pub(crate) async fn create_like(&self, model: &DemoOrganization) -> DemoOrganization {
        let clock = self.operator.clock.as_ref();
        let id = OrgId::new(clock, self.operator.rng.as_ref());
        // Lower case, as we store addresses; the id is in it, so that no two stories share one.
        let own = |person: Person| {
            let domain = id.as_str().to_lowercase().replace('_', "-");
            let (name, _) = person.email.split_once('@').expect("an address");
            Person {
                user_id: keep(UserId::new(clock, self.operator.rng.as_ref()).as_str()),
                email: keep(&format!("{name}@{domain}.example")),
                ..person
            }
        };
        let demo = DemoOrganization {
            id: keep(id.as_str()),
            owner: own(model.owner),
            admin: own(model.admin),
            viewer: own(model.viewer),
            ..*model
        };
        self.write(&demo, id).await;
        demo
    }

    async fn write(&self, demo: &DemoOrganization, id: OrgId) {
        let now = self.operator.clock.now_seconds();
        let (onboarding_status, payments_status) = if demo.ready_to_go_live {
            (OnboardingStatus::Completed, PaymentsStatus::Enabled)
        } else {
            (OnboardingStatus::InProgress, PaymentsStatus::Disabled)
        };
        let organization = Organization {
            id: id.clone(),
            name: demo.name.to_owned(),
            owner_user_id: UserId::parse(demo.owner.user_id).expect("an id"),
            onboarding_status,
            payments_status,
            current_env: Env::Test,
            country: demo.country.to_owned(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        self.operator.store.create_organization(&organization).await.expect("an organization");
        for person in demo.people() {
            let user = User {
                user_id: UserId::parse(person.user_id).expect("an id"),
                email: person.email.to_owned(),
                full_name: person.full_name.to_owned(),
                password_hash: self.password_hash(),
                org_id: id.clone(),
            };
            let address = EmailAddress::parse(person.email).expect("an address");
            self.operator.store.create_user(&address, &user, person.role).await.expect("a person");
        }
    }

    /// One hash for everybody, made once: it is the most expensive part of a person.
    fn password_hash(&self) -> String {
        static HASH: OnceLock<String> = OnceLock::new();
        let make = || {
            let password = Sensitive::new(PASSWORD.to_owned());
            self.operator.passwords.hash(&password, self.operator.rng.as_ref()).expect("a hash")
        };
        HASH.get_or_init(make).clone()
    }

    pub(crate) async fn suspend(&self, organization: &DemoOrganization, suspended: bool) {
        let now = self.operator.clock.now_seconds();
        let done = self.operator.store.set_suspended(&org_id(organization), suspended, now).await;
        done.expect("a suspension, or its end");
    }

    pub(crate) async fn onboard(&self, organization: &DemoOrganization, onboarding: &str, payments: &str) {
        let now = self.operator.clock.now_seconds();
        let (onboarding, payments) = (named(onboarding), named(payments));
        let done = self.operator.store.set_onboarding(&org_id(organization), onboarding, payments, now).await;
        done.expect("an onboarding");
    }

    pub(crate) async fn set_role(&self, organization: &DemoOrganization, person: &Person, role: &str) {
        let user = UserId::parse(person.user_id).expect("an id");
        let done = self.operator.store.set_role(&org_id(organization), &user, named::<Role>(role)).await;
        done.expect("a role");
    }
}

fn org_id(organization: &DemoOrganization) -> OrgId {
    OrgId::parse(organization.id).expect("an id")
}

/// The value that is written so in JSON.
fn named<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(json!(name)).expect("a name of this kind")
}

/// The demo organizations are constants, and so is all they hold. A story makes two of its own and ends soon after.
fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn read_mail(mail: &Value) -> Value {
    let text = mail["BodyText"].as_str().unwrap_or_default();
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let code = words.find(|word| word.len() == 6 && word.bytes().all(|letter| letter.is_ascii_digit()));
    json!({
        "to": mail["To"][0], "subject": mail["Subject"], "text": text, "code": code, "sent_at": mail["Timestamp"],
    })
}
