//! Puts the devstack together.

use std::net::Ipv4Addr;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use shared::app::{App, Outside};
use shared::config::{self, Config};
use shared::courier::Courier;
use shared::ids::new_token_id;
use shared::metrics::Place;
use shared::rng::SystemRng;
use shared::store::StoreError;
use shared::tokens::key_set::KeySet;
use tokio::net::TcpListener;

use crate::clock::DevClock;
use crate::configuration::{self, REGION};
use crate::console::Console;
use crate::data::DataFolder;
use crate::engines::aws::Aws;
use crate::engines::dynamodb::{DynamoDb, Engine};
use crate::engines::log_group::LogGroup;
use crate::engines::mailbox::Mailbox;
use crate::engines::queue::Queue;
use crate::engines::recorder::{self, Recorder};
use crate::engines::secrets_file::{Secrets, write_whole};
use crate::engines::stream::Stream;
use crate::engines::webhooks::Webhooks;
use crate::front::Front;
use crate::gateway::Gateway;
use crate::gateway::invoke::Functions;
use crate::gateway::template::Api;
use crate::logs::Logs;
use crate::roles::Roles;
use crate::terminal::Terminal;
use crate::{Devstack, Options, StartError, seed, template};

/// The table's name. In an engine that others use, too, it gets an id behind it.
const TABLE: &str = "devstack";

impl Devstack {
    /// Starts everything. It answers requests when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            port,
            data,
            fresh,
            dynamodb,
            clock,
            invoke_at,
            chain_every,
            terminal,
            hashes_at_once,
            connections,
        } = options;
        let connections = connections.unwrap_or_else(recorder::plain_http);
        let elsewhere = invoke_at.is_some();
        let listener = listen(port).await?;
        let port = listener.local_addr()?.port();
        let base_url = format!("http://127.0.0.1:{port}");
        terminal.step(&format!("port {port}"));
        let data = data.map(|path| DataFolder::open(&path, fresh)).transpose()?;
        keep_clock(&clock, data.as_ref(), terminal)?;
        let logs = logs(data.as_ref())?;
        let api = Api::of(template()?)?;
        terminal.step(&format!("{} routes read from infra/template.yaml", api.routes.iter().count()));

        let secrets = secrets(data.as_ref(), &base_url, terminal)?;
        let mailbox = Mailbox::default();
        mailbox.listen(move |mail| terminal.mail(mail));
        let engines =
            Engines::start(&secrets, data.as_ref(), dynamodb.as_deref(), &mailbox, &clock, terminal).await?;
        let config = configuration::configuration(&engines.dynamodb, &engines.aws, hashes_at_once);
        let requests = Recorder::default();
        requests.hold_to(Roles::of(template()?)?);
        let app = Arc::new(new_app(&config, &clock, requests.wrap(connections.clone()))?);
        publish_and_seed(&app, &secrets, &clock, terminal).await?;
        // What tests count begins after this.
        requests.take();
        let chain_requests = Recorder::default();
        chain_requests.hold_to(Roles::of(template()?)?);
        let mut chainer = new_app(&config, &clock, chain_requests.wrap(connections))?;
        let courier = Courier::hire(config.reach).map_err(|error| StartError::engine("webhooks", &error))?;
        chainer.courier = Some(courier);
        let chainer = Arc::new(chainer);
        let functions = functions(invoke_at, &app, &chainer, subscriber(&logs, &clock));
        let log_group = Arc::new(LogGroup::new(logs.clone(), Arc::new(clock.clone())));
        let stream = Arc::new(Stream::new(Arc::clone(&engines.dynamodb), Arc::new(clock.clone())));
        let queue = engines.queue.clone();
        let webhooks = Arc::new(Webhooks::new(queue, Arc::clone(&stream), Arc::new(clock.clone()))?);

        let console = Console {
            app: Arc::clone(&app),
            functions: functions.clone(),
            stream: Arc::clone(&stream),
            webhooks: Arc::clone(&webhooks),
            log_group: Arc::clone(&log_group),
            clock: clock.clone(),
            mailbox: mailbox.clone(),
            logs: logs.clone(),
            dynamodb: Arc::clone(&engines.dynamodb),
            functions_elsewhere: elsewhere,
        };
        let gateway = Gateway {
            api,
            functions: functions.clone(),
            region: REGION.to_owned(),
            logs: logs.clone(),
            clock: Arc::new(clock.clone()),
            rng: Arc::new(SystemRng),
        };
        let environment = configuration::environment(&engines.dynamodb, &engines.aws);
        if let Some(data) = &data {
            write_whole(&data.environment(), &as_file(&environment)).map_err(|error| data.failed(error))?;
        }
        let Engines { dynamodb, aws, .. } = engines;
        let front = Front { gateway, console, base_url: base_url.clone() };
        Ok(Self {
            base_url,
            app,
            requests,
            clock,
            mailbox,
            logs,
            dynamodb,
            config,
            environment,
            _chaining: chain_every.map(|every| stream.deliver_every(every, functions.clone())),
            _telling: chain_every.map(|every| webhooks.deliver_every(every, functions.clone())),
            _noting: chain_every.map(|every| log_group.deliver_every(every, functions.clone())),
            log_group,
            stream,
            webhooks,
            functions,
            chain_requests,
            _server: front.serve(listener),
            _aws: aws,
            _data: data,
        })
    }
}

/// What stands in for AWS.
struct Engines {
    dynamodb: Arc<DynamoDb>,
    aws: Aws,
    queue: Queue,
}

impl Engines {
    async fn start(
        secrets: &Secrets,
        data: Option<&DataFolder>,
        running: Option<&str>,
        mailbox: &Mailbox,
        clock: &DevClock,
        terminal: Terminal,
    ) -> Result<Self, StartError> {
        let clocks = Arc::new(clock.clone());
        let queue = Queue::new(Arc::clone(&clocks) as _)?;
        let aws = Aws::start(secrets.by_name(), mailbox.clone(), queue.clone(), clocks, REGION).await?;
        terminal.step(&format!("Secrets Manager, SES and SQS listen at {}", aws.endpoint));
        let file = data.map(DataFolder::table);
        let (engine, table) = match (running, &file) {
            (Some(url), _) => (Engine::Running(url), format!("{TABLE}-{}", new_token_id(clock, &SystemRng))),
            (None, Some(file)) => (Engine::File(file), TABLE.to_owned()),
            (None, None) => (Engine::Memory, TABLE.to_owned()),
        };
        let dynamodb = DynamoDb::start(engine, &table, REGION).await?;
        let made = if dynamodb.create_table().await? { "table created" } else { "table found" };
        terminal.step(&format!("DynamoDB listens at {}: {made}", dynamodb.endpoint));
        Ok(Self { dynamodb: Arc::new(dynamodb), aws, queue })
    }
}

/// Writes what a deployment would find: the key set and the demo data.
async fn publish_and_seed(
    app: &App,
    secrets: &Secrets,
    clock: &DevClock,
    terminal: Terminal,
) -> Result<(), StartError> {
    publish(app, secrets).await?;
    let seeded = seed::seed(app, clock).await?;
    terminal.step(&format!("demo people: {seeded} of 6 written, the others were there"));
    Ok(())
}

fn new_app(config: &Config, clock: &DevClock, http_client: SharedHttpClient) -> Result<App, StartError> {
    let outside =
        Outside { clock: Arc::new(clock.clone()), rng: Arc::new(SystemRng), http_client: Some(http_client) };
    let app = App::new(config, outside);
    app.map_err(|error| StartError::engine("the functions", &error))
}

fn functions(
    invoke_at: Option<String>,
    app: &Arc<App>,
    chainer: &Arc<App>,
    log: tracing::Dispatch,
) -> Functions {
    match invoke_at {
        Some(url) => Functions::Remote(reqwest::Client::new(), url),
        None => Functions::InProcess(Arc::clone(app), Arc::clone(chainer), log),
    }
}

fn logs(data: Option<&DataFolder>) -> Result<Logs, StartError> {
    match data {
        Some(data) => Logs::to_file(&data.log()).map_err(|error| data.failed(error)),
        None => Ok(Logs::default()),
    }
}

/// The data's time goes on from where it was moved to.
fn keep_clock(clock: &DevClock, data: Option<&DataFolder>, terminal: Terminal) -> Result<(), StartError> {
    let Some(data) = data else {
        return Ok(());
    };
    let moved = clock.keep_in(&data.clock()).map_err(|error| data.failed(error))?;
    if !moved.is_zero() {
        terminal.step(&format!("the clock was moved by {} s before, and still is", moved.whole_seconds()));
    }
    Ok(())
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(StartError::PortTaken { port }),
        other => Ok(other?),
    }
}

/// The kept secrets, or new ones.
fn secrets(data: Option<&DataFolder>, base_url: &str, terminal: Terminal) -> Result<Secrets, StartError> {
    let Some(data) = data else {
        return new_secrets(base_url);
    };
    if let Some(mut kept) = Secrets::read(&data.secrets()).map_err(|error| data.failed(error))? {
        let before = kept.clone();
        kept.complete(&SystemRng);
        // As behind another domain of its own: sessions and keys go on, access tokens do not, and the dashboard is at home there.
        base_url.clone_into(&mut kept.issuer);
        if kept != before {
            kept.write(&data.secrets()).map_err(|error| data.failed(error))?;
        }
        terminal.step("secrets found: sessions and keys go on");
        return Ok(kept);
    }
    let new = new_secrets(base_url)?;
    new.write(&data.secrets()).map_err(|error| data.failed(error))?;
    terminal.step("secrets made");
    Ok(new)
}

fn new_secrets(issuer: &str) -> Result<Secrets, StartError> {
    Secrets::generate(issuer, &SystemRng).map_err(|error| StartError::engine("secrets", &error))
}

/// Writes the issuer and the public keys into the table.
async fn publish(app: &App, secrets: &Secrets) -> Result<(), StartError> {
    let keys = shared::secrets::generate::public_keys(&secrets.signing);
    let keys =
        keys.ok_or_else(|| StartError::engine("the key set", &"the kept signing secret cannot be read"))?;
    let set = KeySet { issuer: secrets.issuer.clone(), keys };
    let failed = |error: StoreError| StartError::engine("the key set", &error);
    if app.store.key_set().await.map_err(failed)?.as_ref() == Some(&set) {
        return Ok(());
    }
    let event = crate::event(app, "");
    app.store.put_key_set(&set, &event).await.map_err(failed)
}

/// `NAME=value`, line by line.
fn as_file(environment: &[(&str, String)]) -> Vec<u8> {
    environment
        .iter()
        .fold(String::new(), |file, (name, value)| file + name + "=" + value + "\n")
        .into_bytes()
}

/// Writes the functions' log lines as on Lambda.
fn subscriber(logs: &Logs, clock: &DevClock) -> tracing::Dispatch {
    let place = Place::new("SyncgramPay/Auth", "devstack");
    tracing::Dispatch::new(config::logs::subscriber("info", place, Arc::new(clock.clone()), logs.clone()))
}
