//! What an organization's people cost the table; see `budget`.

use defences::{Place, Session, admin, owner};
use devstack::seed::{ACORN, BIRCH, PASSWORD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::budget::{EVENT, cost, costs};

fn call(place: &Place, by: &Session, method: Method, path: &str) -> RequestBuilder {
    place.request(method, &format!("/api/v1/organizations{path}")).bearer_auth(&by.access_token)
}

fn in_birch(place: &Place, by: &Session, method: Method, path: &str) -> RequestBuilder {
    call(place, by, method, &format!("/{}{path}", BIRCH.id))
}

/// The token of the newest invitation to an address.
fn token(place: &Place, email: &str) -> String {
    let mails = place.devstack.mailbox.newest_first(Some(email));
    mails[0].text.split_whitespace().find(|word| word.starts_with("it_")).unwrap().to_owned()
}

#[tokio::test]
async fn looking_at_people_costs_a_query_and_the_organization() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    cost(&place);
    assert_eq!(place.send(in_birch(&place, &session, Method::GET, "/members")).await.0, 200);
    assert_eq!(cost(&place), costs(2, 0, 2));
    assert_eq!(place.send(in_birch(&place, &session, Method::GET, "/invitations")).await.0, 200);
    assert_eq!(cost(&place), costs(2, 0, 3 + 1));
    assert_eq!(place.send(call(&place, &session, Method::GET, "")).await.0, 200);
    assert_eq!(cost(&place), costs(2, 0, 1 + 2));
}

#[tokio::test]
async fn changing_people_costs_one_read_and_one_transaction_each() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let path = format!("/members/{}", BIRCH.viewer.user_id);
    let change = |role| in_birch(&place, &session, Method::PATCH, &path).json(&json!({ "role": role }));
    cost(&place);
    assert_eq!(place.send(change("developer")).await.0, 200);
    // Organization, session, both members.
    assert_eq!(cost(&place), costs(1, 1, 4 + 4 + EVENT));
    assert_eq!(place.send(change("developer")).await.0, 200);
    assert_eq!(cost(&place), costs(1, 0, 4), "what changes nothing writes nothing");
    assert_eq!(place.send(in_birch(&place, &session, Method::DELETE, &path)).await.0, 204);
    // The pointer, and the count in the person's item, besides.
    assert_eq!(cost(&place), costs(1, 1, 4 + 6 + EVENT));

    let leaving = place.login(admin()).await;
    let path = format!("/members/{}", BIRCH.admin.user_id);
    cost(&place);
    assert_eq!(place.send(in_birch(&place, &leaving, Method::DELETE, &path)).await.0, 204);
    assert_eq!(cost(&place), costs(1, 1, 3 + 5 + EVENT));
}

#[tokio::test]
async fn handing_over_costs_the_guess_at_a_password_besides() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let over = |password: &str| {
        let body = json!({ "user_id": BIRCH.admin.user_id, "password": password });
        in_birch(&place, &session, Method::POST, "/owner").json(&body)
    };
    cost(&place);
    assert_eq!(place.send(over("not the password")).await.0, 401);
    assert_eq!(cost(&place), costs(2, 1, 4 + 1 + 2));
    assert_eq!(place.send(over(PASSWORD)).await.0, 200);
    assert_eq!(cost(&place), costs(2, 2, 4 + 1 + 2 + 5 + EVENT));
}

#[tokio::test]
async fn inviting_costs_the_same_whoever_has_an_account() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    for email in [ACORN.viewer.email, "nobody@nowhere.example"] {
        let body = json!({ "email": email, "role": "viewer" });
        cost(&place);
        let invite = in_birch(&place, &session, Method::POST, "/invitations").json(&body);
        let (status, invited) = place.send(invite).await;
        assert_eq!(status, 201, "{invited}");
        // Standing, members and invitations; both guards; organization, session, member and both items of the invitation.
        assert_eq!(cost(&place), costs(3, 2, 3 + 1 + 1 + 2 + 5 + EVENT));
        let id = invited["data"]["invitation_id"].as_str().unwrap().to_owned();
        let withdraw = in_birch(&place, &session, Method::DELETE, &format!("/invitations/{id}"));
        assert_eq!(place.send(withdraw).await.0, 204);
        assert_eq!(cost(&place), costs(2, 1, 3 + 1 + 5 + EVENT));
    }
}

#[tokio::test]
async fn accepting_costs_two_reads_and_one_transaction() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let accept = |body: Value| place.post("invitations/accept", body);
    for (email, newcomer) in [(ACORN.viewer.email, false), ("nobody@nowhere.example", true)] {
        let body = json!({ "email": email, "role": "viewer" });
        let invite = in_birch(&place, &session, Method::POST, "/invitations").json(&body);
        assert_eq!(place.send(invite).await.0, 201);
        let mut body = json!({ "token": token(&place, email) });
        if newcomer {
            (body["full_name"], body["password"]) = (json!("Nadia New"), json!("lamps over a quiet harbour"));
        }
        cost(&place);
        assert_eq!(accept(body.clone()).await.0, 200);
        assert_eq!(cost(&place), costs(2, 1, 1 + 3 + 6 + EVENT));
        assert_eq!(accept(body).await.0, 401);
        assert_eq!(cost(&place), costs(1, 0, 1));
    }
    assert_eq!(accept(json!({ "token": "it_made-up" })).await.0, 401);
    assert_eq!(cost(&place), costs(0, 0, 0), "a token that is none costs nothing");
}

#[tokio::test]
async fn another_organization_costs_the_second_step_one_read() {
    let place = Place::new().await;
    let session = place.login(owner()).await;
    let body = json!({ "email": ACORN.viewer.email, "role": "viewer" });
    let invite = in_birch(&place, &session, Method::POST, "/invitations").json(&body);
    assert_eq!(place.send(invite).await.0, 201);
    let body = json!({ "token": token(&place, ACORN.viewer.email) });
    assert_eq!(place.post("invitations/accept", body).await.0, 200);
    let (challenge_id, code) = place.challenge(&ACORN.viewer).await;
    let verify = |org: &str| json!({ "challenge_id": challenge_id, "code": code, "org_id": org });
    cost(&place);
    let nobodys = "org_01J0NNBDY00000000000000000";
    assert_eq!(place.post("login/2fa/verify", verify(nobodys)).await.0, 403);
    assert_eq!(cost(&place), costs(2, 1, 1 + 2 + 2));
    assert_eq!(place.post("login/2fa/verify", verify(BIRCH.id)).await.0, 200);
    assert_eq!(cost(&place), costs(2, 2, 1 + 2 + 2 + 9 + EVENT));
}
