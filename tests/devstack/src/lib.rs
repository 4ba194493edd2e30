//! The whole system on one machine: embedded engines, a gateway that takes its routes and its authorizer from
//! `infra/template.yaml`, demo organizations, a mailbox, and a console at `/_devstack`.
//!
//! `make run` runs it (`main.rs`); tests start their own:
//!
//! ```no_run
//! # async fn example() -> Result<(), devstack::StartError> {
//! let devstack = devstack::Devstack::start(devstack::Options::default()).await?;
//! let url = format!("{}/api/v1/auth/login", devstack.base_url);
//! let code = devstack.mailbox.code(devstack::seed::ACORN.owner.email);
//! devstack.clock.advance(time::Duration::minutes(15));
//! # Ok(()) }
//! ```
//!
//! It listens on loopback alone. A client that binds to another loopback address of another /24 (`127.1.1.1`) comes from
//! another network, which is how tests tell sources apart.

pub mod bootstrap;
pub mod clock;
mod configuration;
pub mod console;
mod data;
pub mod engines;
mod front;
pub mod gateway;
pub mod logs;
pub mod phone;
pub mod roles;
pub mod seed;
mod start;
pub mod terminal;
pub mod walk;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use shared::app::App;
use shared::audit::{Deed, Event};
use shared::config::Config;

use clock::DevClock;
use data::DataFolder;
use engines::Running;
use engines::aws::Aws;
use engines::dynamodb::DynamoDb;
use engines::log_group::LogGroup;
use engines::mailbox::Mailbox;
use engines::recorder::Recorder;
use engines::stream::Stream;
use engines::webhooks::Webhooks;
use gateway::invoke::Functions;
use gateway::template::TemplateError;
use logs::Logs;
use terminal::Terminal;

/// How a devstack is started. The default is what a test wants: in memory, on a free port, time standing still, silent.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port; 0 for a free one.
    pub port: u16,
    /// The folder to keep data in; `None` for memory.
    pub data: Option<PathBuf>,
    /// Forgets what the folder holds first.
    pub fresh: bool,
    /// Where a DynamoDB engine runs that is to be used in place of the embedded one, such as `http://127.0.0.1:8000`. The data folder
    /// does not hold its table.
    pub dynamodb: Option<String>,
    /// Time.
    pub clock: DevClock,
    /// Where Lambda's `Invoke` API is, for functions that run elsewhere; `None` runs them in this process.
    pub invoke_at: Option<String>,
    /// How often the audit events of the table's stream are chained and told, and the uses of keys noted, by themselves; `None`: when
    /// [`Devstack::chain`], [`Devstack::tell`] and [`Devstack::note_usage`] are called.
    pub chain_every: Option<std::time::Duration>,
    /// Who is told what happens.
    pub terminal: Terminal,
    /// How many passwords are hashed at once, 19 MiB each.
    pub hashes_at_once: usize,
    /// What the functions' requests to AWS go out by, behind the recorders; `None`: plain HTTP. Whoever measures them stands there.
    pub connections: Option<SharedHttpClient>,
}

/// 304 MiB of hashing at most: more than anybody at a keyboard causes, and what a small machine can spare.
const HASHES_AT_ONCE: usize = 16;

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            fresh: false,
            dynamodb: None,
            clock: DevClock::frozen(),
            invoke_at: None,
            chain_every: None,
            terminal: Terminal::silent(),
            hashes_at_once: HASHES_AT_ONCE,
            connections: None,
        }
    }
}

/// Why a devstack could not start: a sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody listens on the port.
    #[error("port {port} is taken. Stop what listens there, or take another: make run PORT={}", port.wrapping_add(1))]
    PortTaken {
        /// Which.
        port: u16,
    },
    /// Another devstack holds the folder.
    #[error("another devstack is using {path}. Stop it first", path = path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The folder, or a file in it, cannot be used.
    #[error("cannot use the data in {path}: {source}. To start over: make run FRESH=1", path = path.display())]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] gateway::template::TemplateError),
    /// An engine did not start.
    #[error("{engine}: {reason}")]
    Engine {
        /// Which.
        engine: &'static str,
        /// Why.
        reason: String,
    },
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl StartError {
    pub(crate) fn engine(engine: &'static str, reason: &dyn Display) -> Self {
        Self::Engine { engine, reason: reason.to_string() }
    }

    pub(crate) fn seed(reason: &dyn Display) -> Self {
        Self::engine("demo data", reason)
    }
}

/// A running devstack. It ends when it is dropped.
pub struct Devstack {
    /// `http://127.0.0.1:{port}`, without a slash at the end.
    pub base_url: String,
    /// The functions' `App`; also for tests that arrange what no route can.
    pub app: Arc<App>,
    /// What `app` asked of DynamoDB.
    pub requests: Recorder,
    /// Time.
    pub clock: DevClock,
    /// Mail that was sent.
    pub mailbox: Mailbox,
    /// Structured log lines, the gateway's access log among them.
    pub logs: Logs,
    /// The DynamoDB engine.
    pub dynamodb: Arc<DynamoDb>,
    /// The table's stream.
    pub stream: Arc<Stream>,
    /// The queue of webhooks, and what leads into it and out of it.
    pub webhooks: Arc<Webhooks>,
    /// The authorizer's log.
    pub log_group: Arc<LogGroup>,
    /// What the functions behind the stream, the queue and the schedule and `key_usage` asked of DynamoDB.
    pub chain_requests: Recorder,
    /// Where the functions run.
    pub functions: Functions,
    /// What `app` was made with, for more execution environments of its kind.
    pub config: Config,
    /// The environment of functions that run in processes of their own, name by name.
    pub environment: Vec<(&'static str, String)>,
    _chaining: Option<Running>,
    _telling: Option<Running>,
    _noting: Option<Running>,
    _server: Running,
    _aws: Aws,
    _data: Option<DataFolder>,
}

/// The event of a write that no use case makes: something done to this organization, or, without one, to the platform.
pub fn event(app: &App, org: &str) -> Event {
    let deed = Deed { action: "devstack", actor: "devstack", org, ..Deed::default() };
    deed.event("", app.clock.as_ref(), app.rng.as_ref())
}

impl Devstack {
    /// Chains the audit events that there are.
    ///
    /// # Errors
    /// What the engine or the function says.
    pub async fn chain(&self) -> Result<(), String> {
        self.stream.deliver(&self.functions).await
    }

    /// Brings every webhook as far as it comes now, and runs the schedule if its hour has come.
    ///
    /// # Errors
    /// What an engine or a function says.
    pub async fn tell(&self) -> Result<(), String> {
        self.webhooks.deliver(&self.functions).await
    }
}

impl Devstack {
    /// Notes which keys were used, by the lines that the authorizer has logged.
    ///
    /// # Errors
    /// What the function says.
    pub async fn note_usage(&self) -> Result<(), String> {
        self.log_group.deliver(&self.functions).await
    }
}

/// The template that routes and authorizers are read from.
pub fn template_path() -> PathBuf {
    repository().join("infra/template.yaml")
}

/// The template, read once a process: in one test process many devstacks start.
pub(crate) fn template() -> Result<&'static serde_yaml_ng::Value, StartError> {
    static TEMPLATE: OnceLock<serde_yaml_ng::Value> = OnceLock::new();
    if let Some(template) = TEMPLATE.get() {
        return Ok(template);
    }
    let path = template_path();
    let text = std::fs::read_to_string(&path).map_err(|source| TemplateError::Unreadable { path, source })?;
    let template = serde_yaml_ng::from_str(&text).map_err(TemplateError::from)?;
    Ok(TEMPLATE.get_or_init(|| template))
}

/// The top of the repository this was built from.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
