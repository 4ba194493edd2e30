//! Configuration: the one room that reads environment variables.

pub mod aws;
pub mod logs;

use std::path::PathBuf;

use crate::passwords::Hashing;
use crate::sensitive::Sensitive;
use crate::webhooks::Reach;

/// An environment variable that is missing or wrong. Said in init, where Lambda shows it at once.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// It is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// It is set to something it cannot be.
    #[error("the environment variable {name} must be {expected}")]
    Invalid {
        /// Which one.
        name: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// The trust store could not be made.
    #[error("the TLS trust store cannot be made: {0}")]
    Tls(String),
}

/// What the clients sign their requests with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: Sensitive<String>,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<Sensitive<String>>,
}

/// Where the services are, when not where AWS has them: emulators.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`.
    pub dynamodb: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`.
    pub secretsmanager: Option<String>,
    /// `AWS_ENDPOINT_URL_SESV2`, else `AWS_ENDPOINT_URL`.
    pub sesv2: Option<String>,
    /// `AWS_ENDPOINT_URL_SQS`, else `AWS_ENDPOINT_URL`.
    pub sqs: Option<String>,
}

/// What an HTTP API's authorizer of payload 2.0 is configured to be answered with: the event does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpApiAnswer {
    /// `{"isAuthorized": …}` (`EnableSimpleResponses: true`).
    #[default]
    Simple,
    /// An IAM policy.
    Policy,
}

/// Everything a function is told from outside. What a function does not use is empty.
#[derive(Debug, Clone)]
pub struct Config {
    /// `TABLE_NAME`.
    pub table: String,
    /// `AWS_REGION`.
    pub region: String,
    /// `TOKEN_AUDIENCE`: `aud` of every access token.
    pub audience: String,
    /// `ISSUER`: `iss` of every access token, for whoever writes it down first.
    pub issuer: String,
    /// `MAIL_FROM`: the address codes come from.
    pub mail_from: String,
    /// `SIGNING_SECRET`, name or ARN.
    pub signing_secret: String,
    /// `CODES_SECRET`, name or ARN.
    pub codes_secret: String,
    /// `SEALING_SECRET`, name or ARN.
    pub sealing_secret: String,
    /// `AUDIT_SECRET`, name or ARN.
    pub audit_secret: String,
    /// `FACTORS_SECRET`, name or ARN.
    pub factors_secret: String,
    /// `WEBHOOKS_SECRET`, name or ARN.
    pub webhooks_secret: String,
    /// `WEBHOOKS_QUEUE`, its URL.
    pub webhooks_queue: String,
    /// How far webhooks reach. No variable says so: a function on Lambda reaches the internet, and nothing of ours.
    pub reach: Reach,
    /// `CHECKPOINTS_TABLE`.
    pub checkpoints_table: String,
    /// `HTTP_API_ANSWER`: `simple` (default) or `policy`.
    pub http_api_answer: HttpApiAnswer,
    /// Where passwords are hashed. No variable says so: a function on Lambda does it in place.
    pub hashing: Hashing,
    /// See [`Credentials`].
    pub credentials: Credentials,
    /// See [`Endpoints`].
    pub endpoints: Endpoints,
    /// `AWS_CA_BUNDLE`: certificates to trust in place of Amazon's roots.
    pub ca_bundle: Option<PathBuf>,
}

impl Config {
    /// Reads the environment. `used` names the variables that this function cannot do without, beside those that none can.
    ///
    /// # Errors
    /// When the table, the region, the credentials or a used variable are missing, or a set value cannot be.
    pub fn from_environment(used: impl Iterator<Item = &'static str>) -> Result<Self, ConfigError> {
        Self::read(&variable, used)
    }

    fn read(
        get: &dyn Fn(&str) -> Option<String>,
        mut used: impl Iterator<Item = &'static str>,
    ) -> Result<Self, ConfigError> {
        if let Some(missing) = used.find(|name| get(name).is_none()) {
            return Err(ConfigError::Missing(missing));
        }
        let required = |name: &'static str| get(name).ok_or(ConfigError::Missing(name));
        let optional = |name: &str| get(name).unwrap_or_default();
        let endpoint = |name: &str| get(name).or_else(|| get("AWS_ENDPOINT_URL"));
        let http_api_answer = match get("HTTP_API_ANSWER").as_deref() {
            None | Some("simple") => HttpApiAnswer::Simple,
            Some("policy") => HttpApiAnswer::Policy,
            Some(_) => {
                return Err(ConfigError::Invalid { name: "HTTP_API_ANSWER", expected: "simple or policy" });
            }
        };
        Ok(Self {
            table: required("TABLE_NAME")?,
            region: required("AWS_REGION")?,
            audience: optional("TOKEN_AUDIENCE"),
            issuer: optional("ISSUER"),
            mail_from: optional("MAIL_FROM"),
            signing_secret: optional("SIGNING_SECRET"),
            codes_secret: optional("CODES_SECRET"),
            sealing_secret: optional("SEALING_SECRET"),
            audit_secret: optional("AUDIT_SECRET"),
            factors_secret: optional("FACTORS_SECRET"),
            webhooks_secret: optional("WEBHOOKS_SECRET"),
            webhooks_queue: optional("WEBHOOKS_QUEUE"),
            reach: Reach::Internet,
            checkpoints_table: optional("CHECKPOINTS_TABLE"),
            http_api_answer,
            hashing: Hashing::InPlace,
            credentials: Credentials {
                access_key_id: required("AWS_ACCESS_KEY_ID")?,
                secret_access_key: Sensitive::new(required("AWS_SECRET_ACCESS_KEY")?),
                session_token: get("AWS_SESSION_TOKEN").map(Sensitive::new),
            },
            endpoints: Endpoints {
                dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
                secretsmanager: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
                sesv2: endpoint("AWS_ENDPOINT_URL_SESV2"),
                sqs: endpoint("AWS_ENDPOINT_URL_SQS"),
            },
            ca_bundle: get("AWS_CA_BUNDLE").map(PathBuf::from),
        })
    }
}

/// A variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let basic = [
            ("TABLE_NAME", "t"),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("TOKEN_AUDIENCE", "api"),
        ];
        let find = |name: &str| {
            set.iter().chain(&basic).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(&|name| find(name).filter(|value| !value.is_empty()), ["TOKEN_AUDIENCE"].into_iter())
    }

    #[test]
    fn a_missing_variable_is_named() {
        for name in ["TABLE_NAME", "TOKEN_AUDIENCE"] {
            assert_eq!(read(&[(name, "")]).err(), Some(ConfigError::Missing(name)));
        }
    }

    #[test]
    fn one_endpoint_serves_all_unless_a_service_has_its_own() {
        let endpoints =
            read(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_DYNAMODB", "http://db")])
                .unwrap()
                .endpoints;
        assert_eq!(endpoints.dynamodb.as_deref(), Some("http://db"));
        assert_eq!(endpoints.sesv2.as_deref(), Some("http://all"));
    }

    #[test]
    fn an_answer_nobody_knows_is_refused() {
        assert!(matches!(
            read(&[("HTTP_API_ANSWER", "both")]),
            Err(ConfigError::Invalid { name: "HTTP_API_ANSWER", .. })
        ));
    }
}
