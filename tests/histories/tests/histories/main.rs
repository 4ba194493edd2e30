//! Random histories: people, servers and the operator do everything that can be done, one after another and several at once, and after
//! each step the answers, the whole table and what authorizers say are what the model makes of it (`rules.rs`).
//!
//! `make test` plays the same few histories every time, `make histories` as many new ones as it is told. One that goes wrong is made as
//! short as it can be and told as a story, with the command that plays it again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

mod acts;
mod creation;
mod factors;
mod invariants;
mod model;
mod names;
mod people;
mod play;
mod rules;
mod step;
mod story;
mod table;
mod world;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime::Runtime;

use play::{Answers, Ended, play};
use step::Step;

/// How many histories there are unless `HISTORIES` says it.
const FEW: u64 = 15;
/// How long one is at most, in steps.
const LONGEST: usize = 40;
/// Birch's owner and admin, and Acorn's owner.
const ENTERED: [usize; 3] = [3, 4, 0];
/// How often a shorter history is played before it counts as one that goes well: what happens at once does not always go the same way.
const TRIES: usize = 3;
/// How many shorter histories are tried.
const SHORTENINGS: usize = 400;

#[expect(clippy::disallowed_methods, reason = "a test is told how long to run by its environment")]
fn told(name: &str) -> Option<u64> {
    let told = std::env::var(name).ok().filter(|number| !number.is_empty());
    told.map(|number| number.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng)
}

/// Three people are logged in before anything else happens.
fn whole(steps: Vec<Step>) -> Vec<Step> {
    let entered = ENTERED.map(|who| Step::Enter { who });
    entered.into_iter().chain(steps).collect()
}

/// The story of a history that goes wrong in one of a few tries.
fn goes_wrong(runtime: &Runtime, steps: &[Step], tries: usize) -> Option<String> {
    (0..tries).find_map(|_| match runtime.block_on(play(steps)) {
        Ended::Badly(story) => Some(story),
        Ended::Well(_) | Ended::Away => None,
    })
}

/// The story of the shortest history that still goes wrong, as far as one is found; `None` when none goes wrong again.
fn shortest(runtime: &Runtime, tree: &mut dyn ValueTree<Value = Vec<Step>>) -> Option<String> {
    let (mut wrong, mut simpler) = (None, tree.simplify());
    for _ in 0..SHORTENINGS {
        if !simpler {
            break;
        }
        let steps = whole(tree.current());
        simpler = match goes_wrong(runtime, &steps, TRIES) {
            Some(story) => {
                wrong = Some((steps, story));
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    let (mut steps, mut story) = wrong?;
    // Whoever plays no part in it need not be logged in.
    for nth in (0..ENTERED.len()).rev() {
        let mut without = steps.clone();
        without.remove(nth);
        if let Some(shorter) = goes_wrong(runtime, &without, TRIES) {
            (steps, story) = (without, shorter);
        }
    }
    Some(story)
}

#[test]
fn every_history_goes_as_the_model_says() {
    let (first, count) = (told("SEED").unwrap_or(1), told("HISTORIES").unwrap_or(FEW));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut answers, mut away) = (Answers::new(), 0);
    for seed in first..first + count {
        let mut runner = runner(seed);
        let mut tree = step::history(LONGEST).new_tree(&mut runner).unwrap();
        match runtime.block_on(play(&whole(tree.current()))) {
            Ended::Well(more) => {
                more.into_iter().for_each(|(kind, count)| *answers.entry(kind).or_default() += count)
            }
            Ended::Away => away += 1,
            Ended::Badly(story) => {
                eprintln!("history {seed} goes wrong; making it shorter");
                let story = shortest(&runtime, &mut tree).unwrap_or(story);
                panic!("\n\n{story}\n\nTo play it again: make histories SEED={seed} CASES=1\n");
            }
        }
        if (seed - first) % 50 == 49 {
            eprintln!("{} histories", seed - first + 1);
        }
    }
    for ((act, answer), count) in &answers {
        eprintln!("{count:>7}  {act}: {answer}");
    }
    eprintln!("{count} histories; the service was away in {away}");
    assert!(away <= count / 4, "the service was away in {away} of {count} histories");
}
