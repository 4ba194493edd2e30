//! The ways a request is told: through the gateway, or as each kind of gateway would, with nothing in front.

use std::net::{IpAddr, Ipv4Addr};

use devstack::gateway::routes::Matched;
use http_body_util::BodyExt as _;
use inputs::events::Routed;
use inputs::gateways::{Kind, Verdict, ask};
use inputs::{Request, Response, exchange_from};
use serde_json::{Value, json};

use crate::corpus::Ask;
use crate::placeholders::fill_json;
use crate::world::World;

/// One of the ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Gateway,
    Straight(Kind),
}

/// Every way to ask the authorizer.
pub const EVERY: [Way; 5] = [
    Way::Gateway,
    Way::Straight(Kind::RestToken),
    Way::Straight(Kind::RestRequest),
    Way::Straight(Kind::Http1),
    Way::Straight(Kind::Http2),
];
/// Every way to call a function.
pub const ONE_OF_EACH: [Way; 3] =
    [Way::Gateway, Way::Straight(Kind::RestRequest), Way::Straight(Kind::Http2)];

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Seen {
    Answer(Response),
    /// The authorizer refuses: 401 or 403, and why.
    Refused(u16, String),
    /// A panic, an error of the function, or an answer that no gateway understands: a 5xx, each of them.
    Broken(String),
}

impl Seen {
    /// Status and code.
    pub fn said(&self) -> String {
        match self {
            Self::Answer(answer) => {
                let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
                format!("{} {code}", answer.status).trim_end().to_owned()
            }
            Self::Refused(status, code) => format!("{status} {code}"),
            Self::Broken(why) => format!("5xx: {why}"),
        }
    }

    /// What must be the same for two requests that nobody may tell apart.
    pub fn indistinguishable(&self) -> String {
        match self {
            Self::Answer(answer) => format!("{:?}", answer.indistinguishable()),
            other => other.said(),
        }
    }
}

impl World {
    /// Tells one request one way.
    pub async fn tell(&self, way: Way, ask: &Ask, request: &Request, network: u8) -> Seen {
        match way {
            Way::Gateway => {
                let (address, bytes) = (self.stack.address, request.bytes());
                let source = IpAddr::V4(Ipv4Addr::new(127, 0, network, 1));
                let told = tokio::spawn(async move { exchange_from(source, address, &bytes).await });
                told.await.map_or_else(|_| Seen::Broken("no answer".to_owned()), Seen::Answer)
            }
            Way::Straight(kind) => self.tell_straight(kind, ask, request, network).await,
        }
    }

    async fn tell_straight(&self, kind: Kind, ask: &Ask, request: &Request, network: u8) -> Seen {
        let (path, _) = request.path_and_query();
        let Some(matched) = self.api.routes.find(path, &request.method) else {
            return Seen::Broken(format!("no route for {path}"));
        };
        let context = match matched.target.authorizer {
            None => None,
            Some(_) => match self.authorize(kind, ask, request).await {
                Ok(context) => Some(context),
                Err(seen) => return seen,
            },
        };
        let event = self.event(kind, ask, request, &matched, context.as_ref(), network);
        let seen = self.call(&matched.target.function, event).await;
        match seen {
            // Whoever serves HTTP sends no body then.
            Seen::Answer(mut answer) if request.is_head() => {
                answer.body.clear();
                Seen::Answer(answer)
            }
            seen => seen,
        }
    }

    /// Asks the authorizer.
    async fn authorize(&self, kind: Kind, ask_: &Ask, request: &Request) -> Result<Value, Seen> {
        let event = self.authorizer_event(kind, ask_, &request.values("authorization"));
        let app = self.stack.app();
        let verdict = tokio::spawn(async move { ask(&app, event).await }).await;
        match verdict {
            Err(_) => Err(Seen::Broken("the authorizer panicked".to_owned())),
            Ok(Verdict::Allowed(context)) => Ok(context),
            Ok(Verdict::Unauthorized) if kind.is_rest() => Err(Seen::Refused(401, "unauthorized".to_owned())),
            // Where there is no 401, it is told by the reason.
            Ok(Verdict::Denied(context)) => {
                let code = context["code"].as_str().unwrap_or_default().to_owned();
                let anonymous = code == "unauthorized";
                match (anonymous, kind.is_rest()) {
                    (true, true) => Err(Seen::Broken("a REST API says 403 to who is nobody".to_owned())),
                    (true, false) => Err(Seen::Refused(401, code)),
                    (false, _) => Err(Seen::Refused(403, code)),
                }
            }
            Ok(other) => Err(Seen::Broken(format!("{other:?}"))),
        }
    }

    fn authorizer_event(&self, kind: Kind, ask: &Ask, values: &[String]) -> Value {
        if let Some(instead) = &ask.instead {
            return fill_json(instead, &self.values);
        }
        let mut event = kind.event(&values.join(if kind == Kind::Http2 { "," } else { ", " }));
        if values.len() != 1 && kind != Kind::Http2 && kind != Kind::RestToken {
            // Every value is in the one map, and the last one in the other.
            event["headers"]["Authorization"] = values.last().map_or(Value::Null, |last| json!(last));
            event["multiValueHeaders"]["Authorization"] = json!(values);
        }
        if values.is_empty() {
            for map in ["headers", "multiValueHeaders"] {
                if let Some(headers) = event[map].as_object_mut() {
                    headers.retain(|name, _| !name.eq_ignore_ascii_case("authorization"));
                }
            }
            event.as_object_mut().unwrap().remove("authorizationToken");
        }
        for (pointer, value) in &ask.event {
            put(&mut event, pointer, fill_json(value, &self.values));
        }
        event
    }

    fn event(
        &self,
        kind: Kind,
        ask: &Ask,
        request: &Request,
        matched: &Matched<'_>,
        context: Option<&Value>,
        network: u8,
    ) -> Value {
        let source = format!("198.51.{network}.1");
        let routed = Routed {
            request,
            resource: matched.resource,
            parameters: &matched.parameters,
            context,
            source: &source,
            now: self.now(),
        };
        let mut event = if kind == Kind::Http2 { routed.http() } else { routed.rest() };
        for (pointer, value) in &ask.call {
            put(&mut event, pointer, fill_json(value, &self.values));
        }
        event
    }

    async fn call(&self, function: &str, event: Value) -> Seen {
        match self.functions.http(function, event).await {
            Err(error) => Seen::Broken(error.to_string()),
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let headers = parts.headers.iter().map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                });
                let body = String::from_utf8_lossy(&body).into_owned();
                Seen::Answer(Response::new(parts.status.as_u16(), headers, body))
            }
        }
    }

    /// Whether the function behind a route lets somebody in whom no authorizer has seen.
    pub async fn tell_unseen(&self, kind: Kind, ask: &Ask, request: &Request) -> Result<(), String> {
        let (path, _) = request.path_and_query();
        let Some(matched) = self.api.routes.find(path, &request.method) else {
            return Ok(());
        };
        if matched.target.authorizer.is_none() {
            return Ok(());
        }
        let mut plain = request.clone();
        plain.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        let event = self.event(kind, ask, &plain, &matched, None, 0);
        let said = self.call(&matched.target.function, event).await.said();
        match said.as_str() {
            "401 unauthorized" => Ok(()),
            _ => Err(format!("without an authorizer, the function answers {said}")),
        }
    }
}

/// Puts a value into an event, by JSON pointer.
fn put(event: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { Some(event) } else { event.pointer_mut(parent) };
    // Not every kind of event has every map.
    if let Some(Value::Object(members)) = parent {
        members.insert(name.replace("~1", "/").replace("~0", "~"), value);
    }
}
