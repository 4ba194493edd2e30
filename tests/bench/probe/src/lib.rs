//! What the table costs whoever asks it through the SDK: the requests of a key's check and of a refresh, by the client that the functions
//! have, and nothing else. What that costs beyond an empty handler is no function's own, and `make bench` takes it off.
//!
//! They are written out here once more, since what makes them in `shared::store` is ours and counts as ours;
//! `tests/requests.rs` holds them to what the functions send.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Deserialize;

/// What goes wrong.
pub type Failed = Box<dyn Error + Send + Sync>;

/// What is asked of the table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Asked {
    /// An API key's credential, by the key's hash: one consistent read.
    Key {
        /// SHA-256 of the key, hexadecimal.
        key_hash: String,
    },
    /// What a refresh asks: its session by a consistent read, and the transaction that rotates its token.
    Refresh {
        /// The session's id.
        session: String,
        /// Its organization's.
        org: String,
        /// Its user's.
        user: String,
    },
}

type Item = HashMap<String, AttributeValue>;

const OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// Asks it.
///
/// # Errors
/// What the SDK says; a condition that does not hold, too.
pub async fn ask(client: &Client, table: &str, asked: &Asked) -> Result<(), Failed> {
    match asked {
        Asked::Key { key_hash } => {
            get(client, table, format!("KEYHASH#{key_hash}"), "CREDENTIAL").await.map(|_| ())
        }
        Asked::Refresh { session, org, user } => refresh(client, table, session, org, user).await,
    }
}

async fn get(client: &Client, table: &str, pk: String, sk: &str) -> Result<Item, Failed> {
    let request = client.get_item().table_name(table).set_key(Some(key(pk, sk))).consistent_read(true);
    Ok(request.send().await?.item.ok_or("it is not there")?)
}

/// `Store::session` and the three writes of `Store::rotate`.
async fn refresh(client: &Client, table: &str, session: &str, org: &str, user: &str) -> Result<(), Failed> {
    let found = get(client, table, format!("SESSION#{session}"), "SESSION").await?;
    let member = |name: &str| found.get(name).cloned().ok_or("a session without it");
    let generation: u32 =
        member("generation")?.as_n().ok().and_then(|it| it.parse().ok()).ok_or("no number")?;
    let successor = format!("{:064x}", generation + 1);
    let made_at = member("created_at")?;
    let rotate = Update::builder()
        .table_name(table)
        .set_key(Some(key(format!("SESSION#{session}"), "SESSION")))
        .update_expression(
            "SET #previous_hash = #current_hash, #current_hash = :successor, #generation = :next, #rotated_at = :now, #role = :role, \
             #has_onboarded = :onboarded",
        )
        .condition_expression(
            "#current_hash = :current AND attribute_not_exists(#revoked_at) AND #expires_at > :now",
        )
        .set_expression_attribute_names(names(&[
            "previous_hash",
            "current_hash",
            "generation",
            "rotated_at",
            "role",
            "has_onboarded",
            "revoked_at",
            "expires_at",
        ]))
        .set_expression_attribute_values(values([
            (":successor", AttributeValue::S(successor)),
            (":current", member("current_hash")?),
            (":next", AttributeValue::N((generation + 1).to_string())),
            (":now", made_at.clone()),
            (":role", member("role")?),
            (":onboarded", member("has_onboarded")?),
        ]))
        .return_values_on_condition_check_failure(OLD)
        .build()?;
    let organization = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key(format!("ORG#{org}"), "ORG")))
        .condition_expression("#is_active = :yes AND #onboarding_status = :completed")
        .set_expression_attribute_names(names(&["is_active", "onboarding_status"]))
        .set_expression_attribute_values(values([
            (":yes", AttributeValue::Bool(true)),
            (":completed", AttributeValue::S("COMPLETED".to_owned())),
        ]))
        .return_values_on_condition_check_failure(OLD)
        .build()?;
    let membership = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key(format!("ORG#{org}"), &format!("MEMBER#{user}"))))
        .condition_expression(
            "#role = :role AND (attribute_not_exists(#sessions_ended_at) OR #sessions_ended_at < :made_at OR #sessions_kept = :session)",
        )
        .set_expression_attribute_names(names(&["role", "sessions_ended_at", "sessions_kept"]))
        .set_expression_attribute_values(values([(":role", member("role")?), (":made_at", made_at), (":session", AttributeValue::S(session.to_owned()))]))
        .return_values_on_condition_check_failure(OLD)
        .build()?;
    let transaction = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().update(rotate).build())
        .transact_items(TransactWriteItem::builder().condition_check(organization).build())
        .transact_items(TransactWriteItem::builder().condition_check(membership).build())
        // One of its own for each: the table remembers for ten minutes what it was asked under which.
        .client_request_token(format!("{}{:010}", session.trim_start_matches("ses_"), generation + 1));
    transaction.send().await?;
    Ok(())
}

fn key(pk: String, sk: &str) -> Item {
    values([("pk", AttributeValue::S(pk)), ("sk", AttributeValue::S(sk.to_owned()))]).unwrap_or_default()
}

fn names(words: &[&str]) -> Option<HashMap<String, String>> {
    Some(words.iter().map(|word| (format!("#{word}"), (*word).to_owned())).collect())
}

fn values<const N: usize>(members: [(&str, AttributeValue); N]) -> Option<Item> {
    Some(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
