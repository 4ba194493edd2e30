//! A devstack in memory, with time standing still.

use std::net::SocketAddr;
use std::sync::Arc;

use devstack::{Devstack, Options};
use shared::app::App;
use time::Duration;

use super::{Request, Response, Snapshot, exchange};

/// A devstack, and where it listens.
pub struct Stack {
    /// The devstack.
    pub devstack: Devstack,
    /// Where its gateway listens.
    pub address: SocketAddr,
}

impl Stack {
    /// A new one.
    pub async fn start() -> Self {
        let devstack = Devstack::start(Options::default()).await.unwrap();
        let address = address(&devstack.base_url);
        Self { devstack, address }
    }

    /// The functions' app.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.devstack.app)
    }

    /// Sends a request to its gateway.
    pub async fn send(&self, request: &Request) -> Response {
        exchange(self.address, &request.bytes()).await
    }

    /// What could change, as it is now.
    pub async fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.devstack).await
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.devstack.clock.advance(time);
    }

    /// Where one of the engines listens.
    pub fn engine(&self, variable: &str) -> SocketAddr {
        let (_, url) = self.devstack.environment.iter().find(|(name, _)| *name == variable).unwrap();
        address(url)
    }
}

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}
