//! The authorizer's decision, whatever the event holds.

use serde_json::Value;
use time::Duration;

use super::answer::{self, Answer, Form};
use super::event::{self, Gateway, Question};
use super::{Rejection, authenticate_from, bearer};
use crate::addresses;
use crate::app::App;
use crate::audit::Deed;
use crate::causes::causes;
use crate::config::HttpApiAnswer;
use crate::deadline;

/// An error is an answer, too: a REST API makes 401 of the first, our 503 of the second.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizerError {
    /// Not authentic. The text is API Gateway's magic word, to the letter.
    #[error("Unauthorized")]
    Unauthorized,
    /// It could not be found out.
    #[error("the credential could not be checked")]
    Unavailable,
}

/// Decides about an event. `invocation` names the call in the log where the event itself has no request id.
///
/// # Errors
/// [`AuthorizerError::Unauthorized`] to a REST API alone; [`AuthorizerError::Unavailable`] to both kinds.
pub async fn decide(app: &App, event: &Value, invocation: &str) -> Result<Answer, AuthorizerError> {
    let started = app.clock.now();
    let mut question = event::read(event);
    if question.request_id.is_empty() {
        question.request_id = invocation;
    }
    let result = match question.authorization.and_then(bearer) {
        Some(credential) => deadline::call(authenticate_from(app, credential, question.source)).await,
        None => Err(Rejection::NotAuthentic("no_bearer")),
    };
    // An event that names no API plausibly lets nobody in.
    let result = match &question.resource {
        None => result.and(Err(Rejection::NotAuthentic("implausible_arn"))),
        Some(_) => result,
    };
    log(&question, &result, app.clock.now() - started);
    let simple = question.gateway == Gateway::HttpV2 && app.http_api_answer == HttpApiAnswer::Simple;
    let form = match question.resource {
        _ if simple => Form::Simple,
        Some(resource) => Form::Policy(resource),
        // A policy has to name something, and a denial of everything is a denial.
        None => Form::Policy("*".to_owned()),
    };
    match result {
        Ok(principal) => Ok(answer::allow(form, principal)),
        Err(Rejection::Unavailable(_)) => Err(AuthorizerError::Unavailable),
        Err(rejection) => match (rejection.denied(), question.gateway) {
            (Some((principal, code)), _) => Ok(answer::deny(form, principal.id(), code)),
            (None, Gateway::Rest) => Err(AuthorizerError::Unauthorized),
            (None, Gateway::HttpPolicy | Gateway::HttpV2) => {
                Ok(answer::deny(form, "anonymous", "unauthorized"))
            }
        },
    }
}

fn log(question: &Question<'_>, result: &Result<crate::principals::Principal, Rejection>, took: Duration) {
    let (outcome, reason, principal) = match result {
        Ok(principal) => ("ok", "", Some(principal)),
        Err(Rejection::NotAuthentic(why)) => ("refused", *why, None),
        Err(Rejection::Unavailable(failure)) => {
            tracing::error!(request_id = question.request_id, cause = causes(failure), "failed");
            ("failed", "service_unavailable", None)
        }
        Err(rejection) => match rejection.denied() {
            Some((principal, code)) => ("refused", code, Some(principal)),
            None => ("refused", "", None),
        },
    };
    Deed {
        action: "authorize",
        actor: principal.map_or("", |it| it.id()),
        org: principal.map_or("", |it| it.org_id().as_str()),
        network: &addresses::network(question.source),
        request_id: question.request_id,
        ..Deed::default()
    }
    .log(outcome, reason, Some(took));
}
