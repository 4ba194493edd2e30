//! `docs/openapi.yaml`: every answer that a story sees must stand in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use devstack::gateway::routes::{RouteTable, Target};
use serde_json::Value;

/// What the document says about one route: the codes of each status. A success has none.
type Answers = BTreeMap<u16, BTreeSet<String>>;

struct Document {
    routes: RouteTable,
    answers: BTreeMap<(String, String), Answers>,
}

/// Says what is wrong with an answer to `method path`, by the document. Routes that it does not have answer 404 or 405.
pub fn objection(method: &str, path: &str, status: u16, code: Option<&str>) -> Option<String> {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    let document = DOCUMENT.get_or_init(Document::read);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let found = document.routes.find(path, method);
    let operation = found.and_then(|it| document.answers.get(&(it.resource.to_owned(), method.to_owned())));
    match (operation, code) {
        // HEAD is GET without a body: only its own story asks.
        (None, _) if matches!(status, 404 | 405) || method == "HEAD" => None,
        // The gateway answers these before it knows the route.
        (None, _) if matches!(status, 401 | 403) => None,
        (None, _) => Some(format!("no such route in docs/openapi.yaml, and yet {status}")),
        (Some(answers), code) => match (answers.get(&status), code) {
            (None, _) => Some(format!("docs/openapi.yaml has no {status} there")),
            (Some(codes), Some(code)) if !codes.contains(code) => {
                Some(format!("docs/openapi.yaml has no {code} among the {status} there: {codes:?}"))
            }
            _ => None,
        },
    }
}

impl Document {
    fn read() -> Self {
        let text =
            std::fs::read_to_string(devstack::repository().join("docs/openapi.yaml")).expect("the document");
        let document: Value = serde_yaml_ng::from_str(&text).expect("docs/openapi.yaml is YAML");
        let (mut routes, mut answers) = (RouteTable::default(), BTreeMap::new());
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let method = method.to_uppercase();
                let target = Target { function: String::new(), authorizer: None };
                routes.add(path, &method, target).expect("each route once");
                answers.insert((path.clone(), method), answers_of(&document, operation));
            }
        }
        Self { routes, answers }
    }
}

fn answers_of(document: &Value, operation: &Value) -> Answers {
    let responses = operation["responses"].as_object().expect("responses");
    let codes = |response: &Value| {
        let schema = &resolve(document, response)["content"]["application/json"]["schema"];
        let codes = schema["properties"]["error"]["properties"]["code"]["enum"].as_array();
        codes.into_iter().flatten().map(|code| code.as_str().expect("a code").to_owned()).collect()
    };
    let answers = responses.iter().map(|(status, it)| (status.parse().expect("a status"), codes(it)));
    answers.collect()
}

/// What a `$ref` of the document stands for.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        None => value,
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("a place in the document"),
    }
}
