//! Invitations in the table. Of each there are two items: the organization's, which says everything, and the token's hash, which finds it.

use std::collections::HashMap;
use std::slice;

use serde::{Deserialize, Serialize};

use super::members::membership_writes;
use super::people::{PeopleOutcome, checks};
use super::standing::active_check;
use super::write::{Item, Write, number, text};
use super::{Finding, Member, Store, StoreError, Transacted, Writer, decode, keys};
use crate::audit::Event;
use crate::ids::OrgId;
use crate::invitations::{Invitation, MAX_ORGANIZATIONS};
use crate::organizations::Organization;
use crate::users::User;

/// Where the invitation of a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationPlace {
    /// Its organization.
    pub org_id: OrgId,
    /// The hash of its address.
    pub address_hash: String,
    /// For cleaning up. Seconds since the epoch.
    pub expires_at: i64,
}

/// What an invitation leads to, as it was read.
#[derive(Debug)]
pub struct FoundInvitation {
    /// The invitation that is pending for its address, whichever token is alive.
    pub invitation: Option<Invitation>,
    /// Its organization.
    pub organization: Option<Organization>,
    /// Who has its address.
    pub person: Option<User>,
}

/// Who accepts.
#[derive(Debug, Clone, Copy)]
pub enum Joining<'a> {
    /// Somebody with an account.
    Account(&'a User),
    /// Somebody new.
    Newcomer(&'a User),
}

impl<'a> Joining<'a> {
    /// The person.
    pub fn user(self) -> &'a User {
        match self {
            Self::Account(user) | Self::Newcomer(user) => user,
        }
    }
}

/// How accepting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// They are a member.
    Joined,
    /// The invitation, the organization or the person is not what was read: look again.
    Changed,
    /// They were a member already.
    MemberAlready,
    /// They are a member of as many organizations as one can be.
    TooMany,
}

impl Store {
    /// All invitations of an organization, expired ones too.
    pub async fn invitations(&self, org: &OrgId) -> Result<Vec<Invitation>, StoreError> {
        self.all_of(keys::organization_partition(org), keys::INVITATIONS).await
    }

    /// Writes an invitation, in the place of what was pending for its address.
    pub async fn invite(
        &self,
        by: Writer<'_>,
        invitation: &Invitation,
        event: &Event,
        now: i64,
    ) -> Result<PeopleOutcome, StoreError> {
        let Invitation { org_id, address_hash, token_hash, expires_at, .. } = invitation;
        let place = InvitationPlace {
            org_id: org_id.clone(),
            address_hash: address_hash.clone(),
            expires_at: *expires_at,
        };
        let mut writes = checks(by, now);
        writes.push(Write::put(keys::invitation(org_id, address_hash), invitation)?);
        writes
            .push(Write::put(keys::invitation_place(token_hash), &place)?.when("attribute_not_exists(#pk)"));
        self.change_people(writes, event).await
    }

    /// Takes an invitation back: no token of it is worth anything any more.
    pub async fn withdraw(
        &self,
        by: Writer<'_>,
        invitation: &Invitation,
        event: &Event,
        now: i64,
    ) -> Result<PeopleOutcome, StoreError> {
        let mut writes = checks(by, now);
        writes.extend(used_up(invitation));
        self.change_people(writes, event).await
    }

    /// Where the invitation of a token is, by the token's hash, if there is one.
    pub async fn invitation_place(&self, token_hash: &str) -> Result<Option<InvitationPlace>, StoreError> {
        self.get(keys::invitation_place(token_hash)).await
    }

    /// What is there: one read.
    pub async fn invitation_at(&self, place: &InvitationPlace) -> Result<FoundInvitation, StoreError> {
        let InvitationPlace { org_id, address_hash, .. } = place;
        let [invitation, organization, person] =
            [keys::invitation(org_id, address_hash), keys::organization(org_id), keys::user(address_hash)];
        let mut found = self.get_several(&[invitation.clone(), organization.clone(), person.clone()]).await?;
        Ok(FoundInvitation {
            invitation: take(&mut found, &invitation)?,
            organization: take(&mut found, &organization)?,
            person: take(&mut found, &person)?,
        })
    }

    /// Uses an invitation up and makes its person a member, the person as well where they are new: one transaction.
    pub async fn accept(
        &self,
        invitation: &Invitation,
        who: Joining<'_>,
        member: &Member,
        event: &Event,
        now: i64,
    ) -> Result<AcceptOutcome, StoreError> {
        let Invitation { org_id, address_hash, .. } = invitation;
        let person = match who {
            Joining::Newcomer(user) => {
                Write::put(keys::user(address_hash), user)?.when("attribute_not_exists(#pk)")
            }
            Joining::Account(user) => Write::update(
                keys::user(address_hash),
                "SET #memberships = if_not_exists(#memberships, :one) + :one",
            )
            .when("#user_id = :user AND (attribute_not_exists(#memberships) OR #memberships < :max)")
            .bind(":user", text(user.user_id.as_str()))
            .bind(":one", number(1))
            .bind(":max", number(MAX_ORGANIZATIONS)),
        };
        let [pending, place] = used_up(invitation);
        let pending = pending.and_when("#expires_at > :now").bind(":now", number(now));
        let mut writes = vec![person];
        writes.extend(membership_writes(org_id, member)?);
        writes.extend([pending, place, active_check(org_id)]);
        let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
        else {
            return Ok(AcceptOutcome::Joined);
        };
        refused(findings, who.user())
    }
}

fn take<T: serde::de::DeserializeOwned>(
    found: &mut HashMap<keys::Key, Item>,
    key: &keys::Key,
) -> Result<Option<T>, StoreError> {
    found.remove(key).map(decode).transpose()
}

/// Both items of an invitation go, if its token is still the one that is alive.
fn used_up(invitation: &Invitation) -> [Write; 2] {
    let Invitation { org_id, address_hash, token_hash, .. } = invitation;
    [
        Write::delete(keys::invitation(org_id, address_hash))
            .when("#token_hash = :token_hash")
            .bind(":token_hash", text(token_hash)),
        Write::delete(keys::invitation_place(token_hash)).when("attribute_exists(#pk)"),
    ]
}

/// Why nobody joined.
fn refused(findings: Vec<Finding>, who: &User) -> Result<AcceptOutcome, StoreError> {
    let mut findings = findings.into_iter();
    let mut next = || findings.next().unwrap_or(Finding { failed: false, busy: false, old: None });
    let (person, member, _mirror) = (next(), next(), next());
    let others = findings.any(|finding| finding.failed || finding.busy);
    if others || person.busy || member.busy {
        return Ok(AcceptOutcome::Changed);
    }
    if member.failed {
        return Ok(AcceptOutcome::MemberAlready);
    }
    let person = person.old.map(decode::<User>).transpose()?;
    // Their item is theirs, so it was the count.
    match person.is_some_and(|it| it.user_id == who.user_id) {
        true => Ok(AcceptOutcome::TooMany),
        false => Ok(AcceptOutcome::Changed),
    }
}
