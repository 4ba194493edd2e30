//! The rules of CloudWatch's Embedded Metric Format, and what CloudWatch reads out of a line.
//!
//! Rules: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>,
//! its JSON schema and the limits it names in words.

use std::collections::BTreeMap;

use serde_json::Value;

/// One value of one metric, as CloudWatch keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions, the stage among them.
    pub dimensions: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Datum {
    /// `Refused action=login reason=invalid_credentials`: without the stage, which all have.
    pub fn said(&self) -> String {
        let dimensions = self.dimensions.iter().filter(|(name, _)| *name != "stage");
        dimensions.fold(self.name.clone(), |said, (name, value)| format!("{said} {name}={value}"))
    }
}

const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// A rule, or what breaks it.
fn rule(holds: bool, says: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(says.into()) }
}

fn text<'a>(value: &'a Value, what: &str, longest: usize) -> Result<&'a str, String> {
    let text = value.as_str().ok_or_else(|| format!("{what} is no text: {value}"))?;
    rule((1..=longest).contains(&text.len()), format!("{what} is empty or too long: {text}"))?;
    Ok(text)
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("{what} is no list: {value}"))
}

/// Whether an object has these members and no other.
fn only(value: &Value, required: &[&str], allowed: &[&str]) -> Result<(), String> {
    let members = value.as_object().ok_or_else(|| format!("no object: {value}"))?;
    for name in required {
        rule(members.contains_key(*name), format!("{name} is missing in {value}"))?;
    }
    for name in members.keys() {
        let known = required.contains(&name.as_str()) || allowed.contains(&name.as_str());
        rule(known, format!("{name} does not belong into {value}"))?;
    }
    Ok(())
}

/// What CloudWatch reads out of a line; nothing where it is no metric line, a sentence where it is a bad one.
pub fn read(line: &str) -> Result<Vec<Datum>, String> {
    let root: Value = serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
    let Some(metadata) = root.get("_aws") else {
        return Ok(Vec::new());
    };
    // A member that comes twice is another to each reader. What was read, written again, is as long as it was.
    rule(root.to_string().len() == line.trim_end().len(), "a member comes twice, or there is space between")?;
    rule(line.len() <= 256 * 1024, "longer than an event of CloudWatch Logs")?;
    only(metadata, &["Timestamp", "CloudWatchMetrics"], &[])?;
    let at = metadata["Timestamp"].as_i64().ok_or("Timestamp is no integer")?;
    rule(at > 1_700_000_000_000, "Timestamp is not in milliseconds")?;
    let mut data = Vec::new();
    for directive in list(&metadata["CloudWatchMetrics"], "CloudWatchMetrics")? {
        only(directive, &["Namespace", "Dimensions", "Metrics"], &[])?;
        let namespace = text(&directive["Namespace"], "a namespace", 1024)?;
        let metrics = list(&directive["Metrics"], "Metrics")?;
        rule((1..=100).contains(&metrics.len()), "a directive has 1 to 100 metrics")?;
        let sets = list(&directive["Dimensions"], "Dimensions")?;
        rule(!sets.is_empty(), "a directive has a dimension set")?;
        for set in sets {
            let dimensions = dimensions(&root, set)?;
            for metric in metrics {
                data.push(datum(&root, namespace, &dimensions, metric)?);
            }
        }
    }
    Ok(data)
}

fn dimensions(root: &Value, set: &Value) -> Result<BTreeMap<String, String>, String> {
    let names = list(set, "a dimension set")?;
    rule(names.len() <= 30, "a dimension set has at most 30 names")?;
    let mut dimensions = BTreeMap::new();
    for name in names {
        let name = text(name, "a dimension's name", 250)?;
        let value = text(&root[name], &format!("the dimension {name}"), 1024)?;
        rule(
            value.is_ascii() && !value.starts_with(':'),
            format!("{name} is no dimension's value: {value}"),
        )?;
        dimensions.insert(name.to_owned(), value.to_owned());
    }
    Ok(dimensions)
}

fn datum(
    root: &Value,
    namespace: &str,
    dimensions: &BTreeMap<String, String>,
    metric: &Value,
) -> Result<Datum, String> {
    only(metric, &["Name"], &["Unit", "StorageResolution"])?;
    let name = text(&metric["Name"], "a metric's name", 1024)?;
    if let Some(unit) = metric.get("Unit") {
        rule(unit.as_str().is_some_and(|it| UNITS.contains(&it)), format!("{unit} is no unit"))?;
    }
    let value = root[name].as_f64().ok_or_else(|| format!("{name} is no number: {}", root[name]))?;
    Ok(Datum {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.clone(),
        value,
    })
}

#[test]
fn a_bad_line_is_seen() {
    let good = r#"{"_aws":{"Timestamp":1795510800000,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["d"]],"Metrics":[{"Name":"M","Unit":"Count"}]}]},"d":"x","M":1}"#;
    let data = read(good).unwrap();
    assert_eq!((data.len(), data[0].said().as_str(), data[0].value), (1, "M d=x", 1.0));
    for (from, to) in [
        ("1795510800000", "1795510800"),
        ("\"Timestamp\":1795510800000,", ""),
        ("\"Namespace\":\"N\",", ""),
        ("\"Namespace\":\"N\"", "\"Namespace\":\"\""),
        ("[[\"d\"]]", "[]"),
        ("[[\"d\"]]", "[\"d\"]"),
        ("\"d\":\"x\"", "\"d\":7"),
        ("\"d\":\"x\"", "\"d\":\"\""),
        ("\"d\":\"x\",", ""),
        ("\"d\":\"x\"", "\"d\":\"x\",\"d\":\"x\""),
        ("\"M\":1", "\"M\":\"1\""),
        (",\"M\":1", ""),
        ("\"Count\"", "\"Counts\""),
        ("\"Unit\"", "\"Units\""),
        ("[{\"Name\":\"M\",\"Unit\":\"Count\"}]", "[]"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(read(&bad).is_err(), "accepted: {bad}");
    }
}
