//! YAML that keeps the order things were said in. A JSON value sorts its members, so what has an order is never one here.

use serde::Serialize;
use serde_yaml_ng::{Mapping, Value};

use crate::DocumentError;

/// A mapping of these members, in this order.
pub fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Mapping(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A list of texts.
pub fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Sequence(all.into_iter().map(Value::from).collect())
}

/// What points at a part of the document.
pub fn reference(place: &str, name: &str) -> Value {
    map([("$ref", format!("#/components/{place}/{name}").into())])
}

/// Something of ours as it goes over the wire, its members in the order of its type.
pub fn value(of: &impl Serialize) -> Result<Value, DocumentError> {
    Ok(serde_yaml_ng::to_value(of)?)
}

/// The mapping at `path`.
pub fn at<'a>(document: &'a mut Value, path: &[&str]) -> Result<&'a mut Mapping, DocumentError> {
    let found = path.iter().try_fold(document, |value, name| value.get_mut(*name));
    found.and_then(Value::as_mapping_mut).ok_or(DocumentError::Frame)
}
