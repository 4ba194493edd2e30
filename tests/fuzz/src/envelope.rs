//! What every refusal looks like.

use serde_json::Value;

/// The codes that operators are refused with; `docs/openapi.yaml` has those of the API.
const OPERATORS_CODES: [&str; 6] = [
    "address_taken",
    "invalid_json",
    "issuer_named",
    "not_found",
    "service_unavailable",
    "validation_failed",
];

/// Panics unless this is a refusal that an operator knows.
pub fn operators_refusal(answer: &Value, request_id: &str) {
    let code = refusal(answer, request_id);
    assert!(OPERATORS_CODES.contains(&code), "a code that operators do not know: {code}");
}

/// Panics unless this is the envelope of a refusal; gives its code.
pub fn refusal<'a>(answer: &'a Value, request_id: &str) -> &'a str {
    let members = answer.as_object().expect("an envelope is an object");
    assert!(members.len() == 2 && answer["success"] == false, "it is no refusal: {answer}");
    let error = &answer["error"];
    let code = error["code"].as_str().expect("a code");
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
