//! The page and the document over HTTP, as the template routes them.

#![allow(clippy::unwrap_used, reason = "panicking is how a test fails")]

use std::path::Path;

use devstack::bootstrap::{Bootstrap, Init};
use devstack::{Devstack, Options};
use serde_json::Value;

/// What Lambda lets a function answer, in bytes.
const MAX_ANSWER: usize = 6 * 1024 * 1024;

async fn devstack() -> Devstack {
    Devstack::start(Options::default()).await.unwrap()
}

async fn get(devstack: &Devstack, path: &str) -> reqwest::Response {
    reqwest::get(format!("{}{path}", devstack.base_url)).await.unwrap()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).map(|it| it.to_str().unwrap()).unwrap_or_default()
}

/// The addresses in the page.
fn addresses(page: &str) -> Vec<&str> {
    let after = page.split("href=\"").skip(1).chain(page.split("src=\"").skip(1));
    after.map(|rest| rest.split('"').next().unwrap()).filter(|it| !it.starts_with("data:")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_all_it_is_made_of_come_from_here() {
    let devstack = devstack().await;
    for (at, base) in [("/docs", "/"), ("/docs/", "/docs/")] {
        let page = get(&devstack, at).await;
        assert_eq!(
            (page.status().as_u16(), header(&page, "content-type")),
            (200, "text/html; charset=utf-8")
        );
        let policy = header(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(header(&page, "x-frame-options"), "DENY");
        assert!(header(&page, "strict-transport-security").starts_with("max-age="));
        let page = page.text().await.unwrap();
        assert!(!page.contains("{"), "a file's name was left in: {page}");
        let parts = addresses(&page);
        assert!(parts.len() >= 7, "the reading is broken: {parts:?}");
        for part in parts {
            assert!(!part.contains(':') && !part.starts_with('/'), "{part} is not this stage's");
            let file = get(&devstack, &format!("{base}{part}")).await;
            assert_eq!(file.status(), 200, "{part}");
            assert_eq!(header(&file, "x-content-type-options"), "nosniff");
            let lasts = header(&file, "cache-control").contains("immutable");
            assert_eq!(lasts, part.matches('/').count() == 2, "{part}: by its hash, and only by that");
            assert!(file.bytes().await.unwrap().len() < MAX_ANSWER / 2, "{part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lasts_only_under_its_own_hash() {
    let devstack = devstack().await;
    let wrong = format!("/docs/{}/start.js", "0".repeat(64));
    let file = get(&devstack, &wrong).await;
    assert_eq!((file.status().as_u16(), header(&file, "cache-control")), (200, "no-cache"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_repositorys_and_is_not_sent_twice() {
    let devstack = devstack().await;
    let answer = get(&devstack, "/docs/openapi.yaml").await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "application/yaml"));
    let tag = header(&answer, "etag").to_owned();
    let file = std::fs::read_to_string(devstack::repository().join("docs/openapi.yaml")).unwrap();
    assert_eq!(answer.text().await.unwrap(), file);
    let client = reqwest::Client::new();
    for (sent, status) in [(tag.clone(), 304), (format!("\"x\", W/{tag}"), 304), ("\"x\"".to_owned(), 200)] {
        let request = client.get(format!("{}/docs/openapi.yaml", devstack.base_url));
        let again = request.header("If-None-Match", sent).send().await.unwrap();
        assert_eq!(again.status(), status);
        assert_eq!(header(&again, "etag"), tag);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404_and_nothing_is_sent_there() {
    let devstack = devstack().await;
    for path in ["/docs/index.html", "/docs/..%2fCargo.toml", "/docs/swagger-ui.css/", "/docs/a/b/c"] {
        let status = get(&devstack, path).await.status().as_u16();
        let slash_at_the_end = path.ends_with('/');
        assert_eq!(status, if slash_at_the_end { 200 } else { 404 }, "{path}");
    }
    let client = reqwest::Client::new();
    for path in ["/docs", "/docs/openapi.yaml", "/docs/start.js"] {
        let answer = client.post(format!("{}{path}", devstack.base_url)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (405, "GET, HEAD"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "method_not_allowed");
    }
}

/// Without a table, a secret or a variable.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_needs_nothing() {
    let started = Bootstrap::start(Path::new(env!("CARGO_BIN_EXE_docs")), &Vec::new()).await.unwrap();
    let Init::Started(mut running) = started else { panic!("it did not start") };
    let event: Value = serde_json::from_str(include_str!("../../../tests/events/docs.json")).unwrap();
    let answer = running.invoke(event).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert!(answer["body"].as_str().unwrap().contains("openapi: 3.1.0"));
}
