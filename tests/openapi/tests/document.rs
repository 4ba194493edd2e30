//! The file is what the code says, and the code reads what the file says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "panicking is how a test fails")]

use openapi::operation::Operation;
use openapi::{COMMAND, routes};
use regex::Regex;
use serde_json::{Map, Value, json};
use shared::http::{Fields, Problem};

fn document() -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(openapi::path()).unwrap()).unwrap()
}

/// The routes that take a body, each with what the file says of its fields.
fn bodies() -> Vec<(Operation, Map<String, Value>)> {
    let document = document();
    let routes = routes::all()
        .unwrap()
        .into_iter()
        .filter(|it| it.body.as_ref().is_some_and(|body| body.read.is_some()));
    let with_fields = routes.map(|operation| {
        let body = &document["paths"][operation.path][operation.method]["requestBody"];
        let schema = resolved(&document, &body["content"]["application/json"]["schema"]);
        let fields = schema["properties"].as_object().unwrap();
        let fields = fields.iter().map(|(name, it)| (name.clone(), resolved(&document, it))).collect();
        (operation, fields)
    });
    with_fields.collect()
}

/// A schema with what it points at in its place; one that may be null without that.
fn resolved(document: &Value, schema: &Value) -> Value {
    let schema = match schema["anyOf"].as_array().map(Vec::as_slice) {
        Some([it, null]) if null["type"] == "null" => it,
        _ => schema,
    };
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    }
}

/// Whether the route's parser takes this value for a field of its example.
fn takes(operation: &Operation, field: &str, value: &Value) -> bool {
    let body = operation.body.as_ref().unwrap();
    let mut example = body.example.clone();
    example[field] = value.clone();
    match (body.read.unwrap())(Fields::of(example).unwrap()) {
        None => true,
        Some(Problem::Invalid(wrong)) => {
            assert!(wrong.iter().all(|it| it.field == field), "{} {field}: {wrong:?}", operation.id);
            false
        }
        Some(other) => panic!("{}: {other:?}", operation.id),
    }
}

#[test]
fn the_file_is_what_the_code_says() {
    let file = std::fs::read_to_string(openapi::path()).unwrap();
    assert!(file == openapi::text().unwrap(), "docs/openapi.yaml is not what the code says: run `{COMMAND}`");
}

#[test]
fn every_example_of_a_body_is_taken() {
    for (operation, _) in bodies() {
        let body = operation.body.unwrap();
        let Some(read) = body.read else { continue };
        let problem = read(Fields::of(body.example).unwrap());
        assert!(problem.is_none(), "{}: {problem:?}", operation.id);
    }
}

#[test]
fn the_parser_takes_what_the_file_allows_up_to_each_limit_and_nothing_beyond() {
    let mut limits = 0;
    for (operation, fields) in bodies() {
        for (name, schema) in fields {
            let (right, wrong) = at_the_limits(&schema);
            limits += right.len() + wrong.len();
            for value in right {
                assert!(takes(&operation, &name, &value), "{} {name}: {value}", operation.id);
            }
            for value in wrong {
                assert!(!takes(&operation, &name, &value), "{} {name}: {value}", operation.id);
            }
        }
    }
    assert!(limits > 40, "the reading is broken: {limits}");
}

/// An address of so many bytes, with parts that mail can have.
fn email(length: usize) -> String {
    let labels = (0..length - "owner@.example".len()).map(|nth| if nth % 50 == 40 { '.' } else { 'b' });
    format!("owner@{}.example", labels.collect::<String>())
}

/// Values that are just right by a schema, and values that are just wrong.
fn at_the_limits(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut right, mut wrong) = (Vec::new(), vec![json!({})]);
    if let Some(most) = schema["maxItems"].as_u64() {
        let addresses = |many: u64| (0..many).map(|nth| json!(format!("192.0.2.{nth}"))).collect::<Value>();
        right.extend([json!([]), addresses(most)]);
        wrong.extend([json!("192.0.2.1"), json!([1]), addresses(most + 1)]);
        return (right, wrong);
    }
    wrong.push(json!([]));
    let text = |length: u64| match schema["format"].as_str() {
        Some("email") => json!(email(usize::try_from(length).unwrap())),
        _ => json!("a".repeat(usize::try_from(length).unwrap())),
    };
    if let Some(shortest) = schema["minLength"].as_u64() {
        right.push(text(shortest));
        wrong.push(text(shortest - 1));
    }
    if let Some(longest) = schema["maxLength"].as_u64() {
        right.push(text(longest));
        wrong.push(text(longest + 1));
    }
    for (limit, beyond) in [("minimum", -1), ("maximum", 1)] {
        if let Some(limit) = schema[limit].as_i64() {
            right.push(json!(limit));
            wrong.push(json!(limit + beyond));
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        right.extend(names.iter().cloned());
        wrong.push(json!("neither"));
        // What serde takes for another way to write a name.
        wrong.extend(names.iter().filter_map(Value::as_str).map(|name| json!({ name: null })));
    }
    (right, wrong)
}

#[test]
fn a_pattern_of_the_file_allows_the_characters_that_the_parser_takes() {
    // ECMA-262 writes a character as \u0000, this library as \u{0000}.
    let code = Regex::new(r"\\u([0-9A-F]{4})").unwrap();
    let mut patterns = 0;
    for (operation, fields) in bodies() {
        for (name, schema) in fields {
            let Some(pattern) = schema["pattern"].as_str() else { continue };
            patterns += 1;
            let pattern = code.replace_all(pattern, r"\u{$1}");
            let pattern = Regex::new(&pattern).unwrap();
            for c in (0..0x3000).filter_map(char::from_u32) {
                let text = format!("a{c}");
                assert_eq!(
                    takes(&operation, &name, &json!(text)),
                    pattern.is_match(&text),
                    "{} {name}: {c:?}",
                    operation.id
                );
            }
        }
    }
    assert!(patterns >= 2, "names of keys and organizations");
}

#[test]
fn what_may_be_left_out_may_be_null_and_nothing_else_may() {
    for (operation, fields) in bodies() {
        let required = document_required(&operation);
        for name in fields.keys() {
            assert_eq!(
                takes(&operation, name, &Value::Null),
                !required.contains(name),
                "{} {name}",
                operation.id
            );
            let body = operation.body.as_ref().unwrap();
            let mut without = body.example.clone();
            without.as_object_mut().unwrap().remove(name);
            let read = (body.read.unwrap())(Fields::of(without).unwrap());
            assert_eq!(read.is_none(), !required.contains(name), "{} {name}", operation.id);
        }
    }
}

fn document_required(operation: &Operation) -> Vec<String> {
    let document = document();
    let body = &document["paths"][operation.path][operation.method]["requestBody"];
    let schema = resolved(&document, &body["content"]["application/json"]["schema"]);
    serde_json::from_value(schema["required"].clone()).unwrap()
}
