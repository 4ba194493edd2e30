//! The `probe`: [`probe::ask`] as a function.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use probe::Asked;
use serde_json::{Value, json};
use shared::config::{Config, aws};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = Config::from_environment(std::iter::empty())?;
    let client = aws::dynamodb(&config, aws::https_client(&config)?);
    let (client, table) = (&client, config.table.as_str());
    run(service_fn(|event: LambdaEvent<Asked>| async move {
        probe::ask(client, table, &event.payload).await?;
        Ok::<Value, Error>(json!({ "done": true }))
    }))
    .await
}
