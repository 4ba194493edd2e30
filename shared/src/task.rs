//! How a function runs.

use std::error::Error;

use tokio::task::spawn_local;

/// Runs a function, from its start on, as a task of the runtime's. What `main` itself awaits costs an `epoll_wait` more each time that it is
/// woken: five for a refresh.
///
/// # Errors
/// The function's, or that it panicked: then the process ends, and Lambda starts another one.
pub async fn in_a_task<T: 'static>(
    function: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + 'static,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    spawn_local(function).await?
}
