//! Time that flies while nobody answers: back-offs and time-outs cost a test nothing, and still come in their order.
//!
//! A runtime whose clock is paused jumps to the next timer as soon as nothing else is to be done. That would also cut requests short
//! which are on their way over a real connection, so the clock runs for as long as there is one.

use std::cell::Cell;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

thread_local! {
    static FLYING: Cell<bool> = const { Cell::new(false) };
    static ON_THEIR_WAY: Cell<u32> = const { Cell::new(0) };
}

/// Runs `call` while time flies; what it gave, and how long that took by the runtime's clock.
pub async fn flying<F: Future>(call: F) -> (F::Output, Duration) {
    let _landing = Landing::take_off();
    let started = tokio::time::Instant::now();
    let result = call.await;
    (result, started.elapsed())
}

/// Ends the flight, also of a call that was dropped.
struct Landing;

impl Landing {
    fn take_off() -> Self {
        FLYING.set(true);
        tokio::time::pause();
        Self
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        FLYING.set(false);
        if ON_THEIR_WAY.get() == 0 {
            tokio::time::resume();
        }
    }
}

/// A request over a real connection.
struct OnItsWay;

impl OnItsWay {
    fn new() -> Self {
        let before = ON_THEIR_WAY.replace(ON_THEIR_WAY.get() + 1);
        if before == 0 && FLYING.get() {
            tokio::time::resume();
        }
        Self
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        // A runtime of several threads may drop it on another than it began on: only flights, which have one thread, count on it.
        let left = ON_THEIR_WAY.get().saturating_sub(1);
        ON_THEIR_WAY.set(left);
        if left == 0 && FLYING.get() {
            tokio::time::pause();
        }
    }
}

/// A client whose requests take the time they take.
pub fn in_real_time(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Client(inner))
}

#[derive(Debug)]
struct Client(SharedHttpClient);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            let _on_its_way = OnItsWay::new();
            let mut answer = inner.call(request).await?;
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            *answer.body_mut() = body.collect().await.map_err(ConnectorError::io)?.to_bytes().into();
            Ok(answer)
        })
    }
}
