//! Somebody guesses passwords until the door is shut. It opens again by itself, and for its owner.

use e2e::{Answer, PASSWORD, Person, Stage};

const MINUTE: i64 = 60;

/// So many wrong passwords, each of which is judged.
async fn guess_wrong(stage: &Stage, email: &str, times: usize) {
    for nth in 0..times {
        stage.guess_password(email, &format!("wrong-{nth}")).await.refused(401, "invalid_credentials");
    }
}

/// The right password gets its owner in.
async fn assert_open(stage: &Stage, person: &Person) {
    stage.login(person).await;
}

/// Even the right password is refused. Says for how many seconds.
async fn assert_shut(stage: &Stage, person: &Person) -> i64 {
    locked(stage.guess_password(person.email, PASSWORD).await)
}

fn locked(answer: Answer) -> i64 {
    answer.refused(429, "too_many_attempts").retry_after()
}

#[tokio::test]
async fn ten_wrong_passwords_shut_the_door_for_fifteen_minutes_even_to_the_right_one() {
    let stage = Stage::open().await;
    guess_wrong(&stage, stage.acorn.owner.email, 10).await;
    let wait = assert_shut(&stage, &stage.acorn.owner).await;
    assert!((14 * MINUTE..=15 * MINUTE).contains(&wait), "{wait}");

    // Trying on does not make it longer.
    stage.advance(10 * MINUTE).await;
    let rest = assert_shut(&stage, &stage.acorn.owner).await;
    assert!((4 * MINUTE..=5 * MINUTE).contains(&rest), "{rest}");
    stage.advance(rest - 5).await;
    assert_shut(&stage, &stage.acorn.owner).await;
    stage.advance(5).await;
    assert_open(&stage, &stage.acorn.owner).await;
}

#[tokio::test]
async fn an_address_that_nobody_has_behaves_to_the_byte_like_one_that_somebody_has() {
    let stage = Stage::open().await;
    let nobody_has = format!("nobody-{}", stage.acorn.owner.email);
    for nth in 0..12 {
        let password = format!("wrong-{nth}");
        let somebody = stage.guess_password(stage.acorn.owner.email, &password).await;
        let nobody = stage.guess_password(&nobody_has, &password).await;
        assert_eq!(somebody.indistinguishable_part(), nobody.indistinguishable_part());
        let (status, code) = if nth < 10 { (401, "invalid_credentials") } else { (429, "too_many_attempts") };
        somebody.refused(status, code);
        nobody.refused(status, code);
    }
    stage.advance(15 * MINUTE).await;
    let somebody =
        stage.guess_password(stage.acorn.owner.email, "wrong").await.refused(401, "invalid_credentials");
    let nobody = stage.guess_password(&nobody_has, "wrong").await.refused(401, "invalid_credentials");
    assert_eq!(somebody.indistinguishable_part(), nobody.indistinguishable_part());
}

#[tokio::test]
async fn one_address_that_is_shut_shuts_no_other() {
    let stage = Stage::open().await;
    guess_wrong(&stage, stage.acorn.owner.email, 10).await;
    assert_shut(&stage, &stage.acorn.owner).await;
    assert_open(&stage, &stage.acorn.admin).await;
    assert_open(&stage, &stage.birch.owner).await;
}

#[tokio::test]
async fn other_spellings_of_an_address_are_counted_with_it() {
    let stage = Stage::open().await;
    guess_wrong(&stage, stage.acorn.owner.email, 5).await;
    guess_wrong(&stage, &stage.acorn.owner.email.to_uppercase(), 5).await;
    assert_shut(&stage, &stage.acorn.owner).await;
}

#[tokio::test]
async fn whoever_is_logged_in_already_notices_nothing_of_it() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Server").await;
    guess_wrong(&stage, stage.acorn.owner.email, 10).await;
    assert_shut(&stage, &stage.acorn.owner).await;
    stage.me(&key.key).await.data(200);
    stage.me(&owner.access_token).await.data(200);
    stage.refresh(&owner.refresh_token).await.data(200);
}

#[tokio::test]
async fn a_completed_login_begins_the_count_anew() {
    let stage = Stage::open().await;
    for _ in 0..3 {
        guess_wrong(&stage, stage.acorn.owner.email, 9).await;
        assert_open(&stage, &stage.acorn.owner).await;
    }
}

#[tokio::test]
async fn the_right_password_alone_does_not() {
    let stage = Stage::open().await;
    guess_wrong(&stage, stage.acorn.owner.email, 9).await;
    let challenge = stage.start_login(&stage.acorn.owner).await;
    assert_shut(&stage, &stage.acorn.owner).await;
    // The second step is still open to whoever has the code, and opens the first one again.
    stage.verify(&challenge.id, &challenge.code).await.data(200);
    guess_wrong(&stage, stage.acorn.owner.email, 9).await;
    assert_open(&stage, &stage.acorn.owner).await;
}

#[tokio::test]
async fn slow_guesses_are_forgotten_one_by_one() {
    let stage = Stage::open().await;
    guess_wrong(&stage, stage.acorn.owner.email, 9).await;
    stage.advance(15 * MINUTE + 1).await;
    guess_wrong(&stage, stage.acorn.owner.email, 9).await;
    assert_open(&stage, &stage.acorn.owner).await;
}

#[tokio::test]
async fn a_lock_on_one_network_lets_the_owner_in_from_another() {
    let stage = Stage::open().await;
    let Some(elsewhere) = stage.from_network(1) else { return };
    guess_wrong(&elsewhere, stage.acorn.owner.email, 10).await;
    assert_shut(&elsewhere, &stage.acorn.owner).await;
    // The gateway's source address counts, and no header.
    let body = e2e::json!({ "email": stage.acorn.owner.email, "password": PASSWORD });
    let disguised = elsewhere.post("/auth/login").header("X-Forwarded-For", "203.0.113.7").json(&body).await;
    locked(disguised);
    assert_open(&stage, &stage.acorn.owner).await;
    // The login from here opened nothing there.
    assert_shut(&elsewhere, &stage.acorn.owner).await;
}

#[tokio::test]
async fn a_hundred_guesses_from_many_networks_shut_the_address_for_an_hour() {
    let stage = Stage::open().await;
    for nth in 0..10 {
        let Some(network) = stage.from_network(nth) else { return };
        guess_wrong(&network, stage.acorn.owner.email, 10).await;
    }
    let wait = assert_shut(&stage, &stage.acorn.owner).await;
    assert!((59 * MINUTE..=60 * MINUTE).contains(&wait), "{wait}");
    stage.advance(wait - 5).await;
    assert_shut(&stage, &stage.acorn.owner).await;
    stage.advance(5).await;
    assert_open(&stage, &stage.acorn.owner).await;
}
