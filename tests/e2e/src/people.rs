//! The steps of stories about who belongs to an organization.

use devstack::seed::{DemoOrganization, Person};
use reqwest::Method;
use serde_json::{Value, json};
use shared::users::Role;

use crate::{Answer, Session, Stage, text};

/// What somebody new chooses.
const NEWCOMERS: &str = "lamps over a quiet harbour";

impl Stage {
    /// Somebody who has no account, with an address of their own.
    pub fn stranger(&self, name: &str) -> Person {
        let email = self.new_address(name);
        Person { user_id: "", email, full_name: "Dana Newcomer", role: Role::Viewer }
    }

    /// Everybody in an organization.
    pub async fn members(&self, by: &Session, organization: &DemoOrganization) -> Answer {
        self.get(&format!("/organizations/{}/members", organization.id)).bearer(&by.access_token).await
    }

    /// The role of each member's address.
    pub async fn roles(&self, by: &Session, organization: &DemoOrganization) -> Vec<(String, String)> {
        let data = self.members(by, organization).await.data(200);
        let members = data["members"].as_array().expect("a list of members");
        members.iter().map(|it| (text(&it["email"]), text(&it["role"]))).collect()
    }

    /// Gives a member another role.
    pub async fn change_role(
        &self,
        by: &Session,
        organization: &DemoOrganization,
        user_id: &str,
        role: &str,
    ) -> Answer {
        let route = format!("/organizations/{}/members/{user_id}", organization.id);
        self.call(Method::PATCH, &route).bearer(&by.access_token).json(&json!({ "role": role })).await
    }

    /// Takes a member out.
    pub async fn remove(&self, by: &Session, organization: &DemoOrganization, user_id: &str) -> Answer {
        let route = format!("/organizations/{}/members/{user_id}", organization.id);
        self.call(Method::DELETE, &route).bearer(&by.access_token).await
    }

    /// Hands an organization over.
    pub async fn hand_over(
        &self,
        by: &Session,
        organization: &DemoOrganization,
        user_id: &str,
        password: &str,
    ) -> Answer {
        let body = json!({ "user_id": user_id, "password": password });
        let route = format!("/organizations/{}/owner", organization.id);
        self.post(&route).bearer(&by.access_token).json(&body).await
    }

    /// Invites an address.
    pub async fn invite(
        &self,
        by: &Session,
        organization: &DemoOrganization,
        email: &str,
        role: &str,
    ) -> Answer {
        let route = format!("/organizations/{}/invitations", organization.id);
        self.post(&route).bearer(&by.access_token).json(&json!({ "email": email, "role": role })).await
    }

    /// The invitations that wait.
    pub async fn invitations(&self, by: &Session, organization: &DemoOrganization) -> Answer {
        let route = format!("/organizations/{}/invitations", organization.id);
        self.get(&route).bearer(&by.access_token).await
    }

    /// Takes an invitation back.
    pub async fn withdraw(&self, by: &Session, organization: &DemoOrganization, id: &str) -> Answer {
        let route = format!("/organizations/{}/invitations/{id}", organization.id);
        self.call(Method::DELETE, &route).bearer(&by.access_token).await
    }

    /// The token of the newest invitation in somebody's mailbox.
    pub async fn invitation_token(&self, person: &Person) -> String {
        let mails = self.mails(person).await;
        let said = text(&mails.first().expect("a mail")["text"]);
        said.split_whitespace().find(|word| word.starts_with("it_")).expect("a token").to_owned()
    }

    /// Accepts, with an account.
    pub async fn accept(&self, token: &str) -> Answer {
        self.post("/auth/invitations/accept").json(&json!({ "token": token })).await
    }

    /// Accepts, as somebody new.
    pub async fn accept_as(&self, token: &str, person: &Person) -> Answer {
        let body = json!({ "token": token, "full_name": person.full_name, "password": NEWCOMERS });
        self.post("/auth/invitations/accept").json(&body).await
    }

    /// Both steps, by somebody who came that way.
    pub async fn login_as_newcomer(&self, person: &Person) -> Session {
        let data = self.guess_password(person.email, NEWCOMERS).await.data(200);
        let (id, code) = (text(&data["challenge_id"]), self.newest_code(person).await);
        Session::from_data(&self.verify(&id, &code).await.data(200))
    }

    /// Somebody with an account joins an organization.
    pub async fn joins(
        &self,
        by: &Session,
        organization: &DemoOrganization,
        person: &Person,
        role: &str,
    ) -> Value {
        self.invite(by, organization, person.email, role).await.data(201);
        self.accept(&self.invitation_token(person).await).await.data(200)
    }

    /// The second step, for one of somebody's organizations.
    pub async fn verify_for(&self, challenge_id: &str, code: &str, org_id: &str) -> Answer {
        let body = json!({ "challenge_id": challenge_id, "code": code, "org_id": org_id });
        self.post("/auth/login/2fa/verify").json(&body).await
    }

    /// Both steps, for one of somebody's organizations.
    pub async fn login_to(&self, person: &Person, organization: &DemoOrganization) -> Session {
        let challenge = self.start_login(person).await;
        let answer = self.verify_for(&challenge.id, &challenge.code, organization.id).await;
        Session::from_data(&answer.data(200))
    }

    /// What somebody is a member of: id, role, and whether it is the session's own.
    pub async fn organizations(&self, by: &Session) -> Vec<(String, String, bool)> {
        let data = self.get("/organizations").bearer(&by.access_token).await.data(200);
        let all = data["organizations"].as_array().expect("a list of organizations");
        all.iter().map(|it| (text(&it["id"]), text(&it["role"]), it["is_current"] == true)).collect()
    }
}
