//! R13: what an authorizer says while a credential dies. It keeps no verdict, only the key set, for a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use authorizer::AuthorizerError;
use defences::owner;
use rotation::Environment;
use serde_json::json;
use shared::app::App;
use shared::flows;
use shared::ids::KeyId;

use crate::harness::{FROM, Round, Weather, rounds};
use crate::keys::{make, managers, revoke};

/// How long a key set is kept at most, in seconds: as the contract says, not as the code does.
const MINUTE: i64 = 60;

/// How many execution environments of the authorizer there are. Racers share them.
const ENVIRONMENTS: usize = 8;

/// What the authorizer says to a gateway.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    Allow,
    Deny,
    Unauthorized,
    /// It could not be found out; a gateway answers 503.
    Away,
}

async fn verdict(app: &App, credential: &str) -> Verdict {
    let event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/api/v1/organizations/me",
        "headers": {"Authorization": format!("Bearer {credential}")},
        "requestContext": {"requestId": "race"},
    });
    match authorizer::handle(app, event, "race").await {
        Ok(answer) => match answer["policyDocument"]["Statement"][0]["Effect"].as_str() {
            Some("Allow") => Verdict::Allow,
            Some("Deny") => Verdict::Deny,
            other => panic!("{other:?}"),
        },
        Err(AuthorizerError::Unauthorized) => Verdict::Unauthorized,
        Err(AuthorizerError::Unavailable) => Verdict::Away,
    }
}

/// Execution environments of the authorizer, all of them new.
fn environments(round: &Round) -> Vec<Arc<Environment>> {
    let rotation = rotation::Place::over(Arc::clone(&round.place.devstack));
    (0..ENVIRONMENTS).map(|_| Arc::new(rotation.environment())).collect()
}

/// How a key stops being good.
#[derive(Clone, Copy)]
enum End {
    Revoked,
    Suspended,
}

/// Every authorizer asks on and on while one revokes the key, or suspends its organization.
#[tokio::test(flavor = "multi_thread")]
async fn r13_a_key_is_refused_from_the_next_call_everywhere() {
    rounds("R13, keys", async |round| {
        let [user, _] = managers(round).await;
        let app = round.place.app();
        let key = make(round, &user).await;
        let secret = Arc::new(key.key.expose().to_owned());
        let environments = environments(round);
        let end = if round.nth % 2 == 0 { End::Revoked } else { End::Suspended };
        let ended = Arc::new(AtomicBool::new(false));
        round
            .race(|nth| {
                let (app, weather) = (round.place.app(), round.weather.clone());
                let (user, id) = (user.clone(), key.api_key_id.clone());
                let authorizer = Arc::clone(&environments[nth % ENVIRONMENTS]);
                let (secret, ended) = (Arc::clone(&secret), Arc::clone(&ended));
                async move {
                    if nth == 0 {
                        end_key(&app, &weather, &user, &id, end).await;
                        ended.store(true, Ordering::SeqCst);
                        return;
                    }
                    // Until it is over, and once more.
                    loop {
                        let was_over = ended.load(Ordering::SeqCst);
                        let said = verdict(&authorizer.app, &secret).await;
                        let good = said == Verdict::Allow && !was_over;
                        let over = said == refusal(end);
                        assert!(good || over || said == Verdict::Away, "{said:?}, over: {was_over}");
                        if was_over && said != Verdict::Away {
                            return;
                        }
                    }
                }
            })
            .await;
        if matches!(end, End::Suspended) {
            suspend(&app, &round.weather, &user, false).await;
            assert_eq!(verdict(&app, &secret).await, Verdict::Allow);
            revoke(round, &user, &key.api_key_id).await;
        }
    })
    .await;
}

fn refusal(end: End) -> Verdict {
    match end {
        End::Revoked => Verdict::Unauthorized,
        End::Suspended => Verdict::Deny,
    }
}

async fn end_key(
    app: &App,
    weather: &Weather,
    user: &shared::principals::UserPrincipal,
    id: &KeyId,
    end: End,
) {
    match end {
        End::Revoked => {
            weather.ask(|| flows::revoke_key(app, &FROM, user, id.as_str())).await.unwrap();
        }
        End::Suspended => suspend(app, weather, user, true).await,
    }
}

async fn suspend(app: &App, weather: &Weather, user: &shared::principals::UserPrincipal, suspended: bool) {
    let set = || flows::operator::set_suspended(app, &FROM, &user.org_id, suspended);
    weather.ask(set).await.unwrap();
}

/// The key that signs is killed while many authorizers, whose key sets are of every age up to a minute, accept what it signed.
#[tokio::test(flavor = "multi_thread")]
async fn r13_a_killed_signing_key_is_refused_within_a_minute_everywhere() {
    rounds("R13, signing key", async |round| {
        let rotation = Arc::new(rotation::Place::over(Arc::clone(&round.place.devstack)));
        let token = Arc::new(round.login(owner()).await.access_token);
        let environments = environments(round);
        for environment in &environments {
            assert_eq!(verdict(&environment.app, token.expose()).await, Verdict::Allow);
            rotation.advance(MINUTE / 10);
        }
        let kid = rotation::kid(&rotation.current(&rotation.signing()).await["signing"]);
        let ask = |nth: usize| {
            let (token, authorizer) = (Arc::clone(&token), Arc::clone(&environments[nth % ENVIRONMENTS]));
            async move { verdict(&authorizer.app, token.expose()).await }
        };
        round
            .race(|nth| {
                let (asking, rotation, kid) = (ask(nth), Arc::clone(&rotation), kid.clone());
                async move {
                    if nth == 0 {
                        rotation.kill(&kid).await.unwrap();
                    } else {
                        assert_ne!(asking.await, Verdict::Deny);
                    }
                }
            })
            .await;
        rotation.advance(MINUTE);
        let said = round.race(ask).await;
        let refused = |said: &Verdict| matches!(said, Verdict::Unauthorized | Verdict::Away);
        assert!(said.iter().all(refused) && said.contains(&Verdict::Unauthorized), "{said:?}");
        // Its successor signs, and is accepted where the old one was.
        let next = round.login(owner()).await.access_token;
        assert_eq!(verdict(&environments[0].app, next.expose()).await, Verdict::Allow);
    })
    .await;
}
