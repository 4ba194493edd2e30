//! What the functions are told: where everything is, and what it is called.

use shared::config::{Config, Credentials, Endpoints, HttpApiAnswer};
use shared::passwords::Hashing;
use shared::sensitive::Sensitive;
use shared::webhooks::Reach;

use crate::engines::aws::Aws;
use crate::engines::dynamodb::{ACCESS_KEY, DynamoDb};
use crate::engines::{queue, secrets_file};

/// The region everything believes it is in.
pub const REGION: &str = "eu-west-1";
/// The `aud` of access tokens: the template's default.
const AUDIENCE: &str = "syncgram-pay";
/// Who mails the codes.
const MAIL_FROM: &str = "no-reply@syncgram.example";

/// What functions in this process are made with.
pub fn configuration(dynamodb: &DynamoDb, aws: &Aws, hashes_at_once: usize) -> Config {
    Config {
        table: dynamodb.table.clone(),
        region: REGION.to_owned(),
        audience: AUDIENCE.to_owned(),
        issuer: String::new(),
        mail_from: MAIL_FROM.to_owned(),
        signing_secret: secrets_file::SIGNING.to_owned(),
        codes_secret: secrets_file::CODES.to_owned(),
        sealing_secret: secrets_file::SEALING.to_owned(),
        audit_secret: secrets_file::AUDIT.to_owned(),
        factors_secret: secrets_file::FACTORS.to_owned(),
        webhooks_secret: secrets_file::WEBHOOKS.to_owned(),
        webhooks_queue: queue::URL.to_owned(),
        // A story's receiver is on this machine. No variable says so, and so no function that is deployed reaches it.
        reach: Reach::Loopback,
        checkpoints_table: dynamodb.checkpoints.clone(),
        http_api_answer: HttpApiAnswer::default(),
        hashing: Hashing::Apart { at_once: hashes_at_once },
        credentials: Credentials {
            access_key_id: ACCESS_KEY.0.to_owned(),
            secret_access_key: Sensitive::new(ACCESS_KEY.1.to_owned()),
            session_token: None,
        },
        endpoints: Endpoints {
            dynamodb: Some(dynamodb.endpoint.clone()),
            secretsmanager: Some(aws.endpoint.clone()),
            sesv2: Some(aws.endpoint.clone()),
            sqs: Some(aws.endpoint.clone()),
        },
        ca_bundle: None,
    }
}

/// The same for functions in processes of their own.
pub fn environment(dynamodb: &DynamoDb, aws: &Aws) -> Vec<(&'static str, String)> {
    let fixed = [
        ("TABLE_NAME", dynamodb.table.as_str()),
        ("AWS_REGION", REGION),
        ("TOKEN_AUDIENCE", AUDIENCE),
        ("MAIL_FROM", MAIL_FROM),
        ("SIGNING_SECRET", secrets_file::SIGNING),
        ("CODES_SECRET", secrets_file::CODES),
        ("SEALING_SECRET", secrets_file::SEALING),
        ("AUDIT_SECRET", secrets_file::AUDIT),
        ("FACTORS_SECRET", secrets_file::FACTORS),
        ("WEBHOOKS_SECRET", secrets_file::WEBHOOKS),
        ("WEBHOOKS_QUEUE", queue::URL),
        ("CHECKPOINTS_TABLE", &dynamodb.checkpoints),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.endpoint),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &aws.endpoint),
        ("AWS_ENDPOINT_URL_SESV2", &aws.endpoint),
        ("AWS_ENDPOINT_URL_SQS", &aws.endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.0),
        ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1),
    ];
    fixed.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}
