//! The dashboard's files: what their answers say besides, when they are sent again, and which addresses are none.

use devstack::seed::ACORN;

use crate::harness::{Cases, Refusal, Request, Response, Stack};

/// What every answer of the function says, whatever it is about.
const ALWAYS: [(&str, &str); 6] = [
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

async fn get(stack: &Stack, path: &str) -> Response {
    stack.send(&Request::get(path)).await
}

/// The folder of the assets and the name of the script in it, as the document has them.
fn script_of(document: &Response) -> (String, String) {
    let (_, rest) = document.body.split_once("src=\"dashboard/").unwrap();
    let (folder, rest) = rest.split_once('/').unwrap();
    (folder.to_owned(), rest.split_once('"').unwrap().0.to_owned())
}

fn hardened(answer: &Response) -> Result<(), String> {
    for (name, value) in ALWAYS {
        if answer.header(name) != Some(value) {
            return Err(format!("{name} is {:?}", answer.header(name)));
        }
    }
    let forbidden = ["access-control-allow-origin", "set-cookie", "server", "x-powered-by"];
    let sent = forbidden.iter().find(|name| answer.header(name).is_some());
    let policy = answer.header("content-security-policy").unwrap_or_default();
    let closed = policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'");
    match (sent, closed) {
        (None, true) => Ok(()),
        (sent, _) => Err(format!("{sent:?} is sent, or the policy is open: {policy}")),
    }
}

#[tokio::test]
async fn the_document_comes_with_its_policy_and_the_assets_for_good() {
    let stack = Stack::start().await;
    stack.devstack.requests.take();
    let document = get(&stack, "/dashboard").await;
    assert_eq!(document.status, 200);
    assert_eq!(document.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(document.header("cache-control"), Some("no-cache"));
    assert_eq!(document.header("vary"), Some("Accept-Encoding"));
    assert!(document.header("x-request-id").is_some());
    hardened(&document).unwrap();
    let policy = document.header("content-security-policy").unwrap();
    let (style, rest) = policy.split_once("style-src ").unwrap();
    assert!(rest.starts_with("'sha256-") && !rest.contains(' '), "no other style: {rest}");
    assert_eq!(
        style,
        "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
    );
    assert!(document.header("permissions-policy").unwrap().contains("geolocation=()"));

    let (version, script) = script_of(&document);
    let script = get(&stack, &format!("/dashboard/{version}/{script}")).await;
    assert_eq!(script.status, 200);
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(script.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    hardened(&script).unwrap();
    let refused = stack.send(&Request::post("/dashboard")).await;
    hardened(&refused).unwrap();
    assert_eq!(stack.devstack.requests.take(), [], "nothing of it is read anywhere");
}

#[tokio::test]
async fn a_document_that_the_browser_has_is_not_sent_again() {
    let stack = Stack::start().await;
    let document = get(&stack, "/dashboard").await;
    let tag = document.header("etag").unwrap();
    let opaque = tag.strip_prefix("W/").unwrap();
    let asked =
        async |value: &str| stack.send(&Request::get("/dashboard").header("If-None-Match", value)).await;
    for same in [tag, opaque, "*", &format!("\"x\", {tag}"), &format!("{tag},\"x\""), &format!("  {opaque} ")]
    {
        let answer = asked(same).await;
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{same}");
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some(tag), Some("no-cache")));
        hardened(&answer).unwrap();
    }
    let unquoted = opaque.trim_matches('"');
    for other in ["", "\"x\"", unquoted, &opaque.to_uppercase(), "W/", "\"*\"", &format!("{opaque}{opaque}")]
    {
        let answer = asked(other).await;
        assert_eq!((answer.status, &answer.body), (200, &document.body), "{other}");
    }
}

#[tokio::test]
async fn nothing_of_a_request_is_in_the_document() {
    let stack = Stack::start().await;
    let document = get(&stack, "/dashboard").await;
    let canary = "canary7f3a";
    let dressed = Request::get(&format!("/dashboard?x={canary}&{canary}"))
        .header("Cookie", format!("__Host-syncgram_session={canary}"))
        .header("Origin", format!("https://{canary}.example"))
        .header("X-Forwarded-Host", canary)
        .header("X-Forwarded-Prefix", canary)
        .header("Accept-Language", canary)
        .header("X-Syncgram-Client", canary)
        .bearer(canary);
    let answer = stack.send(&dressed).await;
    assert_eq!((answer.status, &answer.body), (200, &document.body));
    assert!(!format!("{answer:?}").contains(canary));
}

#[tokio::test]
async fn with_a_slash_behind_it_the_document_is_elsewhere() {
    let stack = Stack::start().await;
    for (slash, query) in [("/dashboard/", ""), ("/dashboard//", ""), ("/dashboard/", "?x=//evil.example")] {
        let answer = get(&stack, &format!("{slash}{query}")).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some("../dashboard")), "{slash}{query}");
        hardened(&answer).unwrap();
    }
}

#[tokio::test]
async fn what_is_no_file_of_the_app_is_404() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let (version, script) = script_of(&get(&stack, "/dashboard").await);
    let mut cases = Cases::of(&stack);
    for path in [
        format!("/dashboard/0000000000000000/{script}"),
        format!("/dashboard/{}A/{script}", version.to_uppercase()),
        format!("/dashboard/{version}/index.html"),
        format!("/dashboard/{version}/app.css"),
        format!("/dashboard/{version}/{}", script.to_uppercase()),
        format!("/dashboard/{version}/{script}%00"),
        format!("/dashboard/{version}/%{:02x}{}", script.as_bytes()[0], &script[1..]),
        format!("/dashboard/{version}/..%2f{script}"),
        format!("/dashboard/{version}/.."),
        format!("/dashboard/{version}/{{file}}"),
        format!("/dashboard/{version}/Cargo.toml"),
        format!("/dashboard/{version}/x/{script}"),
        format!("/dashboard/{version}"),
        format!("/dashboard/dashboard/{version}/{script}"),
        format!("/Dashboard/{version}/{script}"),
        "/dashboards".to_owned(),
        "/Dashboard".to_owned(),
    ] {
        cases.refused(path.as_str(), Request::get(&path), &Refusal::not_found()).await;
        let signed = Request::get(&path).bearer(&owner.access);
        cases.refused(format!("{path}, by somebody"), signed, &Refusal::not_found()).await;
    }
    cases.finish();
}
