//! The event a function is called with, as both kinds of API send it.

use std::collections::BTreeMap;

use devstack::gateway::authorizer::Context;
use devstack::gateway::event::{Incoming, build};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::Request;

/// A request that found its route.
#[derive(Debug)]
pub struct Routed<'a> {
    /// The request.
    pub request: &'a Request,
    /// The path as the template has it.
    pub resource: &'a str,
    /// The path's parameters.
    pub parameters: &'a BTreeMap<String, String>,
    /// Who the authorizer says it is; `None` where nobody asked it.
    pub context: Option<&'a Value>,
    /// The address that the connection comes from.
    pub source: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}

impl Routed<'_> {
    /// As a REST API sends it: payload 1.0.
    pub fn rest(&self) -> Value {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.request.headers {
            let name: HeaderName = name.parse().expect("a header's name that no gateway passes on");
            let value = HeaderValue::from_bytes(value).expect("a header that no gateway passes on");
            headers.append(name, value);
        }
        let (path, query) = self.request.path_and_query();
        let context: Option<Context> = self.context.map(|it| it.as_object().unwrap().clone());
        build(&Incoming {
            resource: self.resource,
            path,
            query,
            method: &self.request.method,
            headers: &headers,
            parameters: self.parameters,
            authorizer: context.as_ref(),
            body: self.request.body.as_deref().unwrap_or_default(),
            source_ip: self.source,
            request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            api_id: "abc123",
            stage: "prod",
            now: self.now,
        })
    }

    /// As an HTTP API sends it: payload 2.0. Headers of one name come as one, joined with commas; cookies apart, one by one.
    pub fn http(&self) -> Value {
        let (method, request) = (&self.request.method, self.request);
        let (path, query) = request.path_and_query();
        let route = format!("{method} {}", self.resource);
        let (mut headers, mut cookies) = (Map::new(), Vec::new());
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value).into_owned();
            if name.eq_ignore_ascii_case("cookie") {
                cookies.extend(value.split("; ").map(Value::from));
                continue;
            }
            let joined = match headers.get(&name.to_lowercase()).and_then(Value::as_str) {
                Some(first) => format!("{first},{value}"),
                None => value,
            };
            headers.insert(name.to_lowercase(), joined.into());
        }
        headers.insert("host".to_owned(), "abc123.execute-api.eu-west-1.amazonaws.com".into());
        json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": query.unwrap_or_default(),
            "headers": headers,
            "cookies": if cookies.is_empty() { Value::Null } else { Value::Array(cookies) },
            "pathParameters": self.parameters,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abc123",
                "authorizer": {"lambda": self.context},
                "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
                "domainPrefix": "abc123",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source,
                    "userAgent": "curl",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": route,
                "stage": "$default",
                "time": "24/Nov/2026:09:00:00 +0000",
                "timeEpoch": self.now * 1000,
            },
            "body": request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()),
            "isBase64Encoded": false,
        })
    }
}
