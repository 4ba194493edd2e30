//! The corpus is whole, says what it is, and is what `docs/security.md` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::corpus::{AREAS, Line, Step, all};

/// Ours begin so; the others are of a list of attacks that nobody here wrote.
const OURS: &str = "SY-";

fn read(path: &str) -> String {
    std::fs::read_to_string(devstack::repository().join(path)).unwrap()
}

#[test]
fn every_attack_of_the_list_is_here_once() {
    let mut seen = BTreeMap::new();
    for line in all() {
        *seen.entry(line.id).or_insert(0) += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "more than once: {twice:?}");
    let list = read("tests/attacks/corpus/ids.txt");
    let listed: BTreeSet<&str> = list.lines().collect();
    let (ours, others): (Vec<_>, Vec<_>) =
        seen.keys().map(String::as_str).partition(|id| id.starts_with(OURS));
    assert_eq!(listed.len(), 244, "ids.txt has changed");
    assert_eq!(others.into_iter().collect::<BTreeSet<_>>(), listed);
    assert!(ours.len() >= 40, "of our own there are {}", ours.len());
}

/// A line that the runner does not understand is an error and no skip.
#[test]
fn a_line_that_cannot_be_told_is_an_error() {
    let good = r#"{"id": "X", "area": "jwt", "why": "y", "bearer": "z", "expect": "401 unauthorized"}"#;
    assert!(Line::read(good).is_ok());
    for (name, from, to) in [
        ("an unknown member", r#""bearer""#, r#""barer""#),
        ("nothing expected", r#", "expect": "401 unauthorized""#, ""),
        ("a 5xx expected", "401 unauthorized", "503 service_unavailable"),
        ("a refusal without its code", "401 unauthorized", "401"),
        ("no reason", r#", "why": "y""#, ""),
        ("two credentials", r#""bearer": "z""#, r#""bearer": "z", "as": "«owner.access»""#),
        ("two bodies", r#""bearer": "z""#, r#""raw": "", "body": {}"#),
        ("an unknown step", r#""bearer": "z", "expect": "401 unauthorized""#, r#""story": [{"fly": 1}]"#),
        (
            "an unknown member of a step",
            r#""bearer": "z", "expect": "401 unauthorized""#,
            r#""story": [{"bearer": "z", "expect": "401 unauthorized", "hope": 1}]"#,
        ),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{name}");
        assert!(Line::read(&bad).is_err(), "{name}: {bad}");
    }
}

/// What has nothing to aim at here says why, and shows it: it asks for a route that is not there, or is told as a story.
#[test]
fn what_is_not_ours_shows_it() {
    let lines = all().into_iter().filter(|line| line.not_ours.is_some());
    for line in lines {
        let shows = |step: &Step| match step {
            Step::Ask(ask) => ask.expect.status == 404 || line.steps.len() > 1,
            Step::Act(_) => true,
        };
        assert!(line.steps.iter().all(shows), "{}", line.id);
    }
}

/// Every line that asks is told through the gateway and straight, as `Line::ways` says.
#[tokio::test]
async fn every_line_is_told_both_ways() {
    let world = crate::world::World::new().await;
    for line in all() {
        let ways = line.ways(&world);
        assert!(ways.len() >= 2 && ways.contains(&crate::ways::Way::Gateway), "{}: {ways:?}", line.id);
    }
}

/// `docs/security.md` has the table of what there is.
#[test]
fn the_table_in_the_documents_is_right() {
    let lines = all();
    let mut table = String::from("| area | of the list | ours | told by |\n|---|---|---|---|\n");
    let mut sum = (0, 0);
    for area in AREAS {
        let here = lines.iter().filter(|line| line.area == area);
        let (ours, others): (Vec<_>, Vec<_>) = here.partition(|line| line.id.starts_with(OURS));
        sum = (sum.0 + others.len(), sum.1 + ours.len());
        writeln!(table, "| `{area}.jsonl` | {} | {} | `{}` |", others.len(), ours.len(), test(area)).unwrap();
    }
    writeln!(table, "| together | {} | {} | |", sum.0, sum.1).unwrap();
    let document = read("docs/security.md");
    assert!(document.contains(&table), "docs/security.md must have this table:\n{table}");
    for line in lines.iter().filter(|line| line.not_ours.is_some()) {
        assert!(document.contains(&line.id), "docs/security.md does not name {}, which is not ours", line.id);
    }
}

/// The test that tells an area.
fn test(area: &str) -> &'static str {
    match area {
        "accounts" => "areas::accounts",
        "api_key" => "areas::api_keys",
        "authz_header" => "areas::authorization_headers",
        "jwt" => "areas::access_tokens",
        "login_verify" => "areas::logins",
        "members" => "areas::members",
        "names_orgs" => "areas::names_and_organizations",
        "refresh_token" => "areas::refresh_tokens",
        "session_cookie" => "areas::session_cookies",
        "account" => "areas::own_accounts",
        "webhooks" => "areas::webhooks",
        "events" => "areas::events",
        _ => panic!("nobody tells {area}"),
    }
}

/// Ids that the list of defences names stand in the corpus.
#[test]
fn every_attack_that_the_documents_name_is_here() {
    let known: BTreeSet<String> = all().into_iter().map(|line| line.id).collect();
    let document = read("docs/security.md");
    let words = document.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_id = |word: &&str| {
        let prefix =
            ["AK-", "AZ-", "JW-", "LV-", "NT-", "RT-", OURS].iter().any(|prefix| word.starts_with(prefix));
        prefix && word.len() == 6 && word[3..].bytes().all(|byte| byte.is_ascii_digit())
    };
    let unknown: Vec<_> = words.filter(is_id).filter(|word| !known.contains(*word)).collect();
    assert!(unknown.is_empty(), "there are no lines {unknown:?}");
}
