//! Addresses that lead nowhere, methods that a path does not know, and addresses that look like others.

use devstack::seed::{ACORN, BIRCH};
use serde_json::json;

use crate::harness::{Cases, Refusal, Request, Stack};

/// Every path of the API, and the methods it knows as `Allow` lists them.
fn known() -> Vec<(String, &'static str)> {
    let key = "/api/v1/auth/api-keys/key_01J0ACRN000000000000000000".to_owned();
    let organization = format!("/api/v1/organizations/{}", ACORN.id);
    vec![
        ("/api/v1/auth/login".to_owned(), "POST"),
        ("/api/v1/auth/login/2fa/verify".to_owned(), "POST"),
        ("/api/v1/auth/login/2fa/resend".to_owned(), "POST"),
        ("/api/v1/auth/refresh".to_owned(), "POST"),
        ("/api/v1/auth/logout".to_owned(), "POST"),
        ("/api/v1/auth/api-keys".to_owned(), "GET, POST"),
        (key, "DELETE, PATCH"),
        ("/api/v1/auth/register".to_owned(), "POST"),
        ("/api/v1/auth/verify-email".to_owned(), "POST"),
        ("/api/v1/auth/verify-email/resend".to_owned(), "POST"),
        ("/api/v1/auth/password".to_owned(), "PUT"),
        ("/api/v1/auth/password/forgot".to_owned(), "POST"),
        ("/api/v1/auth/password/reset".to_owned(), "POST"),
        ("/api/v1/auth/factors".to_owned(), "GET"),
        ("/api/v1/auth/factors/totp".to_owned(), "DELETE, POST"),
        ("/api/v1/auth/factors/totp/confirm".to_owned(), "POST"),
        ("/api/v1/auth/factors/backup-codes".to_owned(), "POST"),
        ("/api/v1/auth/sessions".to_owned(), "DELETE, GET"),
        ("/api/v1/auth/sessions/ses_01J0NNBDY00000000000000000".to_owned(), "DELETE"),
        ("/api/v1/auth/invitations/accept".to_owned(), "POST"),
        ("/api/v1/organizations".to_owned(), "GET"),
        (format!("{organization}/members"), "GET"),
        (format!("{organization}/members/{}", ACORN.viewer.user_id), "DELETE, PATCH"),
        (format!("{organization}/invitations"), "GET, POST"),
        (format!("{organization}/invitations/inv_01J0NNBDY00000000000000000"), "DELETE"),
        (format!("{organization}/owner"), "POST"),
        ("/api/v1/organizations/me".to_owned(), "GET"),
        (organization.clone(), "GET, PATCH"),
        (format!("{organization}/audit"), "GET"),
        (format!("{organization}/environment"), "PUT"),
        ("/.well-known/jwks.json".to_owned(), "GET, HEAD"),
        ("/.well-known/openid-configuration".to_owned(), "GET, HEAD"),
        ("/docs".to_owned(), "GET, HEAD"),
        ("/docs/".to_owned(), "GET, HEAD"),
        ("/docs/openapi.yaml".to_owned(), "GET, HEAD"),
        ("/docs/start.js".to_owned(), "GET, HEAD"),
        ("/dashboard".to_owned(), "GET, HEAD"),
        ("/dashboard/".to_owned(), "GET, HEAD"),
        ("/dashboard/0123456789abcdef/app.js".to_owned(), "GET, HEAD"),
    ]
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_told_which_it_knows() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for (path, allow) in known() {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "post",
            "delete", "X",
        ] {
            if allow.split(", ").any(|known| known == method) {
                continue;
            }
            let refusal = Refusal::method_not_allowed(allow);
            let request = Request::new(method, &path);
            cases.refused(format!("{method} {path}"), request.clone(), &refusal).await;
            // Whoever it is: no method opens another.
            let signed = request.bearer(&owner.access).json(&json!({"key_name": "k", "env": "live"}));
            cases.refused(format!("{method} {path}, by its owner"), signed, &refusal).await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_404_to_everybody() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let paths = [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/organizations/me",
        "/organizations/me",
        "/API/v1/organizations/me",
        "/api/V1/organizations/me",
        "/api/v1/Organizations/me",
        "/api/v1/organizations/me/x",
        "/api/v1/organizations/me/environment/x",
        "/api/v1/organizations//environment",
        "/api/v1//organizations/me",
        "/api//v1/organizations/me",
        "/api/v1/organizations//me",
        "/api/v1/./organizations/me",
        "/api/v1/auth/../organizations/me",
        "/api/v1/auth/%2e%2e/organizations/me",
        "/api/v1/auth/..%2forganizations/me",
        "/api%2Fv1/organizations/me",
        "/api/v1/organizations%2Fme",
        "/api/v1/organizations%2fme",
        "/%61pi/v1/organizations/me",
        "/api/v1/organizations;/me",
        "/api/v1/auth",
        "/api/v1/auth/",
        "/api/v1/auth/login/2fa",
        "/api/v1/auth/login/2fa/verify/x",
        "/api/v1/auth/registration",
        "/api/v1/auth/api-keys/a/b",
        "/api/v1/auth/api_keys",
        "/api/v1/auth/api-keys%2f",
        "/api/v1/auth/login%00",
        "/api/v1/auth/login%20",
        "/api/v1/auth/login.json",
        "/api/v1/auth/login;x",
        "/.well-known",
        "/.well-known/",
        "/.well-known/jwks",
        "/.well-known/jwks.json/x",
        "/.well-known/../.well-known/jwks.json",
        "/.well-known/acme-challenge/x",
        "/api/v1/.well-known/jwks.json",
        "/_devstac",
        "/_devstackx",
        "/prod/api/v1/organizations/me",
        "/etc/passwd",
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/.env",
        "/.git/config",
        "/admin",
        "/actuator/env",
        "/favicon.ico",
        "/robots.txt",
        "/index.html",
        "/%",
        "/%zz",
        "/%00",
        "/%FF",
        "/*",
        "/?",
        "/{proxy+}",
        "/api/v1/organizations/me%2F..%2F..%2Fauth%2Flogin/x",
        "/2015-03-31/functions/login/invocations",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            cases
                .refused(format!("{method} {path}"), Request::new(method, path), &Refusal::not_found())
                .await;
        }
        cases
            .refused(
                format!("{path} with a credential"),
                Request::get(path).bearer(&owner.access),
                &Refusal::not_found(),
            )
            .await;
        cases.refused(format!("HEAD {path}"), Request::new("HEAD", path), &Refusal::not_found()).await;
    }
    let long = format!("/{}", "a/".repeat(3_000));
    cases.refused("a long one", Request::get(&long), &Refusal::not_found()).await;
    cases.finish();
}

/// API Gateway ignores slashes at the end, and takes several at the beginning for one. The route is then the route, with its authorizer.
#[tokio::test]
async fn slashes_at_the_ends_open_nothing() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for path in [
        "/api/v1/organizations/me/",
        "//api/v1/organizations/me",
        "/api/v1/organizations/me//",
        "///api/v1/organizations/me///",
    ] {
        cases.refused(path, Request::get(path), &Refusal::unauthorized()).await;
        let answer = cases.accepted(path, Request::get(path).bearer(&owner.access), 200).await;
        let own = answer.data()["id"] == ACORN.id;
        cases.judge(path, if own { Ok(()) } else { Err(answer.body) });
    }
    for path in ["/api/v1/auth/api-keys/", "//api/v1/auth/api-keys"] {
        cases
            .refused(
                path,
                Request::delete(path).bearer(&owner.access),
                &Refusal::method_not_allowed("GET, POST"),
            )
            .await;
        cases
            .refused(path, Request::post(path).json(&json!({"key_name": "k"})), &Refusal::unauthorized())
            .await;
    }
    cases.finish();
}

/// Of a whole address in the request line, only the path counts.
#[tokio::test]
async fn a_host_in_the_request_line_changes_nothing() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let target = "http://elsewhere.example/api/v1/organizations/me";
    cases.refused("nobody", Request::get(target), &Refusal::unauthorized()).await;
    cases.accepted("its owner", Request::get(target).bearer(&owner.access), 200).await;
    for name in [
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Prefix",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        let request = Request::get("/api/v1/organizations/me")
            .bearer(&owner.access)
            .header(name, format!("/api/v1/organizations/{}", BIRCH.id));
        let answer = cases.accepted(name, request, 200).await;
        let own = answer.data()["id"] == ACORN.id;
        cases.judge(name, if own { Ok(()) } else { Err(answer.body) });
    }
    // The issuer is what was written down at the deployment, whatever host a client names.
    for (name, value) in [
        ("X-Forwarded-Host", "elsewhere.example"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "host=elsewhere.example"),
    ] {
        let request = Request::get("/.well-known/openid-configuration").header(name, value);
        let answer = cases.accepted(name, request, 200).await;
        let own =
            answer.json()["issuer"] == stack.devstack.base_url.as_str() && !answer.body.contains("elsewhere");
        cases.judge(name, if own { Ok(()) } else { Err(answer.body) });
    }
    cases.finish();
}

#[tokio::test]
async fn a_query_is_not_read_where_there_is_none() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let queries = [
        "?",
        "?limit=0",
        "?id=org_01J0B1RCH00000000000000000",
        "?env=live",
        "?a=%zz&%FF=%00",
        "?role=owner&org_id=x",
        "?a[]=1&a[b]=2",
        "?=&&=&",
        "?limit=1&limit=2",
    ];
    for query in queries {
        let path = format!("/api/v1/organizations/me{query}");
        cases.refused(&path, Request::get(&path), &Refusal::unauthorized()).await;
        let answer = cases.accepted(&path, Request::get(&path).bearer(&owner.access), 200).await;
        let own = answer.data()["id"] == ACORN.id && answer.data()["current_env"] == "test";
        cases.judge(&path, if own { Ok(()) } else { Err(answer.body) });
        let login = format!("/api/v1/auth/login{query}");
        cases
            .refused(
                &login,
                Request::post(&login).json(&json!({})),
                &Refusal::invalid(&["email", "password"]),
            )
            .await;
        let jwks = format!("/.well-known/jwks.json{query}");
        cases.accepted(&jwks, Request::get(&jwks), 200).await;
    }
    let long = format!("/api/v1/organizations/me?x={}", "a".repeat(7_000));
    cases.accepted("a long query", Request::get(&long).bearer(&owner.access), 200).await;
    cases.finish();
}

/// The id of a request is the gateway's: a client that could choose it could hide among another's lines in the log.
#[tokio::test]
async fn a_client_does_not_choose_the_requests_id() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    for name in [
        "X-Request-Id",
        "X-Amzn-RequestId",
        "X-Amz-Apigw-Id",
        "Request-Id",
        "X-Correlation-Id",
        "X-Amzn-Trace-Id",
    ] {
        let request = Request::get("/api/v1/organizations/me").header(name, "chosen-by-a-client");
        let answer = cases.refused(name, request, &Refusal::unauthorized()).await;
        let own = !format!("{answer:?}").contains("chosen");
        cases.judge(name, if own { Ok(()) } else { Err(format!("{answer:?}")) });
        let login = Request::post("/api/v1/auth/login").header(name, "chosen-by-a-client").json(&json!({}));
        let answer = cases.refused(name, login, &Refusal::invalid(&["email", "password"])).await;
        let own = !format!("{answer:?}").contains("chosen");
        cases.judge(name, if own { Ok(()) } else { Err(format!("{answer:?}")) });
    }
    cases.finish();
}

/// A page elsewhere may ask; it is told nothing it could use.
#[tokio::test]
async fn an_origin_is_not_welcomed() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    for (path, allow) in known() {
        let preflight = Request::new("OPTIONS", &path)
            .header("Origin", "https://elsewhere.example")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization");
        let answer = cases.refused(&path, preflight, &Refusal::method_not_allowed(allow)).await;
        let silent =
            answer.header("access-control-allow-origin").is_none() && !answer.body.contains("elsewhere");
        cases.judge(&path, if silent { Ok(()) } else { Err(answer.body) });
    }
    cases.finish();
}
