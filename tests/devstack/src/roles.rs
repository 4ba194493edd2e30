//! Holds every function to its role in `infra/template.yaml`: what the role does not allow is refused as IAM refuses it.
//!
//! What a request asks for is put the way IAM's service authorization reference puts it: a batch is judged by all its keys together,
//! the parts of a transaction one by one, each as its own action. Requests that no function makes, such as a test's own, are nobody's.
//! All functions share one process here and so one cache of keys and secrets: whoever finds something there does not ask for it.
//! `make rehearse` holds each to its role in a process of its own.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use tokio::task::futures::TaskLocalFuture;

use crate::engines::dynamodb::CHECKPOINTS;
use crate::engines::recorder::Recorded;
use crate::engines::secrets_file::{AUDIT, CODES, FACTORS, SEALING, SIGNING, WEBHOOKS};
use crate::gateway::template::TemplateError;
use crate::gateway::yaml::{at, members, referenced, scalar};

/// The table's partition key.
const PARTITION_KEY: &str = "pk";
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

tokio::task_local! {
    static CALLER: String;
}

/// Runs a call of the function `name`: what it asks of AWS meanwhile, it asks under its role.
pub fn called_as<F: Future>(name: &str, call: F) -> TaskLocalFuture<String, F> {
    CALLER.scope(name.to_owned(), call)
}

/// The function that runs in this task.
pub(crate) fn caller() -> Option<String> {
    CALLER.try_with(Clone::clone).ok()
}

/// One thing that is asked of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// `dynamodb:GetItem`, …
    pub action: String,
    /// The template's name of what it is about, such as `Table`.
    pub resource: String,
    /// The partition keys that it names.
    pub leading_keys: Vec<String>,
}

/// What a statement allows.
#[derive(Debug)]
pub struct Statement {
    /// Its name.
    pub sid: String,
    /// Actions, as they are written.
    pub actions: Vec<String>,
    /// The template's names of resources; a resource that is no reference as it is written.
    pub resources: Vec<String>,
    /// Patterns of partition keys, when it asks for any.
    leading_keys: Option<Vec<String>>,
    /// Whether it also allows a request that names no key.
    allows_no_key: bool,
}

impl Statement {
    fn allows(&self, demand: &Demand) -> bool {
        let Demand { action, resource, leading_keys } = demand;
        let key_fits = |key: &String| {
            self.leading_keys.as_ref().is_none_or(|patterns| patterns.iter().any(|it| is_like(key, it)))
        };
        self.actions.contains(action)
            && self.resources.contains(resource)
            && (self.allows_no_key || !leading_keys.is_empty())
            && leading_keys.iter().all(key_fits)
    }
}

/// `StringLike`, with a star at the end or none.
fn is_like(text: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(text == pattern, |prefix| text.starts_with(prefix))
}

/// The roles of all functions, by the functions' names.
#[derive(Debug)]
pub struct Roles(BTreeMap<String, Vec<Statement>>);

impl Roles {
    /// Reads the template at `path`.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads a template.
    pub fn parse(yaml: &str) -> Result<Self, TemplateError> {
        Self::of(&serde_yaml_ng::from_str(yaml)?)
    }

    /// What a template says.
    pub(crate) fn of(template: &Yaml) -> Result<Self, TemplateError> {
        let mut roles = BTreeMap::new();
        for (id, resource) in members(at(template, &["Resources"])) {
            if at(resource, &["Type"]).and_then(Yaml::as_str) != Some("AWS::Serverless::Function") {
                continue;
            }
            let wrong =
                |reason: &str| TemplateError::Meaning { place: id.to_owned(), reason: reason.to_owned() };
            let code = at(resource, &["Properties", "CodeUri"]).and_then(scalar);
            let name = code.as_deref().and_then(|it| it.trim_end_matches('/').rsplit('/').next());
            let role = at(resource, &["Properties", "Role"]).and_then(referenced);
            let (name, role) =
                (name.ok_or_else(|| wrong("no CodeUri"))?, role.ok_or_else(|| wrong("no Role"))?);
            let statements =
                statements(template, &role).ok_or_else(|| wrong("a role that nobody here can read"))?;
            roles.insert(name.to_owned(), statements);
        }
        Ok(Self(roles))
    }

    /// Every function's name, and what its role's own policies allow.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Statement])> {
        self.0.iter().map(|(name, statements)| (name.as_str(), statements.as_slice()))
    }

    /// Whether the function `name` may. A function without a role may nothing.
    pub fn allow(&self, name: &str, demand: &Demand) -> bool {
        self.0.get(name).is_some_and(|statements| statements.iter().any(|it| it.allows(demand)))
    }

    /// The first thing that a request asks for and the function `name` may not.
    pub(crate) fn refuse(&self, name: &str, request: &Recorded) -> Option<Demand> {
        demands(request).into_iter().find(|demand| !self.allow(name, demand))
    }
}

/// The statements of a role's own policies. `None` when one of them says something that is not understood here.
fn statements(template: &Yaml, role: &str) -> Option<Vec<Statement>> {
    let policies = at(template, &["Resources", role, "Properties", "Policies"])?.as_sequence()?;
    let mut all = Vec::new();
    for policy in policies {
        for written in at(policy, &["PolicyDocument", "Statement"])?.as_sequence()? {
            all.push(statement(written)?);
        }
    }
    Some(all)
}

fn statement(written: &Yaml) -> Option<Statement> {
    if members(Some(written))
        .any(|(name, _)| !["Sid", "Effect", "Action", "Resource", "Condition"].contains(&name))
    {
        return None;
    }
    if at(written, &["Effect"])?.as_str()? != "Allow" {
        return None;
    }
    let mut statement = Statement {
        sid: at(written, &["Sid"])?.as_str()?.to_owned(),
        actions: texts(at(written, &["Action"])?)?,
        resources: texts(at(written, &["Resource"])?)?,
        leading_keys: None,
        allows_no_key: true,
    };
    for (operator, keys) in members(at(written, &["Condition"])) {
        for (key, value) in members(Some(keys)) {
            match (operator, key) {
                ("ForAllValues:StringLike", LEADING_KEYS) => statement.leading_keys = Some(texts(value)?),
                ("Null", LEADING_KEYS) => statement.allows_no_key = scalar(value)? != "false",
                // Everything here is mailed from the one address.
                ("StringEquals", "ses:FromAddress") => {}
                // Better no role at all than one that is half understood.
                _ => return None,
            }
        }
    }
    Some(statement)
}

/// One text or several; a reference is the name of what it refers to.
fn texts(value: &Yaml) -> Option<Vec<String>> {
    let one = |value: &Yaml| {
        let written = match value {
            Yaml::Tagged(tagged) => tagged.value.as_str().map(str::to_owned),
            other => scalar(other),
        };
        referenced(value).or(written)
    };
    match value {
        Yaml::Sequence(values) => values.iter().map(one).collect(),
        value => Some(vec![one(value)?]),
    }
}

/// What a request asks IAM for.
fn demands(request: &Recorded) -> Vec<Demand> {
    let Recorded { operation, body } = request;
    match operation.as_str() {
        "GetSecretValue" => {
            vec![demand("secretsmanager:GetSecretValue", secret(&body["SecretId"]), Vec::new())]
        }
        "SendEmail" => vec![demand("ses:SendEmail", IDENTITY, Vec::new())],
        "SendMessageBatch" => vec![demand("sqs:SendMessage", QUEUE, Vec::new())],
        "ChangeMessageVisibility" => vec![demand("sqs:ChangeMessageVisibility", QUEUE, Vec::new())],
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let asked = |(name, table): (&String, &Value)| {
                let keys = table["Keys"].as_array().into_iter().flatten().filter_map(partition_key).collect();
                demand(&format!("dynamodb:{operation}"), table_named(name), keys)
            };
            tables.map(asked).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let parts = items.filter_map(Value::as_object).flatten();
            parts.map(|(kind, part)| demand(transacted(kind), table_of(part), leading_keys(part))).collect()
        }
        _ => vec![demand(&format!("dynamodb:{operation}"), table_of(body), leading_keys(body))],
    }
}

/// The template's name of the table that a request is about.
fn table_of(request: &Value) -> &'static str {
    table_named(request["TableName"].as_str().unwrap_or_default())
}

fn table_named(name: &str) -> &'static str {
    if name.ends_with(CHECKPOINTS) { "Checkpoints" } else { "Table" }
}

/// The template's name of the one queue that functions ask for by themselves.
const QUEUE: &str = "WebhooksQueue";

/// The identity that mail is sent from, as the template's roles write it.
const IDENTITY: &str = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${MailIdentity}";

fn demand(action: &str, resource: &str, leading_keys: Vec<String>) -> Demand {
    Demand { action: action.to_owned(), resource: resource.to_owned(), leading_keys }
}

/// The action that a part of a transaction is judged as.
fn transacted(kind: &str) -> &'static str {
    match kind {
        "ConditionCheck" => "dynamodb:ConditionCheckItem",
        "Put" => "dynamodb:PutItem",
        "Update" => "dynamodb:UpdateItem",
        "Delete" => "dynamodb:DeleteItem",
        "Get" => "dynamodb:GetItem",
        _ => "dynamodb:?",
    }
}

fn secret(id: &Value) -> &'static str {
    match id.as_str() {
        Some(SIGNING) => "SigningSecret",
        Some(CODES) => "CodesSecret",
        Some(SEALING) => "SealingSecret",
        Some(AUDIT) => "AuditSecret",
        Some(FACTORS) => "FactorsSecret",
        Some(WEBHOOKS) => "WebhooksSecret",
        _ => "?",
    }
}

/// The partition keys of a request about one item, or of a query. A scan names none.
fn leading_keys(body: &Value) -> Vec<String> {
    if let Some(key) = partition_key(&body["Key"]).or_else(|| partition_key(&body["Item"])) {
        return vec![key];
    }
    let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
    let named = |name: &str| body["ExpressionAttributeNames"][name].as_str().unwrap_or(name) == PARTITION_KEY;
    let equals = condition.split(" AND ").filter_map(|part| part.split_once('='));
    let values = equals.filter(|(name, _)| named(name.trim())).map(|(_, value)| value.trim());
    values.filter_map(|it| body["ExpressionAttributeValues"][it]["S"].as_str()).map(str::to_owned).collect()
}

fn partition_key(item: &Value) -> Option<String> {
    item[PARTITION_KEY]["S"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(operation: &str, body: Value) -> Vec<(String, Vec<String>)> {
        let request = Recorded { operation: operation.to_owned(), body };
        demands(&request).into_iter().map(|it| (it.action, it.leading_keys)).collect()
    }

    fn item(pk: &str) -> Value {
        json!({"pk": {"S": pk}, "sk": {"S": "s"}})
    }

    #[test]
    fn a_batch_asks_once_and_a_transaction_part_by_part() {
        let batch = asked("BatchGetItem", json!({"RequestItems": {"t": {"Keys": [item("a"), item("b")]}}}));
        assert_eq!(batch, [("dynamodb:BatchGetItem".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
        let parts =
            json!({"TransactItems": [{"ConditionCheck": {"Key": item("a")}}, {"Put": {"Item": item("b")}}]});
        let expected = [("ConditionCheckItem", "a"), ("PutItem", "b")];
        let expected = expected.map(|(action, key)| (format!("dynamodb:{action}"), vec![key.to_owned()]));
        assert_eq!(asked("TransactWriteItems", parts), expected);
    }

    #[test]
    fn a_query_asks_for_its_partition_and_a_scan_for_none() {
        let query = json!({
            "KeyConditionExpression": "#a = :a AND begins_with(sk, :b)",
            "ExpressionAttributeNames": {"#a": "pk"},
            "ExpressionAttributeValues": {":a": {"S": "p"}, ":b": {"S": "s"}},
        });
        assert_eq!(asked("Query", query), [("dynamodb:Query".to_owned(), vec!["p".to_owned()])]);
        assert_eq!(asked("Scan", json!({})), [("dynamodb:Scan".to_owned(), vec![])]);
    }

    #[test]
    fn a_condition_that_is_not_understood_is_no_role() {
        let role = "{Type: AWS::IAM::Role, Properties: {Policies: [{PolicyDocument: {Statement: [{Sid: S, Effect: Allow, \
                    Action: a, Resource: '*', Condition: {Bool: {x: y}}}]}}]}}";
        let function = "{Type: AWS::Serverless::Function, Properties: {CodeUri: a/f/, Role: !GetAtt R.Arn}}";
        let template = format!("Resources: {{R: {role}, F: {function}}}");
        assert!(Roles::parse(&template).is_err());
        assert!(Roles::parse(&template.replace(", Condition: {Bool: {x: y}}", "")).is_ok());
    }
}
