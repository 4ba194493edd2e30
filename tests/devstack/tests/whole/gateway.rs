//! The gateway's rules over HTTP, with the shipped template and the real functions.

use devstack::engines::recorder::Fault;
use devstack::seed::ACORN;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::client::{devstack, get, log_in, post, send};

const ME: &str = "/api/v1/organizations/me";

/// Checks the envelope and what every gateway-made answer carries.
async fn refused(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()["x-amzn-requestid"], request_id.as_str());
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["success"], false);
    assert_eq!(body["error"]["code"], code);
    assert_eq!(body["error"]["request_id"], request_id.as_str());
    body
}

#[tokio::test]
async fn without_a_credential_it_is_401_and_nothing_is_read() {
    let devstack = devstack().await;
    let nothing = get(&devstack, ME, None).await;
    assert_eq!(nothing.headers()["www-authenticate"], "Bearer realm=\"syncgram\"");
    refused(nothing, 401, "unauthorized").await;
    for bad in ["x", "sk_test_short", "eyJ.a", "eyJhbGciOiJub25lIn0.e30."] {
        refused(get(&devstack, ME, Some(bad)).await, 401, "unauthorized").await;
    }
    assert_eq!(devstack.requests.take(), [], "the validation expression refused them all");
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let bearer = format!("Bearer {}", tokens.access);
    let twice = reqwest::Client::new()
        .get(format!("{}{ME}", devstack.base_url))
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    refused(twice.send().await.unwrap(), 401, "unauthorized").await;
    assert_eq!(get(&devstack, ME, Some(&tokens.access)).await.status(), 200, "one is fine");
}

#[tokio::test]
async fn a_deny_of_the_authorizer_is_403() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let made = post(&devstack, "/api/v1/auth/api-keys", Some(&tokens.access), json!({"key_name": "k"})).await;
    let suspend = json!({"action": "suspend_organization", "org_id": ACORN.id});
    post(&devstack, "/_devstack/operator", None, suspend).await;
    let answer = get(&devstack, ME, made["data"]["key"].as_str()).await;
    assert_eq!(
        answer.headers()["x-amzn-errortype"],
        "AccessDeniedException",
        "the gateway's, not the function's"
    );
    refused(answer, 403, "organization_suspended").await;
}

#[tokio::test]
async fn an_authorizer_without_its_table_is_503() {
    let devstack = devstack().await;
    let tokens = log_in(&devstack, ACORN.owner).await;
    let made = post(&devstack, "/api/v1/auth/api-keys", Some(&tokens.access), json!({"key_name": "k"})).await;
    let key = made["data"]["key"].as_str();
    let denied = json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException"});
    devstack.requests.inject(move |_| Some(Fault::Answer(400, denied.clone())));
    let away = get(&devstack, ME, key).await;
    assert_eq!(away.headers()["x-amzn-errortype"], "AuthorizerFailureException");
    assert!(away.headers().contains_key("retry-after"));
    refused(away, 503, "service_unavailable").await;
    devstack.requests.heal();
    assert_eq!(get(&devstack, ME, key).await.status(), 200);
}

#[tokio::test]
async fn a_function_that_panics_is_503_and_the_next_call_goes_on() {
    let devstack = devstack().await;
    devstack.requests.inject(|_| panic!("on purpose"));
    let login = json!({"email": ACORN.owner.email, "password": "some password"});
    let answer = send(&devstack, Method::POST, "/api/v1/auth/login", None, login).await;
    refused(answer, 503, "service_unavailable").await;
    devstack.requests.heal();
    log_in(&devstack, ACORN.owner).await;
    assert!(devstack.logs.text().contains("the function panicked"));
}

#[tokio::test]
async fn unknown_paths_and_methods_reach_the_function_that_says_so() {
    let devstack = devstack().await;
    for path in ["/", "/nowhere", "/api/v1/nowhere/at/all", "/_devstacks"] {
        let answer = get(&devstack, path, Some("whatever")).await;
        refused(answer, 404, "not_found").await;
    }
    let wrong = send(&devstack, Method::PATCH, ME, None, Value::Null).await;
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()["allow"], "GET");
}

#[tokio::test]
async fn bodies_are_passed_on_as_text_up_to_ten_megabytes() {
    let devstack = devstack().await;
    let post = |body: Vec<u8>| {
        let url = format!("{}/api/v1/auth/login", devstack.base_url);
        reqwest::Client::new().post(url).header("content-type", "application/json").body(body).send()
    };
    assert_eq!(post(b"\xff\xfe{".to_vec()).await.unwrap().status(), 400);
    assert_eq!(post(vec![b' '; 1024 * 1024]).await.unwrap().status(), 413, "the function's own limit");
    let answer = post(vec![b' '; 11 * 1024 * 1024]).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.text().await.unwrap(), r#"{"message":"Request Too Long"}"#, "the gateway's");
}

#[tokio::test]
async fn a_foreign_host_name_is_answered_by_nobody() {
    let devstack = devstack().await;
    for path in [ME, "/_devstack/mailbox"] {
        let request =
            reqwest::Client::new().get(format!("{}{path}", devstack.base_url)).header("host", "evil.example");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.text().await.unwrap(), r#"{"message":"Forbidden"}"#);
    }
}

#[tokio::test]
async fn a_body_that_is_no_http_is_400() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let devstack = devstack().await;
    let address = devstack.base_url.strip_prefix("http://").unwrap();
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let request =
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains(r#""code":"bad_request""#), "{answer}");
}

#[tokio::test]
async fn the_source_address_is_the_connections_whatever_a_header_claims() {
    let devstack = devstack().await;
    let from_elsewhere =
        reqwest::Client::builder().local_address(Some([127, 9, 9, 9].into())).build().unwrap();
    let claims = from_elsewhere.get(format!("{}/", devstack.base_url)).header("x-forwarded-for", "10.0.0.1");
    claims.send().await.unwrap();
    let log = devstack.logs.lines();
    let access = log.iter().find(|line| line["route"] == "/").unwrap();
    assert_eq!(access["source_ip"], "127.9.9.9");
}

#[tokio::test]
async fn the_access_log_says_why_the_gateway_refused() {
    let devstack = devstack().await;
    get(&devstack, ME, None).await;
    get(&devstack, ME, Some("nonsense")).await;
    let log = devstack.logs.lines();
    let reasons: Vec<_> = log.iter().filter_map(|line| line["authorizer_error"].as_str()).collect();
    assert_eq!(reasons, ["no Authorization header", "refused by the validation expression"]);
    assert!(log.iter().all(|line| line["gateway_response"] == "UNAUTHORIZED"), "{log:?}");
    assert!(!devstack.logs.text().contains("nonsense"));
}
