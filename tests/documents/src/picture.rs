//! The picture of `docs/architecture.md`, with the lists under it: drawn from `infra/template.yaml`, so that it cannot be out of date.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_yaml_ng::Value;

use crate::template::{Function, Template, text};

/// The lines of the document between which the picture stands.
pub const BEGIN: &str = "<!-- From here on drawn from infra/template.yaml: make architecture -->";
/// The second of them.
pub const END: &str = "<!-- Up to here -->";

/// The document with the template's picture in the place of the one that is in it; `None` if it has no such place.
pub fn redrawn(document: &str, template: &Template) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", draw(template)))
}

/// What stands between the marks.
pub fn draw(template: &Template) -> String {
    let functions = template.functions();
    let picture = Picture { template, functions: &functions }.draw();
    let lists = [routes(&functions), touched(template, &functions), alarms(template)].join("\n");
    format!("\n```mermaid\n{picture}```\n\n{lists}\n")
}

/// Who uses what, and how: (from, to) → words.
type Edges = BTreeMap<(String, String), BTreeSet<&'static str>>;

struct Picture<'a> {
    template: &'a Template,
    functions: &'a [Function],
}

impl Picture<'_> {
    fn draw(&self) -> String {
        let mut lines =
            vec!["flowchart LR".to_owned(), "  callers([people, servers, other APIs])".to_owned()];
        lines.extend(self.gateway());
        lines.extend(self.functions.iter().map(function_node));
        lines.extend(self.stores());
        lines.extend(self.uses());
        lines.extend(self.called_otherwise());
        lines.extend(self.watched());
        lines.join("\n") + "\n"
    }

    /// The API, what stands before it, its authorizer, and the functions behind it.
    fn gateway(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let guard = self.template.of_type("AWS::WAFv2::WebACLAssociation").next().is_some();
        let door = if guard { "callers --> acl[web ACL] --> gateway" } else { "callers --> gateway" };
        lines.push(format!("  {door}[API Gateway]"));
        for (_, api) in self.template.of_type("AWS::Serverless::Api") {
            let auth = api.get("Auth").and_then(|auth| auth.get("Authorizers")).unwrap_or(&Value::Null);
            for id in self.template.references(auth) {
                lines.push(format!("  gateway -- who is this? --> {}", self.name(&id)));
            }
        }
        let behind = self.functions.iter().filter(|it| !it.routes.is_empty());
        lines.extend(behind.map(|it| format!("  gateway --> {}", it.name)));
        lines
    }

    fn stores(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (kind, what) in [
            ("AWS::DynamoDB::Table", "table"),
            ("AWS::SecretsManager::Secret", "secret"),
            ("AWS::SQS::Queue", "queue"),
        ] {
            lines.extend(self.template.of_type(kind).map(|(id, _)| {
                let named = id.to_lowercase().contains(what);
                format!("  {id}[({}{id})]", if named { String::new() } else { format!("{what} ") })
            }));
        }
        lines
    }

    /// What each role allows, in a word: reads, writes, sends mail.
    fn uses(&self) -> Vec<String> {
        let mut edges = Edges::new();
        for function in self.functions {
            for allowed in self.template.allowed(&function.role) {
                let Some((to, how)) = use_of(&allowed.action, &allowed.resource) else { continue };
                edges.entry((function.name.clone(), to.to_owned())).or_default().insert(how);
            }
        }
        let mail = edges.keys().any(|(_, to)| to == "mail");
        let mut lines: Vec<_> = mail.then(|| "  mail[(SES)]".to_owned()).into_iter().collect();
        lines.extend(edges.iter().map(|((from, to), how)| {
            let how: Vec<_> = how.iter().copied().collect();
            format!("  {from} -- {} --> {to}", how.join(", "))
        }));
        lines
    }

    /// Streams, rotations, schedules: what calls a function without a route.
    fn called_otherwise(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (_, mapping) in self.template.of_type("AWS::Lambda::EventSourceMapping") {
            let ends =
                |name: &str| mapping.get(name).map(|it| self.template.references(it)).unwrap_or_default();
            for (source, function) in pairs(&ends("EventSourceArn"), &ends("FunctionName")) {
                lines.push(format!("  {source} -. its stream .-> {}", self.name(&function)));
            }
            for (function, queue) in pairs(&ends("FunctionName"), &ends("DestinationConfig")) {
                lines.push(format!("  {} -. given up .-> {queue}", self.name(&function)));
            }
        }
        for (_, rotation) in self.template.of_type("AWS::SecretsManager::RotationSchedule") {
            let ends =
                |name: &str| rotation.get(name).map(|it| self.template.references(it)).unwrap_or_default();
            for (secret, function) in pairs(&ends("SecretId"), &ends("RotationLambdaARN")) {
                lines.push(format!("  {secret} -. its rotation .-> {}", self.name(&function)));
            }
        }
        for function in self.functions {
            let ways = function.schedules.iter();
            lines.extend(ways.map(|when| format!("  schedule([\"{when}\"]) -.-> {}", function.name)));
        }
        lines
    }

    /// All alarms as one: the list below says which is which.
    fn watched(&self) -> Vec<String> {
        let alarms: Vec<_> = self.template.of_type("AWS::CloudWatch::Alarm").collect();
        if alarms.is_empty() {
            return Vec::new();
        }
        let watched: BTreeSet<_> = alarms.iter().flat_map(|(_, alarm)| what(self.template, alarm)).collect();
        let is_function = |id: &str| self.functions.iter().any(|it| it.id == id);
        let everywhere = self.functions.iter().all(|it| watched.contains(&it.id));
        let label = if everywhere { "these and every function" } else { "these" };
        let label = format!("alarms{{{{{} alarms, on {label}}}}}", alarms.len());
        let drawn =
            watched.iter().filter(|id| !(everywhere && is_function(id))).filter_map(|it| match it.as_str() {
                "API Gateway" => Some("gateway".to_owned()),
                "the web ACL" => Some("acl".to_owned()),
                id => self.template.properties(id).map(|_| self.name(id)),
            });
        drawn.map(|it| format!("  {label} -.- {it}")).collect()
    }

    fn name(&self, id: &str) -> String {
        self.functions.iter().find(|it| it.id == id).map_or(id, |it| &it.name).to_owned()
    }
}

fn pairs(from: &BTreeSet<String>, to: &BTreeSet<String>) -> Vec<(String, String)> {
    from.iter().flat_map(|from| to.iter().map(|to| (from.clone(), to.clone()))).collect()
}

fn function_node(function: &Function) -> String {
    let mut label = format!("<b>{}</b>", function.name);
    for (route, _) in &function.routes {
        let _ = write!(label, "<br/>{}", route.replace("/api/v1", ""));
    }
    format!("  {}[\"{label}\"]", function.name)
}

/// What an action is to the picture: what it touches, and how. Logs are everybody's, and left out.
fn use_of<'a>(action: &str, resource: &'a str) -> Option<(&'a str, &'static str)> {
    let (service, operation) = action.split_once(':')?;
    let reads = ["Get", "BatchGet", "Query", "Scan", "Describe", "ConditionCheck", "List"];
    match service {
        "ses" => Some(("mail", "sends")),
        "dynamodb"
            if operation.contains("Stream") || operation.contains("Shard") || operation == "GetRecords" =>
        {
            None
        }
        "dynamodb" | "secretsmanager" if !resource.is_empty() => Some((
            resource,
            if reads.iter().any(|it| operation.starts_with(it)) { "reads" } else { "writes" },
        )),
        _ => None,
    }
}

fn routes(functions: &[Function]) -> String {
    let mut table = "| route | function | credential |\n|---|---|---|\n".to_owned();
    for function in functions {
        for (route, open) in &function.routes {
            let credential = if *open { "none" } else { "access token or API key, as the function says" };
            let _ = writeln!(table, "| `{route}` | `{}` | {credential} |", function.name);
        }
    }
    table
}

/// What each role allows, item by item.
fn touched(template: &Template, functions: &[Function]) -> String {
    let mut table = "| function | may read | may write |\n|---|---|---|\n".to_owned();
    for function in functions {
        let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
        for allowed in template.allowed(&function.role) {
            let Some((to, how)) = use_of(&allowed.action, &allowed.resource) else { continue };
            let things = if how == "reads" { &mut read } else { &mut written };
            if allowed.items.is_empty() {
                things.insert(to.to_owned());
            }
            let table = if to == "Table" { String::new() } else { format!("{to} ") };
            things.extend(allowed.items.iter().map(|item| format!("{table}`{}`", item.replace('*', "…"))));
        }
        let list = |things: BTreeSet<String>| things.into_iter().collect::<Vec<_>>().join(", ");
        let _ = writeln!(table, "| `{}` | {} | {} |", function.name, list(read), list(written));
    }
    table
}

fn alarms(template: &Template) -> String {
    let mut table = "| alarm | watches | goes off when |\n|---|---|---|\n".to_owned();
    for (id, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let watched: Vec<_> = what(template, alarm).into_iter().collect();
        let watched = if watched.len() > 3 { "all functions".to_owned() } else { watched.join(", ") };
        let _ = writeln!(table, "| {id} | {watched} | {} |", text(alarm, "AlarmDescription"));
    }
    table
}

/// What an alarm watches: the API, our own metrics, the resources it names. Whom it tells is another thing.
fn what(template: &Template, alarm: &Value) -> BTreeSet<String> {
    let mut watched = BTreeSet::new();
    for name in ["Metrics", "Dimensions"] {
        watched.extend(alarm.get(name).map(|it| template.references(it)).unwrap_or_default());
    }
    let mut namespaces = BTreeSet::new();
    every(alarm, "Namespace", &mut namespaces);
    for (namespace, name) in [
        ("AWS/ApiGateway", "API Gateway"),
        ("AWS/WAFV2", "the web ACL"),
        ("SyncgramPay/Auth", "our own metrics"),
    ] {
        if namespaces.contains(namespace) {
            watched.insert(name.to_owned());
        }
    }
    watched
}

/// The texts of all members of that name, however deep.
fn every<'a>(value: &'a Value, name: &str, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Mapping(all) => {
            found.extend(value.get(name).and_then(Value::as_str));
            all.values().for_each(|it| every(it, name, found));
        }
        Value::Sequence(all) => all.iter().for_each(|it| every(it, name, found)),
        Value::Tagged(tagged) => every(&tagged.value, name, found),
        _ => {}
    }
}
