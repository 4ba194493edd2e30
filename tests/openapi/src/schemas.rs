//! Every type's JSON Schema, as the document says it.

use std::collections::BTreeMap;

use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value as Json};
use serde_yaml_ng::{Mapping, Value};

use crate::DocumentError;
use crate::operation::MakeSchema;

/// The order in which a schema's members are said; all others follow.
const ORDER: [&str; 10] =
    ["$ref", "type", "format", "description", "const", "enum", "required", "properties", "items", "pattern"];

/// Makes schemas, and collects those with a name.
pub struct Schemas {
    /// What we read: an optional field may be missing.
    requests: SchemaGenerator,
    /// What we write: every field is there.
    answers: SchemaGenerator,
}

impl Schemas {
    /// With nothing collected yet.
    pub fn new() -> Self {
        let settings = |contract| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            })
        };
        Self {
            requests: settings(Contract::Deserialize).into_generator(),
            answers: settings(Contract::Serialize).into_generator(),
        }
    }

    /// Of something that is sent to us.
    pub fn request(&mut self, make: MakeSchema) -> Value {
        told(&plain(make(&mut self.requests).to_value(), false))
    }

    /// Of something that we answer.
    pub fn answer(&mut self, make: MakeSchema) -> Value {
        told(&plain(make(&mut self.answers).to_value(), true))
    }

    /// All that have a name.
    ///
    /// # Errors
    /// [`DocumentError::TwoTypes`] when one name stands for two things.
    pub fn named(&mut self) -> Result<Mapping, DocumentError> {
        let mut all = BTreeMap::new();
        let sent =
            self.requests.take_definitions(true).into_iter().map(|(name, it)| (name, plain(it, false)));
        let answered =
            self.answers.take_definitions(true).into_iter().map(|(name, it)| (name, plain(it, true)));
        for (name, schema) in sent.chain(answered) {
            if let Some(other) = all.insert(name.clone(), schema.clone())
                && other != schema
            {
                return Err(DocumentError::TwoTypes(name));
            }
        }
        Ok(all.into_iter().map(|(name, schema)| (name.into(), told(&schema))).collect())
    }
}

/// Without what only Rust cares for, and with what every answer keeps: no member but those it says.
fn plain(schema: Json, answered: bool) -> Json {
    match schema {
        Json::Object(mut members) => {
            one_of_names(&mut members);
            if let Some(Json::String(text)) = members.get_mut("description") {
                *text =
                    text.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
            }
            // The widths of Rust's numbers are nobody's business.
            if members.get("format").and_then(Json::as_str).is_some_and(|it| it.starts_with(['u', 'i'])) {
                members.remove("format");
            }
            if answered && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(false.into());
            }
            let mut members = members.into_iter().map(|(name, it)| (name, plain(it, answered))).collect();
            names_or_null(&mut members);
            Json::Object(members)
        }
        Json::Array(items) => items.into_iter().map(|it| plain(it, answered)).collect(),
        other => other,
    }
}

/// An enumeration whose names have comments is said as one schema for each name; readers of the document know `enum` better.
fn one_of_names(members: &mut Map<String, Json>) {
    let Some(Json::Array(each)) = members.get("oneOf") else {
        return;
    };
    let names: Option<Vec<&str>> = each.iter().map(|it| it.get("const")?.as_str()).collect();
    let Some(names) = names else {
        return;
    };
    let about = each.iter().zip(&names).filter_map(|(it, name)| {
        Some(format!("`{name}`: {}", it.get("description")?.as_str()?.replace('\n', " ")))
    });
    let about: Vec<String> = members
        .get("description")
        .and_then(Json::as_str)
        .map(str::to_owned)
        .into_iter()
        .chain(about)
        .collect();
    let names = names.into_iter().map(Json::from).collect();
    members.insert("enum".to_owned(), names);
    members.insert("type".to_owned(), "string".into());
    members.insert("description".to_owned(), about.join(" ").into());
    members.remove("oneOf");
}

/// An enumeration without a name of its own that may be null is one with null among its names.
fn names_or_null(members: &mut Map<String, Json>) {
    let mut names = match members.get("anyOf").and_then(Json::as_array).map(Vec::as_slice) {
        Some([it, null]) if null["type"] == "null" => match it["enum"].as_array() {
            Some(names) => names.clone(),
            None => return,
        },
        _ => return,
    };
    names.push(Json::Null);
    members.insert("enum".to_owned(), names.into());
    members.insert("type".to_owned(), vec!["string", "null"].into());
    members.remove("anyOf");
}

/// In an order for readers: what it is, then what it has, required members as their type has them.
fn told(schema: &Json) -> Value {
    match schema {
        Json::Object(members) => {
            let known = ORDER.iter().filter_map(|name| members.get_key_value(*name));
            let others = members.iter().filter(|(name, _)| !ORDER.contains(&name.as_str()));
            let each = known.chain(others).map(|(name, it)| {
                let it = match (name.as_str(), it) {
                    ("properties", Json::Object(it)) => properties(it, members.get("required")),
                    _ => told(it),
                };
                (Value::from(name.as_str()), it)
            });
            Value::Mapping(each.collect())
        }
        Json::Array(items) => Value::Sequence(items.iter().map(told).collect()),
        Json::Null => Value::Null,
        Json::Bool(flag) => (*flag).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, other) => other.unwrap_or_default().into(),
        },
    }
}

fn properties(all: &Map<String, Json>, required: Option<&Json>) -> Value {
    let required: Vec<&str> =
        required.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let first = required.iter().filter_map(|name| all.get_key_value(*name));
    let others = all.iter().filter(|(name, _)| !required.contains(&name.as_str()));
    Value::Mapping(first.chain(others).map(|(name, it)| (Value::from(name.as_str()), told(it))).collect())
}
