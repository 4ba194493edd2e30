//! R17: signing up and resetting, many at once: one account an address, one use of a code and of a token, no more mails than allowed.

use std::collections::BTreeMap;

use defences::admin;
use serde_json::Value;
use shared::addresses::EmailAddress;
use shared::challenges::Code;
use shared::flows::{self, NewAccount, Origin, Refusal};
use shared::guards::SIGN_UPS;
use shared::sensitive::Sensitive;

use crate::harness::{FROM, Round, codes, rounds};

const PASSWORD: &str = "six parrots over Leeds";

/// Another network each round: their mails are counted together.
fn from(round: &Round) -> Origin {
    Origin { network: format!("10.{}.{}.0/24", round.size, round.nth % 250), ..FROM.clone() }
}

fn new_account(email: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        address: EmailAddress::parse(email).unwrap(),
        password: Sensitive::new(PASSWORD.to_owned()),
        full_name: "Olivia Newcomer".to_owned(),
        country: None,
    }
}

async fn people(round: &Round, email: &str) -> Vec<Value> {
    let people = round.place.items("EMAIL#", "USER").await;
    people.into_iter().filter(|person| person["email"] == email).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_many_sign_ups_of_one_address_are_one_account_and_few_mails() {
    rounds("R17, sign-ups", async |round| {
        let email = format!("new-{}-{}@shop.example", round.size, round.nth);
        let answers = round
            .race(|_| {
                let (app, weather, from) = (round.place.app(), round.weather.clone(), from(round));
                let new = new_account(&email);
                async move { weather.ask(|| flows::register(&app, &from, &new)).await.map(|_| ()) }
            })
            .await;
        let mails = round.place.devstack.mailbox.newest_first(Some(&email));
        assert!(mails.len() <= SIGN_UPS.max, "{} mails", mails.len());
        if round.is_sure() && round.weather_was_fine() {
            let done = round.size.min(SIGN_UPS.max);
            let expected = [("done", done), ("rate_limited", round.size - done)];
            assert_eq!(codes(&answers), expected.into_iter().filter(|(_, count)| *count > 0).collect());
        }
        // Of all the codes that are out, one is alive; tried by everybody at once, it makes one account.
        let tried: Vec<String> = mails.into_iter().filter_map(|mail| mail.code).collect();
        let mut made = 0;
        for code in &tried {
            let answers = race_code(round, &email, code).await;
            made += answers.iter().filter(|answer| answer.is_ok()).count();
            if made > 0 {
                break;
            }
        }
        assert!(made <= 1, "{made} sessions of one code");
        let people = people(round, &email).await;
        assert_eq!(people.len(), made.max(people.len().min(1)));
        let own = |item: &Value| people.iter().any(|person| item["owner_user_id"] == person["user_id"]);
        let organizations = round.place.items("ORG#", "ORG").await;
        assert_eq!(organizations.iter().filter(|item| own(item)).count(), people.len());
        unlock(round, &email).await;
    })
    .await;
}

/// Two at once try a code, as many as it takes to race and too few to kill the sign-up.
async fn race_code(round: &Round, email: &str, code: &str) -> Vec<Result<(), Refusal>> {
    let app = round.place.app();
    let (address, code, from) = (EmailAddress::parse(email).unwrap(), Code::typed(code), from(round));
    let one = || async {
        let verify = || flows::verify_email(&app, &from, &address, &code);
        round.weather.ask(verify).await.map(|_| ())
    };
    let (left, right) = tokio::join!(one(), one());
    vec![left, right]
}

async fn unlock(round: &Round, email: &str) {
    let (app, address) = (round.place.app(), EmailAddress::parse(email).unwrap());
    round.weather.ask(|| flows::operator::unlock_account(&app, &FROM, &address)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_a_reset_token_is_used_once() {
    rounds("R17, resets", async |round| {
        let app = round.place.app();
        let address = EmailAddress::parse(admin().email).unwrap();
        let from = from(round);
        round.weather.ask(|| flows::forgot_password(&app, &from, &address, admin().email)).await.unwrap();
        let mail = round.place.devstack.mailbox.newest_first(Some(admin().email)).remove(0);
        let token = mail.text.split_whitespace().find(|word| word.starts_with("rst_")).unwrap().to_owned();
        let before = credentials(round).await;
        let answers = round
            .race(|nth| {
                let (app, weather, from) = (round.place.app(), round.weather.clone(), from.clone());
                let token = Sensitive::new(token.clone());
                let password = Sensitive::new(format!("{nth} {PASSWORD}"));
                async move { weather.ask(|| flows::reset_password(&app, &from, &token, &password)).await }
            })
            .await;
        assert_eq!(credentials(round).await, before + 1, "set once");
        if round.is_sure() {
            let expected = BTreeMap::from([("done", 1), ("invalid_reset_token", round.size - 1)]);
            assert_eq!(codes(&answers), expected);
        }
        unlock(round, admin().email).await;
    })
    .await;
}

async fn credentials(round: &Round) -> u64 {
    people(round, admin().email).await[0]["credentials"].as_u64().unwrap_or_default()
}
