//! `make run`: the devstack on a port of its own, until Ctrl-C.

use std::path::PathBuf;
use std::process::ExitCode;

use devstack::clock::DevClock;
use devstack::seed::{ORGANIZATIONS, PASSWORD};
use devstack::terminal::Terminal;
use devstack::{Devstack, Options, StartError, repository, walk};

const USAGE: &str = "\
The whole of Syncgram Pay's authentication on this machine.

  --port PORT      where it listens (3000; 0 for a free port)
  --data FOLDER    where it keeps its data (target/devstack)
  --fresh          forget that data first
  --invoke-at URL  call the functions through Lambda's Invoke API at URL, where `cargo lambda watch` serves them
  --help           this text
";

fn main() -> ExitCode {
    let terminal = Terminal::start();
    let options = match arguments(std::env::args().skip(1), terminal) {
        Ok(Some(options)) => options,
        Ok(None) => {
            terminal.line(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(reason) => return fail(&format!("{reason}\n\n{USAGE}")),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let code = match runtime.block_on(run(options, terminal)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    };
    // Whatever still runs is not waited for: every write is on the disk already.
    runtime.shutdown_background();
    code
}

fn fail(reason: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("devstack: {reason}\n").as_bytes());
    ExitCode::FAILURE
}

/// Reads the command line; `None` asks for the usage.
fn arguments(mut given: impl Iterator<Item = String>, terminal: Terminal) -> Result<Option<Options>, String> {
    let mut options = Options {
        port: 3000,
        data: Some(repository().join("target/devstack")),
        clock: DevClock::running(),
        // About as often as Lambda looks at a stream.
        chain_every: Some(std::time::Duration::from_millis(250)),
        terminal,
        ..Options::default()
    };
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--fresh" => options.fresh = true,
            "--port" => {
                let port = value()?;
                options.port = port.parse().map_err(|_| format!("--port {port}: a number up to 65535"))?;
            }
            "--data" => options.data = Some(PathBuf::from(value()?)),
            "--invoke-at" => options.invoke_at = Some(value()?),
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(Some(options))
}

async fn run(options: Options, terminal: Terminal) -> Result<(), StartError> {
    let data = options.data.clone().unwrap_or_default();
    let fresh = options.fresh;
    terminal.line("Starting Syncgram Pay's authentication on this machine.");
    if fresh {
        terminal.step("forgetting the data of before");
    }
    let mut stop = std::pin::pin!(told_to_stop());
    let devstack = tokio::select! {
        started = Devstack::start(options) => started?,
        () = &mut stop => return Ok(()),
    };
    terminal.step("ready");
    terminal.line(&welcome(&devstack.base_url));
    stop.await;
    terminal.line(&format!("\nStopped. The data stays in {}; make run FRESH=1 forgets it.", data.display()));
    Ok(())
}

/// Ctrl-C, or a polite kill.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn welcome(base_url: &str) -> String {
    let mut text = format!(
        "\nDashboard  {base_url}/dashboard\nBase URL   {base_url}\nMailbox    {base_url}/_devstack/mailbox (codes also arrive here)\n"
    );
    text += &format!("Console    {base_url}/_devstack\n\nDemo logins, all with the password {PASSWORD}\n");
    for demo in &ORGANIZATIONS {
        let state = if demo.ready_to_go_live { "ready to go live" } else { "has not finished onboarding" };
        text += &format!("  {}, in test mode, {state}: {}\n", demo.name, demo.id);
        for person in demo.people() {
            text += &format!("    {:<22} {}\n", person.email, person.role.as_str());
        }
    }
    let clock = format!("curl -sS -X POST {base_url}/_devstack/clock/advance -d '{{\"seconds\":60}}'");
    text + &format!(
        "\nThe walk: log in, verify, refresh, make a key, call with it, revoke it, be refused. Paste it into another terminal.\n\
         \n{}\nTo move the clock by a minute, for another walk at once: {clock}\nCtrl-C stops.\n",
        walk::script(base_url)
    )
}
