//! The second step: a code that works once, for ten minutes, against few guesses, and that can be sent again.

use e2e::{Challenge, PASSWORD, Stage, json, other_code};

const MINUTE: i64 = 60;

/// So many wrong codes, each of which is judged.
async fn guess_wrong(stage: &Stage, challenge: &Challenge, times: usize) {
    let wrong = other_code(&challenge.code);
    for _ in 0..times {
        stage.verify(&challenge.id, &wrong).await.refused(401, "invalid_code");
    }
}

#[tokio::test]
async fn the_fifth_wrong_code_kills_the_challenge() {
    let stage = Stage::open().await;
    let lucky = stage.start_login(&stage.acorn.owner).await;
    guess_wrong(&stage, &lucky, 4).await;
    stage.verify(&lucky.id, &lucky.code).await.data(200);

    let challenge = stage.start_login(&stage.acorn.owner).await;
    guess_wrong(&stage, &challenge, 5).await;
    stage.verify(&challenge.id, &challenge.code).await.refused(401, "invalid_code");
    // A new code does not bring it back to life, and a new login is not held back.
    stage.advance(MINUTE).await;
    stage.resend(&challenge.id).await.refused(401, "invalid_code");
    stage.login(&stage.acorn.owner).await;
}

#[tokio::test]
async fn a_code_works_once() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.acorn.owner).await;
    stage.verify(&challenge.id, &challenge.code).await.data(200);
    stage.verify(&challenge.id, &challenge.code).await.refused(401, "invalid_code");
    stage.advance(MINUTE).await;
    stage.resend(&challenge.id).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let stage = Stage::open().await;
    let (first, second) =
        (stage.start_login(&stage.acorn.owner).await, stage.start_login(&stage.acorn.owner).await);
    stage.advance(10 * MINUTE - 5).await;
    stage.verify(&first.id, &first.code).await.data(200);
    stage.advance(5).await;
    stage.verify(&second.id, &second.code).await.refused(401, "invalid_code");
    stage.resend(&second.id).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn ten_wrong_codes_over_several_challenges_shut_the_address() {
    let stage = Stage::open().await;
    let first = stage.start_login(&stage.acorn.owner).await;
    let second = stage.start_login(&stage.acorn.owner).await;
    let third = stage.start_login(&stage.acorn.owner).await;
    guess_wrong(&stage, &first, 5).await;
    guess_wrong(&stage, &second, 5).await;

    // The right code, a new code, and a new login: all wait.
    let refused = stage.verify(&third.id, &third.code).await.refused(429, "too_many_attempts");
    assert!((14 * MINUTE..=15 * MINUTE).contains(&refused.retry_after()), "{refused}");
    stage.advance(MINUTE).await;
    stage.resend(&third.id).await.refused(429, "too_many_attempts");
    stage.guess_password(stage.acorn.owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    stage.guess_password(stage.acorn.owner.email, "wrong").await.refused(429, "too_many_attempts");
    stage.login(&stage.acorn.admin).await;

    let refused =
        stage.guess_password(stage.acorn.owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    stage.advance(refused.retry_after() - 5).await;
    stage.guess_password(stage.acorn.owner.email, PASSWORD).await.refused(429, "too_many_attempts");
    stage.advance(5).await;
    stage.login(&stage.acorn.owner).await;
}

#[tokio::test]
async fn a_completed_login_begins_the_count_of_codes_anew() {
    let stage = Stage::open().await;
    for _ in 0..4 {
        let challenge = stage.start_login(&stage.acorn.owner).await;
        guess_wrong(&stage, &challenge, 4).await;
        stage.verify(&challenge.id, &challenge.code).await.data(200);
    }
}

#[tokio::test]
async fn a_code_sent_again_replaces_the_old_one_which_is_dead() {
    let stage = Stage::open().await;
    let old = stage.start_login(&stage.acorn.owner).await;
    stage.advance(MINUTE).await;
    let resent = stage.resend(&old.id).await.data(200);
    assert_eq!(resent["challenge_id"], old.id);
    assert!(resent["expires_at"].is_string());
    let new = Challenge { id: old.id.clone(), code: stage.newest_code(&stage.acorn.owner).await };
    // Once in a million the new code is the old one.
    if new.code != old.code {
        stage.verify(&old.id, &old.code).await.refused(401, "invalid_code");
    }
    stage.verify(&new.id, &new.code).await.data(200);
}

#[tokio::test]
async fn a_new_code_brings_ten_new_minutes_and_no_new_guesses() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.acorn.owner).await;
    stage.advance(9 * MINUTE).await;
    stage.resend(&challenge.id).await.data(200);
    let challenge = Challenge { id: challenge.id, code: stage.newest_code(&stage.acorn.owner).await };
    stage.advance(9 * MINUTE).await;
    guess_wrong(&stage, &challenge, 3).await;
    stage.resend(&challenge.id).await.data(200);
    let challenge = Challenge { id: challenge.id, code: stage.newest_code(&stage.acorn.owner).await };
    guess_wrong(&stage, &challenge, 2).await;
    stage.verify(&challenge.id, &challenge.code).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_code_is_sent_again_once_a_minute_and_three_times() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.acorn.owner).await;
    let mut newest = stage.mails(&stage.acorn.owner).await[0].clone();
    for _ in 0..3 {
        let early = stage.resend(&challenge.id).await.refused(429, "rate_limited");
        assert!((55..=60).contains(&early.retry_after()), "{early}");
        assert_eq!(stage.mails(&stage.acorn.owner).await[0], newest, "no mail for a refusal");
        stage.advance(early.retry_after()).await;
        stage.resend(&challenge.id).await.data(200);
        let mails = stage.mails(&stage.acorn.owner).await;
        assert_eq!((mails[0] == newest, &mails[1]), (false, &newest), "one mail each");
        newest = mails[0].clone();
    }
    stage.advance(2 * MINUTE).await;
    stage.resend(&challenge.id).await.refused(429, "rate_limited");
    assert_eq!(stage.mails(&stage.acorn.owner).await[0], newest);
    // The last code is as good as the first would have been.
    stage.verify(&challenge.id, &stage.newest_code(&stage.acorn.owner).await).await.data(200);
}

#[tokio::test]
async fn there_are_no_backup_codes_yet_and_a_guess_at_one_counts() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.acorn.owner).await;
    let body = json!({ "challenge_id": challenge.id, "code": challenge.code, "code_type": "backup" });
    for _ in 0..5 {
        stage.post("/auth/login/2fa/verify").json(&body).await.refused(401, "invalid_code");
    }
    stage.verify(&challenge.id, &challenge.code).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_challenge_that_never_was_is_refused_like_a_wrong_code() {
    let stage = Stage::open().await;
    let challenge = stage.start_login(&stage.birch.owner).await;
    let wrong = stage.verify(&challenge.id, &other_code(&challenge.code)).await.refused(401, "invalid_code");
    for id in [
        "ch_01J0NNBDY00000000000000000",
        "ch_",
        "nonsense",
        stage.birch.id,
        "ch_01J0NNBDY0000000000000000\u{0}",
    ] {
        let refused = stage.verify(id, &challenge.code).await.refused(401, "invalid_code");
        assert_eq!(refused.indistinguishable_part(), wrong.indistinguishable_part());
        stage.resend(id).await.refused(401, "invalid_code");
    }
    stage.verify(&challenge.id, &challenge.code).await.data(200);
}
