//! What an organization's people cost.

use devstack::seed;
use serde_json::{Value, json};

use super::Walk;
use crate::ScaleError;
use crate::load::{Loaded, text};

impl Walk<'_> {
    /// Invites, accepts, changes, hands over and removes.
    pub(super) async fn people(&mut self, somebody: &Loaded, access: &str) -> Result<(), ScaleError> {
        let both = ["authorizer", "members"];
        let organization = format!("/api/v1/organizations/{}", somebody.org);
        let named = "/api/v1/organizations/{id}";
        let waiting = format!("POST {organization}/invitations");
        let invite = |name: &str| json!({"email": format!("{name}-{}", somebody.email), "role": "viewer"});
        let invited =
            self.call(&waiting, &format!("POST {named}/invitations"), &both, access, invite("a")).await?;
        let list = format!("GET {organization}/invitations");
        self.call(&list, &format!("GET {named}/invitations"), &both, access, Value::Null).await?;
        let withdraw = format!("DELETE {organization}/invitations/{}", text(&invited["invitation_id"])?);
        let as_named = format!("DELETE {named}/invitations/{{invitation_id}}");
        self.call(&withdraw, &as_named, &both, access, Value::Null).await?;

        self.table.call(&waiting, access, &invite("b")).await?;
        let body = json!({"token": self.token(&format!("b-{}", somebody.email))?, "full_name": "B", "password": "lamps over a quiet harbour"});
        let accept = "POST /api/v1/auth/invitations/accept";
        let joined = self.call(accept, accept, &["invitations"], "", body).await?;
        let user = text(&joined["user"]["id"])?;
        let list = format!("GET {organization}/members");
        self.call(&list, &format!("GET {named}/members"), &both, access, Value::Null).await?;
        let all = "GET /api/v1/organizations";
        self.call(all, all, &["authorizer", "organizations"], access, Value::Null).await?;
        let member = format!("{organization}/members/{user}");
        let as_named = format!("{named}/members/{{user_id}}");
        let role = json!({"role": "developer"});
        self.call(&format!("PATCH {member}"), &format!("PATCH {as_named}"), &both, access, role).await?;
        let leave = format!("DELETE {member}");
        self.call(&leave, &format!("DELETE {as_named}"), &both, access, Value::Null).await?;

        self.table.call(&waiting, access, &invite("c")).await?;
        let body = json!({"token": self.token(&format!("c-{}", somebody.email))?, "full_name": "C", "password": "lamps over a quiet harbour"});
        let joined = self.table.call(accept, "", &body).await?.data;
        let body = json!({"user_id": joined["user"]["id"], "password": seed::PASSWORD});
        let owner = format!("POST {organization}/owner");
        self.call(&owner, &format!("POST {named}/owner"), &both, access, body).await?;
        Ok(())
    }

    /// The token of the newest invitation to an address.
    fn token(&self, email: &str) -> Result<String, ScaleError> {
        let mails = self.table.devstack.mailbox.newest_first(Some(email));
        let token =
            mails.first().and_then(|mail| mail.text.split_whitespace().find(|word| word.starts_with("it_")));
        token.map(str::to_owned).ok_or_else(|| ScaleError::new(&"no invitation came"))
    }
}
