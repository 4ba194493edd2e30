//! What each role may do: one table, which the code, the documents and the tests read.

use crate::users::Role;

/// Something that takes a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the organization.
    ReadOrganization,
    /// See its API keys' records.
    ReadKeys,
    /// See who belongs to it.
    ReadMembers,
    /// Say where it is told of what happens.
    ManageWebhooks,
    /// Make and revoke its API keys.
    ManageKeys,
    /// Switch it between test and live.
    SwitchEnvironment,
    /// Change its name.
    EditOrganization,
    /// Invite people, change their roles, remove them.
    ManageMembers,
    /// See what was done to it, and by whom.
    ReadAudit,
    /// Hand it over to somebody else.
    TransferOwnership,
}

use Role::{Admin, Developer, Owner, Viewer};

impl Permission {
    /// Every permission, from what most roles may to what fewest may.
    pub const ALL: [Self; 10] = [
        Self::ReadOrganization,
        Self::ReadKeys,
        Self::ReadMembers,
        Self::ManageWebhooks,
        Self::ManageKeys,
        Self::SwitchEnvironment,
        Self::EditOrganization,
        Self::ManageMembers,
        Self::ReadAudit,
        Self::TransferOwnership,
    ];

    /// The roles that have it. A write's condition names them.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::ReadOrganization | Self::ReadKeys | Self::ReadMembers => &[Owner, Admin, Developer, Viewer],
            Self::ManageWebhooks => &[Owner, Admin, Developer],
            Self::ManageKeys
            | Self::SwitchEnvironment
            | Self::EditOrganization
            | Self::ManageMembers
            | Self::ReadAudit => &[Owner, Admin],
            Self::TransferOwnership => &[Owner],
        }
    }

    /// Whether this role has it.
    pub fn is_for(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// What documents call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOrganization => "see the organization",
            Self::ReadKeys => "see API keys' records",
            Self::ReadMembers => "see members and invitations",
            Self::ManageWebhooks => "set up webhooks",
            Self::ManageKeys => "make and revoke API keys",
            Self::SwitchEnvironment => "switch between test and live",
            Self::EditOrganization => "rename the organization",
            Self::ManageMembers => "invite, remove, change roles",
            Self::ReadAudit => "read the audit trail",
            Self::TransferOwnership => "hand the organization over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_whatever_lesser_roles_may() {
        for permission in Permission::ALL {
            let roles = permission.roles();
            assert_eq!(roles, &Role::ALL[..roles.len()], "{permission:?}");
        }
    }
}
