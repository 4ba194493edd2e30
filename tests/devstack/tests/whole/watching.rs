//! What the template watches: each alarm looks at a metric that exists, and tells somebody who finds it explained.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_yaml_ng::Value;

use crate::template::{file, of_type, template};

/// The names under which `shared::metrics` counts, with their dimensions beside `stage`.
const OURS: [(&str, &[&str]); 11] = [
    ("Logins", &[]),
    ("Lockouts", &[]),
    ("KeysMade", &[]),
    ("KeysRevoked", &[]),
    ("ReuseDetected", &[]),
    ("RotationsFailed", &[]),
    ("ChainTrouble", &[]),
    ("Succeeded", &["action"]),
    ("Failed", &["action"]),
    ("Latency", &["action"]),
    ("Refused", &["action", "reason"]),
];

fn alarms(template: &Value) -> Vec<(&str, &Value)> {
    of_type(template, "AWS::CloudWatch::Alarm").collect()
}

/// Every metric an alarm looks at, as one mapping with `Namespace`, `MetricName` and `Dimensions`.
fn metrics(alarm: &Value) -> Vec<&Value> {
    let properties = &alarm["Properties"];
    match properties["Metrics"].as_sequence() {
        Some(all) => all.iter().map(|it| &it["MetricStat"]["Metric"]).filter(|it| it.is_mapping()).collect(),
        None => vec![properties],
    }
}

#[test]
fn each_alarm_has_its_section_in_the_operators_book_and_each_section_its_alarm() {
    let book = file("docs/operations.md");
    let template = template();
    let named: BTreeSet<_> = alarms(&template).into_iter().map(|(name, _)| name).collect();
    let told: BTreeSet<_> =
        book.lines().filter_map(|it| it.strip_prefix("### ")).filter(|it| it.ends_with("Alarm")).collect();
    assert!(named.len() >= 10, "{named:?}");
    assert_eq!(named.difference(&told).collect::<Vec<_>>(), Vec::<&&str>::new(), "alarms without a section");
    assert_eq!(told.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "sections without an alarm");
}

#[test]
fn alarms_look_at_metrics_that_exist_and_tell_the_topic() {
    let template = template();
    let mut ours = BTreeSet::new();
    for (name, alarm) in alarms(&template) {
        let properties = &alarm["Properties"];
        for actions in ["AlarmActions", "OKActions"] {
            let text = serde_yaml_ng::to_string(&properties[actions]).unwrap();
            assert!(text.contains("AlarmTopicArn"), "{name} tells nobody: {text}");
        }
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{name}");
        assert!(properties["AlarmDescription"].as_str().is_some_and(|it| it.ends_with('.')), "{name}");
        for metric in metrics(alarm).into_iter().filter(|it| it["Namespace"] == "SyncgramPay/Auth") {
            let metric_name = metric["MetricName"].as_str().unwrap();
            let (_, dimensions) = OURS.iter().find(|(it, _)| *it == metric_name).unwrap();
            let said: Vec<_> = metric["Dimensions"]
                .as_sequence()
                .unwrap()
                .iter()
                .map(|it| it["Name"].as_str().unwrap())
                .collect();
            assert_eq!(said, [&["stage"], *dimensions].concat(), "{name}: {metric_name}");
            ours.insert(metric_name);
        }
    }
    assert_eq!(
        ours,
        BTreeSet::from(["ChainTrouble", "Failed", "Latency", "Lockouts", "ReuseDetected", "RotationsFailed"])
    );
    // The namespace and the stage are those that the functions write under.
    let told = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(told["METRICS_NAMESPACE"], "SyncgramPay/Auth");
    let source = file("shared/src/metrics.rs");
    for (name, _) in OURS {
        assert!(source.contains(&format!("\"{name}\"")), "{name} is counted nowhere");
    }
}

/// A refusal is an error of the authorizer's Lambda, since that is how a REST API is told 401: no alarm may take it for one.
#[test]
fn refusals_of_the_authorizer_raise_no_alarm() {
    let template = template();
    for (name, alarm) in alarms(&template) {
        for metric in metrics(alarm).into_iter().filter(|it| it["MetricName"] == "Errors") {
            let whose = serde_yaml_ng::to_string(&metric["Dimensions"]).unwrap();
            assert!(!whose.contains("AuthorizerFunction"), "{name} counts refusals");
        }
        assert!(metrics(alarm).into_iter().all(|it| it["MetricName"] != "Refused"), "{name}");
    }
}

/// A function that crashes is seen, and so is one that Lambda turns away; the authorizer's crashes by the gateway's 5xx.
#[test]
fn each_function_is_watched() {
    let template = template();
    let watched = |metric: &str| -> String {
        let all = alarms(&template).into_iter().flat_map(|(_, alarm)| metrics(alarm));
        let all = all.filter(|it| it["MetricName"] == metric);
        all.map(|it| serde_yaml_ng::to_string(&it["Dimensions"]).unwrap()).collect()
    };
    let (errors, throttles) = (watched("Errors"), watched("Throttles"));
    for (name, function) in of_type(&template, "AWS::Serverless::Function") {
        let reference = format!("!Ref {name}\n");
        assert!(name == "AuthorizerFunction" || errors.contains(&reference), "no alarm sees {name} crash");
        let events = function["Properties"]["Events"].as_mapping();
        let routes = events.is_some_and(|events| events.values().any(|event| event["Type"] == "Api"));
        let behind = name == "AuthorizerFunction" || routes;
        assert!(!behind || throttles.contains(&reference), "no alarm sees {name} turned away");
    }
}

#[test]
fn every_log_is_forgotten_in_time_and_every_function_writes_to_one() {
    let template = template();
    let groups: Vec<_> = of_type(&template, "AWS::Logs::LogGroup").collect();
    for (name, group) in &groups {
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{name} is kept for ever");
    }
    for (name, function) in of_type(&template, "AWS::Serverless::Function") {
        let text = serde_yaml_ng::to_string(&function["Properties"]["LoggingConfig"]["LogGroup"]).unwrap();
        assert!(groups.iter().any(|(group, _)| text.trim().ends_with(group)), "{name} writes to {text}");
        // Another format than JSON, and CloudWatch reads no metrics out of it.
        assert_eq!(function["Properties"]["LoggingConfig"]["LogFormat"], "JSON", "{name}");
    }
}

/// `${Name}` and `${Name.Attribute}` replaced by `x`.
fn filled_in(text: &str) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('}').unwrap();
        filled.push('x');
        filled.push_str(rest);
    }
    filled
}

fn tagged(value: &Value) -> &str {
    match value {
        Value::Tagged(tagged) => tagged.value.as_str().unwrap(),
        other => other.as_str().unwrap(),
    }
}

#[test]
fn the_dashboard_is_one_and_shows_every_metric() {
    let template = template();
    let (_, dashboard) = of_type(&template, "AWS::CloudWatch::Dashboard").next().unwrap();
    let body = tagged(&dashboard["Properties"]["DashboardBody"]);
    let parsed: Json = serde_json::from_str(&filled_in(body)).unwrap();
    let widgets = parsed["widgets"].as_array().unwrap();
    for widget in widgets {
        let place = |name: &str| widget[name].as_u64().unwrap();
        assert!(place("x") + place("width") <= 24, "{widget}");
    }
    for (name, _) in OURS.iter().filter(|(name, _)| *name != "Succeeded") {
        assert!(body.contains(name), "{name} is not shown");
    }
    for (name, _) in alarms(&template) {
        // Without a web ACL there is no such alarm to show.
        assert!(name == "FloodAlarm" || body.contains(&format!("${{{name}.Arn}}")), "{name} is not shown");
    }
}
