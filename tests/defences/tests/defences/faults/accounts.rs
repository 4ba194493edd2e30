//! The same matrix for signing up and for passwords.

use defences::Place;
use devstack::seed::{BIRCH, PASSWORD};
use serde_json::{Value, json};

use super::people::{Deed, Stage, all_survive};

const NEW: &str = "six parrots over Leeds";
const WAITS: &str = "waits@shop.example";

/// Somebody has signed up, and somebody has forgotten their password.
pub async fn begin(place: &Place) {
    let account = json!({"email": WAITS, "password": NEW, "full_name": "Olivia Newcomer"});
    assert_eq!(place.post("register", account).await.0, 201);
    assert_eq!(place.post("password/forgot", json!({"email": BIRCH.viewer.email})).await.0, 200);
}

pub fn deeds(stage: &Stage) -> Vec<Deed> {
    let mail = |email: &str| stage.place.devstack.mailbox.newest_first(Some(email)).remove(0);
    let code = mail(WAITS).code.unwrap();
    let text = mail(BIRCH.viewer.email).text;
    let token = text.split_whitespace().find(|word| word.starts_with("rst_")).unwrap();
    let deed = |name, function, route, body: Value, [usual, again]: [u16; 2]| Deed {
        name,
        function,
        route,
        parameters: Vec::new(),
        body,
        headers: Vec::new(),
        by: None,
        usual,
        again,
    };
    let account = json!({"email": "new@shop.example", "password": NEW, "full_name": "Olivia Newcomer"});
    let changed = json!({"current_password": PASSWORD, "new_password": NEW});
    vec![
        // The sign-up before is replaced by the one that is answered.
        deed("register", "register", ("POST", "/api/v1/auth/register"), account, [201, 201]),
        // A code works once: who was told nothing logs in, and is told that they have an account.
        deed(
            "verify email",
            "register",
            ("POST", "/api/v1/auth/verify-email"),
            json!({"email": WAITS, "otp": code}),
            [200, 401],
        ),
        deed(
            "forgot",
            "password",
            ("POST", "/api/v1/auth/password/forgot"),
            json!({"email": BIRCH.viewer.email}),
            [200, 200],
        ),
        // A token works once: who was told nothing logs in with the new password.
        deed(
            "reset",
            "password",
            ("POST", "/api/v1/auth/password/reset"),
            json!({"token": token, "password": NEW}),
            [200, 401],
        ),
        // The current password is the new one by now.
        Deed {
            by: Some(stage.owner.clone()),
            ..deed("change", "password", ("PUT", "/api/v1/auth/password"), changed, [200, 401])
        },
    ]
}

#[tokio::test]
async fn a_sign_up_survives_every_fault() {
    all_survive(&["register", "verify email"]).await;
}

#[tokio::test]
async fn a_password_survives_every_fault() {
    all_survive(&["forgot", "reset", "change"]).await;
}
