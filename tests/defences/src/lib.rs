//! A devstack in memory, and somebody who is logged in to it.

pub mod account;
pub mod environment;
pub mod faults;
pub mod flight;

use std::sync::Arc;

use devstack::seed::{self, Person};
use devstack::{Devstack, Options};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use shared::app::App;
use shared::flows::Origin;
use shared::principals::{Principal, UserPrincipal};

/// A status and a body.
pub type Answer = (u16, Value);

/// A devstack and a client of it.
pub struct Place {
    /// The devstack.
    pub devstack: Arc<Devstack>,
    client: Client,
}

/// Both tokens of a login.
#[derive(Debug, Clone)]
pub struct Session {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

impl Place {
    /// A new one: in memory, or with a table of its own in the engine at `DYNAMODB_ENDPOINT`.
    #[expect(clippy::unwrap_used, reason = "tests only: a devstack that does not start fails the test")]
    #[expect(clippy::disallowed_methods, reason = "a test is told where to run by its environment")]
    pub async fn new() -> Self {
        let dynamodb = std::env::var("DYNAMODB_ENDPOINT").ok().filter(|url| !url.is_empty());
        let options = Options { dynamodb, ..Options::default() };
        let devstack = Arc::new(Devstack::start(options).await.unwrap());
        Self { devstack, client: Client::new() }
    }

    /// The same without the table's stream, for tests of many thousand writes that read no event: at each write the embedded engine
    /// goes through all records its stream ever had.
    #[expect(clippy::unwrap_used, reason = "tests only: an engine that does not answer fails the test")]
    pub async fn without_stream() -> Self {
        let place = Self::new().await;
        let dynamodb = &place.devstack.dynamodb;
        let off = json!({"TableName": dynamodb.table, "StreamSpecification": {"StreamEnabled": false}});
        dynamodb.ask("DynamoDB_20120810.UpdateTable", &off).await.unwrap();
        place
    }

    /// The functions' app.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.devstack.app)
    }

    /// A request to a path of the API.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.devstack.base_url))
    }

    /// Sends a request; its status, and its body as JSON.
    #[expect(clippy::unwrap_used, reason = "tests only: a devstack that does not answer fails the test")]
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// Posts JSON to a path under `/api/v1/auth/`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, &format!("/api/v1/auth/{path}")).json(&body)).await
    }

    /// The first step of a login: the challenge's id and the code that was mailed.
    #[expect(clippy::unwrap_used, reason = "tests only: a login that gives no code fails the test")]
    pub async fn challenge(&self, person: &Person) -> (String, String) {
        let (status, body) =
            self.post("login", json!({"email": person.email, "password": seed::PASSWORD})).await;
        assert_eq!(status, 200, "{body}");
        (
            body["data"]["challenge_id"].as_str().unwrap().to_owned(),
            self.devstack.mailbox.code(person.email).unwrap(),
        )
    }

    /// A whole login.
    pub async fn login(&self, person: &Person) -> Session {
        let (challenge_id, code) = self.challenge(person).await;
        let (status, body) =
            self.post("login/2fa/verify", json!({"challenge_id": challenge_id, "code": code})).await;
        assert_eq!(status, 200, "{body}");
        session(&body)
    }

    /// Who a session is to the flows.
    #[expect(clippy::panic, reason = "tests only: a session that is nobody's fails the test")]
    pub async fn principal(&self, session: &Session) -> UserPrincipal {
        match shared::authz::authenticate(&self.devstack.app, &session.access_token).await {
            Ok(Principal::User(user)) => user,
            other => panic!("{other:?}"),
        }
    }

    /// The items of the table whose `pk` begins with `prefix` and whose `sk` begins with `sort`.
    #[expect(clippy::unwrap_used, reason = "tests only: a table that cannot be read fails the test")]
    pub async fn items(&self, prefix: &str, sort: &str) -> Vec<Value> {
        let begins =
            |item: &Value, name: &str, with: &str| item[name].as_str().is_some_and(|it| it.starts_with(with));
        let all = self.devstack.dynamodb.dump().await.unwrap();
        all.into_iter().filter(|item| begins(item, "pk", prefix) && begins(item, "sk", sort)).collect()
    }
}

/// Both tokens of an answer.
pub fn session(body: &Value) -> Session {
    let text = |name: &str| body["data"][name].as_str().unwrap_or_default().to_owned();
    Session { access_token: text("access_token"), refresh_token: text("refresh_token") }
}

/// Where a call to a flow comes from.
pub fn origin() -> Origin {
    Origin { request_id: "test".to_owned(), network: "127.0.0.0/24".to_owned(), ..Origin::default() }
}

/// The owner of the organization that may go live.
pub fn owner() -> &'static Person {
    &seed::BIRCH.owner
}

/// The admin of the same.
pub fn admin() -> &'static Person {
    &seed::BIRCH.admin
}
