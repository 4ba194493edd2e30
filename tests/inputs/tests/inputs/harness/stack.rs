//! A devstack in memory, with time standing still.

use std::net::SocketAddr;
use std::sync::Arc;

use devstack::{Devstack, Options};
use shared::app::App;
use time::Duration;

use super::{Request, Response, Snapshot, exchange};

pub struct Stack {
    pub devstack: Devstack,
    pub address: SocketAddr,
}

impl Stack {
    pub async fn start() -> Self {
        let devstack = Devstack::start(Options::default()).await.unwrap();
        let address = address(&devstack.base_url);
        Self { devstack, address }
    }

    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.devstack.app)
    }

    pub async fn send(&self, request: &Request) -> Response {
        exchange(self.address, &request.bytes()).await
    }

    pub async fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.devstack).await
    }

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
