//! An organization's people: who is in it, and in which role.

mod change_role;
mod hand_over;
mod list;
mod remove;

pub use change_role::change_role;
pub use hand_over::hand_over;
pub use list::{ListedOrganization, list_members, list_organizations};
pub use remove::remove_member;

use super::Refusal;
use crate::ids::UserId;
use crate::principals::UserPrincipal;
use crate::store::Member;
use crate::users::Role;

/// One's own organization is the only one whose people one sees or changes.
pub(super) fn own(by: &UserPrincipal, id: &str) -> Result<(), Refusal> {
    if id == by.org_id.as_str() { Ok(()) } else { Err(Refusal::WrongOrganization) }
}

/// The member that a path names, who is not the owner: an owner hands over first. To others than themselves that is simply not theirs to do.
fn but_the_owner(by: &UserPrincipal, member: Option<Member>) -> Result<Member, Refusal> {
    let member = member.ok_or(Refusal::NotFound)?;
    match member.role {
        Role::Owner if member.user_id == by.user_id => Err(Refusal::LastOwner),
        Role::Owner => Err(Refusal::InsufficientRole),
        _ => Ok(member),
    }
}

/// A person's id in a path or a body. What is none names nobody.
fn named(text: &str) -> Option<UserId> {
    UserId::parse(text).ok()
}
