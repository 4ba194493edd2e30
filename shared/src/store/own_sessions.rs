//! A person's own sessions in the table: found by their pointers, ended by their own items.

use std::collections::{BTreeSet, HashMap};
use std::slice;

use super::members::{Member, ending};
use super::sessions::Pointer;
use super::standing::{active_check, not_ended, session_check};
use super::write::{Item, Write, number, text};
use super::{Store, StoreError, Transacted, Writer, decode, keys};
use crate::audit::Event;
use crate::deadline;
use crate::ids::{OrgId, SessionId, UserId};
use crate::sessions::Session;

/// A page of pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    /// Newest first, those that have expired among them.
    pub sessions: Vec<SessionId>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// A session, and whether it was ended with others of its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its own item.
    pub session: Session,
    /// Whether its membership is gone, or ended its sessions since it was made.
    pub is_ended: bool,
}

/// How ending sessions went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOutcome {
    /// They are over.
    Ended,
    /// They were before.
    WereOver,
    /// Nobody's, or somebody else's.
    NotFound,
    /// Who asks is no longer who they were: look again.
    StandingChanged,
}

/// How often memberships that changed meanwhile are looked at again.
const LOOKS: usize = 3;

impl Store {
    /// Which sessions a person has had, newest first: at most `limit`, older than `after`.
    pub async fn session_page(
        &self,
        user: &UserId,
        limit: usize,
        after: Option<&SessionId>,
    ) -> Result<SessionPage, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :sessions)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", text(keys::user_partition(user)))
            .expression_attribute_values(":sessions", text(keys::SESSIONS))
            .set_exclusive_start_key(after.map(|after| keys::session_of(user, after).attributes()))
            .scan_index_forward(false)
            .consistent_read(true)
            // One more says whether there is another page.
            .limit(i32::try_from(limit).unwrap_or(i32::MAX).saturating_add(1));
        let answer = deadline::within(query.send()).await?.map_err(StoreError::from_sdk)?;
        let pointers = answer.items.unwrap_or_default().into_iter().map(decode::<Pointer>);
        let mut sessions =
            pointers.map(|pointer| Ok(pointer?.session_id)).collect::<Result<Vec<_>, StoreError>>()?;
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        Ok(SessionPage { sessions, more })
    }

    /// These sessions of a person's, as they are now, with the memberships that may have ended them. Those that are gone are missing. One
    /// read, and another where some are for another organization than `org`.
    pub async fn own_sessions(
        &self,
        user: &UserId,
        org: &OrgId,
        ids: &[SessionId],
    ) -> Result<Vec<OwnSession>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<keys::Key> = ids.iter().map(keys::session).collect();
        let own = keys::member(org, user);
        let mut found = self.get_several(&[wanted.as_slice(), slice::from_ref(&own)].concat()).await?;
        let items = wanted.iter().filter_map(|key| found.remove(key));
        let mut sessions = items.map(decode::<Session>).collect::<Result<Vec<_>, _>>()?;
        sessions.retain(|session| &session.identity.user_id == user);
        let others: BTreeSet<&OrgId> =
            sessions.iter().map(|session| &session.identity.org_id).filter(|it| *it != org).collect();
        if !others.is_empty() {
            let others: Vec<keys::Key> = others.into_iter().map(|org| keys::member(org, user)).collect();
            found.extend(self.get_several(&others).await?);
        }
        let members = found.into_iter().map(|(key, item)| Ok((key, decode::<Member>(item)?)));
        let members = members.collect::<Result<HashMap<_, _>, StoreError>>()?;
        let own = |session: Session| {
            let member = members.get(&keys::member(&session.identity.org_id, user));
            let is_ended = member.is_none_or(|member| member.ended(&session.session_id));
            OwnSession { session, is_ended }
        };
        Ok(sessions.into_iter().map(own).collect())
    }

    /// Ends one of a person's sessions, on condition that it is theirs, and that the one that asks still lives.
    pub async fn end_session(
        &self,
        by: Writer<'_>,
        id: &SessionId,
        event: &Event,
        now: i64,
    ) -> Result<EndOutcome, StoreError> {
        let end = Write::update(keys::session(id), "SET #revoked_at = :now")
            .when("#user_id = :user_id AND attribute_not_exists(#revoked_at)")
            .bind(":user_id", text(by.user.as_str()))
            .bind(":now", number(now));
        let [own, member] = by.checks(now);
        let mut writes = vec![end, active_check(by.org), member];
        // A transaction has one write an item: what ends the session that asks looks whether it lives by itself.
        if id != by.session {
            writes.push(own);
        }
        let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
        else {
            return Ok(EndOutcome::Ended);
        };
        let mut findings = findings.into_iter();
        let ended = findings.next();
        if findings.any(|finding| finding.failed) {
            return Ok(EndOutcome::StandingChanged);
        }
        let now_is: Option<Session> = ended.and_then(|finding| finding.old).map(decode).transpose()?;
        Ok(match now_is {
            Some(session) if &session.identity.user_id == by.user => EndOutcome::WereOver,
            _ => EndOutcome::NotFound,
        })
    }

    /// Ends every session of a person's in these organizations but the one that asks, by one write a membership, which each session's
    /// next refresh and write looks at. Their own organization is among them.
    pub async fn end_other_sessions(
        &self,
        by: Writer<'_>,
        organizations: &[OrgId],
        event: &Event,
        now: i64,
    ) -> Result<EndOutcome, StoreError> {
        let mut left: Vec<&OrgId> = organizations.iter().collect();
        for _ in 0..LOOKS {
            if left.is_empty() {
                return Ok(EndOutcome::WereOver);
            }
            let mut writes = vec![session_check(by.session, now), active_check(by.org)];
            writes.extend(left.iter().map(|org| ending_others(org, by, now)));
            let Transacted::Cancelled(findings) = self.transact_with(writes, slice::from_ref(event)).await?
            else {
                return Ok(EndOutcome::Ended);
            };
            let mut findings = findings.into_iter();
            if findings.by_ref().take(2).any(|finding| finding.failed) {
                return Ok(EndOutcome::StandingChanged);
            }
            let mut still = Vec::new();
            for (org, finding) in left.into_iter().zip(findings) {
                if !finding.failed {
                    still.push(org);
                } else if org == by.org && !was_so(finding.old, by)? {
                    return Ok(EndOutcome::StandingChanged);
                }
                // Ended in the same way in this very second already, or no member of it any more.
            }
            left = still;
        }
        Err(StoreError::Contended(None))
    }
}

/// Ends the sessions of a membership but the one that asks; in its own organization, on condition that it was not ended itself.
fn ending_others(org: &OrgId, by: Writer<'_>, now: i64) -> Write {
    let write = ending(org, by.user, Some(by.session), now);
    if org == by.org { not_ended(write, by.session) } else { write }
}

/// Whether the membership of the session that asks has spared it: then it was what ended the others.
fn was_so(member: Option<Item>, by: Writer<'_>) -> Result<bool, StoreError> {
    let member: Option<Member> = member.map(decode).transpose()?;
    Ok(member
        .is_some_and(|member| member.sessions_kept.as_ref() == Some(by.session) && !member.ended(by.session)))
}
