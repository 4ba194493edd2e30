//! One route: what no type says of it, and the types that say the rest.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_yaml_ng::Value;
use shared::http::{Fields, Problem, Request, Success};

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anyone.
    Anyone,
    /// A person with an access token.
    Person,
    /// A person, or a server with an API key.
    PersonOrKey,
}

/// How a type's schema is made.
pub type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// The body a route takes.
pub struct Body {
    /// Its schema.
    pub schema: MakeSchema,
    /// One that is right.
    pub example: serde_json::Value,
    /// What the route's own parser says of a body that is made of fields.
    pub read: Option<fn(Fields) -> Option<Problem>>,
}

/// A parameter: of the path, the query or a header.
pub struct Parameter {
    /// `path`, `query` or `header`.
    pub place: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its schema.
    pub schema: MakeSchema,
    /// One that is right, where there is one to show.
    pub example: Option<&'static str>,
}

/// A parameter of the path. Any text is read: one that is no id names nothing.
pub fn in_path(name: &'static str, about: &'static str, example: &'static str) -> Parameter {
    let schema: MakeSchema = |_| json_schema!({ "type": "string", "minLength": 1 });
    Parameter { place: "path", name, about, schema, example: Some(example) }
}

/// The `ETag` that a client has.
pub fn if_none_match() -> Parameter {
    let schema: MakeSchema = |_| json_schema!({ "type": "string" });
    let about = "The `ETag` of what the client has.";
    Parameter { place: "header", name: "If-None-Match", about, schema, example: None }
}

/// What a route answers when it does what it was asked.
pub struct Done {
    /// 200, 201, 204 or 304.
    pub status: u16,
    /// What that means.
    pub about: &'static str,
    /// What the body is.
    pub shows: Shows,
    /// Who may keep it.
    pub cache: Cache,
}

/// Who may keep an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Nobody.
    Never,
    /// Anybody, for five minutes.
    Kept,
    /// Anybody who asks each time whether it is still the same: it has an `ETag`.
    Asked,
    /// Anybody, for good.
    ForGood,
}

/// A body of an answer.
pub enum Shows {
    /// None.
    Nothing,
    /// JSON: its schema, and an example as it goes over the wire.
    Json(MakeSchema, serde_yaml_ng::Result<Value>),
    /// Something else, of one of these types.
    Other(&'static [&'static str]),
}

/// A route.
pub struct Operation {
    /// In lower case, as the document has it.
    pub method: &'static str,
    /// As the template has it.
    pub path: &'static str,
    /// Its name for programs.
    pub id: &'static str,
    /// The group it stands in.
    pub tag: &'static str,
    /// A line for people.
    pub summary: &'static str,
    /// More than a line, or nothing.
    pub about: &'static str,
    /// Who may call.
    pub caller: Caller,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its body.
    pub body: Option<Body>,
    /// What it answers when it does what it was asked.
    pub done: Vec<Done>,
    /// Why it may not, beyond what holds for every route of its kind.
    pub problems: Vec<Problem>,
}

impl Operation {
    /// A route that anyone may call.
    pub fn new(
        (method, path): (&'static str, &'static str),
        (tag, id): (&'static str, &'static str),
        summary: &'static str,
        about: &'static str,
    ) -> Self {
        let (parameters, done, problems) = (Vec::new(), Vec::new(), Vec::new());
        let caller = Caller::Anyone;
        Self { method, path, id, tag, summary, about, caller, parameters, body: None, done, problems }
    }

    /// For these callers only.
    pub fn for_a(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// Takes a body.
    pub fn takes<T: Request + JsonSchema>(mut self, example: serde_json::Value) -> Self {
        let schema: MakeSchema = |generator| generator.subschema_for::<T>();
        self.body = Some(Body { schema, example, read: Some(|fields| T::read(fields).err()) });
        self
    }

    /// Takes a body that is made of no fields.
    pub fn takes_json(mut self, example: serde_json::Value, schema: MakeSchema) -> Self {
        self.body = Some(Body { schema, example, read: None });
        self
    }

    /// Answers 200 outside the envelope, for nobody to keep.
    pub fn answers_bare<T: Serialize + JsonSchema>(self, about: &'static str, example: &T) -> Self {
        let schema: MakeSchema = |generator| generator.subschema_for::<T>();
        let shows = Shows::Json(schema, serde_yaml_ng::to_value(example));
        self.answered(Done { status: 200, about, shows, cache: Cache::Never })
    }

    /// Takes a parameter.
    pub fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Answers in the envelope.
    pub fn answers<T: Serialize + JsonSchema>(self, status: u16, about: &'static str, example: T) -> Self {
        let schema: MakeSchema = |generator| generator.subschema_for::<Success<T>>();
        let example = serde_yaml_ng::to_value(Success::of(example));
        let shows = Shows::Json(schema, example);
        self.answered(Done { status, about, shows, cache: Cache::Never })
    }

    /// Answers 200 with a public document, outside the envelope.
    pub fn publishes<T: Serialize + JsonSchema>(self, about: &'static str, example: &T) -> Self {
        let schema: MakeSchema = |generator| generator.subschema_for::<T>();
        let shows = Shows::Json(schema, serde_yaml_ng::to_value(example));
        self.answered(Done { status: 200, about, shows, cache: Cache::Kept })
    }

    /// Answers so.
    pub fn answered(mut self, done: Done) -> Self {
        self.done.push(done);
        self
    }

    /// May refuse, for these reasons.
    pub fn refuses(mut self, problems: impl IntoIterator<Item = impl Into<Problem>>) -> Self {
        self.problems.extend(problems.into_iter().map(Into::into));
        self
    }
}
