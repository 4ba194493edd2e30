//! A person's sessions.

use sessions::{Page, Session, Sessions};
use shared::flows::Refusal::{
    InsufficientRole, NotFound, OrganizationSuspended, SessionOver, WrongOrganization,
};
use shared::ids::{InvalidId, OrgId, SessionId};

use super::member;
use super::samples::{ORGANIZATION, SESSION, minutes_later};
use crate::operation::{Cache, Caller, Done, Operation, Parameter, Shows, in_path};

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![list()?, end_others(), end()])
}

fn list() -> Result<Operation, InvalidId> {
    let limit = Parameter {
        place: "query",
        name: "limit",
        about: "At most so many sessions.",
        schema: |generator| member::<Page>(generator, "limit"),
        example: None,
    };
    let cursor = Parameter {
        place: "query",
        name: "cursor",
        about: "The `next_cursor` of the page before.",
        schema: |generator| member::<Page>(generator, "cursor"),
        example: None,
    };
    let session = Session {
        session_id: SessionId::parse(SESSION)?,
        current: true,
        org_id: OrgId::parse(ORGANIZATION)?,
        created_at: minutes_later(5),
        last_refreshed_at: Some(minutes_later(20)),
        expires_at: minutes_later(5 + 30 * 24 * 60),
        address: Some("198.51.100.23".to_owned()),
        client: Some("Mozilla/5.0".to_owned()),
    };
    let page = Sessions { next_cursor: None, sessions: vec![session] };
    Ok(Operation::new(
        ("get", "/api/v1/auth/sessions"),
        ("Sessions", "listSessions"),
        "Where one is logged in, newest first",
        "A session lives thirty days from its login, however often or seldom it is used. Those that are over are left out, so a page can have \
         fewer than were asked for.",
    )
    .for_a(Caller::Person)
    .with(limit)
    .with(cursor)
    .answers(200, "A page of them.", page)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole]))
}

fn end_others() -> Operation {
    Operation::new(
        ("delete", "/api/v1/auth/sessions"),
        ("Sessions", "endOtherSessions"),
        "End all sessions but the one that asks",
        "Their refresh tokens are dead at once, in every organization that the person belongs to.",
    )
    .for_a(Caller::Person)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole])
    .answered(Done { status: 204, about: "They are over.", shows: Shows::Nothing, cache: Cache::Never })
}

fn end() -> Operation {
    Operation::new(
        ("delete", "/api/v1/auth/sessions/{session_id}"),
        ("Sessions", "endSession"),
        "End a session",
        "Its refresh token is dead at once. Ending it again gives the same answer. Somebody else's is 404, as one that never was.",
    )
    .for_a(Caller::Person)
    .with(in_path("session_id", "Its id, from the list.", SESSION))
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, NotFound])
    .answered(Done { status: 204, about: "It is over, now or before.", shows: Shows::Nothing, cache: Cache::Never })
}
