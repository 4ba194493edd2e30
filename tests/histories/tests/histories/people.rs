//! What should come of what an organization's people do with its people.

use shared::users::Role;

use crate::acts::Answer;
use crate::model::Model;
use crate::rules::{Judged, known, writer};

/// Somebody of the organization who is not its owner.
fn but_the_owner(model: &Model, by: usize, who: usize) -> Judged<()> {
    let (by_person, person) = (&model.people[by], &model.people[who]);
    match () {
        () if person.org != by_person.org || !person.member => Err("not_found"),
        () if person.role == Role::Owner && who == by => Err("last_owner"),
        () if person.role == Role::Owner => Err("insufficient_role"),
        () => Ok(()),
    }
}

/// Another role for somebody.
pub fn change_role(model: &mut Model, access: usize, who: usize, role: Role) -> Judged {
    let by = writer(model, access)?;
    but_the_owner(model, by, who)?;
    model.people[who].role = role;
    Ok(Answer::Done)
}

/// Somebody goes.
pub fn remove(model: &mut Model, access: usize, who: usize) -> Judged {
    let by = known(model, access)?;
    if by == who {
        let person = &model.people[by];
        match () {
            () if !model.is_live(model.access[access].session) => return Err("unauthorized"),
            () if !model.orgs[person.org].active => return Err("organization_suspended"),
            () if !person.member => return Err("insufficient_role"),
            () => {}
        }
    } else {
        writer(model, access)?;
    }
    but_the_owner(model, by, who)?;
    model.people[who].member = false;
    Ok(Answer::Done)
}
