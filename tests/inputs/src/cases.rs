//! A table of cases: each is tried, all that fail are named together.

use super::{Request, Response, Snapshot, Stack};

/// What a request must be answered.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: u16,
    code: &'static str,
    fields: Vec<&'static str>,
    allow: Option<&'static str>,
    counts_a_guess: bool,
}

impl Refusal {
    /// This status and this code.
    pub fn new(status: u16, code: &'static str) -> Self {
        Self { status, code, fields: Vec::new(), allow: None, counts_a_guess: false }
    }

    /// These fields, and no others, are not what they must be.
    pub fn invalid(fields: &[&'static str]) -> Self {
        Self { fields: fields.to_vec(), ..Self::new(400, "validation_failed") }
    }

    /// The body is no JSON object.
    pub fn no_json() -> Self {
        Self::new(400, "invalid_json")
    }

    /// The body is longer than is read.
    pub fn too_large() -> Self {
        Self::new(413, "body_too_large")
    }

    /// The body is not declared to be JSON, once, in UTF-8 and not compressed.
    pub fn not_said_json() -> Self {
        Self::new(415, "unsupported_media_type")
    }

    /// Who are you: missing, malformed, unknown or expired credentials of a protected route.
    pub fn unauthorized() -> Self {
        Self::new(401, "unauthorized")
    }

    /// There is nothing there for this caller.
    pub fn not_found() -> Self {
        Self::new(404, "not_found")
    }

    /// The path knows these methods only.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(405, "method_not_allowed") }
    }

    /// A guess at a password or a code: it is counted, and nothing else changes.
    pub fn counting_a_guess(self) -> Self {
        Self { counts_a_guess: true, ..self }
    }

    /// Says what is wrong with an answer.
    ///
    /// # Errors
    /// The first thing that is.
    pub fn judge(&self, request: &Request, answer: &Response) -> Result<(), String> {
        let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        must(answer.status == self.status, &format!("the status must be {}", self.status))?;
        let id = answer.header("x-request-id").unwrap_or_default();
        must(!id.is_empty(), "X-Request-Id is missing")?;
        must(answer.header("cache-control") == Some("no-store"), "Cache-Control: no-store is missing")?;
        must(answer.header("allow") == self.allow, &format!("Allow must be {:?}", self.allow))?;
        let waits =
            answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok_and(|wait| wait > 0));
        must(waits == matches!(self.status, 429 | 503), "Retry-After is for 429 and 503, in seconds")?;
        if self.code == "unauthorized" {
            // A REST API renames this header when a function sets it.
            let challenge =
                answer.header("www-authenticate").or(answer.header("x-amzn-remapped-www-authenticate"));
            must(challenge == Some(r#"Bearer realm="syncgram""#), "WWW-Authenticate is missing")?;
        }
        if request.is_head() {
            return must(answer.body.is_empty(), "an answer to HEAD has no body");
        }
        must(
            answer.header("content-type") == Some("application/json"),
            "Content-Type must be application/json",
        )?;
        self.judge_body(&answer.json(), id)?;
        let repeats = request.credential().is_some_and(|credential| answer.body.contains(&credential));
        must(!repeats, "the credential is in the answer")
    }

    fn judge_body(&self, body: &serde_json::Value, id: &str) -> Result<(), String> {
        let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        let error = &body["error"];
        let has_text = |value: &serde_json::Value| value.as_str().is_some_and(|text| !text.is_empty());
        must(
            body["success"] == false && body.as_object().is_some_and(|it| it.len() == 2),
            "it must be in the envelope",
        )?;
        must(error["code"] == self.code, &format!("the code must be {}", self.code))?;
        must(has_text(&error["message"]), "it has no message")?;
        must(error["request_id"] == id, "request_id must be X-Request-Id")?;
        let told = error["fields"].as_array().cloned().unwrap_or_default();
        must(told.iter().all(|it| has_text(&it["message"])), "each field has a message")?;
        let mut told: Vec<_> = told.iter().filter_map(|it| it["field"].as_str()).collect();
        let mut fields = self.fields.clone();
        told.sort_unstable();
        fields.sort_unstable();
        must(told == fields, &format!("the fields must be {fields:?}"))
    }
}

/// The cases of one test.
pub struct Cases<'a> {
    stack: &'a Stack,
    tried: usize,
    failed: Vec<String>,
    /// What the case before left behind: most cases change nothing, so most need no look of their own.
    known: Option<Snapshot>,
}

impl<'a> Cases<'a> {
    /// No case yet.
    pub fn of(stack: &'a Stack) -> Self {
        Self { stack, tried: 0, failed: Vec::new(), known: None }
    }

    /// The request must be refused so, and change nothing.
    pub async fn refused(
        &mut self,
        name: impl Into<String>,
        request: Request,
        refusal: &Refusal,
    ) -> Response {
        let name = name.into();
        let before = match self.known.take() {
            Some(known) => known,
            None => self.stack.snapshot().await,
        };
        let answer = self.stack.send(&request).await;
        let judged = refusal.judge(&request, &answer);
        let judged = judged.map_err(|why| format!("{why}; it was {}: {}", answer.status, answer.body));
        let after = self.stack.snapshot().await;
        let changes = match refusal.counts_a_guess {
            true => after.without_guesses().changes_since(&before.without_guesses()),
            false => after.changes_since(&before),
        };
        let judged = match (judged, changes.is_empty()) {
            (judged, true) => judged,
            (Ok(()), false) => Err(changes.join("; ")),
            (Err(why), false) => Err(format!("{why}; {}", changes.join("; "))),
        };
        self.judge(&name, judged);
        self.known = Some(after);
        answer
    }

    /// The request must be answered with this status: it shows that the cases around it differ from a good request in the one thing
    /// they are about.
    pub async fn accepted(&mut self, name: impl Into<String>, request: Request, status: u16) -> Response {
        self.known = None;
        let answer = self.stack.send(&request).await;
        let right = answer.status == status;
        let wrong = format!("it must be {status}; it was {}: {}", answer.status, answer.body);
        self.judge(&name.into(), if right { Ok(()) } else { Err(wrong) });
        answer
    }

    /// A case that was tried by other means.
    pub fn judge(&mut self, name: &str, result: Result<(), String>) {
        self.tried += 1;
        if let Err(why) = result {
            self.failed.push(format!("{name}: {why}"));
        }
    }

    /// Forgets what the table looked like: something is about to change it on purpose.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Fails when a case did.
    #[track_caller]
    pub fn finish(self) {
        eprintln!("{} cases", self.tried);
        let Self { tried, failed, .. } = self;
        assert!(failed.is_empty(), "{} of {tried} cases:\n  {}\n", failed.len(), failed.join("\n  "));
    }
}
