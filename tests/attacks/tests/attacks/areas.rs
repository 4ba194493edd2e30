//! Tells the corpus, area by area.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::corpus::{self, Line};
use crate::ways::Way;
use crate::world::World;

/// Tells a line one way: what is wrong, if anything.
async fn tell(world: &mut World, line: &Line, way: Way) -> Result<(), String> {
    for (nth, step) in line.steps.iter().enumerate() {
        let told = world.step(way, step).await;
        told.map_err(|why| if line.steps.len() > 1 { format!("step {}: {why}", nth + 1) } else { why })?;
    }
    Ok(())
}

/// The same; a panic on the way is what is wrong with this line, and the next is told all the same.
async fn tell_calmly(world: &mut World, line: &Line, way: Way) -> Result<(), String> {
    let told = AssertUnwindSafe(tell(world, line, way)).catch_unwind().await;
    told.unwrap_or_else(|_| Err("it panicked; why stands above".to_owned()))
}

/// Tells every line of an area, then fails if one did.
async fn tell_all(area: &str) {
    let lines = corpus::area(area);
    let (mut told, mut failed) = (0, String::new());
    let mut shared = World::new().await;
    for line in &lines {
        for way in line.ways(&shared) {
            let result = match line.alone {
                true => tell_calmly(&mut World::new().await, line, way).await,
                false => tell_calmly(&mut shared, line, way).await,
            };
            shared.settle(line);
            told += 1;
            if let Err(why) = result {
                write!(failed, "\n{} {way:?} ({})\n    {why}", line.id, line.why).unwrap();
            }
        }
    }
    eprintln!("{area}: {} lines, told {told} times", lines.len());
    assert!(failed.is_empty(), "{area}:{failed}\n");
}

#[tokio::test]
async fn accounts() {
    tell_all("accounts").await;
}

#[tokio::test]
async fn api_keys() {
    tell_all("api_key").await;
}

#[tokio::test]
async fn authorization_headers() {
    tell_all("authz_header").await;
}

#[tokio::test]
async fn access_tokens() {
    tell_all("jwt").await;
}

#[tokio::test]
async fn logins() {
    tell_all("login_verify").await;
}

#[tokio::test]
async fn members() {
    tell_all("members").await;
}

#[tokio::test]
async fn names_and_organizations() {
    tell_all("names_orgs").await;
}

#[tokio::test]
async fn refresh_tokens() {
    tell_all("refresh_token").await;
}

#[tokio::test]
async fn session_cookies() {
    tell_all("session_cookie").await;
}

#[tokio::test]
async fn own_accounts() {
    tell_all("account").await;
}

#[tokio::test]
async fn webhooks() {
    tell_all("webhooks").await;
}

#[tokio::test]
async fn events() {
    tell_all("events").await;
}
