//! The dashboard as the gateway brings it, and as a browser on this machine finds it.

use devstack::seed::ACORN;
use devstack::{Devstack, gateway::template::Api, template_path};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::json;

use super::client::{devstack, get, log_in, post};

async fn asked(devstack: &Devstack, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client.get(format!("{}{path}", devstack.base_url));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[test]
fn the_functions_know_from_where_on_the_gateway_compresses() {
    let api = Api::read(&template_path()).unwrap();
    assert_eq!(api.compressed_from, Some(shared::http::COMPRESSED_FROM as u64));
}

/// A browser is given every file compressed that is worth it, and all of them together in 60 KB.
#[tokio::test]
async fn the_app_comes_compressed_and_is_small() {
    let devstack = devstack().await;
    let plain = get(&devstack, "/dashboard", None).await.text().await.unwrap();
    let files: Vec<_> = plain.split("\"dashboard/").skip(1).map(|it| it.split('"').next().unwrap()).collect();
    let mut total = 0;
    for path in files.iter().map(|file| format!("/dashboard/{file}")).chain(["/dashboard".to_owned()]) {
        let whole = asked(&devstack, &path, &[]).await;
        assert_eq!(whole.headers().get("content-encoding"), None, "{path}: nobody asked");
        let whole = whole.bytes().await.unwrap().len();
        let packed = asked(&devstack, &path, &[("accept-encoding", "gzip, deflate, br")]).await;
        let coding = packed.headers().get("content-encoding").map(|it| it.to_str().unwrap().to_owned());
        assert_eq!(
            coding.as_deref(),
            (whole >= shared::http::COMPRESSED_FROM).then_some("gzip"),
            "{path}: {whole} bytes"
        );
        total += packed.bytes().await.unwrap().len();
    }
    assert!(total <= 60_000, "{total} bytes");
}

/// However long it is: a list of keys is the longest there is.
#[tokio::test]
async fn no_answer_of_the_api_is_compressed() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let name = "\u{1f511}".repeat(255);
    for _ in 0..9 {
        let made =
            post(&devstack, "/api/v1/auth/api-keys", Some(&tokens.access), json!({"key_name": name})).await;
        let path = format!("/api/v1/auth/api-keys/{}", made["data"]["api_key_id"].as_str().unwrap());
        let revoked =
            Client::new().delete(format!("{}{path}", devstack.base_url)).bearer_auth(&tokens.access);
        assert_eq!(revoked.send().await.unwrap().status(), 200);
        devstack.clock.advance(time::Duration::seconds(61));
    }
    let bearer = format!("Bearer {}", tokens.access);
    let list = |query: &'static str, accept: &'static str| {
        let path = format!("/api/v1/auth/api-keys{query}");
        let (devstack, bearer) = (&devstack, &bearer);
        async move { asked(devstack, &path, &[("authorization", bearer), ("accept-encoding", accept)]).await }
    };
    let long = list("", "gzip").await;
    assert_eq!(long.headers()["content-encoding"], "identity");
    let text = long.text().await.unwrap();
    assert!(text.len() > shared::http::COMPRESSED_FROM, "{}", text.len());
    assert_eq!(list("", "identity").await.text().await.unwrap(), text);
    let short = list("?limit=1", "gzip").await;
    assert_eq!(short.headers().get("content-encoding"), None);
}

/// The session is for the issuer's origin alone, so under the machine's other name the page sends one there.
#[tokio::test]
async fn by_the_name_of_localhost_one_is_sent_home() {
    let devstack = devstack().await;
    let host = devstack.base_url.replace("http://127.0.0.1", "localhost");
    for path in ["/dashboard", "/dashboard/"] {
        let answer = asked(&devstack, path, &[("host", &host)]).await;
        assert_eq!(answer.status(), 307);
        assert_eq!(answer.headers()["location"], format!("{}/dashboard", devstack.base_url));
    }
    let metadata = asked(&devstack, "/.well-known/openid-configuration", &[("host", &host)]).await;
    assert_eq!(metadata.json::<serde_json::Value>().await.unwrap()["issuer"], devstack.base_url);
}
