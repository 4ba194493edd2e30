//! The event that a REST API sends to a function: Lambda proxy integration, payload format 1.0.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::authorizer::Context;

/// What the event is made of.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The path of the template, `/auth/api-keys/{api_key_id}`.
    pub resource: &'a str,
    /// The path as the client sent it, without the stage.
    pub path: &'a str,
    /// The query as the client sent it.
    pub query: Option<&'a str>,
    /// The method, upper case.
    pub method: &'a str,
    /// The client's headers.
    pub headers: &'a HeaderMap,
    /// Path parameters.
    pub parameters: &'a BTreeMap<String, String>,
    /// Who the authorizer says the caller is; `None` on a public route.
    pub authorizer: Option<&'a Context>,
    /// The body.
    pub body: &'a [u8],
    /// The address that the connection comes from.
    pub source_ip: &'a str,
    /// `$context.requestId`.
    pub request_id: &'a str,
    /// The API's id.
    pub api_id: &'a str,
    /// The stage.
    pub stage: &'a str,
    /// Seconds since the Unix epoch.
    pub now: i64,
}

/// Builds the event.
pub fn build(incoming: &Incoming<'_>) -> Value {
    let headers = headers(incoming.headers, incoming.source_ip);
    let query = query(incoming.query.unwrap_or_default());
    // Without binary media types a REST API passes the body on as text, whatever it is.
    let body = String::from_utf8_lossy(incoming.body);
    json!({
        "resource": incoming.resource,
        "path": incoming.path,
        "httpMethod": incoming.method,
        "headers": last_values(&headers),
        "multiValueHeaders": all_values(&headers),
        "queryStringParameters": last_values(&query),
        "multiValueQueryStringParameters": all_values(&query),
        "pathParameters": or_null(incoming.parameters.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect()),
        "stageVariables": null,
        "requestContext": request_context(incoming),
        "body": if body.is_empty() { Value::Null } else { body.into() },
        "isBase64Encoded": false,
    })
}

fn request_context(incoming: &Incoming<'_>) -> Value {
    let mut context = json!({
        "resourceId": "devstack",
        "resourcePath": incoming.resource,
        "httpMethod": incoming.method,
        "extendedRequestId": incoming.request_id,
        "requestTimeEpoch": incoming.now * 1000,
        // As behind a custom domain: no stage in front.
        "path": incoming.path,
        "accountId": super::ACCOUNT,
        "protocol": "HTTP/1.1",
        "stage": incoming.stage,
        "requestId": incoming.request_id,
        "apiId": incoming.api_id,
        "identity": {
            "cognitoIdentityPoolId": null,
            "accountId": null,
            "cognitoIdentityId": null,
            "caller": null,
            "sourceIp": incoming.source_ip,
            "principalOrgId": null,
            "accessKey": null,
            "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null,
            "userArn": null,
            "userAgent": text(incoming.headers.get(http::header::USER_AGENT)),
            "user": null,
        },
    });
    if let (Some(authorizer), Some(context)) = (incoming.authorizer, context.as_object_mut()) {
        context.insert("authorizer".to_owned(), Value::Object(authorizer.clone()));
    }
    context
}

fn text(value: Option<&http::HeaderValue>) -> Value {
    value.map_or(Value::Null, |value| String::from_utf8_lossy(value.as_bytes()).into())
}

/// Names with all their values, in order.
type MultiMap = BTreeMap<String, Vec<String>>;

/// The headers that the function sees.
///
/// Names keep no case here, since the HTTP library below lowers it; they are written as HTTP/1.1 clients mostly write
/// them (`Content-Type`), so that a function that looks for `content-type` alone is found out.
fn headers(headers: &HeaderMap, source_ip: &str) -> MultiMap {
    let mut all = MultiMap::new();
    for (name, value) in headers {
        if !matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding" | "expect") {
            all.entry(title_case(name.as_str()))
                .or_default()
                .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
    }
    let forwarded = all.entry("X-Forwarded-For".to_owned()).or_default();
    forwarded.push(source_ip.to_owned());
    // The gateway adds itself to what the client claims, as a list in one value.
    *forwarded = vec![forwarded.join(", ")];
    all.insert("X-Forwarded-Proto".to_owned(), vec!["http".to_owned()]);
    all
}

/// `content-type` as `Content-Type`.
fn title_case(name: &str) -> String {
    name.split('-').map(capitalized).collect::<Vec<_>>().join("-")
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// The query's parameters, decoded.
fn query(query: &str) -> MultiMap {
    let mut all = MultiMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.entry(decoded(name)).or_default().push(decoded(value));
    }
    all
}

/// Decodes `%41` and `+`. What is no valid escape stays as it is; what is no UTF-8 is replaced.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Each name with its last value: what a REST API keeps in the single-value maps.
fn last_values(all: &MultiMap) -> Value {
    or_null(
        all.iter()
            .filter_map(|(name, values)| Some((name.clone(), values.last()?.as_str().into())))
            .collect(),
    )
}

fn all_values(all: &MultiMap) -> Value {
    or_null(all.iter().map(|(name, values)| (name.clone(), values.as_slice().into())).collect())
}

/// An empty map is `null` in the event.
fn or_null(members: Map<String, Value>) -> Value {
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(query: Option<&str>, headers: &HeaderMap, body: &[u8], authorizer: Option<&Context>) -> Value {
        build(&Incoming {
            resource: "/keys/{id}",
            path: "/keys/key_1",
            query,
            method: "DELETE",
            headers,
            parameters: &BTreeMap::from([("id".to_owned(), "key_1".to_owned())]),
            authorizer,
            body,
            source_ip: "127.0.0.1",
            request_id: "r-1",
            api_id: "devstack",
            stage: "prod",
            now: 1_764_000_000,
        })
    }

    #[test]
    fn the_event_has_the_shape_of_payload_format_1() {
        let mut headers = HeaderMap::new();
        headers.append("content-type", "application/json".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.1".parse().unwrap());
        headers.append("x-twice", "a".parse().unwrap());
        headers.append("x-twice", "b".parse().unwrap());
        headers.append("content-length", "2".parse().unwrap());
        let context = Context::from_iter([("role".to_owned(), "owner".into())]);
        let event = event(Some("limit=5&x=%C3%A9+1&x=2&flag"), &headers, b"{}", Some(&context));

        assert_eq!(event["resource"], "/keys/{id}");
        assert_eq!(event["pathParameters"], json!({"id": "key_1"}));
        assert_eq!(event["headers"]["Content-Type"], "application/json");
        assert_eq!(event["headers"]["X-Twice"], "b");
        assert_eq!(event["headers"].get("Content-Length"), None);
        assert_eq!(event["multiValueHeaders"]["X-Twice"], json!(["a", "b"]));
        assert_eq!(event["headers"]["X-Forwarded-For"], "10.0.0.1, 127.0.0.1");
        assert_eq!(event["queryStringParameters"], json!({"limit": "5", "x": "2", "flag": ""}));
        assert_eq!(event["multiValueQueryStringParameters"]["x"], json!(["é 1", "2"]));
        assert_eq!(event["requestContext"]["authorizer"], json!({"role": "owner"}));
        assert_eq!(event["requestContext"]["identity"]["sourceIp"], "127.0.0.1");
        assert_eq!(event["requestContext"]["resourcePath"], "/keys/{id}");
        assert_eq!(event["body"], "{}");
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn what_is_absent_is_null() {
        let event = event(None, &HeaderMap::new(), b"", None);
        assert_eq!(event["body"], Value::Null);
        assert_eq!(event["queryStringParameters"], Value::Null);
        assert_eq!(event["stageVariables"], Value::Null);
        assert_eq!(event["requestContext"].get("authorizer"), None);
    }

    #[test]
    fn a_body_that_is_no_utf8_becomes_text_all_the_same() {
        assert_eq!(event(None, &HeaderMap::new(), b"a\xffb", None)["body"], "a\u{fffd}b");
    }

    #[test]
    fn lambda_http_reads_the_event() {
        use lambda_http::RequestExt;
        let mut headers = HeaderMap::new();
        headers.append("idempotency-key", "0123456789abcdef".parse().unwrap());
        let event = event(Some("limit=5"), &headers, b"{\"a\":1}", None);
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        assert_eq!(request.method(), "DELETE");
        assert_eq!(request.headers()["Idempotency-Key"], "0123456789abcdef");
        assert_eq!(request.query_string_parameters().first("limit"), Some("5"));
        assert_eq!(request.path_parameters().first("id"), Some("key_1"));
        assert_eq!(request.body().as_ref(), b"{\"a\":1}");
    }

    /// The event has both values, as a REST API's has; `lambda_http` puts the last one in the place of all. No function
    /// built on it can tell one header from two.
    #[test]
    fn of_a_header_sent_twice_lambda_http_keeps_the_last_value() {
        let mut headers = HeaderMap::new();
        headers.append("idempotency-key", "first".parse().unwrap());
        headers.append("idempotency-key", "second".parse().unwrap());
        let event = event(None, &headers, b"", None);
        assert_eq!(event["multiValueHeaders"]["Idempotency-Key"], json!(["first", "second"]));
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let seen: Vec<_> = request.headers().get_all("idempotency-key").iter().collect();
        assert_eq!(seen, ["second"]);
    }

    #[test]
    fn escapes_are_decoded_leniently() {
        assert_eq!(decoded("a%2Bb+c%zz%4"), "a+b c%zz%4");
        assert_eq!(decoded("%é"), "%é");
    }
}
