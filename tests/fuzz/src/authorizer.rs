//! The authorizer: whatever it is asked, it decides, and lets in nobody but who holds a credential that it knows.

use serde_json::{Value, json};
use shared::authz::{AuthorizerError, bearer};

use crate::world::world;

const INVOCATION: &str = "8f507cfc-fuzz-4697-b07a-ac58fc914c95";
const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/organizations/me";

/// An event of any form.
pub fn event(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<Value>(&world().fill(data)) {
        judge(&event);
    }
}

/// A header, as each of the four kinds of gateway sends it.
pub fn header(data: &[u8]) {
    let Ok(header) = String::from_utf8(world().fill(data)) else {
        return;
    };
    if let Some(credential) = bearer(&header) {
        let before = header.strip_suffix(credential).expect("the credential ends the header");
        assert!(before.trim_end_matches(' ').eq_ignore_ascii_case("bearer") && before.ends_with(' '));
        assert!(!credential.is_empty() && credential.bytes().all(|it| it.is_ascii_graphic() && it != b','));
    }
    let good = is_good(&header);
    let context = json!({"requestId": "r", "identity": {"sourceIp": "203.0.113.7"}});
    for event in [
        json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": header}),
        json!({
            "type": "REQUEST", "methodArn": ARN, "requestContext": context,
            "headers": {"Authorization": header}, "multiValueHeaders": {"Authorization": [header]},
        }),
        json!({"version": "1.0", "type": "REQUEST", "methodArn": ARN, "headers": {"authorization": header}}),
        json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": {"authorization": header}}),
    ] {
        assert_eq!(judge(&event), good, "let in, or kept out: {event}");
    }
}

/// Whether a header carries a credential that lets somebody in. The bearer's parts are read anew: a scheme, spaces, the credential.
fn is_good(header: &str) -> bool {
    let known = [&world().key, &world().token];
    header.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
        && known.iter().any(|credential| header[7..].trim_start_matches(' ') == credential.as_str())
}

/// Asks, and says whether somebody was let in.
fn judge(event: &Value) -> bool {
    let decided = world().wait(authorizer::handle(&world().app, event.clone(), INVOCATION));
    let http = matches!(event["version"].as_str(), Some("1.0" | "2.0"));
    let answer = match decided {
        Ok(answer) => answer,
        Err(AuthorizerError::Unauthorized) => {
            assert!(!http, "the magic word to an HTTP API, which makes a 500 of it: {event}");
            return false;
        }
        Err(AuthorizerError::Unavailable) => panic!("undecided, though the table answers: {event}"),
    };
    let context = answer["context"].as_object().expect("every answer has a context");
    assert!(context.values().all(Value::is_string), "a REST API takes texts only: {answer}");
    let allowed = match answer.get("isAuthorized") {
        Some(simple) => {
            assert_eq!(event["version"], "2.0", "the simple form is for payload 2.0: {event}");
            simple.as_bool().expect("yes or no")
        }
        None => policy_allows(event, &answer),
    };
    assert!(!allowed || may_allow(event), "let in: {event}");
    allowed
}

fn policy_allows(event: &Value, answer: &Value) -> bool {
    let statements = answer["policyDocument"]["Statement"].as_array().expect("a policy has statements");
    let [statement] = statements.as_slice() else {
        panic!("one statement: {answer}");
    };
    assert!(answer["principalId"].is_string(), "a policy is somebody's: {answer}");
    let resource = statement["Resource"][0].as_str().expect("a policy has a resource");
    match statement["Effect"].as_str() {
        Some("Deny") => false,
        Some("Allow") => {
            let wide = resource.strip_suffix("/*").expect("all routes of a stage");
            assert!(!wide.contains(['*', '?']), "wider than a stage: {resource}");
            let asked = arn(event).expect("an allow names what was asked");
            assert!(asked == wide || asked.starts_with(&format!("{wide}/")), "another API: {resource}");
            true
        }
        _ => panic!("neither allow nor deny: {answer}"),
    }
}

fn arn(event: &Value) -> Option<&str> {
    event["methodArn"].as_str().or_else(|| event["routeArn"].as_str())
}

/// Whether an event may be let in at all: every header it could mean is good, and it names an API and a stage.
fn may_allow(event: &Value) -> bool {
    let named = |map: &str| -> Vec<&Value> {
        let members = event[map].as_object().into_iter().flatten();
        members.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|it| it.1).collect()
    };
    let mut headers = named("headers");
    let several: Vec<&Value> = named("multiValueHeaders");
    let flat = several.iter().flat_map(|it| it.as_array().map_or(vec![*it], |all| all.iter().collect()));
    let flat: Vec<&Value> = flat.collect();
    let twice = headers.len() > 1 || flat.len() > 1;
    headers.extend(flat);
    if event["type"] == "TOKEN" {
        headers = vec![&event["authorizationToken"]];
    }
    let good = !headers.is_empty() && headers.iter().all(|it| it.as_str().is_some_and(is_good));
    // arn:partition:execute-api:region:account:api/stage, none of them empty and none with a wildcard.
    let parts: Vec<&str> = arn(event).unwrap_or_default().splitn(6, ':').collect();
    let named = parts.len() == 6 && parts[0] == "arn" && parts[2] == "execute-api";
    let plain = named && {
        let mut all: Vec<&str> = parts[..5].to_vec();
        all.extend(parts[5].split('/').take(2));
        all.len() == 7 && all.iter().all(|it| !it.is_empty() && !it.contains(['*', '?', ' ', ':', ',']))
    };
    good && plain && (!twice || event["type"] == "TOKEN")
}
