//! One round: every program in its turn, so that what the machine does meanwhile falls on all of them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::figures::{Figures, megabytes, micros, millis, quantile};
use crate::process::{Process, Program};
use crate::programs::{Built, Name};
use crate::runtime::Kind;
use crate::share::Share;
use crate::stage::{Event, Stage, authorizer_event, post_event};

type Failed = Box<dyn Error>;

/// How often each thing is done in a round.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Cold starts of each program at each share.
    pub cold: usize,
    /// Warm calls of each kind.
    pub warm: usize,
    /// Logins.
    pub logins: usize,
}

/// What a round needs.
pub struct Round<'a> {
    /// The engines.
    pub stage: &'a Stage,
    /// The programs.
    pub built: &'a Built,
    /// How often.
    pub counts: Counts,
    /// Where its figures go.
    pub figures: &'a mut Figures,
}

/// Which answers are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Allow,
    Success,
    Any,
}

fn check(kind: Kind, body: &[u8], expected: Expected) -> Result<Value, Failed> {
    let value: Value = serde_json::from_slice(body)?;
    let right = kind == Kind::Response
        && match expected {
            Expected::Allow => value["policyDocument"]["Statement"][0]["Effect"] == "Allow",
            Expected::Success => value["statusCode"] == 200,
            Expected::Any => true,
        };
    if right { Ok(value) } else { Err(format!("a wrong answer: {kind:?} {value}").into()) }
}

impl Round<'_> {
    /// Init and the first check of a key, over TLS, at each share of a processor.
    pub fn cold(&mut self, key: &str, shares: &[Share]) -> Result<(), Failed> {
        let event = authorizer_event(key);
        for share in shares {
            for name in Name::AUTHORIZERS {
                for _ in 0..self.counts.cold {
                    let program = self.built.program(name, self.stage.environment(true));
                    let (process, init) = Process::start(&program, *share)?;
                    let call = process.call(&event)?;
                    check(call.kind, &call.body, Expected::Allow)?;
                    let label = format!("{name:?} cold {}", share.name());
                    self.figures.add(format!("{label} init ms"), millis(init));
                    self.figures.add(format!("{label} first ms"), millis(call.took));
                    self.figures.add(format!("{label} ms"), millis(init + call.took));
                }
            }
        }
        Ok(())
    }

    /// The table's requests through the SDK, and nothing else: a key's one, and a refresh's two.
    pub fn probe(&mut self, key: &Event, rotation: &Event) -> Result<(), Failed> {
        let (process, _) = Process::start(&self.built.probe(self.stage.environment(false)), Share::Full)?;
        for (label, event) in [("probe key", key), ("probe refresh", rotation)] {
            let events = vec![Arc::clone(event); self.counts.warm];
            self.calls(&process, label, &events, Expected::Any)?;
        }
        Ok(())
    }

    /// A start, a connection and that one read through the SDK, over TLS, with nothing read ahead: the least that a key's first check is.
    pub fn probe_cold(&mut self, key: &Event) -> Result<(), Failed> {
        for _ in 0..self.counts.cold {
            let (process, init) =
                Process::start(&self.built.probe(self.stage.environment(true)), Share::Full)?;
            let call = process.call(key)?;
            check(call.kind, &call.body, Expected::Any)?;
            self.figures.add("probe cold ms", millis(init + call.took));
        }
        Ok(())
    }

    /// What init costs a processor, with nothing to connect to.
    pub fn init_alone(&mut self) -> Result<(), Failed> {
        for name in [Name::Ours, Name::Empty] {
            for _ in 0..self.counts.cold {
                let mut environment = self.stage.environment(false);
                for (variable, value) in &mut environment {
                    if variable == "AWS_ENDPOINT_URL_DYNAMODB" {
                        // Nothing listens on port 9: refused at once.
                        "http://127.0.0.1:9".clone_into(value);
                    }
                }
                let (process, init) = Process::start(&self.built.program(name, environment), Share::Full)?;
                self.figures.add(format!("{name:?} init alone CPU us"), micros(process.cpu()?));
                self.figures.add(format!("{name:?} init alone ms"), millis(init));
            }
        }
        Ok(())
    }

    /// Every function until it is ready, over TLS.
    pub fn starts(&mut self, functions: &[String]) -> Result<(), Failed> {
        for function in functions {
            let program = self.built.function(function, self.stage.environment(true));
            let (_, init) = Process::start(&program, Share::Full)?;
            self.figures.add(format!("{function} start ms"), millis(init));
        }
        Ok(())
    }

    /// An authorizer's calls when it is warm.
    pub fn warm(&mut self, key: &str, tokens: &[String]) -> Result<(), Failed> {
        let key = authorizer_event(key);
        let tokens: Vec<Event> = tokens.iter().map(|token| authorizer_event(token)).collect();
        let seen: Vec<Event> = vec![Arc::clone(&tokens[0]); self.counts.warm];
        let keys = vec![key; self.counts.warm];
        for name in [Name::Empty, Name::Ours, Name::Naive, Name::Node, Name::Python] {
            let expected = if name == Name::Empty { Expected::Any } else { Expected::Allow };
            let (process, _) =
                Process::start(&self.built.program(name, self.stage.environment(false)), Share::Full)?;
            self.calls(&process, &format!("{name:?} JWT first sight"), &tokens, expected)?;
            self.calls(&process, &format!("{name:?} JWT seen"), &seen, expected)?;
            self.calls(&process, &format!("{name:?} key"), &keys, expected)?;
            self.figures.add(format!("{name:?} peak MB"), megabytes(process.peak_memory()?));
        }
        Ok(())
    }

    fn calls(
        &mut self,
        process: &Process,
        label: &str,
        events: &[Event],
        expected: Expected,
    ) -> Result<(), Failed> {
        // What is warm after the first calls is warm for good: interpreters compile as they go.
        let (first, rest) = events.split_at(events.len() / 4);
        for event in first {
            let call = process.call(event)?;
            check(call.kind, &call.body, expected)?;
        }
        let before = process.cpu()?;
        let mut times = Vec::with_capacity(rest.len());
        for event in rest {
            let call = process.call(event)?;
            times.push(micros(call.took));
            check(call.kind, &call.body, expected)?;
        }
        self.add_calls(label, &times, process.cpu()? - before);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
    fn add_calls(&mut self, label: &str, times: &[f64], cpu: Duration) {
        self.figures.add(format!("{label} p50 us"), quantile(times, 0.5));
        self.figures.add(format!("{label} p99 us"), quantile(times, 0.99));
        self.figures.add(format!("{label} CPU us"), micros(cpu) / times.len() as f64);
    }

    /// Refreshes, one after the other: each takes the token that the one before gave.
    pub fn refresh(&mut self, refresh_token: &str) -> Result<(), Failed> {
        let process = self.start_function("refresh")?;
        let mut token = refresh_token.to_owned();
        let (mut times, mut before) = (Vec::new(), Duration::ZERO);
        for nth in 0..self.counts.warm {
            if nth == self.counts.warm / 4 {
                (before, times) = (process.cpu()?, Vec::new());
            }
            let call =
                process.call(&post_event("/api/v1/auth/refresh", &json!({ "refresh_token": token })))?;
            times.push(micros(call.took));
            let answer = check(call.kind, &call.body, Expected::Success)?;
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
            body["data"]["refresh_token"].as_str().ok_or("no refresh token")?.clone_into(&mut token);
        }
        self.add_calls("refresh", &times, process.cpu()? - before);
        self.figures.add("refresh peak MB", megabytes(process.peak_memory()?));
        Ok(())
    }

    /// Logins of different people.
    pub fn login(&mut self, emails: &[String]) -> Result<(), Failed> {
        let process = self.start_function("login")?;
        let events: Vec<Event> = emails
            .iter()
            .map(|email| {
                let body = json!({"email": email, "password": devstack::seed::PASSWORD});
                post_event("/api/v1/auth/login", &body)
            })
            .collect();
        self.calls(&process, "login", &events, Expected::Success)?;
        self.figures.add("login peak MB", megabytes(process.peak_memory()?));
        Ok(())
    }

    fn start_function(&self, name: &str) -> Result<Process, Failed> {
        let program: Program = self.built.function(name, self.stage.environment(false));
        Ok(Process::start(&program, Share::Full)?.0)
    }
}
