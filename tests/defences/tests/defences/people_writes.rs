//! What changes an organization's people looks again at whoever changes them: each write is made as if everything had just been read, and something of
//! it was not so any more.

use defences::{Place, admin, owner};
use devstack::seed::{ACORN, BIRCH, Person};
use shared::addresses::EmailAddress;
use shared::app::App;
use shared::authz::Permission;
use shared::flows::{self, Newcomer, Refusal};
use shared::ids::{InvitationId, OrgId, UserId};
use shared::invitations::{Invitation, InvitationToken, LIFETIME_SECONDS, MAX_ORGANIZATIONS};
use shared::organizations::{OnboardingStatus, Organization, PaymentsStatus};
use shared::principals::UserPrincipal;
use shared::sensitive::Sensitive;
use shared::store::{AcceptOutcome, Joining, Member, PeopleOutcome, Writer};
use shared::users::{Role, User};
use time::Duration;

struct Scene {
    place: Place,
    by: UserPrincipal,
}

fn writer(by: &UserPrincipal, permission: Permission) -> Writer<'_> {
    Writer::of(by, permission.roles())
}

fn invitation(app: &App, by: &UserPrincipal, email: &str, token: &InvitationToken) -> Invitation {
    let (address, now) = (EmailAddress::parse(email).unwrap(), app.clock.now_seconds());
    Invitation {
        invitation_id: InvitationId::new(app.clock.as_ref(), app.rng.as_ref()),
        org_id: by.org_id.clone(),
        email: email.to_owned(),
        address_hash: address.hash(),
        role: Role::Viewer,
        invited_by: by.user_id.clone(),
        token_hash: token.hash(),
        created_at: now,
        expires_at: now + LIFETIME_SECONDS,
    }
}

async fn user(app: &App, person: &Person) -> User {
    app.store.user(&EmailAddress::parse(person.email).unwrap()).await.unwrap().unwrap()
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new().await;
        let session = place.login(owner()).await;
        let by = place.principal(&session).await;
        Self { place, by }
    }

    async fn member(&self, person: &Person) -> Member {
        let members = self.place.app().store.members(&self.by.org_id).await.unwrap();
        members.into_iter().find(|it| it.user_id.as_str() == person.user_id).unwrap()
    }

    /// Every write that changes people, by the owner; what came of each.
    async fn every_write(&self) -> Vec<PeopleOutcome> {
        let app = self.place.app();
        let (store, now) = (&app.store, app.clock.now_seconds());
        let event = || devstack::event(&app, BIRCH.id);
        let manager = writer(&self.by, Permission::ManageMembers);
        let token = InvitationToken::generate(app.rng.as_ref());
        let pending = invitation(&app, &self.by, "new@people.example", &token);
        let (viewer, admin) = (self.member(&BIRCH.viewer).await, self.member(admin()).await);
        let proven = user(&app, owner()).await;
        let owning = writer(&self.by, Permission::TransferOwnership);
        vec![
            store.change_role(manager, &viewer, Role::Developer, &event(), now).await.unwrap(),
            store.invite(manager, &pending, &event(), now).await.unwrap(),
            store.withdraw(manager, &self.pending().await, &event(), now).await.unwrap(),
            store.remove_member(manager, &self.member(&BIRCH.viewer).await, &event(), now).await.unwrap(),
            store.hand_over(owning, &proven, &admin, &event(), now).await.unwrap(),
        ]
    }

    /// Some invitation that waits.
    async fn pending(&self) -> Invitation {
        self.place.app().store.invitations(&self.by.org_id).await.unwrap().pop().unwrap()
    }

    /// Somebody waits for an answer.
    async fn invite(&self, email: &str) -> (InvitationToken, Invitation) {
        let app = self.place.app();
        let token = InvitationToken::generate(app.rng.as_ref());
        let invitation = invitation(&app, &self.by, email, &token);
        let by = writer(&self.by, Permission::ManageMembers);
        let (event, now) = (devstack::event(&app, BIRCH.id), app.clock.now_seconds());
        assert_eq!(app.store.invite(by, &invitation, &event, now).await.unwrap(), PeopleOutcome::Changed);
        (token, invitation)
    }

    /// Nothing of people is another.
    async fn people(&self) -> Vec<serde_json::Value> {
        let mut all = self.place.items("ORG#", "MEMBER#").await;
        all.extend(self.place.items("ORG#", "INVITATION#").await);
        all.extend(self.place.items("USER#", "MEMBER#").await);
        all.extend(self.place.items("INVITATION#", "").await);
        all.extend(self.place.items("ORG#", "ORG").await.into_iter().map(|it| it["owner_user_id"].clone()));
        all
    }

    async fn set_role(&self, person: &Person, role: Role) {
        let app = self.place.app();
        let (org, user) = (&self.by.org_id, UserId::parse(person.user_id).unwrap());
        app.store.set_role(org, &user, role, &devstack::event(&app, BIRCH.id)).await.unwrap();
    }
}

#[tokio::test]
async fn they_are_made_by_whoever_may() {
    let scene = Scene::new().await;
    scene.invite("waits@people.example").await;
    assert_eq!(scene.every_write().await, [PeopleOutcome::Changed; 5]);
}

#[tokio::test]
async fn none_is_made_by_somebody_whose_role_session_or_organization_is_another_meanwhile() {
    for turn in ["role", "removed", "logged out", "all sessions", "suspended", "expired"] {
        let scene = Scene::new().await;
        scene.invite("waits@people.example").await;
        let app = scene.place.app();
        let (by, event, now) = (&scene.by, || devstack::event(&app, BIRCH.id), app.clock.now_seconds());
        match turn {
            "role" => scene.set_role(owner(), Role::Developer).await,
            "removed" => {
                let sk = format!("MEMBER#{}", by.user_id);
                scene.place.devstack.dynamodb.forget(&format!("ORG#{}", by.org_id), &sk).await.unwrap();
            }
            "logged out" => {
                assert!(app.store.revoke_session(&by.session_id, &event(), now).await.unwrap());
            }
            "all sessions" => {
                let organizations = [by.org_id.clone()];
                let ended = app.store.end_sessions(&by.user_id, &organizations, None, &event(), now).await;
                assert!(ended.unwrap());
            }
            "suspended" => {
                assert!(app.store.set_suspended(&by.org_id, true, &event, now).await.unwrap());
            }
            _ => scene.place.devstack.clock.advance(Duration::days(31)),
        }
        let before = scene.people().await;
        assert_eq!(scene.every_write().await, [PeopleOutcome::StandingChanged; 5], "{turn}");
        assert_eq!(scene.people().await, before, "{turn}");
    }
}

#[tokio::test]
async fn whom_it_is_about_is_looked_at_as_well() {
    let scene = Scene::new().await;
    let app = scene.place.app();
    let (event, now) = (|| devstack::event(&app, BIRCH.id), app.clock.now_seconds());
    let manager = writer(&scene.by, Permission::ManageMembers);
    let viewer = scene.member(&BIRCH.viewer).await;
    scene.set_role(&BIRCH.viewer, Role::Admin).await;
    let before = scene.people().await;
    for made in [
        app.store.change_role(manager, &viewer, Role::Developer, &event(), now).await,
        app.store.remove_member(manager, &viewer, &event(), now).await,
        app.store
            .hand_over(
                writer(&scene.by, Permission::TransferOwnership),
                &user(&app, owner()).await,
                &viewer,
                &event(),
                now,
            )
            .await,
    ] {
        assert_eq!(made.unwrap(), PeopleOutcome::StandingChanged);
    }
    assert_eq!(scene.people().await, before);
}

#[tokio::test]
async fn an_organization_is_not_handed_over_with_a_password_of_before() {
    let scene = Scene::new().await;
    let app = scene.place.app();
    let by = writer(&scene.by, Permission::TransferOwnership);
    let old = User { password_hash: "another".to_owned(), ..user(&app, owner()).await };
    let to = scene.member(admin()).await;
    let (event, now) = (devstack::event(&app, BIRCH.id), app.clock.now_seconds());
    let made = app.store.hand_over(by, &old, &to, &event, now).await.unwrap();
    assert_eq!(made, PeopleOutcome::StandingChanged);
}

#[tokio::test]
async fn an_invitation_is_accepted_as_it_is_now() {
    let scene = Scene::new().await;
    let app = scene.place.app();
    let person = user(&app, &ACORN.viewer).await;
    let (_, old) = scene.invite(ACORN.viewer.email).await;
    let (_, now_pending) = scene.invite(ACORN.viewer.email).await;
    let (event, now) = (|| devstack::event(&app, BIRCH.id), app.clock.now_seconds());
    let member = Member::new(&person, Role::Viewer, now);
    let accept = async |invitation: &Invitation, now: i64| {
        app.store.accept(invitation, Joining::Account(&person), &member, &event(), now).await.unwrap()
    };
    assert_eq!(accept(&old, now).await, AcceptOutcome::Changed, "replaced");
    assert_eq!(accept(&now_pending, now_pending.expires_at).await, AcceptOutcome::Changed, "expired");
    app.store.set_suspended(&scene.by.org_id, true, &event, now).await.unwrap();
    assert_eq!(accept(&now_pending, now).await, AcceptOutcome::Changed, "suspended");
    app.store.set_suspended(&scene.by.org_id, false, &event, now).await.unwrap();
    assert_eq!(accept(&now_pending, now).await, AcceptOutcome::Joined);
    assert_eq!(accept(&now_pending, now).await, AcceptOutcome::Changed, "used");
    let (_, another) = scene.invite(ACORN.viewer.email).await;
    assert_eq!(accept(&another, now).await, AcceptOutcome::MemberAlready);
}

#[tokio::test]
async fn a_person_belongs_to_so_many_organizations_and_no_more() {
    let scene = Scene::new().await;
    let app = scene.place.app();
    let person = user(&app, &ACORN.viewer).await;
    for nth in 1..=MAX_ORGANIZATIONS {
        let org = organization(&app, &format!("owner-{nth}@people.example")).await;
        let token = InvitationToken::generate(app.rng.as_ref());
        let by = UserPrincipal { org_id: org.clone(), ..scene.by.clone() };
        let pending = invitation(&app, &by, ACORN.viewer.email, &token);
        pend(&scene, &pending).await;
        let (event, now) = (devstack::event(&app, org.as_str()), app.clock.now_seconds());
        let member = Member::new(&person, Role::Viewer, now);
        let made = app.store.accept(&pending, Joining::Account(&person), &member, &event, now).await.unwrap();
        let expected = if nth < MAX_ORGANIZATIONS { AcceptOutcome::Joined } else { AcceptOutcome::TooMany };
        assert_eq!(made, expected, "{nth}");
    }
    let session = scene.place.login(&ACORN.viewer).await;
    let list = scene.place.request(reqwest::Method::GET, "/api/v1/organizations");
    let (status, body) = scene.place.send(list.bearer_auth(&session.access_token)).await;
    let listed = body["data"]["organizations"].as_array().map(Vec::len);
    assert_eq!((status, listed), (200, usize::try_from(MAX_ORGANIZATIONS).ok()));
}

/// An invitation as an owner's write would have left it.
async fn pend(scene: &Scene, pending: &Invitation) {
    let dynamodb = &scene.place.devstack.dynamodb;
    let (org, hash) = (&pending.org_id, &pending.address_hash);
    for (pk, sk, entity) in [
        (format!("ORG#{org}"), format!("INVITATION#{hash}"), serde_json::to_value(pending).unwrap()),
        (
            format!("INVITATION#{}", pending.token_hash),
            "INVITATION".to_owned(),
            serde_json::json!({"org_id": org, "address_hash": hash, "expires_at": pending.expires_at}),
        ),
    ] {
        let mut item = serde_json::json!({"pk": {"S": pk}, "sk": {"S": sk}, "v": {"N": "1"}});
        for (name, value) in entity.as_object().unwrap() {
            item[name] = match value {
                serde_json::Value::Number(number) => serde_json::json!({"N": number.to_string()}),
                other => serde_json::json!({"S": other}),
            };
        }
        let put = serde_json::json!({"TableName": dynamodb.table, "Item": item});
        dynamodb.ask("DynamoDB_20120810.PutItem", &put).await.unwrap();
    }
}

async fn organization(app: &App, email: &str) -> OrgId {
    let (clock, rng, now) = (app.clock.as_ref(), app.rng.as_ref(), app.clock.now_seconds());
    let (id, owner) = (OrgId::new(clock, rng), UserId::new(clock, rng));
    let user = User::new(owner.clone(), email.to_owned(), "O".to_owned(), "none".to_owned(), id.clone());
    let organization = Organization {
        id: id.clone(),
        name: "O".to_owned(),
        owner_user_id: owner,
        onboarding_status: OnboardingStatus::NotStarted,
        payments_status: PaymentsStatus::Disabled,
        current_env: shared::api_keys::Env::Test,
        country: "NL".to_owned(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    let address = EmailAddress::parse(email).unwrap();
    let event = devstack::event(app, id.as_str());
    app.store.create_organization(&organization, &address, &user, &event).await.unwrap();
    id
}

/// Whoever signs up with somebody else's address has nothing of what the invited person makes of it.
#[tokio::test]
async fn a_sign_up_that_nobody_confirmed_is_nobodys_and_makes_nothing_any_more() {
    let scene = Scene::new().await;
    let app = scene.place.app();
    let email = "squatted@people.example";
    let squatter =
        serde_json::json!({"email": email, "password": "six parrots over Leeds", "full_name": "S"});
    let (status, squatted) = scene.place.post("register", squatter).await;
    assert_eq!(status, 201, "{squatted}");
    let code = scene.place.devstack.mailbox.code(email).unwrap();

    let (token, _) = scene.invite(email).await;
    let origin = defences::origin();
    let refused = flows::accept_invitation(&app, &origin, token.expose(), None).await;
    assert!(matches!(refused, Err(Refusal::AccountRequired)), "{refused:?}");
    let password = Sensitive::new("a-quiet-harbour-at-dusk".to_owned());
    let newcomer = Newcomer { full_name: "Nadia New".to_owned(), password: password.clone() };
    let joined = flows::accept_invitation(&app, &origin, token.expose(), Some(newcomer)).await.unwrap();
    assert_ne!(joined.identity.user_id.as_str(), squatted["data"]["user"]["id"]);
    let (status, late) =
        scene.place.post("verify-email", serde_json::json!({"email": email, "otp": code})).await;
    assert_eq!((status, &late["error"]["code"]), (401, &"invalid_code".into()), "{late}");
    let address = EmailAddress::parse(email).unwrap();
    let theirs = Sensitive::new("six parrots over Leeds".to_owned());
    let squatting = flows::login(&app, &origin, &address, &theirs).await;
    assert!(matches!(squatting, Err(Refusal::InvalidCredentials)), "{squatting:?}");
    let started = flows::login(&app, &origin, &address, &password).await.unwrap();
    assert_eq!(started.identity.user_id, joined.identity.user_id);
}
