//! R10: refreshing while the signing key rotates. Some environments hold the old secret and key set, some come up in the middle of it.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use defences::owner;
use rotation::{Environment, kid};
use serde_json::Value;
use shared::flows;
use shared::rotation::RETIRED_SECONDS;

use crate::harness::{FROM, rounds};

/// How many execution environments there are; every other one is new. Racers share them.
const ENVIRONMENTS: usize = 8;

/// The `kid` of an access token.
fn kid_of(token: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Has it read what it keeps.
async fn warm(environment: &Environment) {
    environment.app.secrets.signing().await.unwrap();
    environment.app.key_sets.current().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_every_token_is_accepted_everywhere_while_the_signing_key_rotates() {
    rounds("R10", async |round| {
        let rotation = Arc::new(rotation::Place::over(Arc::clone(&round.place.devstack)));
        let secret = rotation.signing();
        if round.nth == 0 {
            rotation.rotate(&secret).await;
        }
        // The next key has to be public for a day before it signs.
        rotation.advance_days(2);
        let first = round.login(owner()).await.refresh_token;
        let environments: Vec<_> = (0..ENVIRONMENTS).map(|_| Arc::new(rotation.environment())).collect();
        for environment in environments.iter().step_by(2) {
            warm(environment).await;
        }
        let before = rotation.current(&secret).await;
        let token = rotation.begin(&secret).await.unwrap();
        let tokens = round
            .race(|nth| {
                let (rotation, weather) = (Arc::clone(&rotation), Arc::clone(&round.weather));
                let (secret, token, first) = (secret.clone(), token.clone(), first.clone());
                let environment = Arc::clone(&environments[nth % ENVIRONMENTS]);
                async move {
                    if nth == 0 {
                        rotation.steps(&secret, &token).await.unwrap();
                    }
                    let (app, header) = (&environment.app, Some("0123456789abcdef"));
                    weather.ask(|| flows::refresh(app, &FROM, first.expose(), header)).await.unwrap()
                }
            })
            .await;
        let after = rotation.current(&secret).await;
        assert_eq!(after["signing"], before["next"], "it was rotated");
        let published = rotation.published().await;
        let cold = rotation.environment();
        for tokens in &tokens {
            let token = tokens.access_token.expose();
            assert!(published.contains(&kid_of(token)), "signed by a key that is not published");
            assert!(cold.accepts(token).await);
            for environment in &environments {
                assert!(environment.accepts(token).await);
            }
        }
        // Nobody signs with the old one any more, and what it signed is over.
        rotation.advance(RETIRED_SECONDS + 1);
        rotation.call(serde_json::json!({"clean_up": true})).await.unwrap();
        let old = kid(&before["signing"]);
        assert!(!rotation.published().await.contains(&old), "the old key is still published");
        let late = round.login(owner()).await;
        assert_ne!(kid_of(late.access_token.expose()), old);
    })
    .await;
}
