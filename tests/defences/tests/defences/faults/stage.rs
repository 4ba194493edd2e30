//! Where every flow begins: two organizations, one with a key and one without, a login half done, sessions on both sides.

use defences::environment::Environment;
use defences::{Place, Session, session};
use devstack::engines::dynamodb::Photograph;
use devstack::seed::{ACORN, BIRCH};
use serde_json::{Value, json};
use shared::principals::UserPrincipal;
use shared::tokens::key_set::KeySet;
use time::Duration;

use super::account::Accounts;
use super::flows::Flow;

/// The starting state, and what its people know.
pub struct Stage {
    pub place: Place,
    /// What the table is put back to.
    pub photograph: Photograph,
    /// The table in that state.
    pub before: Vec<Value>,
    /// The owner of the organization that has a key, logged in; their refresh token was rotated once.
    pub birch: Session,
    pub birch_owner: UserPrincipal,
    /// The refresh token that was rotated away.
    pub used_token: String,
    /// The key.
    pub key: String,
    pub key_id: String,
    /// The owner of the organization that has none, logged in.
    pub acorn_owner: UserPrincipal,
    /// The admin's login, a minute old: what it is called, and its code.
    pub challenge: (String, String),
    /// People with apps and sessions.
    pub accounts: Accounts,
}

impl Stage {
    pub async fn new() -> Self {
        let place = Box::pin(Place::new()).await;
        let first = place.login(&BIRCH.owner).await;
        let (status, body) = place.post("refresh", json!({"refresh_token": first.refresh_token})).await;
        assert_eq!(status, 200, "{body}");
        let birch = session(&body);
        let request =
            place.request(reqwest::Method::POST, "/api/v1/auth/api-keys").bearer_auth(&birch.access_token);
        let (status, body) = place.send(request.json(&json!({"key_name": "k"}))).await;
        assert_eq!(status, 201, "{body}");
        let text = |name: &str| body["data"][name].as_str().unwrap().to_owned();
        let (key, key_id) = (text("key"), text("api_key_id"));
        let acorn = place.login(&ACORN.owner).await;
        // Guesses that a counter must not lose.
        for person in [&ACORN.admin, &BIRCH.admin] {
            place.post("login", json!({"email": person.email, "password": "not the password"})).await;
        }
        let challenge = place.challenge(&BIRCH.admin).await;
        let beginner = place.login(&ACORN.viewer).await;
        let accounts = Accounts::new(&place, &beginner).await;
        place.devstack.clock.advance(Duration::seconds(61));
        Self {
            photograph: place.devstack.dynamodb.photograph().await.unwrap(),
            before: place.items("", "").await,
            birch_owner: place.principal(&birch).await,
            acorn_owner: place.principal(&acorn).await,
            used_token: first.refresh_token,
            birch,
            key,
            key_id,
            challenge,
            accounts,
            place,
        }
    }

    /// Puts the table back, and gives an environment that has served no call.
    pub async fn begin(&self, flow: Flow) -> Environment {
        self.place.devstack.dynamodb.restore(&self.photograph).await.unwrap();
        if flow == Flow::NameIssuer {
            let app = self.place.app();
            let KeySet { keys, .. } = app.store.key_set().await.unwrap().unwrap();
            let unnamed = KeySet { issuer: String::new(), keys };
            app.store.put_key_set(&unnamed, &devstack::event(&app, "")).await.unwrap();
        }
        self.place.environment()
    }

    pub async fn table(&self) -> Vec<Value> {
        self.place.items("", "").await
    }
}
