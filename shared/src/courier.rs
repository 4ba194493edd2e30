//! Brings webhooks to their receivers: outside of AWS, to addresses that others chose.
//!
//! A name is resolved once for each try, and every address that it has must be public; then the connection goes to one of exactly those. No
//! connection outlives its try, no redirect is followed, no proxy is used, and of the answer nothing is read but its status.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError, SharedDnsResolver};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use lambda_http::http::{Request, header};

use crate::webhooks::{Endpoint, Reach, is_public};

/// How long a try may take, from the question for the name to the answer's status.
pub const TRY_TIMEOUT: Duration = Duration::from_secs(5);

/// The header with a webhook's signature.
pub const SIGNATURE_HEADER: &str = "Syncgram-Signature";

/// Makes a courier; a function names this to have one in its program.
pub type Hires = fn(Reach) -> Result<Courier, NoCourier>;

/// Why there is no courier.
#[derive(Debug, thiserror::Error)]
#[error("the TLS trust store cannot be made: {0}")]
pub struct NoCourier(String);

/// Why a webhook did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// The address is not one that may be called: by its form, or by what its name resolves to.
    #[error("the address may not be called")]
    AddressNotAllowed,
    /// The name has no address, nobody listens, the certificate is not for the name, or the connection broke.
    #[error("the receiver cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("the receiver did not answer in time")]
    TimedOut,
    /// It was answered, with another status than a 2xx.
    #[error("the receiver answered {0}")]
    Status(u16),
}

impl NotDelivered {
    /// The fixed word of it.
    pub fn word(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status(_) => "status",
        }
    }

    /// The status it was answered with.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}

/// Sends webhooks.
pub struct Courier {
    reach: Reach,
    connector: Connector,
}

impl Courier {
    /// One that asks the machine's resolver, and trusts the certificate authorities that the machine does.
    ///
    /// # Errors
    /// When the trust store cannot be made.
    pub fn hire(reach: Reach) -> Result<Self, NoCourier> {
        Self::with(reach, Machine, TrustStore::default())
    }

    /// One with a resolver and a trust store of its own.
    ///
    /// # Errors
    /// When the trust store cannot be made.
    pub fn with(
        reach: Reach,
        resolver: impl ResolveDns + 'static,
        trust: TrustStore,
    ) -> Result<Self, NoCourier> {
        let timeouts =
            HttpConnectorSettings::builder().connect_timeout(TRY_TIMEOUT).read_timeout(TRY_TIMEOUT);
        // Nothing is kept: a connection of before would lead where the name led before.
        let builder: ConnectorBuilder =
            Connector::builder().connector_settings(timeouts.build()).pool_max_idle_per_host(0);
        let connector = match reach {
            Reach::Loopback => builder.build_http(),
            Reach::Internet => {
                let context = TlsContext::builder().with_trust_store(trust).build();
                builder
                    .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
                    .tls_context(context.map_err(|error| NoCourier(error.to_string()))?)
                    .build_with_resolver(Public(SharedDnsResolver::new(resolver)))
            }
        };
        Ok(Self { reach, connector })
    }

    /// Sends a body once.
    ///
    /// # Errors
    /// Why it did not arrive, or may not have.
    pub async fn deliver(&self, url: &str, body: &str, signature: &str) -> Result<(), NotDelivered> {
        let endpoint = Endpoint::parse(url, self.reach).map_err(|_| NotDelivered::AddressNotAllowed)?;
        let request = Request::post(endpoint.uri())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "SyncgramPay-Webhooks/1")
            .header(SIGNATURE_HEADER, signature)
            .header(header::CONNECTION, "close")
            .body(SdkBody::from(body))
            .ok()
            .and_then(|request| HttpRequest::try_from(request).ok())
            .ok_or(NotDelivered::AddressNotAllowed)?;
        let answer = tokio::time::timeout(TRY_TIMEOUT, self.connector.call(request)).await;
        match answer.map_err(|_| NotDelivered::TimedOut)? {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(NotDelivered::Status(answer.status().as_u16())),
            Err(error) if was_refused(&error) => Err(NotDelivered::AddressNotAllowed),
            Err(error) if error.is_timeout() => Err(NotDelivered::TimedOut),
            Err(_) => Err(NotDelivered::Unreachable),
        }
    }
}

/// Whether it was our own resolver that would not.
fn was_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<NotPublic>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
struct NotPublic;

/// The machine's own resolver.
#[derive(Debug)]
struct Machine;

impl ResolveDns for Machine {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 443)).await.map_err(ResolveDnsError::new)?;
            Ok(found.map(|it| it.ip()).collect())
        })
    }
}

/// Gives public addresses alone: one that is not, and the name is not called at all.
#[derive(Debug, Clone)]
struct Public(SharedDnsResolver);

impl ResolveDns for Public {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found: Vec<IpAddr> = self.0.resolve_dns(name).await?;
            match found.iter().all(|address| is_public(*address)) {
                true => Ok(found),
                false => Err(ResolveDnsError::new(NotPublic)),
            }
        })
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Courier").field("reach", &self.reach).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Gives these addresses, and counts how often it is asked.
    #[derive(Debug)]
    struct Says(Vec<IpAddr>, Arc<AtomicUsize>);

    impl ResolveDns for Says {
        fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
            self.1.fetch_add(1, Ordering::SeqCst);
            DnsFuture::ready(Ok(self.0.clone()))
        }
    }

    async fn deliver(addresses: &[&str]) -> (NotDelivered, usize) {
        let asked = Arc::new(AtomicUsize::new(0));
        let says = Says(addresses.iter().map(|it| it.parse().unwrap()).collect(), Arc::clone(&asked));
        let courier = Courier::with(Reach::Internet, says, TrustStore::empty()).unwrap();
        let refused = courier.deliver("https://hooks.acorn.example/", "{}", "t=1").await.unwrap_err();
        (refused, asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_name_that_leads_to_us_is_not_called() {
        for private in [
            &["127.0.0.1"] as &[&str],
            &["10.0.0.1"],
            &["169.254.169.254"],
            &["::1"],
            &["fd00:ec2::254"],
            &["::ffff:127.0.0.1"],
            // One that is public does not excuse one that is not, in whatever order.
            &["1.1.1.1", "127.0.0.1"],
            &["127.0.0.1", "1.1.1.1"],
        ] {
            assert_eq!(deliver(private).await, (NotDelivered::AddressNotAllowed, 1), "{private:?}");
        }
    }

    #[tokio::test]
    async fn a_name_is_asked_for_once_a_try_and_one_without_addresses_is_unreachable() {
        assert_eq!(deliver(&[]).await, (NotDelivered::Unreachable, 1));
    }

    #[tokio::test]
    async fn an_address_that_no_form_allows_is_not_even_resolved() {
        let asked = Arc::new(AtomicUsize::new(0));
        let says = Says(vec!["1.1.1.1".parse().unwrap()], Arc::clone(&asked));
        let courier = Courier::with(Reach::Internet, says, TrustStore::empty()).unwrap();
        for url in
            ["https://127.0.0.1/", "http://127.0.0.1:8080/", "http://hooks.acorn.example/", "https://[::1]/"]
        {
            assert_eq!(
                courier.deliver(url, "{}", "t=1").await,
                Err(NotDelivered::AddressNotAllowed),
                "{url}"
            );
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    /// Why a receiver at this address was left, and after how long.
    async fn left(
        receive: impl Future<Output = ()> + Send + 'static,
        address: &str,
    ) -> (NotDelivered, Duration) {
        let receiver = tokio::spawn(receive);
        let courier = Courier::hire(Reach::Loopback).unwrap();
        let started = tokio::time::Instant::now();
        let url = format!("http://{address}/");
        let delivering = tokio::time::timeout(Duration::from_secs(60), courier.deliver(&url, "{}", "t=1"));
        let why = delivering.await.expect("it is never left").unwrap_err();
        receiver.abort();
        (why, started.elapsed())
    }

    /// Whoever accepts and says nothing is left in time, and so is whoever begins to answer and never ends. Nobody waits for it here: the
    /// runtime's clock flies.
    #[tokio::test(start_paused = true)]
    async fn nobody_holds_a_try_for_longer_than_five_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silent = async move {
            let _connection = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        };
        let (why, after) = left(silent, &address).await;
        assert_eq!(why, NotDelivered::TimedOut);
        assert!(after <= Duration::from_secs(5), "{after:?}");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let said = Arc::new(AtomicUsize::new(0));
        let saying = Arc::clone(&said);
        let dripping = async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            // An answer to what was not asked yet is another kind of wrong.
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                connection.read_buf(&mut request).await.unwrap();
            }
            connection.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").await.unwrap();
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                connection.write_all(b"a").await.unwrap();
                saying.fetch_add(1, Ordering::SeqCst);
            }
        };
        let (why, after) = left(dripping, &address).await;
        assert_eq!(why, NotDelivered::TimedOut);
        assert!(after <= Duration::from_secs(5), "{after:?}");
        assert!(said.load(Ordering::SeqCst) >= 3, "it was left before it dripped");
    }
}
