//! Bodies that are not the JSON they should be.

use devstack::seed::{ACORN, PASSWORD};
use serde_json::{Value, json};

use crate::harness::{Cases, Refusal, Request, Stack};
use crate::routes::{self, Route};

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}{}", open.repeat(levels), close.repeat(levels))
}

/// Texts that are no JSON object, whatever the route.
fn no_objects() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, text: &str| (name, text.as_bytes().to_vec());
    vec![
        text("empty", ""),
        text("a space", " "),
        text("null", "null"),
        text("a list", "[]"),
        text("a list of an object", "[{}]"),
        text("a string", "\"x\""),
        text("a number", "123"),
        text("true", "true"),
        text("a word", "x"),
        text("a brace", "{"),
        text("two objects", "{}{}"),
        text("an object and more", "{} x"),
        text("an object and a NUL", "{}\0"),
        text("a comma too many", r#"{"a":1,}"#),
        text("no comma", r#"{"a":1 "b":2}"#),
        text("single quotes", "{'a':'b'}"),
        text("a name without quotes", "{a:1}"),
        text("a comment", "{/* */}"),
        text("NaN", r#"{"a":NaN}"#),
        text("a line break in a string", "{\"a\":\"b\nc\"}"),
        text("a NUL in a string", "{\"a\":\"b\0c\"}"),
        text("an unknown escape", r#"{"a":"\x41"}"#),
        text("half a surrogate pair", r#"{"a":"\ud800"}"#),
        text("the other half", r#"{"a":"\udc00\ud800"}"#),
        text("a byte order mark", "\u{feff}{}"),
        text("a form", "email=a%40b.example&password=x"),
        text("XML", "<?xml version=\"1.0\"?><a/>"),
        ("no UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
        ("Latin-1", b"{\"a\":\"caf\xe9\"}".to_vec()),
        ("an overlong slash", b"{\"a\":\"\xc0\xaf\"}".to_vec()),
        ("UTF-8 of a surrogate", b"{\"a\":\"\xed\xa0\x80\"}".to_vec()),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "gzip",
            vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0],
        ),
        ("zeros", vec![0; 100]),
        ("200 lists", nested("[", "]", 200).into_bytes()),
        ("8 000 lists", nested("[", "]", 8_000).into_bytes()),
        ("16 000 open lists", "[".repeat(16_000).into_bytes()),
        ("3 000 open objects", r#"{"a":"#.repeat(3_000).into_bytes()),
    ]
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        for (name, body) in no_objects() {
            let request = route.request.clone().said_json(body);
            cases.refused(format!("{}: {name}", route.name), request, &Refusal::no_json()).await;
        }
        for (name, levels) in [("200 levels", 200), ("1 000 levels", 1_000)] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let deep = if open == "[" {
                    nested(open, close, levels)
                } else {
                    format!("{}1{}", open.repeat(levels), close.repeat(levels))
                };
                let request = route.request.clone().said_json(with_unknown(&route, &deep));
                cases
                    .refused(
                        format!("{}: {name} of {open} in an unknown field", route.name),
                        request,
                        &Refusal::no_json(),
                    )
                    .await;
            }
        }
        let request = route.request.clone().said_json(nested("[", "]", 100_000));
        cases.refused(format!("{}: 100 000 lists", route.name), request, &Refusal::too_large()).await;
    }
    cases.finish();
}

/// The good body and one field more, whose value is this text.
fn with_unknown(route: &Route, value: &str) -> String {
    let good = route.good.to_string();
    format!("{},\"unknown\":{value}}}", good.strip_suffix('}').unwrap())
}

#[tokio::test]
async fn what_is_odd_but_json_is_taken() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        // Once is enough for a route that answers otherwise the next time.
        let odd = [
            ("100 levels in an unknown field", with_unknown(&route, &nested("[", "]", 100))),
            ("white space", format!("\r\n\t {} \r\n\t", route.good)),
            (
                "1 000 unknown fields",
                with_unknown(
                    &route,
                    &(0..1_000).fold("0".to_owned(), |all, nth| format!("{all},\"f{nth}\":{nth}")),
                ),
            ),
            (
                "a name in escapes",
                route.good.to_string().replacen(route.fields[0].name, &escaped(route.fields[0].name), 1),
            ),
        ];
        for (name, body) in odd.into_iter().take(if route.once { 1 } else { 4 }) {
            cases
                .accepted(
                    format!("{}: {name}", route.name),
                    route.request.clone().said_json(body),
                    route.status,
                )
                .await;
        }
    }
    cases.finish();
}

fn escaped(name: &str) -> String {
    name.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect()
}

/// Two members of one name: whoever looks at the request on its way may see the one, and we the other.
#[tokio::test]
async fn a_member_that_comes_twice_is_refused() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    for route in routes::with_bodies(&stack, &owner) {
        for field in &route.fields {
            let (name, good) = (field.name, route.good.to_string());
            let value = &route.good[name];
            for (what, first) in [
                ("the same twice", value.clone()),
                ("another value first", Value::from("other")),
                ("null first", Value::Null),
            ] {
                let body = format!("{{\"{name}\":{first},{}", good.strip_prefix('{').unwrap());
                let case = format!("{}: {name}, {what}", route.name);
                cases.refused(case, route.request.clone().said_json(body), &Refusal::no_json()).await;
            }
            let body = format!("{{\"{}\":{value},{}", escaped(name), good.strip_prefix('{').unwrap());
            cases
                .refused(
                    format!("{}: {name} and its escapes", route.name),
                    route.request.clone().said_json(body),
                    &Refusal::no_json(),
                )
                .await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn what_is_not_said_to_be_json_is_refused() {
    let stack = Stack::start().await;
    let owner = stack.log_in(ACORN.owner).await;
    let mut cases = Cases::of(&stack);
    let types = [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "*/*",
        "json",
        "application/jsonp",
        "application/json-patch+json",
        "application/problem+json",
        "application/vnd.api+json",
        "application",
        "",
        "application/json, text/plain",
        "application/json,application/json",
        "application/json; version=1, text/plain",
        "application/json; version=1,application/json",
        "application/json;, text/plain",
        "application/json/x",
        "application json",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json;charset=",
        "application/json; charset=\"latin1\"",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=utf-7",
    ];
    for route in routes::with_bodies(&stack, &owner) {
        let body = || route.request.clone().body(route.good.to_string());
        let say = |what: &str| format!("{}: {what}", route.name);
        cases.refused(say("no Content-Type"), body(), &Refusal::not_said_json()).await;
        for kind in types {
            cases.refused(say(kind), body().header("Content-Type", kind), &Refusal::not_said_json()).await;
        }
        let latin = body().header("Content-Type", b"application/json; x=\xe9");
        cases.refused(say("a Content-Type that is no ASCII"), latin, &Refusal::not_said_json()).await;
        for coding in ["gzip", "br", "deflate", "zstd", "gzip, identity"] {
            let request =
                route.request.clone().said_json(route.good.to_string()).header("Content-Encoding", coding);
            cases.refused(say(coding), request, &Refusal::not_said_json()).await;
        }
    }
    cases.finish();
}

#[tokio::test]
async fn every_way_to_say_json_is_understood() {
    let stack = Stack::start().await;
    let mut cases = Cases::of(&stack);
    let types = [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json ; charset=utf-8",
        "application/json; version=1",
        "application/json;",
        "application/json; Charset=Utf-8",
    ];
    for kind in types {
        // An address each: wrong passwords are counted.
        let body = json!({"email": format!("{}@acorn.example", kind.len()), "password": PASSWORD});
        let login = Request::post("/api/v1/auth/login").body(body.to_string()).header("Content-Type", kind);
        let wrong = Refusal::new(401, "invalid_credentials").counting_a_guess();
        cases.refused(kind, login, &wrong).await;
    }
    cases.finish();
}
