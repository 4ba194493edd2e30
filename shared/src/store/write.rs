//! One write: an item's key, what becomes of it, and on what condition.
//!
//! Expressions name attributes as `#attribute` and values as `:value`; the names are filled in from the expression itself, so that
//! none of DynamoDB's several hundred reserved words can ever stand in one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use serde::Serialize;

use super::error::StoreError;
use super::keys::Key;

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The version of the shapes this code writes. A change that older code cannot read gets the next number; see `decode`.
pub(super) const SHAPE_VERSION: i64 = 1;

pub(super) enum Action {
    Put(Item),
    Update(String),
    Delete,
    Check,
}

pub(super) struct Write {
    pub key: Key,
    pub action: Action,
    pub condition: Option<String>,
    pub values: Item,
}

impl Write {
    /// Puts a whole item.
    pub fn put<T: Serialize>(key: Key, entity: &T) -> Result<Self, StoreError> {
        let corrupt = |_| StoreError::Corrupt { item: key.kind(), trouble: "it is no item" };
        let mut item: Item = serde_dynamo::to_item(entity).map_err(corrupt)?;
        item.extend(key.attributes());
        item.insert("v".to_owned(), number(SHAPE_VERSION));
        Ok(Self { key, action: Action::Put(item), condition: None, values: Item::new() })
    }

    /// Changes an item by an update expression.
    pub fn update(key: Key, expression: &str) -> Self {
        Self { key, action: Action::Update(expression.to_owned()), condition: None, values: Item::new() }
    }

    /// Deletes an item, if it is there.
    pub fn delete(key: Key) -> Self {
        Self { key, action: Action::Delete, condition: None, values: Item::new() }
    }

    /// Changes nothing, but lets the transaction fail unless the condition holds.
    pub fn check(key: Key) -> Self {
        Self { key, action: Action::Check, condition: None, values: Item::new() }
    }

    /// The condition.
    pub fn when(mut self, condition: &str) -> Self {
        self.condition = Some(condition.to_owned());
        self
    }

    /// One more condition.
    pub fn and_when(mut self, condition: &str) -> Self {
        self.condition = Some(match self.condition {
            Some(before) => format!("{before} AND {condition}"),
            None => condition.to_owned(),
        });
        self
    }

    /// The value of a `:name`.
    pub fn bind(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// `#word` → `word` for every attribute the expressions name.
    pub fn names(&self) -> HashMap<String, String> {
        let update = if let Action::Update(expression) = &self.action { expression.as_str() } else { "" };
        let condition = self.condition.as_deref().unwrap_or_default();
        names_in(update).chain(names_in(condition)).collect()
    }

    /// The write as a part of a transaction that tells, when its condition fails, what it found.
    pub fn to_transact(&self, table: &str) -> Result<TransactWriteItem, StoreError> {
        let names = Some(self.names()).filter(|names| !names.is_empty());
        let values = Some(&self.values).filter(|values| !values.is_empty()).cloned();
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let transact = TransactWriteItem::builder();
        macro_rules! finish {
            ($builder:expr, $set:ident) => {
                transact.$set(
                    $builder
                        .set_condition_expression(self.condition.clone())
                        .set_expression_attribute_names(names)
                        .set_expression_attribute_values(values)
                        .return_values_on_condition_check_failure(old)
                        .build()?,
                )
            };
        }
        let key = self.key.attributes();
        Ok(match &self.action {
            Action::Put(item) => finish!(Put::builder().table_name(table).set_item(Some(item.clone())), put),
            Action::Update(expression) => {
                finish!(
                    Update::builder().table_name(table).set_key(Some(key)).update_expression(expression),
                    update
                )
            }
            Action::Delete => finish!(Delete::builder().table_name(table).set_key(Some(key)), delete),
            Action::Check => {
                finish!(ConditionCheck::builder().table_name(table).set_key(Some(key)), condition_check)
            }
        }
        .build())
    }
}

fn names_in(expression: &str) -> impl Iterator<Item = (String, String)> {
    expression.match_indices('#').map(|(at, _)| {
        let named = &expression[at..];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = 1 + named.bytes().skip(1).take_while(is_name).count();
        (named[..end].to_owned(), named[1..end].to_owned())
    })
}

/// A number attribute.
pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A string attribute.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_of_an_expression_is_named() {
        let write = Write::update(super::super::keys::key_set(), "SET #role = :r REMOVE #sealed")
            .when("attribute_not_exists(#revoked_at) AND #role IN (:a, :b)");
        let mut names: Vec<String> = write.names().into_values().collect();
        names.sort();
        assert_eq!(names, ["revoked_at", "role", "sealed"]);
    }
}
