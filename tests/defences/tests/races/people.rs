//! R14: an organization's people, while its people change: one owner always, one membership an invitation, nothing half done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use defences::{admin, owner};
use devstack::seed::{ACORN, BIRCH, PASSWORD, Person};
use serde_json::Value;
use shared::addresses::EmailAddress;
use shared::flows::{self, InvitationRequest, Newcomer, Refusal};
use shared::principals::UserPrincipal;
use shared::sensitive::Sensitive;
use shared::users::Role;

use crate::harness::{FROM, Round, codes, rounds};

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or_default()
}

/// What the table says of people must fit together, whatever raced. Gives each organization's members, by their role.
pub async fn sound_people(round: &Round) -> BTreeMap<String, BTreeMap<String, String>> {
    let place = &round.place;
    let mut roles: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut memberships = BTreeSet::new();
    for member in place.items("ORG#", "MEMBER#").await {
        let (org, user) = (text(&member, "pk")[4..].to_owned(), text(&member, "user_id").to_owned());
        memberships.insert((user.clone(), org.clone()));
        roles.entry(org).or_default().insert(user, text(&member, "role").to_owned());
    }
    let mirrors = place.items("USER#", "MEMBER#").await;
    let mirrors: BTreeSet<_> = mirrors
        .iter()
        .map(|it| (text(it, "pk")[5..].to_owned(), text(it, "sk")["MEMBER#".len()..].to_owned()))
        .collect();
    assert_eq!(memberships, mirrors, "a membership without its mirror, or a mirror without its membership");
    for organization in place.items("ORG#", "ORG").await {
        let owners: Vec<_> =
            roles[text(&organization, "id")].iter().filter(|(_, role)| *role == "owner").collect();
        assert_eq!(owners.len(), 1, "{organization}: {owners:?}");
        assert_eq!(owners[0].0, text(&organization, "owner_user_id"));
    }
    for user in place.items("EMAIL#", "USER").await {
        let id = text(&user, "user_id");
        let held = memberships.iter().filter(|(user, _)| user == id).count();
        assert_eq!(user["memberships"].as_i64().unwrap_or(1), i64::try_from(held).unwrap(), "{user}");
    }
    roles
}

/// Somebody of the demo organizations, logged in.
async fn principal(round: &Round, person: &Person) -> UserPrincipal {
    let tokens = round.login(person).await;
    round.principal(&tokens).await
}

/// Invites, past the limits that rounds would reach; the token that was mailed.
async fn invited(round: &Round, by: &UserPrincipal, email: &str, role: Role) -> String {
    let app = round.place.app();
    round.place.devstack.clock.advance(time::Duration::hours(1));
    let address = EmailAddress::parse(email).unwrap();
    let request = InvitationRequest { email: email.to_owned(), address, role };
    let org = by.org_id.as_str();
    round.weather.ask(|| flows::invite(&app, &FROM, by, org, &request)).await.unwrap();
    mailed(round, email)
}

fn mailed(round: &Round, email: &str) -> String {
    let mails = round.place.devstack.mailbox.newest_first(Some(email));
    let token = mails.iter().find_map(|it| it.text.split_whitespace().find(|word| word.starts_with("it_")));
    token.unwrap().to_owned()
}

fn newcomer() -> Option<Newcomer> {
    let password = Sensitive::new("lamps over a quiet harbour".to_owned());
    Some(Newcomer { full_name: "Nadia New".to_owned(), password })
}

async fn remove(round: &Round, by: &UserPrincipal, user: &str) -> Result<(), Refusal> {
    let app = round.place.app();
    round.weather.ask(|| flows::remove_member(&app, &FROM, by, by.org_id.as_str(), user)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_an_organization_has_one_owner_whoever_hands_it_over_to_whom_meanwhile() {
    rounds("R14, owners", async |round| {
        let people = [owner(), admin(), &BIRCH.viewer];
        let mut principals = Vec::new();
        for person in people {
            principals.push(principal(round, person).await);
        }
        let ids = people.map(|it| it.user_id);
        let before = sound_people(round).await[BIRCH.id].clone();
        let now_owner = principals.iter().find(|it| before[it.user_id.as_str()] == "owner").unwrap().clone();
        let results = round
            .race(|nth| {
                let (app, weather, by) = (round.place.app(), round.weather.clone(), now_owner.clone());
                let other = principals[nth % 3].clone();
                async move {
                    let password = Sensitive::new(PASSWORD.to_owned());
                    let to = ids[(nth / 2) % 3];
                    match nth % 4 {
                        // Two hand over at most: each hashes a password.
                        0 if nth < 8 => {
                            let over = || flows::hand_over(&app, &FROM, &by, BIRCH.id, to, &password);
                            weather.ask(over).await.map(|_| ())
                        }
                        0 | 2 => {
                            let role = if nth % 8 == 2 { Role::Viewer } else { Role::Admin };
                            let change = || flows::change_role(&app, &FROM, &other, BIRCH.id, to, role);
                            weather.ask(change).await.map(|_| ())
                        }
                        _ => {
                            let own = other.user_id.as_str();
                            let change =
                                || flows::change_role(&app, &FROM, &other, BIRCH.id, own, Role::Admin);
                            weather.ask(change).await.map(|_| ())
                        }
                    }
                }
            })
            .await;
        let allowed = ["done", "insufficient_role", "last_owner", "too_many_attempts"];
        let said = codes(&results);
        assert!(said.keys().all(|code| allowed.contains(code)), "{said:?}");
        let after = sound_people(round).await[BIRCH.id].clone();
        assert_eq!(after.len(), before.len());
        // For the next round: nobody's password is shut, and everybody can be handed it.
        round.place.devstack.clock.advance(time::Duration::hours(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_an_invitation_makes_one_member_of_one_new_person() {
    rounds("R14, accepting", async |round| {
        let owner = principal(round, owner()).await;
        let email = format!("new-{}@people.example", round.nth);
        let token = invited(round, &owner, &email, Role::Developer).await;
        let results = round
            .race(|nth| {
                let (app, weather, token) = (round.place.app(), round.weather.clone(), token.clone());
                async move {
                    // Who brings no password hashes none, and is told that it takes one.
                    let newcomer = || if nth % 8 < 2 { newcomer() } else { None };
                    let accept = || flows::accept_invitation(&app, &FROM, &token, newcomer());
                    weather.ask(accept).await.map(|_| ())
                }
            })
            .await;
        let said = codes(&results);
        assert!(
            said.keys().all(|code| ["done", "invalid_invitation", "account_required"].contains(code)),
            "{said:?}"
        );
        if round.is_sure() {
            assert_eq!(said.get("done"), Some(&1), "{said:?}");
        }
        let roles = sound_people(round).await;
        assert_eq!(roles[BIRCH.id].values().filter(|role| *role == "developer").count(), 1, "{roles:?}");
        assert!(round.place.items("INVITATION#", "").await.is_empty());
        let app = round.place.app();
        let user = app.store.user(&EmailAddress::parse(&email).unwrap()).await.unwrap().unwrap();
        remove(round, &owner, user.user_id.as_str()).await.unwrap();
        sound_people(round).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_an_address_has_one_invitation_and_what_was_withdrawn_is_accepted_by_nobody() {
    rounds("R14, inviting", async |round| {
        let owner = principal(round, owner()).await;
        let person = &ACORN.viewer;
        let first = invited(round, &owner, person.email, Role::Viewer).await;
        let app = round.place.app();
        let pending = flows::list_invitations(&app, &FROM, &owner, BIRCH.id).await.unwrap();
        let id = pending[0].invitation_id.to_string();
        let results = round
            .race(|nth| {
                let (app, weather, by) = (round.place.app(), round.weather.clone(), owner.clone());
                let (token, id) = (first.clone(), id.clone());
                async move {
                    match nth % 2 {
                        0 => {
                            let withdraw = || flows::withdraw_invitation(&app, &FROM, &by, BIRCH.id, &id);
                            (0, weather.ask(withdraw).await)
                        }
                        _ => {
                            let accept = || flows::accept_invitation(&app, &FROM, &token, None);
                            (1, weather.ask(accept).await.map(|_| ()))
                        }
                    }
                }
            })
            .await;
        let done = |kind| results.iter().filter(|(it, result)| *it == kind && result.is_ok()).count();
        if round.is_sure() {
            assert_eq!(done(0) + done(1), 1, "{results:?}");
        }
        let roles = sound_people(round).await;
        let joined = roles[BIRCH.id].contains_key(person.user_id);
        if round.is_sure() {
            assert_eq!(joined, done(1) == 1);
        }
        if joined {
            remove(round, &owner, person.user_id).await.unwrap();
        }
        assert!(round.place.items("ORG#", "INVITATION#").await.is_empty());
        assert!(round.place.items("INVITATION#", "").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_coming_and_going_at_once_leaves_nothing_half_done() {
    rounds("R14, coming and going", async |round| {
        let owner = principal(round, owner()).await;
        let person = &ACORN.admin;
        let theirs = principal(round, person).await;
        let token = invited(round, &owner, person.email, Role::Viewer).await;
        let app = round.place.app();
        round.weather.ask(|| flows::accept_invitation(&app, &FROM, &token, None)).await.unwrap();
        // They are in, and are invited again once they are out.
        let results = round
            .race(|nth| {
                let (round_app, weather, by) = (round.place.app(), round.weather.clone(), owner.clone());
                let token = token.clone();
                let place = Arc::clone(&round.place);
                async move {
                    match nth % 3 {
                        0 => {
                            let id = person.user_id;
                            let go = || flows::remove_member(&round_app, &FROM, &by, BIRCH.id, id);
                            weather.ask(go).await
                        }
                        1 => {
                            let address = EmailAddress::parse(person.email).unwrap();
                            let request = InvitationRequest {
                                email: person.email.to_owned(),
                                address,
                                role: Role::Viewer,
                            };
                            let again = || flows::invite(&round_app, &FROM, &by, BIRCH.id, &request);
                            weather.ask(again).await.map(|_| ())
                        }
                        _ => {
                            let mails = place.devstack.mailbox.newest_first(Some(person.email));
                            let newest = mails.iter().find_map(|it| {
                                it.text
                                    .split_whitespace()
                                    .find(|word| word.starts_with("it_"))
                                    .map(str::to_owned)
                            });
                            let token = newest.unwrap_or(token);
                            let come = || flows::accept_invitation(&round_app, &FROM, &token, None);
                            weather.ask(come).await.map(|_| ())
                        }
                    }
                }
            })
            .await;
        let allowed = ["done", "not_found", "already_member", "invalid_invitation", "rate_limited"];
        let said = codes(&results);
        assert!(said.keys().all(|code| allowed.contains(code)), "{said:?}");
        let roles = sound_people(round).await;
        if roles[BIRCH.id].contains_key(person.user_id) {
            remove(round, &owner, person.user_id).await.unwrap();
        }
        for pending in flows::list_invitations(&app, &FROM, &owner, BIRCH.id).await.unwrap() {
            let id = pending.invitation_id;
            flows::withdraw_invitation(&app, &FROM, &owner, BIRCH.id, id.as_str()).await.unwrap();
        }
        assert_eq!(theirs.org_id.as_str(), ACORN.id);
        sound_people(round).await;
    })
    .await;
}
