//! Reports of keys that were found in public.

use schemars::json_schema;
use serde_json::json;
use shared::crypto::sha256_hex;
use shared::flows::Refusal::InvalidSignature;
use shared::http::Problem;
use shared::leaks::{Label, Verdict};

use crate::operation::{Operation, Parameter};

pub fn all() -> Vec<Operation> {
    let identifier = Parameter {
        place: "header",
        name: "Github-Public-Key-Identifier",
        about: "The key that the report is signed with, by the name that GitHub publishes it under.",
        schema: |_| json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        example: Some("bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"),
    };
    let signature = Parameter {
        place: "header",
        name: "Github-Public-Key-Signature",
        about: "ECDSA over P-256 with SHA-256 over the bytes of the body: DER, in base64.",
        schema: |_| json_schema!({ "type": "string" }),
        example: None,
    };
    let verdict = Verdict {
        token_hash: sha256_hex(&[b"an example"]),
        token_type: "syncgram_pay_api_key".to_owned(),
        label: Label::TruePositive,
    };
    let report = json!([{
        "token": "sk_test_…",
        "type": "syncgram_pay_api_key",
        "url": "https://github.com/octocat/Hello-World/blob/main/config.txt",
        "source": "content",
    }]);
    let operation = Operation::new(
        ("post", "/api/v1/secret-scanning/github"),
        ("Leaked keys", "reportLeaks"),
        "Report API keys that were found in public",
        "For GitHub's secret scanning alone, in its own form: the body and the answer have no envelope. A report is believed by its signature. \
         Every key of ours in it is revoked at once, and its organization's owner is mailed. Texts are answered by their SHA-256. A report is \
         read up to 256 KiB.",
    )
    .with(identifier)
    .with(signature)
    .takes_json(report, |_| {
        json_schema!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "token": { "type": "string", "description": "What was found." },
                    "type": { "type": "string", "description": "The reporter's name for its kind." },
                    "url": { "type": "string", "description": "Where; can be empty." },
                    "source": { "type": "string", "description": "What it stood in." },
                },
                "required": ["token", "type"],
            },
        })
    })
    .answers_bare("What each text was.", &vec![verdict])
    .refuses([InvalidSignature])
    .refuses([Problem::InvalidReport, Problem::ReportTooLarge]);
    vec![operation]
}
