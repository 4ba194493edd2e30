//! The part of `shapes` that an organization's people write.

use defences::{Place, Session};
use devstack::seed::{ACORN, BIRCH};
use reqwest::Method;
use serde_json::json;

/// An invitation is accepted by somebody with an account, another one waits.
pub async fn life(place: &Place, owner: &Session) {
    let invitations = format!("/api/v1/organizations/{}/invitations", BIRCH.id);
    for email in [ACORN.admin.email, "waits@people.example"] {
        let request = place.request(Method::POST, &invitations).bearer_auth(&owner.access_token);
        let (status, body) = place.send(request.json(&json!({"email": email, "role": "viewer"}))).await;
        assert_eq!(status, 201, "{body}");
    }
    let mails = place.devstack.mailbox.newest_first(Some(ACORN.admin.email));
    let token = mails[0].text.split_whitespace().find(|word| word.starts_with("it_")).unwrap();
    let (status, body) = place.post("invitations/accept", json!({ "token": token })).await;
    assert_eq!(status, 200, "{body}");
}
