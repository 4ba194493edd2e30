//! docs/roles.md shows the table that the code reads.

use shared::authz::Permission;
use shared::users::Role;

use super::place::file;

#[test]
fn the_table_of_permissions_is_the_codes() {
    let head: String = Role::ALL.iter().map(|role| format!(" {} |", role.as_str())).collect();
    let mut table = format!("| permission |{head}\n|---|---|---|---|---|\n");
    for permission in Permission::ALL {
        let said = |role: &Role| if permission.is_for(*role) { " yes |" } else { " |" };
        let row: String = Role::ALL.iter().map(said).collect();
        table.push_str(&format!("| {} |{row}\n", permission.as_str()));
    }
    let document = file("docs/roles.md");
    let (_, section) = document.split_once("## Who may what\n\n").unwrap();
    let (shown, _) = section.split_once("\n\n").unwrap();
    assert_eq!(format!("{shown}\n"), table, "docs/roles.md shows another table than the code has");
}
