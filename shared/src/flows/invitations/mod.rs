//! Invitations to an organization.

mod accept;
mod invite;
mod pending;

pub use accept::{Joined, Newcomer, accept_invitation};
pub use invite::{InvitationRequest, invite};
pub use pending::{list_invitations, withdraw_invitation};
