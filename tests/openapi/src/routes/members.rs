//! An organization's people, and who is invited to be one.

use invitations::{Accept, Joined, JoinedOrganization};
use members::{ChangeRole, HandOver, Invitation, Invitations, Invite, Members};
use organizations::{OwnOrganization, OwnOrganizations};
use serde_json::json;
use shared::api_keys::Env;
use shared::flows::Refusal::{
    AccountRequired, AlreadyMember, InsufficientRole, InvalidCredentials, InvalidInvitation, LastOwner,
    NotFound, OrganizationSuspended, RateLimited, SessionOver, TooManyAttempts, TooManyMembers,
    TooManyOrganizations, WrongOrganization,
};
use shared::http::MemberView as Member;
use shared::ids::{InvalidId, InvitationId, OrgId, UserId};
use shared::users::Role;

use super::samples::{EMAIL, ORGANIZATION, USER, minutes_later, organization, user};
use crate::operation::{Cache, Caller, Done, Operation, Shows, in_path};

const ITS_ID: &str = "The organization's id.";
const COLLEAGUE: &str = "usr_01KB0WB3D6F9H2K5N8Q1S4V7XA";
const COLLEAGUES_EMAIL: &str = "dev@shop.example";
const INVITATION: &str = "inv_01KB0W8A5C7E9G2J4M6P8R1TVX";
const HOURS: i64 = 60;

pub fn all() -> Result<Vec<Operation>, InvalidId> {
    Ok(vec![
        own()?,
        list()?,
        change_role()?,
        remove(),
        hand_over()?,
        invite()?,
        pending()?,
        withdraw(),
        accept()?,
    ])
}

fn colleague(role: Role) -> Result<Member, InvalidId> {
    Ok(Member {
        user_id: UserId::parse(COLLEAGUE)?,
        email: COLLEAGUES_EMAIL.to_owned(),
        full_name: "Dana Example".to_owned(),
        role,
        joined_at: minutes_later(150),
    })
}

fn invitation() -> Result<Invitation, InvalidId> {
    Ok(Invitation {
        invitation_id: InvitationId::parse(INVITATION)?,
        email: COLLEAGUES_EMAIL.to_owned(),
        role: Role::Developer,
        invited_by: UserId::parse(USER)?,
        created_at: minutes_later(90),
        expires_at: minutes_later(90 + 72 * HOURS),
    })
}

fn operation(
    route: (&'static str, &'static str),
    id: &'static str,
    summary: &'static str,
    about: &'static str,
) -> Operation {
    let operation = Operation::new(route, ("Members", id), summary, about).for_a(Caller::Person);
    operation.with(in_path("id", ITS_ID, ORGANIZATION))
}

fn own() -> Result<Operation, InvalidId> {
    let first = OwnOrganization {
        id: OrgId::parse(ORGANIZATION)?,
        name: "Example Shop".to_owned(),
        role: Role::Owner,
        is_active: true,
        is_current: true,
        joined_at: minutes_later(0),
    };
    let second = OwnOrganization {
        id: OrgId::parse("org_01KB0WD7F9H1K3N5Q8S2V4X6ZB")?,
        name: "Another Shop".to_owned(),
        role: Role::Developer,
        is_active: true,
        is_current: false,
        joined_at: minutes_later(200),
    };
    Ok(Operation::new(
        ("get", "/api/v1/organizations"),
        ("Members", "listOrganizations"),
        "The organizations that one is a member of",
        "A session is for one of them. Another one needs a new login, with its id as `org_id` at the second step.",
    )
    .for_a(Caller::Person)
    .answers(200, "All of them.", OwnOrganizations { organizations: vec![first, second] })
    .refuses([OrganizationSuspended]))
}

fn gone(about: &'static str) -> Done {
    Done { status: 204, about, shows: Shows::Nothing, cache: Cache::Never }
}

fn list() -> Result<Operation, InvalidId> {
    let owner = Member {
        user_id: UserId::parse(USER)?,
        email: EMAIL.to_owned(),
        full_name: "Olivia Example".to_owned(),
        role: Role::Owner,
        joined_at: minutes_later(0),
    };
    Ok(operation(
        ("get", "/api/v1/organizations/{id}/members"),
        "listMembers",
        "Everybody in an organization",
        "A hundred at most, all in one answer. Roles: all.",
    )
    .answers(200, "Its people.", Members { members: vec![owner, colleague(Role::Developer)?] })
    .refuses([WrongOrganization, OrganizationSuspended, InsufficientRole]))
}

fn change_role() -> Result<Operation, InvalidId> {
    Ok(operation(
        ("patch", "/api/v1/organizations/{id}/members/{user_id}"),
        "changeRole",
        "Give a member another role",
        "Whoever is demoted writes by the lesser role from the very next request on. The owner's role changes by handing over alone. Roles: owner, admin.",
    )
    .with(in_path("user_id", "Whose role.", COLLEAGUE))
    .takes::<ChangeRole>(json!({ "role": "admin" }))
    .answers(200, "The member, in that role.", colleague(Role::Admin)?)
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, NotFound, LastOwner]))
}

fn remove() -> Operation {
    operation(
        ("delete", "/api/v1/organizations/{id}/members/{user_id}"),
        "removeMember",
        "Remove a member, or leave",
        "Their sessions for this organization write and refresh nothing any more; those for others go on. Keys stay. Roles: owner, admin; to leave: all but the owner.",
    )
    .with(in_path("user_id", "Who; oneself to leave.", COLLEAGUE))
    .answered(gone("They are no member any more."))
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, NotFound, LastOwner])
}

fn hand_over() -> Result<Operation, InvalidId> {
    Ok(operation(
        ("post", "/api/v1/organizations/{id}/owner"),
        "handOver",
        "Hand an organization over to another member",
        "There is one owner at any time: the one before is an admin from then on. Roles: owner.",
    )
    .takes::<HandOver>(json!({ "user_id": COLLEAGUE, "password": "correct horse battery" }))
    .answers(200, "The organization, with its new owner.", {
        let mut organization = organization(Env::Test)?;
        organization.owner_user_id = UserId::parse(COLLEAGUE)?;
        organization
    })
    .refuses([
        SessionOver,
        WrongOrganization,
        OrganizationSuspended,
        InsufficientRole,
        NotFound,
        TooManyAttempts { retry_after: 1 },
        InvalidCredentials,
    ]))
}

fn invite() -> Result<Operation, InvalidId> {
    Ok(operation(
        ("post", "/api/v1/organizations/{id}/invitations"),
        "invite",
        "Invite somebody",
        "Mails a token that is good for 72 hours and once. The answer does not depend on whether they have an account. Inviting again replaces the invitation before. Roles: owner, admin.",
    )
    .takes::<Invite>(json!({ "email": COLLEAGUES_EMAIL, "role": "developer" }))
    .answers(201, "The invitation, mailed.", invitation()?)
    .refuses([
        SessionOver,
        WrongOrganization,
        OrganizationSuspended,
        InsufficientRole,
        AlreadyMember,
        TooManyMembers,
        RateLimited { retry_after: 1 },
    ]))
}

fn pending() -> Result<Operation, InvalidId> {
    Ok(operation(
        ("get", "/api/v1/organizations/{id}/invitations"),
        "listInvitations",
        "The invitations that wait",
        "Roles: all.",
    )
    .answers(200, "Newest first.", Invitations { invitations: vec![invitation()?] })
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole]))
}

fn withdraw() -> Operation {
    operation(
        ("delete", "/api/v1/organizations/{id}/invitations/{invitation_id}"),
        "withdrawInvitation",
        "Take an invitation back",
        "Its token is worth nothing any more. Roles: owner, admin.",
    )
    .with(in_path("invitation_id", "The invitation's id.", INVITATION))
    .answered(gone("It is gone."))
    .refuses([SessionOver, WrongOrganization, OrganizationSuspended, InsufficientRole, NotFound])
}

fn accept() -> Result<Operation, InvalidId> {
    Ok(Operation::new(
        ("post", "/api/v1/auth/invitations/accept"),
        ("Members", "acceptInvitation"),
        "Accept an invitation",
        "With an account, the token alone. Without one, `full_name` and `password` as well; the address is verified by the token. No session begins: log in, with \
         this organization's id as `org_id` at the second step.",
    )
    .takes::<Accept>(json!({ "token": "it_…", "full_name": "Dana Example", "password": "lamps over a quiet harbour" }))
    .answers(200, "A member.", Joined {
        organization: JoinedOrganization {
            id: OrgId::parse(ORGANIZATION)?,
            name: "Example Shop".to_owned(),
            role: Role::Developer,
        },
        user: user()?,
    })
    .refuses([
        InvalidInvitation,
        OrganizationSuspended,
        AccountRequired,
        AlreadyMember,
        TooManyOrganizations,
    ]))
}
