//! Puts the devstack together.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use shared::app::{App, Outside};
use shared::config::{self, Config, Credentials, Endpoints, HttpApiAnswer};
use shared::ids::new_token_id;
use shared::metrics::Place;
use shared::rng::SystemRng;
use shared::sensitive::Sensitive;
use shared::tokens::key_set::KeySet;
use tokio::net::TcpListener;

use crate::clock::DevClock;
use crate::console::{self, Console};
use crate::data::DataFolder;
use crate::engines::Running;
use crate::engines::aws::Aws;
use crate::engines::dynamodb::{ACCESS_KEY, DynamoDb, Engine};
use crate::engines::mailbox::Mailbox;
use crate::engines::recorder::{self, Recorder};
use crate::engines::secrets_file::{self, Secrets, write_whole};
use crate::gateway::Gateway;
use crate::gateway::invoke::Functions;
use crate::gateway::template::Api;
use crate::logs::Logs;
use crate::roles::Roles;
use crate::terminal::Terminal;
use crate::{Devstack, Options, StartError, seed, template_path};

/// The region everything believes it is in.
const REGION: &str = "eu-west-1";
/// The table's name. In an engine that others use, too, it gets an id behind it.
const TABLE: &str = "devstack";
/// The `aud` of access tokens: the template's default.
const AUDIENCE: &str = "syncgram-pay";
/// Who mails the codes.
const MAIL_FROM: &str = "no-reply@syncgram.example";

impl Devstack {
    /// Starts everything. It answers requests when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { port, data, fresh, dynamodb, clock, invoke_at, terminal } = options;
        let listener = listen(port).await?;
        let port = listener.local_addr()?.port();
        let base_url = format!("http://127.0.0.1:{port}");
        terminal.step(&format!("port {port}"));
        let data = data.map(|path| DataFolder::open(&path, fresh)).transpose()?;
        keep_clock(&clock, data.as_ref(), terminal)?;
        let logs = logs(data.as_ref())?;
        let api = Api::read(&template_path())?;
        terminal.step(&format!("{} routes read from infra/template.yaml", api.routes.iter().count()));

        let secrets = secrets(data.as_ref(), &base_url, terminal)?;
        let mailbox = Mailbox::default();
        mailbox.listen(move |mail| terminal.mail(mail));
        let engines =
            Engines::start(&secrets, data.as_ref(), dynamodb.as_deref(), &mailbox, &clock, terminal).await?;
        let requests = Recorder::default();
        requests.hold_to(Roles::read(&template_path())?);
        let app = connect(&engines, &secrets, &clock, &requests, terminal).await?;

        let console = Console {
            app: Arc::clone(&app),
            clock: clock.clone(),
            mailbox: mailbox.clone(),
            logs: logs.clone(),
            dynamodb: Arc::clone(&engines.dynamodb),
            functions_elsewhere: invoke_at.is_some(),
        };
        let gateway = Gateway {
            api,
            functions: functions(invoke_at, &app, &logs, &clock),
            region: REGION.to_owned(),
            logs: logs.clone(),
            clock: Arc::new(clock.clone()),
            rng: Arc::new(SystemRng),
        };
        let environment = environment(&engines);
        let config = configuration(&engines);
        if let Some(data) = &data {
            write_whole(&data.environment(), &as_file(&environment)).map_err(|error| data.failed(error))?;
        }
        let Engines { dynamodb, aws } = engines;
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
            _server: serve(listener, Front { gateway, console }),
            _aws: aws,
            _data: data,
        })
    }
}

/// What stands in for AWS.
struct Engines {
    dynamodb: Arc<DynamoDb>,
    aws: Aws,
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
        let aws = Aws::start(secrets.by_name(), mailbox.clone(), Arc::new(clock.clone()), REGION).await?;
        terminal.step(&format!("Secrets Manager and SES listen at {}", aws.endpoint));
        let file = data.map(DataFolder::table);
        let (engine, table) = match (running, &file) {
            (Some(url), _) => (Engine::Running(url), format!("{TABLE}-{}", new_token_id(clock, &SystemRng))),
            (None, Some(file)) => (Engine::File(file), TABLE.to_owned()),
            (None, None) => (Engine::Memory, TABLE.to_owned()),
        };
        let dynamodb = DynamoDb::start(engine, &table, REGION).await?;
        let made = if dynamodb.create_table().await? { "table created" } else { "table found" };
        terminal.step(&format!("DynamoDB listens at {}: {made}", dynamodb.endpoint));
        Ok(Self { dynamodb: Arc::new(dynamodb), aws })
    }
}

/// Builds the functions' `App`, and writes through it what a deployment would find: the key set and the demo data.
async fn connect(
    engines: &Engines,
    secrets: &Secrets,
    clock: &DevClock,
    requests: &Recorder,
    terminal: Terminal,
) -> Result<Arc<App>, StartError> {
    let outside = Outside {
        clock: Arc::new(clock.clone()),
        rng: Arc::new(SystemRng),
        http_client: Some(requests.wrap(recorder::plain_http())),
    };
    let app = App::new(&configuration(engines), outside);
    let app = app.map_err(|error| StartError::engine("the functions", &error))?;
    publish(&app, secrets).await?;
    let seeded = seed::seed(&app, clock).await?;
    terminal.step(&format!("demo people: {seeded} of 6 written, the others were there"));
    // What tests count begins after this.
    requests.take();
    Ok(Arc::new(app))
}

fn functions(invoke_at: Option<String>, app: &Arc<App>, logs: &Logs, clock: &DevClock) -> Functions {
    match invoke_at {
        Some(url) => Functions::Remote(reqwest::Client::new(), url),
        None => Functions::InProcess(Arc::clone(app), subscriber(logs, clock)),
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
    if let Some(kept) = Secrets::read(&data.secrets()).map_err(|error| data.failed(error))? {
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
    app.store.put_key_set(&set).await.map_err(|error| StartError::engine("the key set", &error))
}

fn configuration(engines: &Engines) -> Config {
    let Engines { dynamodb, aws } = engines;
    Config {
        table: dynamodb.table.clone(),
        region: REGION.to_owned(),
        audience: AUDIENCE.to_owned(),
        issuer: String::new(),
        mail_from: MAIL_FROM.to_owned(),
        signing_secret: secrets_file::SIGNING.to_owned(),
        codes_secret: secrets_file::CODES.to_owned(),
        sealing_secret: secrets_file::SEALING.to_owned(),
        http_api_answer: HttpApiAnswer::default(),
        credentials: Credentials {
            access_key_id: ACCESS_KEY.0.to_owned(),
            secret_access_key: Sensitive::new(ACCESS_KEY.1.to_owned()),
            session_token: None,
        },
        endpoints: Endpoints {
            dynamodb: Some(dynamodb.endpoint.clone()),
            secretsmanager: Some(aws.endpoint.clone()),
            sesv2: Some(aws.endpoint.clone()),
        },
        ca_bundle: None,
    }
}

/// The same for functions in processes of their own.
fn environment(engines: &Engines) -> Vec<(&'static str, String)> {
    let Engines { dynamodb, aws } = engines;
    let fixed = [
        ("TABLE_NAME", dynamodb.table.as_str()),
        ("AWS_REGION", REGION),
        ("TOKEN_AUDIENCE", AUDIENCE),
        ("MAIL_FROM", MAIL_FROM),
        ("SIGNING_SECRET", secrets_file::SIGNING),
        ("CODES_SECRET", secrets_file::CODES),
        ("SEALING_SECRET", secrets_file::SEALING),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.endpoint),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &aws.endpoint),
        ("AWS_ENDPOINT_URL_SESV2", &aws.endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.0),
        ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1),
    ];
    fixed.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
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
    let place = Place { namespace: "SyncgramPay/Auth".to_owned(), stage: "devstack".to_owned() };
    tracing::Dispatch::new(config::logs::subscriber("info", place, Arc::new(clock.clone()), logs.clone()))
}

/// Everything behind the port.
struct Front {
    gateway: Gateway,
    console: Console,
}

fn serve(listener: TcpListener, front: Front) -> Running {
    let router = axum::Router::new().fallback(answer).with_state(Arc::new(front));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    Running::spawn(async move {
        // Ends only with the task: an accept that fails is tried again.
        let _ = axum::serve(listener, service).await;
    })
}

async fn answer(
    State(front): State<Arc<Front>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if request.headers().get(http::header::HOST).is_some_and(|host| !is_own_name(host.as_bytes())) {
        return forbidden();
    }
    let path = request.uri().path();
    match path.strip_prefix(console::PREFIX) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => front.console.answer(request).await,
        _ => front.gateway.answer(source.ip(), request).await,
    }
}

/// Whether a `Host` header names this machine: `localhost`, `127.0.0.1`, `[::1]`, with a port or without.
///
/// API Gateway answers to the names of its APIs alone. Here it also keeps a page in a browser from reading the mailbox by
/// way of a name of its own that points at 127.0.0.1.
fn is_own_name(host: &[u8]) -> bool {
    let Ok(host) = str::from_utf8(host) else {
        return false;
    };
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// What API Gateway answers to a name that is none of its own: no gateway response changes it.
fn forbidden() -> Response {
    let mut response = Response::new(Body::from(r#"{"message":"Forbidden"}"#));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_answered() {
        for own in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1",
            "127.0.0.1:3000",
            "127.9.9.9:1",
            "[::1]:3000",
            "[::1]",
        ] {
            assert!(is_own_name(own.as_bytes()), "{own}");
        }
        let others: [&[u8]; 8] = [
            b"",
            b"x",
            b"localhost.evil.example",
            b"10.0.0.1:3000",
            b"bad host^^",
            b"xn--a",
            b"localhost:80x",
            b"\xff",
        ];
        for other in others {
            assert!(!is_own_name(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
