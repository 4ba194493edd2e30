//! Panics: what is said of one. A mistake of ours ends a call, and the environment goes on; but its message may quote whatever was at hand,
//! a secret too. Rust prints it, and Lambda's runtime hands it to whoever called, from where it gets into a gateway's access log. So nobody
//! is told it.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{CatchUnwind, Either, Map, Ready, ready};
use lambda_http::Service;
use lambda_http::lambda_runtime::{Diagnostic, LambdaEvent};

/// From now on each panic of this process is one line of the log, which says where it was and nothing of what it said.
pub fn hush() {
    panic::set_hook(Box::new(|panic| tracing::error!(at = Place(panic).to_string(), "panicked")));
}

/// Where a panic was.
struct Place<'a>(&'a PanicHookInfo<'a>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.location() {
            Some(at) => write!(out, "{}:{}", at.file(), at.line()),
            None => out.write_str("unknown"),
        }
    }
}

/// A function's handler whose panics are errors of one fixed text.
pub struct Caught<S>(S);

/// Catches the panics of `handler`, before Lambda's runtime does, which would quote them.
pub fn caught<S>(handler: S) -> Caught<S> {
    Caught(handler)
}

type Outcome<R, E> = Result<Result<R, E>, Box<dyn Any + Send>>;
type Call<F, R, E> = Map<CatchUnwind<AssertUnwindSafe<F>>, fn(Outcome<R, E>) -> Result<R, Diagnostic>>;

impl<A, R, E, S> Service<LambdaEvent<A>> for Caught<S>
where
    S: Service<LambdaEvent<A>, Response = R, Error = E>,
    E: Into<Diagnostic>,
{
    type Response = R;
    type Error = Diagnostic;
    type Future = Either<Call<S::Future, R, E>, Ready<Result<R, Diagnostic>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Diagnostic>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, event: LambdaEvent<A>) -> Self::Future {
        // An event is made ready in `call` itself, the rest happens in what it returns.
        match panic::catch_unwind(AssertUnwindSafe(|| self.0.call(event))) {
            Ok(call) => Either::Left(AssertUnwindSafe(call).catch_unwind().map(outcome)),
            Err(_) => Either::Right(ready(Err(panicked()))),
        }
    }
}

fn outcome<R, E: Into<Diagnostic>>(of: Outcome<R, E>) -> Result<R, Diagnostic> {
    match of {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(panicked()),
    }
}

fn panicked() -> Diagnostic {
    Diagnostic { error_type: "Panicked".to_owned(), error_message: "the function panicked".to_owned() }
}
