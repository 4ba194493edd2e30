//! Who belongs to which organization. Each membership is two items: the member, in the organization's partition, which decides; and a
//! pointer to it in the person's, by which their organizations are found.

use std::slice;

use serde::{Deserialize, Serialize};

use super::write::{Write, number, text};
use super::{Finding, Store, StoreError, Transacted, keys};
use crate::audit::Event;
use crate::ids::{OrgId, SessionId, UserId};
use crate::users::{Role, User};

/// A person in an organization.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    /// The person.
    pub user_id: UserId,
    /// What they are in it.
    pub role: Role,
    /// Their address as they gave it: a copy, for whoever lists the members. Empty in items of older code.
    #[serde(default)]
    pub email: String,
    /// Their name, likewise.
    #[serde(default)]
    pub full_name: String,
    /// Seconds since the epoch; 0 in items of older code.
    #[serde(default)]
    pub joined_at: i64,
    /// Sessions made up to then are over. Seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_ended_at: Option<i64>,
    /// But this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_kept: Option<SessionId>,
}

impl Member {
    /// Somebody in this role from now on.
    pub fn new(user: &User, role: Role, joined_at: i64) -> Self {
        Self {
            user_id: user.user_id.clone(),
            role,
            email: user.email.clone(),
            full_name: user.full_name.clone(),
            joined_at,
            sessions_ended_at: None,
            sessions_kept: None,
        }
    }

    /// Whether this session was ended with others since it was made. `standing::not_ended` is the same as a condition.
    pub fn ended(&self, session: &SessionId) -> bool {
        self.sessions_ended_at.is_some_and(|at| at >= session.made_at())
            && self.sessions_kept.as_ref() != Some(session)
    }
}

/// The pointer.
#[derive(Serialize, Deserialize)]
pub(super) struct Membership {
    pub org_id: OrgId,
    /// Seconds since the epoch.
    pub joined_at: i64,
}

/// A new member and the pointer to them.
pub(super) fn member_writes(
    user: &User,
    org: &OrgId,
    role: Role,
    joined_at: i64,
) -> Result<[Write; 2], StoreError> {
    membership_writes(org, &Member::new(user, role, joined_at))
}

/// The same of a member as they are to be.
pub(super) fn membership_writes(org: &OrgId, member: &Member) -> Result<[Write; 2], StoreError> {
    let pointer = Membership { org_id: org.clone(), joined_at: member.joined_at };
    Ok([
        Write::put(keys::member(org, &member.user_id), member)?.when("attribute_not_exists(#pk)"),
        Write::put(keys::membership(&member.user_id, org), &pointer)?.when("attribute_not_exists(#pk)"),
    ])
}

/// Without address and name: an accidental `{:?}` in a log gives away an id at most.
impl std::fmt::Debug for Member {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Member")
            .field("user_id", &self.user_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// How often memberships that changed meanwhile are looked at again.
const LOOKS: usize = 3;

impl Store {
    /// The organizations a person belongs to: one read. Somebody of older code belongs to the one that their item names, without a pointer.
    pub async fn organizations_of(&self, user: &UserId) -> Result<Vec<OrgId>, StoreError> {
        let pointers = self.all_of::<Membership>(keys::user_partition(user), keys::MEMBERSHIPS).await?;
        Ok(pointers.into_iter().map(|pointer| pointer.org_id).collect())
    }

    /// Ends every session that a person has in these organizations, or every one but `kept`, by one write that each session's next
    /// refresh and write looks at. Access tokens that are out live on for their 15 minutes. Says whether there can have been any since the last time.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when they are a member of none.
    pub async fn end_sessions(
        &self,
        user: &UserId,
        organizations: &[OrgId],
        kept: Option<&SessionId>,
        event: &Event,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut organizations: Vec<&OrgId> = organizations.iter().collect();
        let mut was_so = false;
        for _ in 0..LOOKS {
            if organizations.is_empty() {
                break;
            }
            let writes = organizations.iter().map(|org| ending(org, user, kept, now)).collect();
            let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
            else {
                return Ok(true);
            };
            // Ended in this very second already, or no member any more: the others remain.
            was_so |= findings.iter().any(|finding| finding.failed && finding.old.is_some());
            let failed = |finding: Option<&Finding>| finding.is_some_and(|finding| finding.failed);
            let mut nth = 0;
            organizations.retain(|_| {
                nth += 1;
                !failed(findings.get(nth - 1))
            });
        }
        match (was_so, organizations.is_empty()) {
            (true, true) => Ok(false),
            (false, true) => Err(StoreError::ConditionFailed("no such member")),
            (_, false) => Err(StoreError::Contended(None)),
        }
    }

    /// Gives a member another role; says whether they did not have it. The operator's, not the API's.
    ///
    /// # Errors
    /// [`StoreError::ConditionFailed`] when they are no member.
    pub async fn set_role(
        &self,
        org: &OrgId,
        user: &UserId,
        role: Role,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let write = Write::update(keys::member(org, user), "SET #role = :role")
            .when("attribute_exists(#pk) AND #role <> :role")
            .bind(":role", text(role.as_str()));
        self.change(write, event, "no such member").await
    }
}

/// Ends a member's sessions, if they were not ended in the same way before.
pub(super) fn ending(org: &OrgId, user: &UserId, kept: Option<&SessionId>, now: i64) -> Write {
    let older =
        "attribute_exists(#pk) AND (attribute_not_exists(#sessions_ended_at) OR #sessions_ended_at < :now OR";
    let key = keys::member(org, user);
    let write = match kept {
        None => Write::update(key, "SET #sessions_ended_at = :now REMOVE #sessions_kept")
            .when(&format!("{older} attribute_exists(#sessions_kept))")),
        Some(kept) => Write::update(key, "SET #sessions_ended_at = :now, #sessions_kept = :kept")
            .when(&format!("{older} attribute_not_exists(#sessions_kept) OR #sessions_kept <> :kept)"))
            .bind(":kept", text(kept.as_str())),
    };
    write.bind(":now", number(now))
}
