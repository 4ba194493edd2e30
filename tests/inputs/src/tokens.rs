//! Trying a list of access tokens, none of which may let anybody in.

use devstack::seed::ACORN;

use super::{Cases, Forge, Refusal, Request, Stack, gateways};

const ME: &str = "/api/v1/organizations/me";

/// Tries tokens at the gateway and at the authorizer behind it. None may cost a read: the key set is known.
pub async fn all_refused(tokens: impl AsyncFnOnce(&Stack, &Forge) -> Vec<(String, String)>) {
    let stack = Stack::start().await;
    let genuine = stack.log_in(ACORN.owner).await.access;
    let forge = Forge::like(&stack, &genuine).await;
    let mut cases = Cases::of(&stack);
    cases.accepted("the same, unmodified", Request::get(ME).bearer(&forge.token()), 200).await;
    let tokens = tokens(&stack, &forge).await;
    stack.devstack.requests.take();
    for (name, token) in tokens {
        cases.refused(&name, Request::get(ME).bearer(&token), &Refusal::unauthorized()).await;
        cases.judge(&name, gateways::refused_by_all(&stack.app(), &format!("Bearer {token}")).await);
        let asked: Vec<_> = stack.devstack.requests.take().into_iter().map(|it| it.operation).collect();
        cases.judge(
            &name,
            if asked.is_empty() { Ok(()) } else { Err(format!("the table was asked: {asked:?}")) },
        );
    }
    cases.accepted("the same, unmodified, again", Request::get(ME).bearer(&forge.token()), 200).await;
    cases.finish();
}

/// With names that are owned.
pub fn named(all: Vec<(&str, String)>) -> Vec<(String, String)> {
    all.into_iter().map(|(name, token)| (name.to_owned(), token)).collect()
}
