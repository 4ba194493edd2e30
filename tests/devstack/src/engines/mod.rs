//! What stands in for AWS: each engine listens on a loopback port, so that functions in this process and functions in
//! processes of their own use the very same connections.

pub mod aws;
pub mod dynamodb;
pub mod log_group;
pub mod mailbox;
pub mod queue;
pub mod recorder;
pub mod secrets_file;
pub mod secrets_manager;
pub mod stream;
pub mod webhooks;

use tokio::net::TcpListener;

/// Where an engine listens: `http://127.0.0.1:{port}`.
pub(crate) fn endpoint(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// A server that ends when this is dropped.
#[derive(Debug)]
pub struct Running(tokio::task::JoinHandle<()>);

impl Running {
    /// Runs `server` until this is dropped.
    pub fn spawn(server: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(server))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
