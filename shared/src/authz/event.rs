//! The four events an authorizer is called with, told apart by what they hold.
//!
//! REST `TOKEN`, REST `REQUEST`, HTTP API payload 1.0 and 2.0 (API Gateway developer guide, "Use API Gateway Lambda authorizers" and
//! "Control access to HTTP APIs with AWS Lambda authorizers"). They are read from loose JSON, not from typed structures, since whatever
//! an event holds must get a decision, and a type that does not fit would be an error.

use std::net::IpAddr;

use serde_json::Value;

/// Which gateway asks, and so in which form it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gateway {
    /// A REST API: 401 by the error `Unauthorized`, 403 by a denying policy.
    Rest,
    /// An HTTP API, payload 1.0: always a policy, since an error is a 500.
    HttpPolicy,
    /// An HTTP API, payload 2.0: as it is configured.
    HttpV2,
}

/// What an event asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question<'a> {
    pub gateway: Gateway,
    /// The `Authorization` header, if there is exactly one.
    pub authorization: Option<&'a str>,
    /// Every route of the asking API and stage, if the event names them plausibly.
    pub resource: Option<String>,
    pub request_id: &'a str,
    /// The caller's address, as the gateway itself saw it. A `TOKEN` event has none, and no header is looked at: anybody writes those.
    pub source: Option<IpAddr>,
}

/// Reads an event of any kind, or of none.
pub(super) fn read(event: &Value) -> Question<'_> {
    let version = event.get("version").and_then(Value::as_str);
    let token = event.get("type").and_then(Value::as_str) == Some("TOKEN");
    let gateway = match version {
        Some("2.0") => Gateway::HttpV2,
        Some("1.0") => Gateway::HttpPolicy,
        _ => Gateway::Rest,
    };
    let authorization = if token { text(event, "authorizationToken") } else { header(event) };
    let arn = text(event, "methodArn").or_else(|| text(event, "routeArn"));
    let context = event.get("requestContext").unwrap_or(&Value::Null);
    let identity = context.get("identity").or_else(|| context.get("http")).unwrap_or(&Value::Null);
    Question {
        gateway,
        authorization,
        resource: arn.and_then(every_route),
        request_id: text(context, "requestId").filter(|id| is_id(id)).unwrap_or_default(),
        source: text(identity, "sourceIp").filter(|_| !token).and_then(|address| address.parse().ok()),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// A gateway's ids are short and visible. An event can be sent by hand: anything else is nothing to find a request by.
fn is_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The one `Authorization` header, its name in any case. Two of them are none, and so are two maps that disagree: nobody can say which
/// one counts.
fn header(event: &Value) -> Option<&str> {
    let named = |map: &'static str| {
        let entries = event.get(map).and_then(Value::as_object).into_iter().flatten();
        entries.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
    };
    let single: Vec<&Value> = named("headers").collect();
    let multiple: Vec<&Value> = named("multiValueHeaders").flat_map(values).collect();
    match (single.as_slice(), multiple.as_slice()) {
        ([one], []) | ([], [one]) => one.as_str(),
        ([one], [same]) if one == same => one.as_str(),
        _ => None,
    }
}

/// The values of one header. What is no array is the one value.
fn values(of: &Value) -> &[Value] {
    match of {
        Value::Array(values) => values,
        other => std::slice::from_ref(other),
    }
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}` → every method and path of that API and stage, and nothing
/// wider: a policy that is cached must not deny the caller's next route, nor allow another API's.
fn every_route(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [arn, partition, service @ "execute-api", region, account, rest] = parts.as_slice() else {
        return None;
    };
    let mut path = rest.split('/');
    let (api, stage) = (path.next()?, path.next()?);
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
    };
    let plausible = *arn == "arn" && [*partition, region, account, api, stage].into_iter().all(plain);
    plausible.then(|| format!("arn:{partition}:{service}:{region}:{account}:{api}/{stage}/*"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-north-1:123456789012:abc123/prod/GET/organizations/me";

    #[test]
    fn the_four_kinds_are_told_apart() {
        let token = json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": ARN});
        let question = read(&token);
        assert_eq!((question.gateway, question.authorization), (Gateway::Rest, Some("Bearer x")));
        assert_eq!(
            question.resource.as_deref(),
            Some("arn:aws:execute-api:eu-north-1:123456789012:abc123/prod/*")
        );

        let request = json!({"type": "REQUEST", "methodArn": ARN, "headers": {"authorization": "Bearer x"}});
        assert_eq!(read(&request).gateway, Gateway::Rest);
        let one = json!({"version": "1.0", "type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": "Bearer x"}});
        assert_eq!((read(&one).gateway, read(&one).authorization), (Gateway::HttpPolicy, Some("Bearer x")));
        let two = json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": {"authorization": "Bearer x"}});
        assert_eq!((read(&two).gateway, read(&two).authorization), (Gateway::HttpV2, Some("Bearer x")));
    }

    #[test]
    fn the_address_is_the_gateways_own_and_a_token_event_has_none() {
        let source = |event: Value| read(&event).source.map(|address| address.to_string());
        let rest = |context: Value| source(json!({"type": "REQUEST", "requestContext": context}));
        assert_eq!(rest(json!({"identity": {"sourceIp": "203.0.113.7"}})).as_deref(), Some("203.0.113.7"));
        assert_eq!(rest(json!({"http": {"sourceIp": "2001:db8::7"}})).as_deref(), Some("2001:db8::7"));
        for nothing in [
            json!(null),
            json!({"identity": {}}),
            json!({"identity": {"sourceIp": null}}),
            json!({"identity": {"sourceIp": ["203.0.113.7"]}}),
            json!({"identity": {"sourceIp": "203.0.113.7, 203.0.113.8"}}),
            json!({"identity": {"sourceIp": "203.0.113.7:443"}}),
            json!({"identity": {"sourceIp": "test-invoke-source-ip"}}),
            json!({"sourceIp": "203.0.113.7"}),
        ] {
            assert_eq!(rest(nothing.clone()), None, "{nothing}");
        }
        let headers = json!({"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.7"});
        assert_eq!(source(json!({"type": "REQUEST", "headers": headers})), None);
        let sent_by_hand =
            json!({"type": "TOKEN", "requestContext": {"identity": {"sourceIp": "203.0.113.7"}}});
        assert_eq!(source(sent_by_hand), None);
    }

    #[test]
    fn two_authorization_headers_are_none() {
        let twice = json!({"type": "REQUEST", "headers": {"Authorization": "Bearer a"}, "multiValueHeaders": {"Authorization": ["Bearer a", "Bearer b"]}});
        assert_eq!(read(&twice).authorization, None);
        let spelled =
            json!({"type": "REQUEST", "headers": {"Authorization": "Bearer a", "authorization": "Bearer b"}});
        assert_eq!(read(&spelled).authorization, None);
    }

    #[test]
    fn a_header_with_values_in_any_form_is_compared() {
        let with = |multiple: Value| json!({"type": "REQUEST", "headers": {"Authorization": "Bearer a"}, "multiValueHeaders": {"Authorization": multiple}});
        for same in [json!("Bearer a"), json!(["Bearer a"]), json!([])] {
            assert_eq!(read(&with(same.clone())).authorization, Some("Bearer a"), "{same}");
        }
        for other in [
            json!("Bearer b"),
            json!(["Bearer b"]),
            json!(null),
            json!({"0": "Bearer a"}),
            json!([["Bearer a"]]),
        ] {
            assert_eq!(read(&with(other.clone())).authorization, None, "{other}");
        }
    }

    #[test]
    fn a_request_id_that_no_gateway_gives_is_left_out() {
        let id = |id: Value| read(&json!({"requestContext": {"requestId": id}})).request_id.to_owned();
        for good in ["c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "JKJaXmPLvHcESHA="] {
            assert_eq!(id(json!(good)), good);
        }
        for bad in [json!("a b"), json!("\n"), json!("\u{e9}"), json!("x".repeat(129)), json!(1), json!(null)]
        {
            assert_eq!(id(bad.clone()), "", "{bad}");
        }
    }

    #[test]
    fn a_resource_is_never_wider_than_one_stage() {
        for odd in [
            "",
            "arn",
            "arn:aws:execute-api:r:1:api",
            "arn:aws:execute-api:r:1:*/*/GET/",
            "arn:aws:execute-api:r:1:a*/prod/GET/",
            "arn:aws:s3:::bucket/key",
        ] {
            assert_eq!(every_route(odd), None, "{odd}");
        }
        let default = every_route("arn:aws-cn:execute-api:r:1:api/$default/GET/x");
        assert_eq!(default.as_deref(), Some("arn:aws-cn:execute-api:r:1:api/$default/*"));
    }
}
