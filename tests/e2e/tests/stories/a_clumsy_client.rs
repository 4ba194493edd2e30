//! A client gets everything wrong: routes, methods, headers, bodies. It is told what, in the one envelope, and nothing happens.

use e2e::{Method, Stage, Value, json};

#[tokio::test]
async fn what_is_not_there_is_not_found_with_and_without_a_credential() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let paths = [
        "/",
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/auth",
        "/api/v1/auth/api-keys/a/b",
        "/api/v2/auth/login",
        "/auth/login",
        "/api/v1/organization",
        "/.well-known",
        "/.well-known/nothing",
        "/API/V1/auth/login",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            stage.outside(method.clone(), path).await.refused(404, "not_found");
            let answer =
                stage.outside(method, path).bearer(&owner.access_token).await.refused(404, "not_found");
            assert!(!answer.text().contains(&owner.access_token[..20]), "the credential is quoted: {answer}");
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_answered_with_those_it_knows() {
    let stage = Stage::open().await;
    let key = "/api/v1/auth/api-keys/key_01J0ACRN000000000000000000";
    let organization = format!("/api/v1/organizations/{}", stage.acorn.id);
    let environment = format!("{organization}/environment");
    let paths = [
        ("/api/v1/auth/login", vec!["POST"]),
        ("/api/v1/auth/login/2fa/verify", vec!["POST"]),
        ("/api/v1/auth/login/2fa/resend", vec!["POST"]),
        ("/api/v1/auth/refresh", vec!["POST"]),
        ("/api/v1/auth/logout", vec!["POST"]),
        ("/api/v1/auth/api-keys", vec!["GET", "POST"]),
        (key, vec!["DELETE", "PATCH"]),
        ("/api/v1/organizations/me", vec!["GET"]),
        (&organization, vec!["GET", "PATCH"]),
        (&environment, vec!["PUT"]),
        ("/.well-known/jwks.json", vec!["GET", "HEAD"]),
        ("/.well-known/openid-configuration", vec!["GET", "HEAD"]),
    ];
    for (path, known) in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            if known.contains(&method) {
                continue;
            }
            let answer =
                stage.outside(method.parse().unwrap(), path).await.refused(405, "method_not_allowed");
            let mut allowed: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, known, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_credential_that_is_none_is_refused_on_every_protected_route() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let key = stage.create_key(&owner, "Server").await.key;
    let organization = format!("/organizations/{}", stage.acorn.id);
    let environment = format!("{organization}/environment");
    let routes = [
        (Method::POST, "/auth/logout"),
        (Method::POST, "/auth/api-keys"),
        (Method::GET, "/auth/api-keys"),
        (Method::DELETE, "/auth/api-keys/key_01J0ACRN000000000000000000"),
        (Method::GET, "/organizations/me"),
        (Method::GET, &organization),
        (Method::PUT, &environment),
    ];
    for (method, route) in routes {
        stage.call(method.clone(), route).await.asks_for_credential();
        stage.call(method, route).bearer("sk_test_nonsense").await.asks_for_credential();
    }

    let token = &owner.access_token;
    let swap = |text: &str, at: usize| {
        let mut letters: Vec<char> = text.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let signature = token.rfind('.').unwrap() + 1;
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", token.split('.').nth(1).unwrap());
    let values = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        key.clone(),
        format!("Basic {key}"),
        format!("Bearer {key} {key}"),
        format!("Bearer {key},{key}"),
        format!("Bearer {}", swap(&key, 12)),
        format!("Bearer {}", swap(&key, 45)),
        format!("Bearer {}", key.replacen("sk_test_", "sk_live_", 1)),
        format!("Bearer {}", &key[..45]),
        format!("Bearer {key}0"),
        format!("Bearer {}", &key[3..]),
        format!("Bearer {}", swap(token, signature + 5)),
        format!("Bearer {}", swap(token, token.find('.').unwrap() + 20)),
        format!("Bearer {}", &token[..signature]),
        format!("Bearer {unsigned}"),
        format!("Bearer {unsigned}AAAA"),
    ];
    for value in values {
        stage.get("/organizations/me").authorization(&value).await.asks_for_credential();
    }
    let both = stage.get("/organizations/me").bearer(token).bearer(&key).await;
    both.asks_for_credential();
    let in_query = stage.get(&format!("/organizations/me?access_token={token}")).await;
    in_query.asks_for_credential();
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_wherever_one_is_read() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let environment = format!("/organizations/{}/environment", stage.acorn.id);
    let routes = [
        (Method::POST, "/auth/login"),
        (Method::POST, "/auth/login/2fa/verify"),
        (Method::POST, "/auth/login/2fa/resend"),
        (Method::POST, "/auth/refresh"),
        (Method::POST, "/auth/api-keys"),
        (Method::PUT, &environment),
    ];
    let deep = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let long = json!({ "key_name": "x".repeat(16 * 1024) }).to_string();
    for (method, route) in routes {
        let call = || stage.call(method.clone(), route).bearer(&owner.access_token);
        let with_type = |kind: &str| call().header("Content-Type", kind);
        for body in ["", "{", "[]", "null", "\"text\"", "{} {}", "{'a': 1}", &deep, "\u{feff}{}"] {
            with_type("application/json").body(body).await.refused(400, "invalid_json");
        }
        with_type("application/json").body(&b"{\"a\": \"\xff\"}"[..]).await.refused(400, "invalid_json");
        with_type("application/json").body(long.as_str()).await.refused(413, "body_too_large");
        let megabyte = vec![b' '; 1024 * 1024];
        with_type("application/json").body(megabyte).await.refused(413, "body_too_large");
        call().body("{}").await.refused(415, "unsupported_media_type");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
            with_type(kind).body("{}").await.refused(415, "unsupported_media_type");
        }
        with_type("application/json; charset=UTF-8").body("{}").await.refused(400, "validation_failed");
    }
}

#[tokio::test]
async fn a_login_says_which_field_is_wrong() {
    let stage = Stage::open().await;
    let login = async |body: Value| {
        stage.post("/auth/login").json(&body).await.refused(400, "validation_failed").fields()
    };
    assert_eq!(login(json!({})).await, ["email", "password"]);
    assert_eq!(login(json!({ "email": stage.acorn.owner.email })).await, ["password"]);
    assert_eq!(login(json!({ "email": stage.acorn.owner.email, "password": 123_456 })).await, ["password"]);
    assert_eq!(login(json!({ "email": stage.acorn.owner.email, "password": "" })).await, ["password"]);
    for email in
        [json!(null), json!(["owner@acorn.example"]), json!("no address"), json!("a@b@c"), json!("@")]
    {
        assert_eq!(
            login(json!({ "email": email, "password": "right-or-wrong" })).await,
            ["email"],
            "{email}"
        );
    }
}

#[tokio::test]
async fn the_second_step_and_a_refresh_say_which_field_is_wrong() {
    let stage = Stage::open().await;
    let post = async |route: &str, body: Value| {
        stage.post(route).json(&body).await.refused(400, "validation_failed").fields()
    };
    let challenge = stage.start_login(&stage.birch.owner).await;
    let (id, verify) = (challenge.id.as_str(), "/auth/login/2fa/verify");
    assert_eq!(post(verify, json!({})).await, ["challenge_id", "code"]);
    for code in [json!("123"), json!("1".repeat(33)), json!(123_456), json!("")] {
        assert_eq!(post(verify, json!({ "challenge_id": id, "code": code })).await, ["code"], "{code}");
    }
    for kind in [json!("sms"), json!(1), json!("")] {
        let body = json!({ "challenge_id": id, "code": challenge.code, "code_type": kind });
        assert_eq!(post(verify, body).await, ["code_type"], "{kind}");
    }
    assert_eq!(post("/auth/login/2fa/resend", json!({ "challenge_id": 7 })).await, ["challenge_id"]);
    for token in [json!(null), json!(""), json!(7), json!({})] {
        assert_eq!(
            post("/auth/refresh", json!({ "refresh_token": token })).await,
            ["refresh_token"],
            "{token}"
        );
    }
    // None of it was a guess.
    let body = json!({ "challenge_id": id, "code": challenge.code, "code_type": "primary", "unknown": [1] });
    stage.post(verify).json(&body).await.data(200);
}

#[tokio::test]
async fn a_creation_says_which_field_is_wrong_and_makes_nothing() {
    let stage = Stage::open().await;
    let owner = stage.login(&stage.acorn.owner).await;
    let before = stage.keys(&owner).await;
    let wrong = [
        ("key_name", vec![json!(null), json!(""), json!("x".repeat(256)), json!(7), json!(["a"])]),
        (
            "expires_in_days",
            vec![json!(0), json!(-1), json!(3651), json!(1.5), json!("30"), json!(1e20), json!(true)],
        ),
        ("env", vec![json!("prod"), json!("TEST"), json!(1)]),
        ("idempotency_key", vec![json!(""), json!("x".repeat(256)), json!(7)]),
    ];
    for (field, values) in wrong {
        for value in values {
            let mut body =
                json!({ "key_name": "Good", "expires_in_days": 1, "env": "test", "idempotency_key": "x" });
            body[field] = value;
            let refused = stage.create(&owner, &body).await.refused(400, "validation_failed");
            assert_eq!(refused.fields(), [field], "{body}");
        }
    }
    assert_eq!(stage.keys(&owner).await, before);

    // The longest of everything is accepted; letters count, not bytes.
    let longest = json!({
        "key_name": "é".repeat(255), "expires_in_days": 3650, "env": null, "idempotency_key": "ü".repeat(255), "unknown": {},
    });
    stage.create(&owner, &longest).await.data(201);
}
