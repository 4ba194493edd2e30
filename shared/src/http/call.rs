//! One call: what a handler needs of the gateway's event.

use std::net::IpAddr;

use lambda_http::http::header::USER_AGENT;
use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde_json::Value;

use super::{Fields, Problem, Request as Body, report};
use crate::addresses;
use crate::api_keys::Env;
use crate::audit::Deed;
use crate::flows::Origin;
use crate::ids::{KeyId, OrgId, SessionId, UserId};
use crate::principals::{KeyPrincipal, Principal, UserPrincipal};
use crate::users::Role;

/// A call. Behind a REST API or an HTTP API; what differs between their events is settled here.
pub struct Call<'a> {
    request: &'a Request,
    origin: Origin,
    resource: String,
    principal: Option<Principal>,
}

impl<'a> Call<'a> {
    /// Reads a gateway's event.
    pub fn new(request: &'a Request) -> Self {
        let (request_id, source, resource, context) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => (
                context.request_id.clone(),
                context.identity.source_ip.clone(),
                context.resource_path.clone(),
                Some(&context.authorizer.fields),
            ),
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.request_id.clone(),
                context.http.source_ip.clone(),
                // "GET /organizations/{id}"
                context
                    .route_key
                    .as_deref()
                    .and_then(|route| route.split_once(' '))
                    .map(|(_, path)| path.to_owned()),
                context.authorizer.as_ref().map(|authorizer| &authorizer.fields),
            ),
            _ => (None, None, None, None),
        };
        let source = source.and_then(|text| text.parse::<IpAddr>().ok());
        let text = |name: &str| context.and_then(|fields| fields.get(name)).and_then(Value::as_str);
        Self {
            request,
            origin: Origin {
                request_id: printable(request_id),
                network: addresses::network(source),
                source_address: source.map(|source| source.to_string()).unwrap_or_default(),
                client: client(request.headers()),
            },
            resource: resource.unwrap_or_default(),
            principal: principal(&text),
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The method, and the path as the template has it: `/api/v1/organizations/{id}`.
    pub fn route(&self) -> (&Method, &str) {
        (self.request.method(), &self.resource)
    }

    /// The path as the client sent it, with whatever the gateway has in front of it. It decides no route.
    pub fn sent_path(&self) -> &str {
        let path = match self.request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => context.path.as_deref(),
            Some(RequestContext::ApiGatewayV2(context)) => context.http.path.as_deref(),
            _ => None,
        };
        path.unwrap_or_default()
    }

    /// A parameter of the path.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.request.path_parameters_ref().and_then(|parameters| parameters.first(name))
    }

    /// A parameter of the query; given twice, nobody can say which one counts.
    pub fn query_parameter(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let all = self
            .request
            .query_string_parameters_ref()
            .and_then(|parameters| parameters.all(name))
            .unwrap_or_default();
        match all.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Problem::field(name, "must be given once")),
        }
    }

    /// Whether headers of one name were joined with commas on their way.
    pub fn joins_headers(&self) -> bool {
        matches!(self.request.request_context_ref(), Some(RequestContext::ApiGatewayV2(_)))
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Whether nothing was sent as a body.
    pub fn is_without_body(&self) -> bool {
        self.request.body().is_empty()
    }

    /// The bytes of a report, of which nothing is known before its signature was looked at.
    ///
    /// # Errors
    /// It is too long, or said to be something else than JSON.
    pub fn report_body(&self) -> Result<&[u8], Problem> {
        report::bytes(self.request)
    }

    /// The body's fields.
    pub fn fields(&self) -> Result<Fields, Problem> {
        Fields::read(self.request)
    }

    /// The body, all of it.
    ///
    /// # Errors
    /// What is wrong with it: its size, its type, its JSON, or every field that is not what it must be.
    pub fn body<T: Body>(&self) -> Result<T, Problem> {
        T::read(self.fields()?)
    }

    /// Who the authorizer says it is. None: it is not in front of this route, and nobody is let in.
    pub fn principal(&self) -> Result<&Principal, Problem> {
        self.principal.as_ref().ok_or(Problem::Unauthorized)
    }

    /// The person it is; an API key is not one, which leaves a line: no use case begins that would.
    pub fn user(&self) -> Result<&UserPrincipal, Problem> {
        match self.principal()? {
            Principal::User(user) => Ok(user),
            Principal::ApiKey(key) => {
                Deed {
                    action: "session.require",
                    actor: key.api_key_id.as_str(),
                    org: key.org_id.as_str(),
                    target: &format!("{} {}", self.request.method(), self.resource),
                    network: &self.origin.network,
                    request_id: &self.origin.request_id,
                    ..Deed::default()
                }
                .log("refused", Problem::SessionRequired.code(), None);
                Err(Problem::SessionRequired)
            }
        }
    }
}

/// The authorizer's context, turned back into who it was. Anything unexpected is nobody.
fn principal<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Option<Principal> {
    let org_id = OrgId::parse(text("org_id")?).ok()?;
    match text("auth_method")? {
        "jwt" => Some(Principal::User(UserPrincipal {
            user_id: UserId::parse(text("principal_id")?).ok()?,
            org_id,
            role: Role::parse(text("role")?)?,
            session_id: SessionId::parse(text("session_id")?).ok()?,
        })),
        "api_key" => Some(Principal::ApiKey(KeyPrincipal {
            api_key_id: KeyId::parse(text("api_key_id")?).ok()?,
            org_id,
            env: match text("env")? {
                "test" => Env::Test,
                "live" => Env::Live,
                _ => return None,
            },
        })),
        _ => None,
    }
}

/// The longest name of a client that is kept, in characters.
const CLIENT_LENGTH: usize = 200;

/// What the client calls itself. It is shown to people: what is not plain text is left out.
fn client(headers: &HeaderMap) -> String {
    let name = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    name.trim().chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(CLIENT_LENGTH).collect()
}

/// A request id is the gateway's, but an event can be sent by hand: what could not stand in a header is left out.
fn printable(request_id: Option<String>) -> String {
    request_id.unwrap_or_default().chars().filter(char::is_ascii_graphic).take(128).collect()
}
