//! What the template puts in the way of floods: a web ACL that knows the interface, and throttles by route.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_yaml_ng::{Mapping, Value};

use crate::template::{of_type, template};

/// What stands before the stage: three rate rules whose answer is ours, and no managed rule that breaks the interface.
#[test]
fn the_web_acl_answers_in_our_envelope_and_blocks_nothing_the_interface_allows() {
    let template = template();
    let (_, acl) = of_type(&template, "AWS::WAFv2::WebACL").next().unwrap();
    let properties = &acl["Properties"];
    let body = properties["CustomResponseBodies"]["RateLimited"]["Content"].as_str().unwrap();
    let body: Json = serde_json::from_str(body).unwrap();
    let throttled = &template["Resources"]["Api"]["Properties"]["GatewayResponses"]["THROTTLED"];
    let gateway = throttled["ResponseTemplates"]["application/json"].as_str().unwrap();
    let mut expected: Json = serde_json::from_str(gateway).unwrap();
    expected["error"]["request_id"] = "web-acl".into();
    assert_eq!(body, expected);

    let rules = properties["Rules"].as_sequence().unwrap();
    let mut paths = Vec::new();
    for rule in rules.iter().filter(|it| it["Statement"]["RateBasedStatement"].is_mapping()) {
        let rate = &rule["Statement"]["RateBasedStatement"];
        assert_eq!(rate["AggregateKeyType"], "IP", "an address that a header gives is anybody's");
        let matched = &rate["ScopeDownStatement"]["RegexMatchStatement"];
        paths.push(regex::Regex::new(matched["RegexString"].as_str().unwrap()).unwrap());
        let answer = &rule["Action"]["Block"]["CustomResponse"];
        assert_eq!(answer["ResponseCode"], 429);
        let headers = answer["ResponseHeaders"].as_sequence().unwrap();
        let header = |name: &str| headers.iter().find(|it| it["Name"] == name).map(|it| &it["Value"]);
        assert_eq!(
            header("Retry-After").unwrap().as_str(),
            rate["EvaluationWindowSec"].as_u64().map(|it| it.to_string()).as_deref()
        );
        assert_eq!(header("Cache-Control").unwrap(), "no-store");
    }
    for (path, which) in [
        ("/prod/api/v1/auth/login", Some(0)),
        ("/api/v1/auth/login/", Some(0)),
        ("/prod/api/v1/auth/login/2fa/verify", Some(1)),
        ("/api/v1/auth/login/2fa/resend", Some(1)),
        ("/prod/api/v1/auth/register", Some(0)),
        ("/prod/api/v1/auth/password", Some(0)),
        ("/api/v1/auth/password/forgot", Some(0)),
        ("/api/v1/auth/password/reset/", Some(0)),
        ("/prod/api/v1/auth/verify-email", Some(1)),
        ("/prod/api/v1/auth/verify-email/resend", Some(1)),
        ("/prod/api/v1/auth/refresh", Some(2)),
        ("/prod/api/v1/auth/api-keys", None),
        ("/prod/api/v1/auth/login/2fa", None),
    ] {
        let matched: Vec<_> = (0..paths.len()).filter(|it| paths[*it].is_match(path)).collect();
        assert_eq!(matched, which.into_iter().collect::<Vec<usize>>(), "{path}");
    }

    let managed = rules.iter().find(|it| it["Statement"]["ManagedRuleGroupStatement"].is_mapping()).unwrap();
    let overrides =
        managed["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"].as_sequence().unwrap();
    for rule in [
        "NoUserAgent_HEADER",
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "EC2MetaDataSSRF_BODY",
    ] {
        let counted =
            |it: &&Value| it["Name"] == rule && it["ActionToUse"]["Count"] == Value::from(Mapping::new());
        assert!(overrides.iter().any(|it| counted(&it)), "{rule} would break the interface");
    }
    // Samples hold headers, and so credentials.
    let text = serde_yaml_ng::to_string(properties).unwrap();
    assert!(!text.contains("SampledRequestsEnabled: true"));
}

/// A route with limits of its own says everything that the rule for all routes says: it replaces it.
#[test]
fn routes_with_their_own_throttle_keep_every_other_setting() {
    let template = template();
    let settings = template["Resources"]["Api"]["Properties"]["MethodSettings"].as_sequence().unwrap();
    let all = settings.iter().find(|it| it["ResourcePath"] == "/*").unwrap().as_mapping().unwrap();
    let mut paths = BTreeSet::new();
    for own in settings.iter().filter(|it| it["ResourcePath"] != "/*") {
        paths.insert(own["ResourcePath"].as_str().unwrap().trim_start_matches('/').replace("~1", "/"));
        for (name, value) in all {
            let own = &own[name.as_str().unwrap()];
            let free = ["ResourcePath", "HttpMethod", "ThrottlingRateLimit", "ThrottlingBurstLimit"];
            assert!(
                free.contains(&name.as_str().unwrap()) && !own.is_null() || own == value,
                "{name:?}: {own:?}"
            );
        }
    }
    let routes: BTreeSet<_> = of_type(&template, "AWS::Serverless::Function")
        .flat_map(|(_, it)| it["Properties"]["Events"].as_mapping().into_iter().flatten())
        .map(|(_, event)| event["Properties"]["Path"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(paths.difference(&routes).collect::<Vec<_>>(), Vec::<&String>::new(), "no such route");
    assert_eq!(paths.len(), 11, "{paths:?}");
}
