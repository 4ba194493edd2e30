//! Where a story takes place.

use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::Arc;

use devstack::Devstack;
use devstack::seed::{ACORN, BIRCH, DemoOrganization, ORGANIZATIONS};
use reqwest::{Client, Method};
use shared::clock::SystemClock;
use shared::ids::OrgId;
use shared::rng::SystemRng;

use crate::deployed::Deployed;
use crate::{Call, text};

/// What every route but the public documents begins with.
const BASE_PATH: &str = "/api/v1";

/// A running system with two organizations that nobody has used yet.
pub struct Stage {
    /// In test mode, and has not finished onboarding.
    pub acorn: DemoOrganization,
    /// In test mode, onboarded and with payments enabled: may go live.
    pub birch: DemoOrganization,
    /// What a deployed stage has in the place of a devstack's console.
    pub(crate) deployed: Option<Arc<Deployed>>,
    base_url: String,
    http: Client,
    /// The devstack, where it is our own.
    _own: Option<Devstack>,
    /// Held while we use one that others may use, too.
    _turn: Option<File>,
}

impl Stage {
    /// A devstack of this story's own; or the one at `E2E_BASE_URL`, alone and with nothing left of stories before; or the
    /// deployed stage there, with organizations of this story's own.
    pub async fn open() -> Self {
        let Some(base_url) = variable("E2E_BASE_URL") else {
            let devstack = Devstack::start(devstack::Options::default()).await.expect("a devstack");
            let stage = Self::at(&devstack.base_url, [ACORN, BIRCH]);
            return Self { _own: Some(devstack), ..stage };
        };
        if let Some(mailbox) = variable("E2E_MAILBOX") {
            let operator =
                variable("E2E_OPERATOR").expect("E2E_OPERATOR, where the operator's function is invoked");
            let deployed = Deployed::new(mailbox, operator);
            let own = [deployed.create_like(&ACORN).await, deployed.create_like(&BIRCH).await];
            return Self { deployed: Some(Arc::new(deployed)), ..Self::at(&base_url, own) };
        }
        let stage = Self { _turn: Some(turn()), ..Self::at(&base_url, [ACORN, BIRCH]) };
        stage.tidy_up().await;
        stage
    }

    fn at(base_url: &str, [acorn, birch]: [DemoOrganization; 2]) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { acorn, birch, deployed: None, base_url, http: Client::new(), _own: None, _turn: None }
    }

    /// An address that nobody has, wherever this story is told and however often.
    pub fn new_address(&self, name: &str) -> &'static str {
        keep(&format!("{name}@{}", new_domain()))
    }

    /// A request to a route under the base path: `GET /organizations/me`.
    pub fn call(&self, method: Method, route: &str) -> Call {
        self.outside(method, &format!("{BASE_PATH}{route}"))
    }

    /// `GET` of a route under the base path.
    pub fn get(&self, route: &str) -> Call {
        self.call(Method::GET, route)
    }

    /// `POST` to a route under the base path.
    pub fn post(&self, route: &str) -> Call {
        self.call(Method::POST, route)
    }

    /// A request to a whole path, with no base path in front.
    pub fn outside(&self, method: Method, path: &str) -> Call {
        let what = format!("{method} {path}");
        Call::new(self.http.request(method, format!("{}{path}", self.base_url)), what)
    }

    /// The same stage for somebody in another network (a /24), or `None` where one machine cannot be in two: sources other
    /// than `127.0.0.1` are our own only on the loopback interface of Linux.
    pub fn from_network(&self, nth: u8) -> Option<Self> {
        if !cfg!(target_os = "linux") || !self.base_url.starts_with("http://127.0.0.1") {
            return None;
        }
        assert!(
            self.deployed.is_none(),
            "a deployed stage sees us in one network: name this story in tests/rehearsal/skipped"
        );
        let source = Ipv4Addr::new(127, 1, nth, 1);
        let http = Client::builder().local_address(Some(source.into())).build().expect("a client");
        Some(Self { http, ..Self::at(&self.base_url, [self.acorn, self.birch]) })
    }

    /// Brings a devstack that others have used back to how one begins.
    async fn tidy_up(&self) {
        for organization in &ORGANIZATIONS {
            self.suspend(organization, false).await;
            let (onboarding, payments) = if organization.ready_to_go_live {
                ("COMPLETED", "ENABLED")
            } else {
                ("IN_PROGRESS", "DISABLED")
            };
            self.onboard(organization, onboarding, payments).await;
            for person in organization.people() {
                self.set_role(organization, &person, person.role.as_str()).await;
            }
        }
        // Locks last an hour at most, idempotency keys a day.
        self.advance(25 * 3600).await;
        for organization in &ORGANIZATIONS {
            let owner = self.login(&organization.owner).await;
            for key in self.keys(&owner).await.iter().filter(|key| key["status"] == "active") {
                self.revoke(&owner, &text(&key["api_key_id"])).await.data(200);
            }
            self.switch(&owner, organization, "test").await.data(200);
            let webhook = format!("/organizations/{}/webhook", organization.id);
            self.call(Method::DELETE, &webhook).bearer(&owner.access_token).await.empty();
        }
        // Whoever made a key in the story before is not limited in this one.
        self.advance(2 * 60).await;
    }
}

/// A domain that nobody has an address at.
pub(crate) fn new_domain() -> String {
    // Lower case, as we store addresses.
    let unique = OrgId::new(&SystemClock, &SystemRng).as_str().to_lowercase().replace('_', "-");
    format!("{unique}.example")
}

/// The demo organizations are constants, and so is all they hold. A story makes a few texts of its own and ends soon after.
pub(crate) fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// A variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "a test is told where to run by its environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Waits until no other story is being told: of this process or, under nextest, of another.
fn turn() -> File {
    let folder = devstack::repository().join("target");
    std::fs::create_dir_all(&folder).expect("target/");
    let file = File::create(folder.join("e2e.lock")).expect("target/e2e.lock");
    file.lock().expect("a turn");
    file
}
