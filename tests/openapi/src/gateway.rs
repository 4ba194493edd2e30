//! What the gateway answers by itself: the gateway responses of `infra/template.yaml`.

use serde_yaml_ng::Value;
use shared::authz::DENIALS;

use crate::problems::Told;
use crate::{DocumentError, repository};

/// Gateway responses that any route can be answered with.
const ANYWHERE: [&str; 6] =
    ["DEFAULT_4XX", "REQUEST_TOO_LARGE", "WAF_FILTERED", "THROTTLED", "QUOTA_EXCEEDED", "DEFAULT_5XX"];

/// The same where the authorizer stands before the route.
const PROTECTED: [&str; 4] =
    ["UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"];

/// Every gateway response there is.
pub struct Gateway(Value);

impl Gateway {
    /// Reads the template.
    ///
    /// # Errors
    /// When the file is away, is no YAML, or has no gateway responses.
    pub fn read() -> Result<Self, DocumentError> {
        let text = std::fs::read_to_string(repository().join("infra/template.yaml"))?;
        let template: Value = serde_yaml_ng::from_str(&text)?;
        let path = ["Resources", "Api", "Properties", "GatewayResponses"];
        let found = path.iter().try_fold(&template, |value, name| value.get(*name));
        Ok(Self(found.ok_or(DocumentError::Template)?.clone()))
    }

    /// What a route can be answered by the gateway alone.
    ///
    /// # Errors
    /// [`DocumentError::Template`] when one of them is not what it was.
    pub fn answers(&self, protected: bool) -> Result<Vec<Told>, DocumentError> {
        let more = if protected { PROTECTED.as_slice() } else { &[] };
        let all = ANYWHERE.iter().chain(more).map(|kind| self.told(kind)).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().flat_map(in_full).collect())
    }

    fn told(&self, kind: &str) -> Result<Told, DocumentError> {
        let response = self.0.get(kind).ok_or(DocumentError::Template)?;
        let body = response.get("ResponseTemplates").and_then(|it| it.get("application/json"));
        let body: Value = serde_yaml_ng::from_str(body.and_then(Value::as_str).unwrap_or_default())?;
        let text = |name: &str| body.get("error")?.get(name)?.as_str().map(str::to_owned);
        // Without a status each keeps the gateway's own.
        let status = match (response.get("StatusCode").and_then(Value::as_u64), kind) {
            (Some(status), _) => u16::try_from(status).ok(),
            (None, "REQUEST_TOO_LARGE") => Some(413),
            (None, "DEFAULT_4XX") => Some(400),
            _ => None,
        };
        let told =
            || Some(Told { status: status?, code: text("code")?, message: text("message")?, fields: None });
        told().ok_or(DocumentError::Template)
    }
}

/// One answer for each word of the authorizer's, where a response says what the authorizer said.
fn in_full(told: Told) -> Vec<Told> {
    if told.code != "$context.authorizer.code" {
        return vec![told];
    }
    let with = |code: &&str| Told {
        code: (*code).to_owned(),
        message: told.message.clone(),
        fields: None,
        status: told.status,
    };
    DENIALS.iter().map(with).collect()
}
