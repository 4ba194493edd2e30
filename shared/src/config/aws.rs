//! AWS's clients, configured by hand: `aws-config`'s search for credentials, regions and profiles costs a third of a cold start and
//! finds what Lambda has put into the environment anyway.

use std::time::Duration;

use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor, dyn_dispatch_hint};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::{Config, ConfigError};

/// How long one try may take. DynamoDB answers in milliseconds: a second is a connection that died.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an operation may take with all its tries. All of a call's together: [`crate::deadline::OF_A_CALL`].
pub const OPERATION_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How often a call is tried.
pub const MAX_ATTEMPTS: u32 = 3;

/// Amazon's roots (<https://www.amazontrust.com/repository/>): all that AWS's endpoints chain to. The system's store holds 150 more,
/// and parsing them costs more than the rest of init.
const AMAZON_ROOTS: &[u8] = include_bytes!("../../certs/amazon-roots.pem");

/// Leaves out the two headers in which the SDK says its version, its language and its settings: written, and one of them signed, at each
/// request. AWS knows who asks by the role's session, which carries the function's name.
#[derive(Debug)]
struct WithoutAgent;

#[dyn_dispatch_hint]
impl Intercept for WithoutAgent {
    fn name(&self) -> &'static str {
        "WithoutAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reason = "nobody reads it";
        settings.interceptor_state().store_put(disable_interceptor::<UserAgentInterceptor>(reason));
        Ok(())
    }
}

/// Makes a client.
pub type Connect<Client> = fn(&Config, SharedHttpClient) -> Client;

/// Makes the clients that not everybody uses. A function names what makes those it does, so that its program holds no others: of the
/// authorizer's, the other two SDKs would be a twentieth.
#[derive(Clone, Copy, Default)]
pub struct Connects {
    /// The secrets'.
    pub secretsmanager: Option<Connect<aws_sdk_secretsmanager::Client>>,
    /// The mail's.
    pub sesv2: Option<Connect<aws_sdk_sesv2::Client>>,
    /// The queue's.
    pub sqs: Option<Connect<aws_sdk_sqs::Client>>,
}

impl Connects {
    /// All of them.
    pub fn all() -> Self {
        Self { secretsmanager: Some(secretsmanager), sesv2: Some(sesv2), sqs: Some(sqs) }
    }
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

// The crates' builders are the same code several times over, but as many types.
macro_rules! client {
    ($(#[$about:meta])* $name:ident, $sdk:ident, $attempt:expr, $retries:expr) => {
        $(#[$about])*
        pub fn $name(config: &Config, http_client: SharedHttpClient) -> $sdk::Client {
            let credentials = $sdk::config::Credentials::new(
                &config.credentials.access_key_id,
                config.credentials.secret_access_key.expose(),
                config.credentials.session_token.as_ref().map(|token| token.expose().clone()),
                None,
                "environment",
            );
            let mut builder = $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::v2026_01_12())
                .region($sdk::config::Region::new(config.region.clone()))
                .credentials_provider(credentials)
                .http_client(http_client)
                .timeout_config(timeouts($attempt))
                .interceptor(WithoutAgent)
                // It would look at each body as it comes and goes, and object after 20 s: the time-out of a try, its bodies included, is
                // over long before.
                .stalled_stream_protection($sdk::config::StalledStreamProtectionConfig::disabled())
                .retry_config($retries);
            if let Some(endpoint) = &config.endpoints.$name {
                builder = builder.endpoint_url(endpoint);
            }
            $sdk::Client::from_conf(builder.build())
        }
    };
}
client!(
    /// The table's client.
    dynamodb,
    aws_sdk_dynamodb,
    ATTEMPT_TIMEOUT,
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
);
client!(
    /// The secrets' client.
    secretsmanager,
    aws_sdk_secretsmanager,
    ATTEMPT_TIMEOUT,
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
);
client!(
    /// The mail's client. A mail that is sent again is two mails, and SES has no request token: one try, which may take as long as
    /// three.
    sesv2,
    aws_sdk_sesv2,
    OPERATION_TIMEOUT,
    RetryConfig::disabled()
);

client!(
    /// The queue's client. What is sent again is a message twice, which those who are told know by its id.
    sqs,
    aws_sdk_sqs,
    ATTEMPT_TIMEOUT,
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
);

/// The real HTTP client, for all services. It keeps its connections for as long as the execution environment lives. The SDK's own would make
/// its connector once to see that it can, once more for the first request, and read the roots each time.
pub fn https_client(config: &Config) -> Result<SharedHttpClient, ConfigError> {
    let roots = match &config.ca_bundle {
        None => AMAZON_ROOTS.to_vec(),
        Some(path) => std::fs::read(path).map_err(|error| ConfigError::Tls(error.to_string()))?,
    };
    let trust = TrustStore::empty().with_pem_certificate(roots);
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| ConfigError::Tls(error.to_string()))?;
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(ATTEMPT_TIMEOUT).build())
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(context)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}
