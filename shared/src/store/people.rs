//! What an organization's people do with its people: who is in it, what becomes of their role, and how they leave. `members.rs` has the items.

use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;

use super::members::{Member, Membership};
use super::standing::{Who, active_check, not_ended};
use super::write::{Write, number, text};
use super::{Standing, Store, StoreError, Transacted, Writer, decode, keys};
use crate::addresses::EmailAddress;
use crate::audit::Event;
use crate::ids::{OrgId, UserId};
use crate::organizations::Organization;
use crate::principals::UserPrincipal;
use crate::users::{Role, User};

/// How a change of an organization's people ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleOutcome {
    /// It is made.
    Changed,
    /// Who makes it, whom it is about, or the organization changed since they were read: look again.
    StandingChanged,
}

/// The transaction fails unless the organization is active, the session lives and the role may.
pub(super) fn checks(by: Writer<'_>, now: i64) -> Vec<Write> {
    let mut checks = vec![active_check(by.org)];
    checks.extend(by.checks(now));
    checks
}

/// The same, and a write of the item of `whose` membership. Where that is the writer's own, it takes the check's place: a transaction names an
/// item once, and the write has the role it was seen with as its condition.
fn checks_and(by: Writer<'_>, whose: &UserId, write: Write, now: i64) -> Vec<Write> {
    let [session, member] = by.checks(now);
    let mut writes = vec![active_check(by.org), session];
    match whose == by.user {
        true => writes.push(not_ended(write, by.session)),
        false => writes.extend([member, write]),
    }
    writes
}

impl Store {
    /// Everybody in an organization: one query.
    pub async fn members(&self, org: &OrgId) -> Result<Vec<Member>, StoreError> {
        self.all_of(keys::organization_partition(org), keys::MEMBERS).await
    }

    /// How the person who asks stands, and somebody's membership of the same organization: one read.
    pub async fn standing_and_member(
        &self,
        by: &UserPrincipal,
        whose: Option<&UserId>,
    ) -> Result<(Standing, Option<Member>), StoreError> {
        let who = Who { org: &by.org_id, user: &by.user_id, session: &by.session_id };
        let mut wanted = who.keys().to_vec();
        let member = whose.map(|user| keys::member(&by.org_id, user));
        wanted.extend(member.iter().filter(|_| whose != Some(&by.user_id)).cloned());
        let mut found = self.get_several(&wanted).await?;
        let member = member.and_then(|member| found.get(&member).cloned()).map(decode).transpose()?;
        Ok((who.standing(&mut found)?, member))
    }

    /// What a person is a member of, and as what: a query, and one read of what it names.
    pub async fn memberships_of(&self, user: &UserId) -> Result<Vec<(Organization, Member)>, StoreError> {
        let pointers: Vec<Membership> = self.all_of(keys::user_partition(user), keys::MEMBERSHIPS).await?;
        let both = |it: &Membership| [keys::organization(&it.org_id), keys::member(&it.org_id, user)];
        let wanted: Vec<_> = pointers.iter().flat_map(both).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.get_several(&wanted).await?;
        // What was left since the query is not in it.
        let pairs = pointers.iter().filter_map(|it| {
            let [organization, member] = both(it);
            Some((found.remove(&organization)?, found.remove(&member)?))
        });
        pairs.map(|(organization, member)| Ok((decode(organization)?, decode(member)?))).collect()
    }

    /// Gives a member another role than the one they were seen with.
    pub async fn change_role(
        &self,
        by: Writer<'_>,
        member: &Member,
        to: Role,
        event: &Event,
        now: i64,
    ) -> Result<PeopleOutcome, StoreError> {
        let change = role_write(by.org, &member.user_id, [member.role, to]);
        self.change_people(checks_and(by, &member.user_id, change, now), event).await
    }

    /// Takes a member out of an organization, with the pointer to them. Their sessions for it can do nothing any more; what they made stays.
    pub async fn remove_member(
        &self,
        by: Writer<'_>,
        member: &Member,
        event: &Event,
        now: i64,
    ) -> Result<PeopleOutcome, StoreError> {
        let remove = Write::delete(keys::member(by.org, &member.user_id))
            .when("#role = :seen")
            .bind(":seen", text(member.role.as_str()));
        let mut writes = checks_and(by, &member.user_id, remove, now);
        writes.push(Write::delete(keys::membership(&member.user_id, by.org)));
        writes.extend(one_membership_less(member));
        self.change_people(writes, event).await
    }

    /// Makes `to` the owner and the owner an admin, in the organization and in both their memberships, if the owner's credentials are
    /// still those that were looked at.
    pub async fn hand_over(
        &self,
        by: Writer<'_>,
        proven: &User,
        to: &Member,
        event: &Event,
        now: i64,
    ) -> Result<PeopleOutcome, StoreError> {
        let organization =
            Write::update(keys::organization(by.org), "SET #owner_user_id = :to, #updated_at = :now")
                .when("#is_active = :yes AND #owner_user_id = :owner")
                .bind(":yes", AttributeValue::Bool(true))
                .bind(":owner", text(by.user.as_str()))
                .bind(":to", text(to.user_id.as_str()))
                .bind(":now", number(now));
        let [session, _] = by.checks(now);
        let given = not_ended(role_write(by.org, by.user, [Role::Owner, Role::Admin]), by.session);
        let taken = role_write(by.org, &to.user_id, [to.role, Role::Owner]);
        self.change_people(vec![organization, session, given, taken, unchanged(proven)], event).await
    }

    pub(super) async fn change_people(
        &self,
        writes: Vec<Write>,
        event: &Event,
    ) -> Result<PeopleOutcome, StoreError> {
        match self.transact_with(writes, slice::from_ref(event)).await? {
            Transacted::Committed => Ok(PeopleOutcome::Changed),
            Transacted::Cancelled(_) => Ok(PeopleOutcome::StandingChanged),
        }
    }
}

fn role_write(org: &OrgId, user: &UserId, [from, to]: [Role; 2]) -> Write {
    Write::update(keys::member(org, user), "SET #role = :to")
        .when("#role = :from")
        .bind(":from", text(from.as_str()))
        .bind(":to", text(to.as_str()))
}

/// The transaction fails unless the password that was right is still the person's.
fn unchanged(person: &User) -> Write {
    let address = EmailAddress::parse(&person.email).map(|it| it.hash()).unwrap_or_default();
    Write::check(keys::user(&address))
        .when("#user_id = :user AND #password_hash = :seen")
        .bind(":user", text(person.user_id.as_str()))
        .bind(":seen", text(&person.password_hash))
}

/// Counts a membership less for its person, whose item is found by their address. In items of older code there is none.
fn one_membership_less(member: &Member) -> Option<Write> {
    let address = EmailAddress::parse(&member.email).ok()?;
    Some(
        // Nobody who was never counted has more than the one that they began with.
        Write::update(
            keys::user(&address.hash()),
            "SET #memberships = if_not_exists(#memberships, :one) - :one",
        )
        .when("#user_id = :user")
        .bind(":one", number(1))
        .bind(":user", text(member.user_id.as_str())),
    )
}
