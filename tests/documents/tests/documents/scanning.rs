//! The rules of `docs/secret-scanning`, tried on credentials as the product makes them and on near misses. `make test-secret-scanning`
//! tries them in gitleaks itself. Go's regular expressions and these share all that is used.

use devstack::clock::DevClock;
use regex::Regex;
use serde_yaml_ng::Value;
use shared::api_keys::{Env, PlainKey};
use shared::ids::SessionId;
use shared::rng::SystemRng;
use shared::tokens::refresh_token::{RefreshToken, Salt};

use super::place::file;

const ROUNDS: usize = 500;
/// What stands around a credential where it is found.
const PLACES: [(&str, &str); 9] = [
    ("", ""),
    ("KEY=", "\n"),
    ("\"", "\""),
    ("'", "'"),
    ("Authorization: Bearer ", "\\n"),
    ("before\\n", "\\nafter"),
    ("?key=", "&state=1"),
    ("key%3D", "%26"),
    ("`", "`."),
];

/// gitleaks' expression of a rule, and what lets its samples through.
fn gitleaks(id: &str) -> (String, Option<String>) {
    let rules = file("docs/secret-scanning/gitleaks.toml");
    let rule = rules.split("[[rules]]\n").find(|it| it.starts_with(&format!("id = \"{id}\"\n"))).unwrap();
    let quoted = |name: &str| {
        let line = rule.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")))?;
        Some(line.split("'''").nth(1)?.to_owned())
    };
    (quoted("regex").unwrap(), quoted("regexes"))
}

fn key(env: Env) -> String {
    PlainKey::generate(env, &SystemRng).expose().to_owned()
}

fn refresh_token(generation: usize) -> String {
    let session = SessionId::new(&DevClock::running(), &SystemRng);
    let generation = u32::try_from(generation).unwrap();
    RefreshToken::make(b"a key", &session, generation, &Salt::random(&SystemRng)).expose().to_owned()
}

#[track_caller]
fn finds(rule: &Regex, credential: &str) {
    for (before, after) in PLACES {
        let text = format!("{before}{credential}{after}");
        let found = rule.captures(&text).and_then(|found| found.get(1)).map(|it| it.as_str());
        assert!(found == Some(credential), "between '{before}' and '{after}'");
    }
}

#[track_caller]
fn passes(rule: &Regex, text: &str) {
    for (before, after) in PLACES {
        assert!(
            !rule.is_match(&format!("{before}{text}{after}")),
            "{} characters between '{before}' and '{after}'",
            text.len()
        );
    }
}

#[test]
fn every_api_key_is_found_and_what_only_looks_like_one_is_not() {
    let (rule, samples) = gitleaks("syncgram-pay-api-key");
    let (rule, samples) = (Regex::new(&rule).unwrap(), Regex::new(&samples.unwrap()).unwrap());
    for round in 0..ROUNDS {
        let key = key(if round % 2 == 0 { Env::Test } else { Env::Live });
        finds(&rule, &key);
        assert!(!samples.is_match(&key), "a key is taken for a sample");
        let at = 8 + round % 38;
        for near in [
            key[..45].to_owned(),
            format!("{key}0"),
            key.replacen("sk_", "pk_", 1),
            format!("{}-{}", &key[..at], &key[at + 1..]),
            format!("{}…{}", &key[..8], &key[42..]),
        ] {
            passes(&rule, &near);
        }
        let prefix = &key[..8];
        for sample in ["0".repeat(38), "x".repeat(38), format!("EXAMPLE{}", &key[8..39])] {
            let sample = format!("{prefix}{sample}");
            assert!(rule.is_match(&sample) && samples.is_match(&sample), "{} characters", sample.len());
        }
    }
}

#[test]
fn every_refresh_token_is_found_and_what_only_looks_like_one_is_not() {
    let (rule, _) = gitleaks("syncgram-pay-refresh-token");
    let rule = Regex::new(&rule).unwrap();
    for round in 0..ROUNDS {
        let token = refresh_token(round);
        finds(&rule, &token);
        for near in
            [token[..114].to_owned(), format!("{token}-"), format!("sta{token}"), token.replacen('_', "-", 1)]
        {
            passes(&rule, &near);
        }
    }
}

#[test]
fn both_scanners_have_the_same_expressions_and_words_to_look_for() {
    let gitleaks_file = file("docs/secret-scanning/gitleaks.toml");
    let trufflehog: Value = serde_yaml_ng::from_str(&file("docs/secret-scanning/trufflehog.yaml")).unwrap();
    let detectors = trufflehog["detectors"].as_sequence().unwrap();
    let ids = ["syncgram-pay-api-key", "syncgram-pay-refresh-token"];
    assert_eq!(detectors.len(), ids.len());
    for (id, detector) in ids.into_iter().zip(detectors) {
        let expressions: Vec<_> = detector["regex"].as_mapping().unwrap().values().collect();
        assert_eq!(expressions, [&Value::from(gitleaks(id).0)], "{id}");
        for word in detector["keywords"].as_sequence().unwrap() {
            let word = word.as_str().unwrap();
            assert!(gitleaks_file.contains(&format!("\"{word}\"")), "{word}");
            assert!(
                key(Env::Test).contains(word)
                    || key(Env::Live).contains(word)
                    || refresh_token(0).contains(word)
            );
        }
    }
    let excluded = detectors[0]["exclude_regexes_match"][0].as_str().unwrap();
    let samples = gitleaks(ids[0]).1.unwrap();
    assert!(excluded.starts_with(samples.trim_end_matches('$')), "{excluded}");
}
