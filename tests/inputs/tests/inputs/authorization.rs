//! The `Authorization` header, and the places where no credential is looked for.

use devstack::seed::ACORN;
use serde_json::json;

use crate::harness::{Cases, Refusal, Request, Stack, gateways};

const ME: &str = "/api/v1/organizations/me";

/// Every protected route.
fn protected() -> Vec<Request> {
    let key = format!("/api/v1/auth/api-keys/{}", "key_01J0ACRN000000000000000000");
    let organization = format!("/api/v1/organizations/{}", ACORN.id);
    let member = format!("{organization}/members/{}", ACORN.viewer.user_id);
    vec![
        Request::get(ME),
        Request::get(&organization),
        Request::put(&format!("{organization}/environment")).json(&json!({"env": "test"})),
        Request::new("PATCH", &organization).json(&json!({"name": "n"})),
        Request::get(&format!("{organization}/audit")),
        Request::post("/api/v1/auth/logout"),
        Request::post("/api/v1/auth/api-keys").json(&json!({"key_name": "k"})),
        Request::get("/api/v1/auth/api-keys"),
        Request::delete(&key),
        Request::put("/api/v1/auth/password").json(&json!({"current_password": "a", "new_password": "b"})),
        Request::get("/api/v1/auth/factors"),
        Request::post("/api/v1/auth/factors/totp").json(&json!({"password": "a"})),
        Request::post("/api/v1/auth/factors/totp/confirm").json(&json!({"code": "123456"})),
        Request::delete("/api/v1/auth/factors/totp").json(&json!({"password": "a", "code": "123456"})),
        Request::post("/api/v1/auth/factors/backup-codes").json(&json!({"password": "a", "code": "123456"})),
        Request::get("/api/v1/auth/sessions"),
        Request::delete("/api/v1/auth/sessions"),
        Request::delete("/api/v1/auth/sessions/ses_01J0NNBDY00000000000000000"),
        Request::get("/api/v1/organizations"),
        Request::get(&format!("{organization}/members")),
        Request::new("PATCH", &member).json(&json!({"role": "viewer"})),
        Request::delete(&member),
        Request::get(&format!("{organization}/invitations")),
        Request::post(&format!("{organization}/invitations"))
            .json(&json!({"email": "a@b.example", "role": "viewer"})),
        Request::delete(&format!("{organization}/invitations/inv_01J0NNBDY00000000000000000")),
        Request::post(&format!("{organization}/owner")).json(&json!({"user_id": "a", "password": "b"})),
    ]
}

#[tokio::test]
async fn every_protected_route_asks_who_you_are() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    for request in protected() {
        let line = String::from_utf8_lossy(&request.bytes()).lines().next().unwrap().to_owned();
        cases.refused(format!("{line}: nothing"), request.clone(), &Refusal::unauthorized()).await;
        let junk = request.header("Authorization", "Bearer junk");
        cases.refused(format!("{line}: junk"), junk, &Refusal::unauthorized()).await;
    }
    cases.finish();
}

#[tokio::test]
async fn a_header_that_is_not_exactly_one_bearer_is_nobody() {
    let stack = Stack::start().await;
    let access = stack.log_in(ACORN.owner).await.access;
    let other = stack.log_in(ACORN.viewer).await.access;
    let headers = [
        ("empty", String::new()),
        ("the scheme", "Bearer".to_owned()),
        ("the scheme and a space", "Bearer ".to_owned()),
        ("the credential", access.clone()),
        ("Basic", format!("Basic {access}")),
        ("Basic of a user", "Basic dTpw".to_owned()),
        ("Token", format!("Token {access}")),
        ("DPoP", format!("DPoP {access}")),
        ("Bearers", format!("Bearers {access}")),
        ("no space", format!("Bearer{access}")),
        ("a colon", format!("Bearer: {access}")),
        ("an equals sign", format!("Bearer={access}")),
        ("a tab", format!("Bearer\t{access}")),
        ("a space and a tab", format!("Bearer \t{access}")),
        ("a no-break space", format!("Bearer\u{a0}{access}")),
        ("an em space", format!("Bearer\u{2003}{access}")),
        ("a scheme of look-alikes", format!("B\u{435}arer {access}")),
        ("a full-width scheme", format!("\u{ff22}earer {access}")),
        ("the scheme twice", format!("Bearer Bearer {access}")),
        ("two credentials", format!("Bearer {access} {other}")),
        ("the same twice", format!("Bearer {access} {access}")),
        ("two with a comma", format!("Bearer {access},{other}")),
        ("two bearers with a comma", format!("Bearer {access}, Bearer {other}")),
        ("a comma behind", format!("Bearer {access},")),
        ("a comma before", format!(", Bearer {access}")),
        ("a parameter behind", format!("Bearer {access}; realm=x")),
        ("parameters", "Bearer realm=\"x\"".to_owned()),
        ("a parameter", format!("Bearer token={access}")),
        ("quotes", format!("Bearer \"{access}\"")),
        ("brackets", format!("Bearer <{access}>")),
        ("padding", "Bearer ====".to_owned()),
        ("null", "Bearer null".to_owned()),
        ("undefined", "Bearer undefined".to_owned()),
        ("a NUL's escape", format!("Bearer {access}%00")),
        ("a byte order mark", format!("\u{feff}Bearer {access}")),
        ("a zero-width space", format!("Bearer {access}\u{200b}")),
        ("16 KB", format!("Bearer {}", "x".repeat(16_000))),
    ];
    let mut cases = Cases::of(&stack);
    stack.devstack.requests.take();
    for (name, header) in &headers {
        cases
            .refused(*name, Request::get(ME).header("Authorization", header), &Refusal::unauthorized())
            .await;
        cases.judge(&format!("{name}, asked directly"), gateways::refused_by_all(&stack.app(), header).await);
    }
    // What HTTP itself strips or forbids reaches the authorizer by another way, if at all.
    for (name, header) in
        [("a trailing space", format!("Bearer {access} ")), ("a leading space", format!(" Bearer {access}"))]
    {
        cases.judge(name, gateways::refused_by_all(&stack.app(), &header).await);
    }
    for (name, end) in [("a line break", "\n"), ("a header of its own", "\r\nx-org-id: 1"), ("a NUL", "\0")] {
        cases.judge(name, gateways::refused_by_all(&stack.app(), &format!("Bearer {access}{end}")).await);
    }
    let asked: Vec<_> = stack.devstack.requests.take().into_iter().map(|it| it.operation).collect();
    cases.judge("the table is not asked", if asked.is_empty() { Ok(()) } else { Err(format!("{asked:?}")) });
    cases.accepted("the credential is good", Request::get(ME).bearer(&access), 200).await;
    cases.finish();
}

#[tokio::test]
async fn the_scheme_has_any_case_and_spaces_any_number() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let key = stack.make_key(&owner, &json!({"key_name": "k"})).await.key;
    let mut cases = Cases::of(&stack);
    for credential in [&owner.access, &key] {
        for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "] {
            let header = format!("{scheme}{credential}");
            cases.accepted(scheme, Request::get(ME).header("Authorization", &header), 200).await;
            cases.judge(scheme, gateways::allowed_by_all(&stack.app(), &header).await);
        }
        for name in ["authorization", "AUTHORIZATION", "aUTHORIZATION"] {
            cases.accepted(name, Request::get(ME).header(name, format!("Bearer {credential}")), 200).await;
        }
        // White space around a header's value is none of it (RFC 9110 section 5.5).
        cases
            .accepted(
                "space around",
                Request::get(ME).header("Authorization", format!("  Bearer {credential}  ")),
                200,
            )
            .await;
    }
    cases.finish();
}

#[tokio::test]
async fn two_headers_are_nobody() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let viewer = stack.log_in(ACORN.viewer).await;
    let key = stack.make_key(&owner, &json!({"key_name": "k"})).await.key;
    let mut cases = Cases::of(&stack);
    let bearer = |credential: &str| format!("Bearer {credential}");
    let pairs = [
        ("two people", bearer(&owner.access), bearer(&viewer.access)),
        ("the same twice", bearer(&owner.access), bearer(&owner.access)),
        ("a person and a server", bearer(&owner.access), bearer(&key)),
        ("a bearer and junk", bearer(&owner.access), "junk".to_owned()),
        ("junk and a bearer", "junk".to_owned(), bearer(&owner.access)),
        ("a bearer and a user", bearer(&owner.access), "Basic dTpw".to_owned()),
        ("an empty one and a bearer", String::new(), bearer(&owner.access)),
        ("a bearer and an empty one", bearer(&owner.access), String::new()),
    ];
    for (name, one, two) in pairs {
        for second in ["Authorization", "authorization"] {
            let request = Request::get(ME).header("Authorization", &one).header(second, &two);
            cases.refused(format!("{name}, {second}"), request, &Refusal::unauthorized()).await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_credential_elsewhere_is_not_looked_for() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let key = stack.make_key(&owner, &json!({"key_name": "k"})).await.key;
    let mut cases = Cases::of(&stack);
    for credential in [&owner.access, &key] {
        for name in ["access_token", "token", "api_key", "key", "authorization", "Authorization", "bearer"] {
            let request = Request::get(&format!("{ME}?{name}={credential}"));
            cases.refused(format!("?{name}="), request, &Refusal::unauthorized()).await;
            let cookie =
                Request::get(ME).header("Cookie", format!("{name}={credential}; session={credential}"));
            cases.refused(format!("Cookie: {name}="), cookie, &Refusal::unauthorized()).await;
        }
        for name in [
            "X-Api-Key",
            "Api-Key",
            "X-Authorization",
            "Proxy-Authorization",
            "X-Amz-Security-Token",
            "X-Forwarded-Authorization",
            "Authorization2",
        ] {
            let request = Request::get(ME).header(name, format!("Bearer {credential}"));
            cases.refused(name, request, &Refusal::unauthorized()).await;
            let bare = Request::get(ME).header(name, credential);
            cases.refused(format!("{name}, bare"), bare, &Refusal::unauthorized()).await;
        }
        let form = Request::post("/api/v1/auth/api-keys")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("access_token={credential}"));
        cases.refused("a form", form, &Refusal::unauthorized()).await;
        let json = Request::post("/api/v1/auth/api-keys")
            .json(&json!({"access_token": credential, "key_name": "k"}));
        cases.refused("JSON", json, &Refusal::unauthorized()).await;
        let basic = format!(
            "Basic {}",
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("{credential}:"))
        );
        cases
            .refused(
                "as a user's name",
                Request::get(ME).header("Authorization", basic),
                &Refusal::unauthorized(),
            )
            .await;
    }
    cases.finish();
}

/// Headers that a gateway or a proxy may set for a function: from a client they mean nothing.
#[tokio::test]
async fn headers_do_not_say_who_you_are() {
    let stack = Stack::start().await;
    let viewer = stack.log_in(ACORN.viewer).await;
    let mut cases = Cases::of(&stack);
    let others = [
        ("X-Org-Id", "org_01J0B1RCH00000000000000000"),
        ("org_id", "org_01J0B1RCH00000000000000000"),
        ("X-Amzn-Request-Context", "{\"authorizer\":{\"role\":\"owner\"}}"),
        ("X-Role", "owner"),
        ("X-User-Id", "usr_01J0ACRN000000000000000001"),
        ("Principal-Id", "usr_01J0ACRN000000000000000001"),
        ("X-Forwarded-User", "owner@acorn.example"),
    ];
    let all =
        |request: Request| others.iter().fold(request, |request, (name, value)| request.header(name, value));
    let answer = cases.accepted("reading", all(Request::get(ME).bearer(&viewer.access)), 200).await;
    assert_eq!(answer.data()["id"], ACORN.id);
    let write =
        all(Request::post("/api/v1/auth/api-keys").bearer(&viewer.access).json(&json!({"key_name": "k"})));
    cases.refused("writing", write, &Refusal::new(403, "insufficient_role")).await;
    cases.refused("nobody", all(Request::get(ME)), &Refusal::unauthorized()).await;
    cases.finish();
}
