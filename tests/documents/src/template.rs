//! What the picture needs to know of `infra/template.yaml`.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

/// A CloudFormation template.
#[derive(Debug)]
pub struct Template(Value);

/// A function and what leads to it.
#[derive(Debug)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its own name: its folder under `functions`.
    pub name: String,
    /// The logical id of its role.
    pub role: String,
    /// Its routes, `POST /api/v1/auth/login`, and whether one may call each without a credential. ANY, which answers 405, is left out.
    pub routes: Vec<(String, bool)>,
    /// Its schedules, such as `rate(1 day)`.
    pub schedules: Vec<String>,
}

impl Template {
    /// Reads a template from its YAML.
    pub fn read(text: &str) -> Result<Self, serde_yaml_ng::Error> {
        serde_yaml_ng::from_str(text).map(Self)
    }

    fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0.get("Resources").and_then(Value::as_mapping);
        resources.into_iter().flatten().filter_map(|(id, it)| Some((id.as_str()?, it)))
    }

    /// The resources of one type: logical id and properties, in the template's order.
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        static NONE: Value = Value::Null;
        let of_type =
            self.resources().filter(move |(_, it)| it.get("Type").and_then(Value::as_str) == Some(kind));
        of_type.map(|(id, it)| (id, it.get("Properties").unwrap_or(&NONE)))
    }

    /// A resource's properties.
    pub fn properties(&self, id: &str) -> Option<&Value> {
        self.resources().find(|(name, _)| *name == id)?.1.get("Properties")
    }

    /// The logical ids of all resources that `value` refers to, however deep.
    pub fn references(&self, value: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        collect(value, &mut found);
        found.retain(|id| self.resources().any(|(name, _)| name == id));
        found
    }

    /// The functions, in the template's order.
    pub fn functions(&self) -> Vec<Function> {
        let functions = self.of_type("AWS::Serverless::Function");
        functions.map(|(id, properties)| self.function(id, properties)).collect()
    }

    fn function(&self, id: &str, properties: &Value) -> Function {
        let folder = text(properties, "CodeUri").trim_end_matches('/');
        let role = properties.get("Role").map(|role| self.references(role)).unwrap_or_default();
        let events = properties.get("Events").and_then(Value::as_mapping);
        let (mut routes, mut schedules) = (Vec::new(), Vec::new());
        for event in events.into_iter().flat_map(|events| events.values()) {
            let details = event.get("Properties").unwrap_or(&Value::Null);
            match text(event, "Type") {
                "Api" if text(details, "Method") != "ANY" => {
                    let open = details.get("Auth").is_some_and(|auth| text(auth, "Authorizer") == "NONE");
                    routes.push((format!("{} {}", text(details, "Method"), text(details, "Path")), open));
                }
                "Schedule" => schedules.push(text(details, "Schedule").to_owned()),
                _ => {}
            }
        }
        Function {
            id: id.to_owned(),
            name: folder.rsplit('/').next().unwrap_or(folder).to_owned(),
            role: role.into_iter().next().unwrap_or_default(),
            routes,
            schedules,
        }
    }

    /// What a role allows, action by action and resource by resource.
    pub fn allowed(&self, role: &str) -> Vec<Allowed> {
        let mut allowed = Vec::new();
        let policies = self.properties(role).and_then(|it| it.get("Policies")).and_then(Value::as_sequence);
        for policy in policies.into_iter().flatten() {
            let statements = policy.get("PolicyDocument").and_then(|it| it.get("Statement"));
            for statement in statements.and_then(Value::as_sequence).into_iter().flatten() {
                let mut resources = self.references(statement.get("Resource").unwrap_or(&Value::Null));
                if resources.is_empty() {
                    resources.insert(String::new());
                }
                for action in several(statement.get("Action").unwrap_or(&Value::Null)) {
                    allowed.extend(resources.iter().map(|resource| Allowed {
                        action: action.to_owned(),
                        resource: resource.clone(),
                        items: items(statement),
                    }));
                }
            }
        }
        allowed
    }
}

/// One thing that a role allows.
#[derive(Debug)]
pub struct Allowed {
    /// `dynamodb:GetItem`, …
    pub action: String,
    /// The logical id of what it is allowed on; empty where that is none of the template's resources.
    pub resource: String,
    /// How the partition keys begin that it is allowed on, such as `ORG#*`; none, if that is not asked.
    pub items: Vec<String>,
}

fn items(statement: &Value) -> Vec<String> {
    let conditions = statement.get("Condition").and_then(Value::as_mapping);
    let keys =
        conditions.into_iter().flat_map(|it| it.values()).filter_map(|it| it.get("dynamodb:LeadingKeys"));
    keys.filter_map(Value::as_sequence).flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A member's text; empty where there is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text, or each of a list.
fn several(value: &Value) -> Vec<&str> {
    match value {
        Value::Sequence(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Tagged(tagged) => {
            let names = match tagged.tag.to_string().as_str() {
                "!Ref" | "!GetAtt" => several(&tagged.value).first().copied().into_iter().collect(),
                "!Sub" => tagged.value.as_str().map(variables).unwrap_or_default(),
                _ => Vec::new(),
            };
            found.extend(names.iter().filter_map(|name| name.split('.').next()).map(str::to_owned));
            collect(&tagged.value, found);
        }
        Value::Sequence(all) => all.iter().for_each(|it| collect(it, found)),
        Value::Mapping(all) => all.values().for_each(|it| collect(it, found)),
        _ => {}
    }
}

/// The variables of a `!Sub`.
fn variables(text: &str) -> Vec<&str> {
    text.split("${").skip(1).filter_map(|rest| rest.split('}').next()).collect()
}
