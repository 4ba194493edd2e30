//! The document as a whole.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::gateway::Gateway;
use crate::operation::{Cache, Caller, Done, Operation, Parameter, Shows};
use crate::schemas::Schemas;
use crate::yaml::{at, map, reference, texts};
use crate::{COMMAND, problems, routes};

/// Why the document cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A file is away.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something is no YAML.
    #[error(transparent)]
    Yaml(#[from] serde_yaml_ng::Error),
    /// `frame.yaml` lacks a part.
    #[error("frame.yaml lacks a part")]
    Frame,
    /// A gateway response of the template is away, or is not in our envelope.
    #[error("the gateway responses of infra/template.yaml are not what they were")]
    Template,
    /// An id of the examples is none.
    #[error(transparent)]
    Example(#[from] shared::ids::InvalidId),
    /// One name stands for two types.
    #[error("two types are called {0}")]
    TwoTypes(String),
}

/// The text of `docs/openapi.yaml`.
///
/// # Errors
/// When it cannot be made.
pub fn text() -> Result<String, DocumentError> {
    let mut document: Value = serde_yaml_ng::from_str(include_str!("frame.yaml"))?;
    at(&mut document, &["info"])?.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    let gateway = Gateway::read()?;
    let (mut paths, mut schemas) = (Mapping::new(), Schemas::new());
    let operations = routes::all()?;
    let refused = operations.iter().map(|operation| problems::responses(operation, &gateway));
    let refused = refused.collect::<Result<Vec<_>, _>>()?;
    let shared = Shared::of(&refused);
    for (operation, refused) in operations.into_iter().zip(refused) {
        let (method, path) = (operation.method, operation.path);
        let said = said(operation, &shared.used_in(refused), &mut schemas)?;
        let methods = paths.entry(path.into()).or_insert_with(|| Value::Mapping(Mapping::new()));
        methods.as_mapping_mut().ok_or(DocumentError::Frame)?.insert(method.into(), said);
    }
    // Every failure is one.
    schemas.answer(|generator| generator.subschema_for::<shared::http::Failure>());
    *at(&mut document, &["paths"])? = paths;
    *at(&mut document, &["components", "responses"])? = shared.named();
    *at(&mut document, &["components", "schemas"])? = schemas.named()?;
    let header = format!(
        "# Made by `{COMMAND}` from the code's own types. Do not edit: change the types, or tests/openapi/src.\n"
    );
    Ok(header + &times_in_quotes(&serde_yaml_ng::to_string(&document)?))
}

/// A time without quotes is text to YAML 1.2, but to the many readers of YAML 1.1 it is a time.
fn times_in_quotes(text: &str) -> String {
    // A member's, or one of a list.
    let quoted = text.lines().map(|line| match line.rsplit_once(": ").or_else(|| line.rsplit_once("- ")) {
        Some((_, time)) if OffsetDateTime::parse(time, &Rfc3339).is_ok() => {
            format!("{}'{time}'\n", line.strip_suffix(time).unwrap_or(line))
        }
        _ => format!("{line}\n"),
    });
    quoted.collect()
}

/// Responses that several routes have in common, with a name each.
struct Shared(BTreeMap<String, Value>);

impl Shared {
    fn of(all: &[BTreeMap<u16, Value>]) -> Self {
        let each = || all.iter().flat_map(BTreeMap::values);
        let common = each().filter(|one| each().filter(|other| other == one).count() > 1);
        Self(common.map(|response| (name(response), response.clone())).collect())
    }

    fn used_in(&self, responses: BTreeMap<u16, Value>) -> BTreeMap<u16, Value> {
        let used = responses.into_iter().map(|(status, response)| {
            let name = name(&response);
            let response = if self.0.contains_key(&name) { reference("responses", &name) } else { response };
            (status, response)
        });
        used.collect()
    }

    fn named(self) -> Mapping {
        self.0.into_iter().map(|(name, response)| (name.into(), response)).collect()
    }
}

/// A response is called by its codes: `InvalidJsonOrBodyTooLarge`.
fn name(response: &Value) -> String {
    let examples = response["content"]["application/json"]["examples"].as_mapping();
    let codes = examples.into_iter().flat_map(Mapping::keys).filter_map(Value::as_str);
    let words = |code: &str| -> String {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        code.split('_').filter(|word| !word.is_empty()).map(capital).collect()
    };
    codes.map(words).collect::<Vec<_>>().join("Or")
}

fn said(
    operation: Operation,
    refused: &BTreeMap<u16, Value>,
    schemas: &mut Schemas,
) -> Result<Value, DocumentError> {
    let mut said = Mapping::new();
    let mut say = |name: &str, what: Value| said.insert(name.into(), what);
    say("tags", texts([operation.tag]));
    say("operationId", operation.id.into());
    say("summary", operation.summary.into());
    if !operation.about.is_empty() {
        say("description", operation.about.into());
    }
    let credentials: &[&str] = match operation.caller {
        Caller::Anyone => &[],
        Caller::Person => &["access_token"],
        Caller::PersonOrKey => &["access_token", "api_key"],
    };
    if !credentials.is_empty() {
        let each = credentials.iter().map(|name| map([(name, Value::Sequence(Vec::new()))]));
        say("security", Value::Sequence(each.collect()));
    }
    if !operation.parameters.is_empty() {
        let each = operation.parameters.iter().map(|it| parameter(it, schemas));
        say("parameters", Value::Sequence(each.collect()));
    }
    if let Some(body) = operation.body {
        let example = crate::yaml::value(&body.example)?;
        let json = map([("schema", schemas.request(body.schema)), ("example", example)]);
        let content = map([("application/json", json)]);
        say("requestBody", map([("required", true.into()), ("content", content)]));
    }
    let mut responses = Mapping::new();
    for done in operation.done {
        responses.insert(done.status.to_string().into(), answer(done, schemas)?);
    }
    for (status, response) in refused {
        responses.insert(status.to_string().into(), response.clone());
    }
    say("responses", Value::Mapping(responses));
    Ok(Value::Mapping(said))
}

fn parameter(it: &Parameter, schemas: &mut Schemas) -> Value {
    let mut said = Mapping::new();
    let mut say = |name: &str, what: Value| said.insert(name.into(), what);
    say("name", it.name.into());
    say("in", it.place.into());
    if it.place == "path" {
        say("required", true.into());
    }
    say("description", it.about.into());
    say("schema", schemas.request(it.schema));
    if let Some(example) = it.example {
        say("example", example.into());
    }
    Value::Mapping(said)
}

fn answer(done: Done, schemas: &mut Schemas) -> Result<Value, DocumentError> {
    let mut headers = Mapping::new();
    headers.insert("X-Request-Id".into(), reference("headers", "RequestId"));
    let cache = match done.cache {
        Cache::Never => "NoStore",
        Cache::Kept => "Kept",
        Cache::Asked => "Asked",
        Cache::ForGood => "ForGood",
    };
    headers.insert("Cache-Control".into(), reference("headers", cache));
    if done.cache == Cache::Asked {
        headers.insert("ETag".into(), reference("headers", "ETag"));
    }
    let mut said = Mapping::new();
    said.insert("description".into(), done.about.into());
    said.insert("headers".into(), Value::Mapping(headers));
    match done.shows {
        Shows::Nothing => {}
        Shows::Json(make, example) => {
            let json = map([("schema", schemas.answer(make)), ("example", example?)]);
            said.insert("content".into(), map([("application/json", json)]));
        }
        Shows::Other(kinds) => {
            let each = kinds.iter().map(|kind| (Value::from(*kind), Value::Mapping(Mapping::new())));
            said.insert("content".into(), Value::Mapping(each.collect()));
        }
    }
    Ok(Value::Mapping(said))
}
