//! What a route answers when it does not do what it was asked: by status, every code with its sentence.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};
use shared::flows::Refusal;
use shared::http::{Field as _, Name, Problem};

use crate::DocumentError;
use crate::gateway::Gateway;
use crate::operation::{Caller, Operation, Parameter};
use crate::yaml::{map, reference, texts, value};

/// A problem as a client is told it.
pub struct Told {
    /// The status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// The sentence for people.
    pub message: String,
    /// The fields that are wrong, as they are shown.
    pub fields: Option<Value>,
}

impl Told {
    fn of(problem: &Problem) -> Result<Self, DocumentError> {
        let fields = match problem {
            Problem::Invalid(fields) => Some(value(fields)?),
            _ => None,
        };
        let (code, message) = (problem.code().to_owned(), problem.message().to_owned());
        Ok(Self { status: problem.status().as_u16(), code, message, fields })
    }

    fn example(&self) -> Value {
        let mut error = Mapping::new();
        error.insert("code".into(), self.code.as_str().into());
        error.insert("message".into(), self.message.as_str().into());
        error.insert("request_id".into(), "0f4ad2b1-6c1e-4c1f-9d83-5f0f0c1f7a52".into());
        if let Some(fields) = &self.fields {
            error.insert("fields".into(), fields.clone());
        }
        map([("success", false.into()), ("error", Value::Mapping(error))])
    }
}

/// The responses of one route, by status.
pub fn responses(operation: &Operation, gateway: &Gateway) -> Result<BTreeMap<u16, Value>, DocumentError> {
    let mut all: BTreeMap<u16, Vec<Told>> = BTreeMap::new();
    let of_its_kind = problems_of_its_kind(operation);
    let own = of_its_kind.iter().chain(&operation.problems).map(Told::of);
    let protected = operation.caller != Caller::Anyone;
    for told in own.collect::<Result<Vec<_>, _>>()?.into_iter().chain(gateway.answers(protected)?) {
        let same = all.entry(told.status).or_default();
        if same.iter().all(|it| it.code != told.code) {
            same.push(told);
        }
    }
    Ok(all.into_iter().map(|(status, told)| (status, response(status, &told))).collect())
}

/// What every function may answer on a route of this kind.
fn problems_of_its_kind(operation: &Operation) -> Vec<Problem> {
    let mut problems = Vec::new();
    let fields = operation.body.as_ref().is_none_or(|body| body.read.is_some());
    if operation.body.is_some() {
        problems.push(Problem::UnsupportedMediaType);
    }
    if operation.body.is_some() && fields {
        problems.extend([Problem::InvalidJson, Problem::TooLarge]);
    }
    let judged = |it: &Parameter| it.place != "path" && it.name != "If-None-Match";
    if fields && (operation.body.is_some() || operation.parameters.iter().any(judged)) {
        let message = Name::<255>::read(&serde_json::Value::Null).err().unwrap_or_default();
        problems.push(Problem::field("key_name", message));
    }
    match operation.caller {
        Caller::Anyone => {}
        Caller::Person => problems.extend([Problem::Unauthorized, Problem::SessionRequired]),
        Caller::PersonOrKey => problems.push(Problem::Unauthorized),
    }
    // A parameter of the path can be such that it is another path.
    if operation.path.contains('{') {
        problems.push(Refusal::NotFound.into());
    }
    problems
}

fn response(status: u16, told: &[Told]) -> Value {
    let description = match told {
        [one] => one.message.clone(),
        many => many.iter().map(|it| format!("- `{}`: {}\n", it.code, it.message)).collect(),
    };
    let mut headers = Mapping::new();
    headers.insert("X-Request-Id".into(), reference("headers", "RequestId"));
    headers.insert("Cache-Control".into(), reference("headers", "NoStore"));
    match status {
        401 if told.iter().any(|it| it.code == "unauthorized") => {
            headers.insert("WWW-Authenticate".into(), reference("headers", "Authenticate"));
        }
        429 | 503 => {
            headers.insert("Retry-After".into(), reference("headers", "RetryAfter"));
        }
        _ => {}
    }
    let codes = texts(told.iter().map(|it| it.code.as_str()));
    let code = map([("properties", map([("code", map([("enum", codes)]))]))]);
    let schema = map([
        ("allOf", Value::Sequence(vec![reference("schemas", "Failure")])),
        ("properties", map([("error", code)])),
    ]);
    let examples = told.iter().map(|it| (Value::from(it.code.as_str()), map([("value", it.example())])));
    let json = map([("schema", schema), ("examples", Value::Mapping(examples.collect()))]);
    map([
        ("description", description.into()),
        ("headers", Value::Mapping(headers)),
        ("content", map([("application/json", json)])),
    ])
}
