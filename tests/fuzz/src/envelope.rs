//! What every refusal looks like.

use serde_json::Value;

/// The codes of the envelope, as `docs/openapi.yaml` and the operator's door have them.
const CODES: [&str; 23] = [
    "active_key_exists",
    "address_taken",
    "body_too_large",
    "idempotency_mismatch",
    "idempotency_spent",
    "insufficient_role",
    "invalid_code",
    "invalid_credentials",
    "invalid_json",
    "invalid_refresh_token",
    "issuer_named",
    "method_not_allowed",
    "not_found",
    "onboarding_incomplete",
    "organization_suspended",
    "rate_limited",
    "service_unavailable",
    "session_required",
    "too_many_attempts",
    "unauthorized",
    "unsupported_media_type",
    "validation_failed",
    "wrong_organization",
];

/// Panics unless this is the envelope of a refusal; gives its code.
pub fn refusal<'a>(answer: &'a Value, request_id: &str) -> &'a str {
    let members = answer.as_object().expect("an envelope is an object");
    assert!(members.len() == 2 && answer["success"] == false, "it is no refusal: {answer}");
    let error = &answer["error"];
    let code = error["code"].as_str().expect("a code");
    assert!(CODES.contains(&code), "a code that no document has: {code}");
    assert!(error["message"].as_str().is_some_and(|it| !it.is_empty()), "no message: {answer}");
    assert_eq!(error["request_id"], request_id);
    let told = error["fields"].as_array();
    assert_eq!(told.is_some(), code == "validation_failed", "fields are told of a validation: {answer}");
    for field in told.into_iter().flatten() {
        let texts =
            ["field", "message"].iter().all(|it| field[*it].as_str().is_some_and(|it| !it.is_empty()));
        assert!(texts, "a field without a name or a message: {answer}");
    }
    code
}
