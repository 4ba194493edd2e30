//! Old and new code read each other's items: during a deployment both run, and a roll-back meets what the new code wrote.
//!
//! `tests/defences/items/` holds, file by file, every kind of item as some released code wrote it, from a devstack that went through
//! [`life`]. What the code of now writes goes to the build's folder for temporary files; a test fails, and says how to add a file, when
//! that has come to differ from the newest one.

use std::collections::BTreeSet;
use std::path::Path;

use defences::Place;
use devstack::seed::BIRCH;
use serde_json::{Value, json};
use shared::addresses::EmailAddress;
use shared::allowed_addresses::AllowedAddresses;
use shared::audit::Chain;
use shared::authz::Permission;
use shared::guards::Guard;
use shared::ids::{EventId, KeyId, OrgId, SessionId, UserId};
use shared::store::{
    CodeGuess, Counted, CreateKey, CreateKeyOutcome, RevokeKeyOutcome, Revoker, RotateOutcome, SealedAnswer,
    Store, StoreError, Writer,
};

use super::shapes_items::{Items, KINDS, folder, kept, kind, place_with, shapes, table, text};
use super::shapes_life::life;

/// Those that are met in a failed write alone, or by their names alone.
const IN_WRITES: [&str; 3] = ["IDEMPOTENCY#/ANSWER", "USER#/KEY_RATE", "USER#/SESSION#"];

/// The guard that one call shuts.
const SHUT_AT_ONCE: &str = "GUARD#/RESENDS_SOON";

#[tokio::test]
async fn what_is_written_now_has_every_attribute_that_released_code_reads() {
    let place = Place::new().await;
    life(&place).await;
    let items = table(&place).await;
    let now = shapes(&items);
    let every: BTreeSet<&str> = KINDS.into_iter().collect();
    assert_eq!(now.keys().map(String::as_str).collect::<BTreeSet<_>>(), every, "`life` writes every kind");
    for (name, kept) in kept() {
        for (kind, attributes) in shapes(&kept.items) {
            let missing: Vec<_> = attributes.difference(&now[&kind]).collect();
            assert!(missing.is_empty(), "the code of {name} may need {missing:?} in {kind}");
        }
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("items.json");
    let file = json!({"at": place.app().clock.now_seconds(), "items": items});
    std::fs::write(&written, format!("{file:#}\n")).unwrap();
    let newest = kept().pop().map(|(_, kept)| shapes(&kept.items));
    let version = version(&items);
    let how = format!("cp {} {}/v{version}-$(date +%Y%m%d).json", written.display(), folder().display());
    assert_eq!(newest.as_ref(), Some(&now), "items have a new attribute; once it is as it should be: {how}");
}

/// The latest shape version among items.
fn version(items: &[Value]) -> i64 {
    items.iter().map(|item| item["v"]["N"].as_str().unwrap().parse().unwrap()).max().unwrap()
}

/// Reads an item as the code of now does; `None` for those that are only met in a write.
async fn read(store: &Store, item: &Value, now: i64) -> Option<Result<bool, StoreError>> {
    let after = |name: &str| text(item, name).split_once('#').unwrap().1.to_owned();
    let org = || OrgId::parse(&after("pk")).unwrap();
    Some(match kind(item).as_str() {
        "EMAIL#/USER" => {
            let address = EmailAddress::parse(&text(item, "email")).unwrap();
            store.user(&address).await.map(|it| it.is_some())
        }
        "CHALLENGE#/CHALLENGE" => {
            store.challenge(&after("pk").try_into().unwrap()).await.map(|it| it.is_some())
        }
        "SESSION#/SESSION" => {
            store.session(&SessionId::parse(&after("pk")).unwrap()).await.map(|it| it.is_some())
        }
        "ORG#/ORG" => store.organization(&org()).await.map(|it| it.is_some()),
        "ORG#/MEMBER#" => {
            let user = UserId::parse(&after("sk")).unwrap();
            let nobodys = SessionId::parse("ses_01J0ACRN000000000000000000").unwrap();
            store.standing(&org(), &user, &nobodys).await.map(|it| it.role.is_some())
        }
        "ORG#/INVITATION#" => store.invitations(&org()).await.map(|it| !it.is_empty()),
        "INVITATION#/INVITATION" => store.invitation_place(&after("pk")).await.map(|it| it.is_some()),
        "USER#/MEMBER#" => {
            let organizations = store.organizations_of(&UserId::parse(&after("pk")).unwrap()).await;
            organizations.map(|it| it.iter().any(|org| org.as_str() == after("sk")))
        }
        "ORG#/KEY#" => store.key_page(&org(), 100, None).await.map(|it| !it.records.is_empty()),
        "ORG#/ACTIVE_KEY" => {
            let id = KeyId::parse(&text(item, "api_key_id")).unwrap();
            store.key_and_active(&org(), &id).await.map(|(_, active)| active.is_some())
        }
        "KEYHASH#/CREDENTIAL" => store.key_credential(&after("pk")).await.map(|it| it.is_some()),
        "RESET#/RESET" => store.reset(&after("pk")).await.map(|it| it.is_some()),
        "SIGNUP#/SIGNUP" => {
            let address = EmailAddress::parse(&text(item, "email")).unwrap();
            store.sign_up(&address).await.map(|it| it.is_some())
        }
        "KEYSET/KEYSET" => store.key_set().await.map(|it| it.is_some()),
        "AUDIT#/EVENT#" => {
            let page = store.events_after(&chain(item), "", 100).await;
            page.map(|it| it.iter().any(|(sk, event)| *sk == text(item, "sk") && event.event_id.is_some()))
        }
        "CHAIN#/LINK#" => {
            let number = item["number"]["N"].as_str().unwrap().parse().unwrap();
            store.links_at(&chain(item), &[number]).await.map(|it| it[&number].is_some())
        }
        "CHAIN#/MARK#" => {
            let id = EventId::parse(&after("sk")).unwrap();
            store.marks(&chain(item), &[id]).await.map(|it| !it.is_empty())
        }
        "USER#/SESSION#" => {
            let user = UserId::parse(&after("pk")).unwrap();
            store.session_page(&user, 100, None).await.map(|it| !it.sessions.is_empty())
        }
        "USER#/TOTP_PENDING" => {
            let user = UserId::parse(&after("pk")).unwrap();
            store.user_and_pending_totp("", &user).await.map(|(_, pending)| pending.is_some())
        }
        "REPORTER#/KEY#" => store.reporter_key(&after("sk")).await.map(|it| it.is_some()),
        "WEBHOOK#/WEBHOOK" => store.webhook(&org()).await.map(|it| it.is_some()),
        "EXPIRY#/KEY#" => store.expiries(&after("pk"), None).await.map(|it| !it.expiries.is_empty()),
        kind if kind.starts_with("GUARD#/") => {
            let locked = store
                .guard_locked_until(&super::accounts::guard(&text(item, "pk"), &text(item, "sk")), now)
                .await;
            locked.map(|locked| locked.is_some() == (kind == SHUT_AT_ONCE))
        }
        _ => return None,
    })
}

fn chain(item: &Value) -> Chain {
    Chain::parse(text(item, "pk").split_once('#').unwrap().1).unwrap()
}

#[tokio::test]
async fn every_item_that_released_code_wrote_is_read() {
    for (name, kept) in kept() {
        let (place, kept) = place_with(&kept, |_| {}).await;
        let mut read_kinds = BTreeSet::new();
        for item in &kept.items {
            let read = read(&place.app().store, item, kept.at).await;
            let Some(read) = read else { continue };
            assert!(matches!(read, Ok(true)), "{name}, {}: {read:?}", kind(item));
            read_kinds.insert(kind(item));
        }
        let unread = shapes(&kept.items)
            .into_keys()
            .find(|it| !read_kinds.contains(it) && !IN_WRITES.contains(&it.as_str()));
        assert_eq!(unread, None, "{name}");
    }
}

#[tokio::test]
async fn an_item_of_a_later_version_is_refused_whatever_it_is() {
    let (_, kept) = kept().pop().unwrap();
    let later = (version(&kept.items) + 1).to_string();
    let (place, kept) = place_with(&kept, |item| item["v"] = json!({"N": later})).await;
    // An event is taken as it is, and chained: what it means is for whoever reads the trail.
    for item in kept.items.iter().filter(|item| kind(item) != "AUDIT#/EVENT#") {
        if let Some(read) = read(&place.app().store, item, kept.at).await {
            let refused =
                matches!(&read, Err(StoreError::Corrupt { item: of, .. }) if kind(item).starts_with(of));
            assert!(refused, "{}: {read:?}", kind(item));
        }
    }
}

/// Writes that change items, and the two kinds that are read by nothing but a failed write.
#[tokio::test]
async fn what_is_unknown_in_an_item_stays_when_it_is_changed() {
    for (name, kept) in kept() {
        let unknown = json!({"M": {"of": {"S": "a later version"}}});
        let (place, kept) = place_with(&kept, |item| item["later"] = unknown.clone()).await;
        change(&place, &kept).await;
        let before: BTreeSet<String> =
            kept.items.iter().map(|item| text(item, "pk") + "/" + &text(item, "sk")).collect();
        for item in table(&place).await {
            if before.contains(&(text(&item, "pk") + "/" + &text(&item, "sk"))) {
                assert_eq!(item["later"], unknown, "{name}: {item}");
            }
        }
    }
}

async fn change(place: &Place, kept: &Items) {
    let (app, store, now) = (place.app(), place.app().store.clone(), kept.at);
    let event = || devstack::event(&app, BIRCH.id);
    let locked = |_: &Guard| event();
    let guards = kept.items.iter().filter(|item| kind(item).starts_with("GUARD#"));
    for item in guards.filter(|item| kind(item) != SHUT_AT_ONCE) {
        assert!(matches!(
            store
                .count_guess(&[super::accounts::guard(&text(item, "pk"), &text(item, "sk"))], &locked, now)
                .await
                .unwrap(),
            Counted::Counted
        ));
    }
    for item in kept.of("CHALLENGE#/CHALLENGE").filter(|item| item.get("consumed_at").is_none()) {
        let challenge =
            store.challenge(&text(item, "challenge_id").try_into().unwrap()).await.unwrap().unwrap();
        let counted = store.count_code_guess(&challenge, &locked, now).await.unwrap();
        assert!(matches!(counted, CodeGuess::Counted), "{counted:?}");
    }
    let live = kept.of("SESSION#/SESSION").find(|item| item.get("revoked_at").is_none()).unwrap();
    let session = SessionId::parse(&text(live, "session_id")).unwrap();
    let found = store.session(&session).await.unwrap().unwrap();
    assert_eq!(store.rotate(&found, "successor", now).await.unwrap(), RotateOutcome::Rotated);
    change_keys(place, kept, &session).await;
    store.revoke_session(&session, &event(), now).await.unwrap();
    let identity = found.identity;
    let organizations = [identity.org_id.clone()];
    store.end_sessions(&identity.user_id, &organizations, None, &event(), now).await.unwrap();
    store.set_suspended(&identity.org_id, true, &event, now).await.unwrap();
}

async fn change_keys(place: &Place, kept: &Items, session: &SessionId) {
    let (app, now) = (place.app(), kept.at);
    let (store, event) = (&app.store, &devstack::event(&app, BIRCH.id));
    let active = kept.of("ORG#/ACTIVE_KEY").next().unwrap();
    let org = OrgId::parse(text(active, "pk").split_once('#').unwrap().1).unwrap();
    let id = KeyId::parse(&text(active, "api_key_id")).unwrap();
    let record = store.key_and_active(&org, &id).await.unwrap().0.unwrap();
    let spent = text(kept.of("IDEMPOTENCY#/ANSWER").next().unwrap(), "idempotency_id");
    let answer = SealedAnswer { idempotency_id: spent, sealed: None, expires_at: now };
    let roles = Permission::ManageKeys.roles();
    let by = Writer { org: &org, user: &record.created_by, session, roles };
    let create = |answer| CreateKey { record: &record, by, answer, event, now };
    let repeated = store.create_key(&create(Some(&answer))).await.unwrap();
    assert!(matches!(repeated, CreateKeyOutcome::Repeated(_)), "{repeated:?}");
    assert!(store.note_use(&org, &id, now).await.unwrap());
    let moved = devstack::event(&app, BIRCH.id);
    let anywhere = AllowedAddresses::default();
    assert!(store.set_allowed_addresses(&record, &anywhere, by, &moved, now).await.unwrap());
    let revoked = store
        .revoke_key(&record, true, Revoker::Operator, &devstack::event(&app, BIRCH.id), now)
        .await
        .unwrap();
    assert_eq!(revoked, RevokeKeyOutcome::Revoked);
    let too_soon = store.create_key(&create(None)).await.unwrap();
    assert!(matches!(too_soon, CreateKeyOutcome::TooSoon { .. }), "{too_soon:?}");
}
