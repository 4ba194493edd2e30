//! The shipped template, as it is written.

use std::fs;

use serde_yaml_ng::Value;

/// All of it.
pub fn template() -> Value {
    serde_yaml_ng::from_str(&fs::read_to_string(devstack::template_path()).unwrap()).unwrap()
}

/// A file of the repository.
pub fn file(path: &str) -> String {
    fs::read_to_string(devstack::repository().join(path)).unwrap()
}

/// The resources of one type, by their logical ids.
pub fn of_type<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let resources = template["Resources"].as_mapping().unwrap();
    resources.iter().filter(move |(_, it)| it["Type"] == kind).map(|(name, it)| (name.as_str().unwrap(), it))
}
