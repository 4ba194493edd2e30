//! Bytes that are no HTTP request, or a doubtful one. The server in front refuses them itself, without our envelope; what counts is that
//! nothing behind it is reached, nothing changes, and the next request is answered.

use devstack::seed::ACORN;

use crate::harness::{Request, Stack, exchange};

#[tokio::test]
async fn what_is_no_request_reaches_nobody() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let access = &owner.access;
    let logout = "POST /api/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("words", b"hello\r\n\r\n".to_vec()),
        ("zeros", vec![0; 64]),
        ("a TLS greeting", vec![0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3, 0x0d, 0x0a, 0x0d, 0x0a]),
        ("a version there is not", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a space in the path", b"GET /api/v1 /x HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a NUL in the path", b"GET /api/v1/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a letter in the path that is no ASCII's control", b"GET /api/v1/\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("no path", b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a NUL in a credential", format!("{logout}Authorization: Bearer {access}\0\r\n\r\n").into_bytes()),
        ("a bell in a credential", format!("{logout}Authorization: Bearer \x07{access}\r\n\r\n").into_bytes()),
        ("a line break in a credential", format!("{logout}Authorization: Bearer\r\n {access}\r\n\r\n").into_bytes()),
        ("a bare carriage return", format!("{logout}Authorization: Bearer {access}\rX: y\r\n\r\n").into_bytes()),
        ("a space before the colon", format!("{logout}Authorization : Bearer {access}\r\n\r\n").into_bytes()),
        ("a header's name with a space", format!("{logout}Author ization: Bearer {access}\r\n\r\n").into_bytes()),
        ("a header without a name", format!("{logout}: Bearer {access}\r\n\r\n").into_bytes()),
        ("a header without a colon", format!("{logout}Authorization Bearer {access}\r\n\r\n").into_bytes()),
        ("a length that is a word", format!("{logout}Content-Length: x\r\nAuthorization: Bearer {access}\r\n\r\n").into_bytes()),
        ("a negative length", format!("{logout}Content-Length: -1\r\nAuthorization: Bearer {access}\r\n\r\n").into_bytes()),
        ("two lengths", format!("{logout}Content-Length: 0\r\nContent-Length: 5\r\nAuthorization: Bearer {access}\r\n\r\nhello").into_bytes()),
        ("an unknown transfer coding", format!("{logout}Transfer-Encoding: x\r\nAuthorization: Bearer {access}\r\n\r\n").into_bytes()),
        ("300 headers", format!("{logout}Authorization: Bearer {access}\r\n{}\r\n", "X: y\r\n".repeat(300)).into_bytes()),
        ("a header of 1 MB", format!("{logout}Authorization: Bearer {access}\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)).into_bytes()),
        ("a path of 100 KB", format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "a".repeat(100_000)).into_bytes()),
    ];
    let before = stack.snapshot().await;
    let mut failed = Vec::new();
    for (name, bytes) in requests {
        let answer = exchange(stack.address, &bytes).await;
        if !(400..500).contains(&answer.status) || answer.body.contains(access) {
            failed.push(format!("{name}: {} {}", answer.status, answer.body));
        }
        let changes = stack.snapshot().await.changes_since(&before);
        if !changes.is_empty() {
            failed.push(format!("{name}: {changes:?}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    stack.me(access).await;
}

/// A header that is injected by a line break is a header of its own, and says nothing to us.
#[tokio::test]
async fn a_header_smuggled_behind_a_credential_has_no_effect() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let header = format!("Bearer {}\r\nX-Org-Id: org_01J0B1RCH00000000000000000", owner.access);
    let answer = stack.send(&Request::get("/api/v1/organizations/me").header("Authorization", header)).await;
    assert_eq!((answer.status, answer.data()["id"].as_str()), (200, Some(ACORN.id)));
}

/// A length and chunks at once: whoever counts one way must not find a second request where we count the other.
#[tokio::test]
async fn a_request_hidden_in_a_body_is_not_carried_out() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let hidden = format!(
        "POST /api/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
        owner.access
    );
    let before = stack.snapshot().await;
    for framing in [
        format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
            hidden.len(),
            hidden.len()
        ),
    ] {
        let request = format!(
            "POST /api/v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}{framing}",
            if framing.contains("Connection") { "" } else { "Connection: close\r\n" }
        );
        let answer = exchange(stack.address, request.as_bytes()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(stack.snapshot().await.changes_since(&before), Vec::<String>::new());
    }
}
