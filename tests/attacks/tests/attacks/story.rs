//! Tells a line: each of its steps, one way.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use inputs::gateways::Kind;
use inputs::{Request, Snapshot};
use serde_json::Value;
use shared::ids::{OrgId, UserId};
use shared::users::Role;

use crate::corpus::{Act, Ask, Line, Step};
use crate::expected::{Changes, Expected};
use crate::judge;
use crate::placeholders::{fill, fill_json, names};
use crate::tokens;
use crate::ways::{EVERY, ONE_OF_EACH, Seen, Way};
use crate::world::{World, person};

impl Line {
    /// The ways it is told.
    pub fn ways(&self, world: &World) -> Vec<Way> {
        let [Step::Ask(ask)] = self.steps.as_slice() else {
            // What the two kinds of events differ in is told by the lines that are no stories: of these, each takes one of them.
            let rest = self.id.bytes().next_back().is_some_and(|digit| digit % 2 == 0);
            return vec![Way::Gateway, ONE_OF_EACH[if rest { 1 } else { 2 }]];
        };
        let (method, path) = route(ask.send.as_deref());
        let path = path.split('?').next().unwrap_or_default();
        let matched = world.api.routes.find(path, &method);
        let asks = matched.is_some_and(|it| it.target.authorizer.is_some());
        let ways = if asks && !self.alone { EVERY.to_vec() } else { ONE_OF_EACH.to_vec() };
        let meant = |way: &Way| match way {
            Way::Gateway => true,
            Way::Straight(kind) => ask.kinds.is_empty() || ask.kinds.iter().any(|it| it == name(*kind)),
        };
        ways.into_iter().filter(meant).collect()
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::RestToken => "rest_token",
        Kind::RestRequest => "rest_request",
        Kind::Http1 => "http_1",
        Kind::Http2 => "http_2",
    }
}

/// Method and path.
fn route(send: Option<&str>) -> (String, String) {
    let send = send.unwrap_or("GET /organizations/me");
    let (method, path) = send.split_once(' ').unwrap_or_else(|| panic!("{send} is no method and path"));
    let path = path
        .strip_prefix('/')
        .filter(|rest| rest.starts_with('/'))
        .map_or_else(|| format!("/api/v1{path}"), str::to_owned);
    (method.to_owned(), path)
}

impl World {
    /// Tells one step. What is wrong with what came of it.
    pub async fn step(&mut self, way: Way, step: &Step) -> Result<(), String> {
        match step {
            Step::Ask(ask) => self.ask(way, ask).await,
            Step::Act(act) => self.act(act).await,
        }
    }

    async fn ensure_all(&mut self, source: &Value, ask: &Ask) {
        for name in names(&source.to_string()) {
            self.ensure(&name).await;
        }
        if ask.token.is_some() && self.forge.is_none() {
            self.learn_to_forge().await;
        }
    }

    async fn ask(&mut self, way: Way, ask: &Ask) -> Result<(), String> {
        self.ensure_all(&ask.source, ask).await;
        // The key set is known: what is counted is what the attack costs.
        self.stack.app().key_sets.current().await.map_err(|error| error.to_string())?;
        let before = self.stack.snapshot().await;
        let seen = match &ask.at_once {
            Some((many, answers)) => Some(self.at_once(way, ask, *many, answers).await?),
            None => None,
        };
        let seen = match seen {
            Some(seen) => seen,
            None => self.in_turn(way, ask).await?,
        };
        let after = self.stack.snapshot().await;
        judge::changes(&ask.changes, &self.values, &before, &after)?;
        if let Some(expected) = ask.data.as_ref().filter(|_| self.expected(way, ask).is_success()) {
            judge::data(&fill_json(expected, &self.values), &seen)?;
        }
        for (name, member) in &ask.save {
            let Seen::Answer(answer) = &seen else { return Err("there is nothing to keep".to_owned()) };
            let value = answer
                .data()
                .pointer(&format!("/{member}"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            self.set(name, value);
        }
        self.look_alike(way, ask, &seen, &after).await
    }

    /// What is expected on this way.
    fn expected<'a>(&self, way: Way, ask: &'a Ask) -> &'a Expected {
        let own = if way == Way::Gateway { &ask.gateway } else { &ask.straight };
        own.as_ref().unwrap_or(&ask.expect)
    }

    /// One after another.
    async fn in_turn(&mut self, way: Way, ask: &Ask) -> Result<Seen, String> {
        let mut last = Seen::Broken("nothing was sent".to_owned());
        for nth in 1..=ask.times.unwrap_or(1) {
            self.set("n", nth.to_string());
            let request = self.request(ask);
            let network = self.network(ask);
            self.stack.devstack.requests.take();
            last = self.tell(way, ask, &request, network).await;
            let asked = self.stack.devstack.requests.take();
            judge::answer(self.expected(way, ask), &request, &last)?;
            if let Some(most) = ask.requests.filter(|most| asked.len() > *most) {
                let asked: Vec<_> = asked.iter().map(|it| it.operation.as_str()).collect();
                return Err(format!("at most {most} requests to the table; it sent {asked:?}"));
            }
            if let (1, Way::Straight(kind @ (Kind::RestRequest | Kind::Http2))) = (nth, way) {
                self.tell_unseen(kind, ask, &request).await?;
            }
        }
        Ok(last)
    }

    async fn at_once(
        &mut self,
        way: Way,
        ask: &Ask,
        many: usize,
        answers: &BTreeMap<String, usize>,
    ) -> Result<Seen, String> {
        let request = self.request(ask);
        let network = self.network(ask);
        let told = (0..many).map(|_| self.tell(way, ask, &request, network));
        let told: Vec<Seen> = futures::future::join_all(told).await;
        let mut counted = BTreeMap::new();
        for seen in &told {
            *counted.entry(seen.said()).or_insert(0) += 1;
        }
        if &counted != answers {
            return Err(format!("of {many} at once expected {answers:?}; seen {counted:?}"));
        }
        let best = told.iter().find(|seen| seen.said().starts_with('2')).or(told.first());
        best.cloned().ok_or_else(|| "nothing was sent".to_owned())
    }

    /// Sends the twin, which must not be told from this one.
    async fn look_alike(
        &mut self,
        way: Way,
        ask: &Ask,
        seen: &Seen,
        before: &Snapshot,
    ) -> Result<(), String> {
        let Some(twin) = &ask.twin else { return Ok(()) };
        let twin = ask.with(twin);
        self.ensure_all(&twin.source, &twin).await;
        let request = self.request(&twin);
        let other = self.tell(way, &twin, &request, self.network(&twin)).await;
        judge::changes(&twin.changes, &self.values, before, &self.stack.snapshot().await)?;
        let (one, other) = (seen.indistinguishable(), other.indistinguishable());
        if one == other { Ok(()) } else { Err(format!("it can be told from {other}: it is {one}")) }
    }

    fn network(&self, ask: &Ask) -> u8 {
        ask.from.as_ref().map_or(0, |from| fill(from, &self.values).parse().unwrap())
    }

    /// The request as it is sent.
    fn request(&self, ask: &Ask) -> Request {
        let fill = |text: &str| fill(text, &self.values);
        let (method, path) = route(ask.send.as_deref());
        let mut request = Request::new(&method, &fill(&path));
        for value in &ask.authorization {
            request = request.header("Authorization", fill(value));
        }
        if let Some(credential) = ask.credential.as_ref().or(ask.bearer.as_ref()) {
            request = request.bearer(&fill(credential));
        }
        if let Some(spec) = &ask.token {
            let forge = self.forge.as_ref().expect("whoever forges has learned to");
            request = request.bearer(&tokens::token(forge, &self.published, spec, &self.values));
        }
        for (name, value) in &ask.headers {
            request = request.header(&fill(name), fill(value));
        }
        let body = match (&ask.body, &ask.raw, &ask.base64) {
            (Some(body), ..) => Some(fill_json(body, &self.values).to_string().into_bytes()),
            (_, Some(raw), _) => Some(fill(raw).into_bytes()),
            (.., Some(base64)) => Some(BASE64_STANDARD.decode(base64).unwrap()),
            _ => None,
        };
        let Some(body) = body else { return request };
        match ask.media.as_deref() {
            None => request.said_json(body),
            Some("") => request.body(body),
            Some(media) => request.header("Content-Type", media).body(body),
        }
    }

    async fn act(&mut self, act: &Act) -> Result<(), String> {
        let app = self.stack.app();
        match act {
            Act::Pass(seconds) => self.pass(*seconds),
            Act::Suspend(org) => {
                self.ensure(org).await;
                let id = OrgId::parse(&self.values[org]).unwrap();
                let event = || devstack::event(&app, id.as_str());
                app.store.set_suspended(&id, true, &event, self.now()).await.unwrap();
            }
            Act::Role(who, role) => {
                let org = OrgId::parse(&self.values["org"]).unwrap();
                let user = UserId::parse(person(who).user_id).unwrap();
                let event = devstack::event(&app, org.as_str());
                app.store.set_role(&org, &user, Role::parse(role).unwrap(), &event).await.unwrap();
            }
            Act::LogIn(name, who) => {
                self.log_in(name, person(who)).await;
            }
            Act::Again(who) => self.challenge("", who).await,
            Act::Mailed(address) => {
                self.ensure_all(&Value::String(address.clone()), &Ask::default()).await;
                let mails = self.stack.devstack.mailbox.newest_first(None);
                let (to, address) = (mails.first().map(|mail| mail.to.clone()), fill(address, &self.values));
                if to.as_ref() != Some(&address) {
                    return Err(format!("the mail went to {to:?}, not to {address}"));
                }
            }
            Act::Forget(pk, sk) => {
                let (pk, sk) = (fill(pk, &self.values), fill(sk, &self.values));
                self.stack.devstack.dynamodb.forget(&pk, &sk).await?;
            }
            Act::Items(prefix, count) => {
                let prefix = fill(prefix, &self.values);
                let found = self.stack.snapshot().await.items(&prefix).len();
                if found != *count {
                    return Err(format!("{count} items must begin with {prefix}; there are {found}"));
                }
            }
            Act::Mails(most) => {
                let sent = self.stack.devstack.mailbox.newest_first(None).len();
                if sent > *most {
                    return Err(format!("at most {most} mails; {sent} were sent"));
                }
            }
            Act::Nowhere(text) => {
                let text = fill(text, &self.values);
                let table = format!("{:?}", self.stack.devstack.dynamodb.dump().await?);
                let log = self.stack.devstack.logs.text();
                if table.contains(&text) || log.contains(&text) {
                    return Err("the secret stands in the table or in the log".to_owned());
                }
            }
        }
        Ok(())
    }

    /// After a telling: what was good for it alone goes.
    pub fn settle(&mut self, line: &Line) {
        // To begin a login is to have tried a password.
        let began = self.values.contains_key("challenge") || self.values.contains_key("challenge.other");
        self.forget_challenges();
        let guessed = |step: &Step| matches!(step, Step::Ask(ask) if matches!(ask.changes, Changes::Word(_)));
        if began || line.steps.iter().any(guessed) {
            self.after_a_guess();
        }
    }
}
