//! The emergency drill: a key that leaked.

use rotation::{Place, kid, says};
use serde_json::json;

#[tokio::test]
async fn a_dead_key_is_refused_within_a_minute_and_the_next_one_signs_at_once() {
    let place = Place::rotating().await;
    let (verifier, issuer) = (place.environment(), place.environment());
    let leaked = place.current(&place.signing()).await;
    let tokens = place.login(&issuer).await;
    let forged = place.forge(&leaked["signing"]).await;
    assert!(verifier.accepts(&forged).await, "before the drill it cannot be told from ours");

    let answer = place.kill(&kid(&leaked["signing"])).await.unwrap();
    assert!(says(&[answer], &kid(&leaked["signing"]), "killed"));
    // The copy that the verifier has just read is good for a minute.
    place.advance(59);
    assert!(verifier.accepts(&forged).await);
    place.advance(1);
    assert!(!verifier.accepts(&forged).await);
    assert!(
        !verifier.accepts(tokens.access_token.expose()).await,
        "what is signed with it is lost, ours too"
    );

    // The issuer holds the dead key for four minutes more. It finds the new one when it is asked, and the session goes on.
    let tokens = issuer.refresh(tokens.refresh_token.expose()).await.unwrap();
    assert!(verifier.accepts(tokens.access_token.expose()).await);
    assert_eq!(place.current(&place.signing()).await["signing"], leaked["next"]);
    place.is_sound().await;
}

#[tokio::test]
async fn a_drill_done_again_changes_nothing() {
    let place = Place::rotating().await;
    let leaked = kid(&place.current(&place.signing()).await["signing"]);
    place.kill(&leaked).await.unwrap();
    let once = (place.current(&place.signing()).await, place.ledger().await);
    assert_eq!(place.kill(&leaked).await.unwrap()["notes"], json!([]));
    assert_eq!((place.current(&place.signing()).await, place.ledger().await), once);
}

#[tokio::test]
async fn when_the_whole_secret_leaked_two_drills_leave_nothing_of_it() {
    let place = Place::rotating().await;
    let leaked = place.current(&place.signing()).await;
    let issuer = place.environment();
    let tokens = place.login(&issuer).await;
    // The next key first, or it would sign for a moment.
    for signer in ["next", "signing"] {
        place.kill(&kid(&leaked[signer])).await.unwrap();
    }
    place.advance(60);
    let verifier = place.environment();
    for signer in ["signing", "next"] {
        assert!(!verifier.accepts(&place.forge(&leaked[signer]).await).await, "{signer}");
    }
    assert!(issuer.refresh(tokens.refresh_token.expose()).await.is_ok());
    place.is_sound().await;
}

#[tokio::test]
async fn a_next_key_that_was_never_published_is_by_the_drill() {
    let place = Place::rotating().await;
    let leaked = place.current(&place.signing()).await;
    let mut set = place.ledger().await.key_set();
    set.keys.retain(|key| key.kid == kid(&leaked["signing"]));
    place.devstack.app.store.put_key_set(&set, &devstack::event(&place.devstack.app, "")).await.unwrap();
    place.kill(&kid(&leaked["signing"])).await.unwrap();
    place.advance(60);
    assert!(!place.published().await.contains(&kid(&leaked["signing"])));
    place.is_sound().await;
}

#[tokio::test]
async fn a_retired_key_is_withdrawn_and_the_secret_stays() {
    let place = Place::rotating().await;
    let old = place.current(&place.signing()).await;
    place.rotate(&place.signing()).await;
    let current = place.current(&place.signing()).await;
    place.kill(&kid(&old["signing"])).await.unwrap();
    assert_eq!(place.current(&place.signing()).await, current);
    assert!(!place.environment().accepts(&place.forge(&old["signing"]).await).await);
    place.is_sound().await;
}

#[tokio::test]
async fn a_dead_key_is_not_published_again_by_the_rotation_that_made_it() {
    let place = Place::rotating().await;
    let secret = place.signing();
    let before = place.published().await;
    let token = place.begin(&secret).await.unwrap();
    for step in ["createSecret", "setSecret"] {
        place.step(&secret, step, &token).await.unwrap();
    }
    let made = place.published().await.into_iter().find(|kid| !before.contains(kid)).unwrap();
    place.kill(&made).await.unwrap();
    assert_eq!(place.step(&secret, "setSecret", &token).await.unwrap_err().word(), "unpublishable");
    assert_eq!(place.published().await, before);
    // The rotation is given up, and the next one is not in its way.
    place.rotate(&secret).await;
    place.is_sound().await;
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_told_and_changes_nothing() {
    let place = Place::rotating().await;
    let before = (place.current(&place.signing()).await, place.ledger().await);
    assert_eq!(place.kill("mistyped").await.unwrap_err().word(), "unknown_key");
    assert_eq!((place.current(&place.signing()).await, place.ledger().await), before);
}
