//! What each route costs is the same whatever else is in the table, and is what `docs/cost.md` was computed from. Short form of `make scale`.

use std::path::Path;

use devstack::gateway::template::Api;
use devstack::repository;
use scale::Table;
use scale::load::{Prototype, bytes_on_disk, loaded};
use scale::routes::{self, RouteCost};

/// Fills the table in this folder up to this many of each, from this number on; what each route costs there.
#[expect(clippy::unwrap_used, reason = "tests only: what cannot be counted fails the test")]
async fn counted(folder: &Path, prototype: &Prototype, from: usize, to: usize) -> Vec<RouteCost> {
    prototype.load(folder, from, to, |_| true).unwrap();
    let table = Table::open(folder).await.unwrap();
    routes::count(&table, &loaded(to), &loaded(to - 1)).await.unwrap()
}

#[expect(clippy::unwrap_used, reason = "tests only: what cannot be made fails the test")]
async fn prototype(folder: &Path) -> Prototype {
    let table = Table::open(folder).await.unwrap();
    Prototype::make(&table).await.unwrap()
}

#[tokio::test]
async fn every_route_costs_the_same_among_ten_and_among_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let prototype = prototype(folder.path()).await;
    let few = counted(folder.path(), &prototype, 1, 10).await;
    let small = bytes_on_disk(folder.path());
    let many = counted(folder.path(), &prototype, 11, 1000).await;
    assert!(bytes_on_disk(folder.path()) > small + 1_000_000, "the table did not grow");
    assert_eq!(few.len(), many.len());
    for (few, many) in few.iter().zip(&many) {
        assert_eq!(few.counted(), many.counted());
    }
}

#[tokio::test]
async fn what_the_costs_are_computed_from_is_what_the_code_does() {
    let folder = tempfile::tempdir().unwrap();
    let prototype = prototype(folder.path()).await;
    let now = counted(folder.path(), &prototype, 1, 10).await;
    let file = std::fs::read_to_string(repository().join("docs/cost/routes.json")).unwrap();
    let written: Vec<RouteCost> = serde_json::from_str(&file).unwrap();
    let changed = "docs/cost/routes.json is not what the code does. If it has to cost this: make cost";
    let names = |costs: &[RouteCost]| costs.iter().map(|it| it.what.clone()).collect::<Vec<_>>();
    assert_eq!(names(&now), names(&written), "{changed}");
    for (now, written) in now.iter().zip(&written) {
        assert_eq!(now.counted(), written.counted(), "{changed}");
        // The text of an answer may change without anybody counting again: a kilobyte is a hundredth of a cent in a thousand calls.
        let about = now.answer_bytes.abs_diff(written.answer_bytes) <= written.answer_bytes / 4;
        assert!(about, "{changed}: {now:?}");
        // A time or a port has a digit more or less.
        let close = |one: usize, other: usize| one.abs_diff(other) <= 10;
        assert!(now.log_bytes.keys().eq(written.log_bytes.keys()), "{changed}: {now:?}");
        for (group, bytes) in &now.log_bytes {
            assert!(close(*bytes, written.log_bytes[group]), "{changed}: {now:?}");
        }
    }
}

#[test]
fn no_route_of_the_template_is_left_out() {
    let file = std::fs::read_to_string(repository().join("docs/cost/routes.json")).unwrap();
    let written: Vec<RouteCost> = serde_json::from_str(&file).unwrap();
    let api = Api::read(&devstack::template_path()).unwrap();
    // ANY and `/{proxy+}` answer 404 and 405.
    let routes = api.routes.iter().filter(|(path, method, _)| *method != "ANY" && !path.contains('+'));
    let mut seen = 0;
    for (path, method, target) in routes {
        let route = format!("{method} {path}");
        let of_route = |it: &&RouteCost| it.what == route || it.what.starts_with(&format!("{route}, "));
        let costs: Vec<_> = written.iter().filter(of_route).collect();
        assert!(!costs.is_empty(), "{route} is not counted");
        for cost in costs {
            assert_eq!(cost.functions.last(), Some(&target.function), "{route}");
            assert_eq!(cost.functions.len(), 1 + usize::from(target.authorizer.is_some()), "{route}");
        }
        seen += 1;
    }
    assert!(seen >= 12, "{seen} routes in the template");
}

#[tokio::test]
async fn a_load_that_is_stopped_leaves_whole_organizations_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let prototype = prototype(folder.path()).await;
    let mut last = 0;
    let stopped_at_once = |done| {
        last = done;
        false
    };
    prototype.load(folder.path(), 1, 2100, stopped_at_once).unwrap();
    assert_eq!(last, 2000, "the chunk that was begun is whole");
    let table = Table::open(folder.path()).await.unwrap();
    assert!(routes::count(&table, &loaded(1), &loaded(2000)).await.is_ok());
    drop(table);
    prototype.load(folder.path(), 2001, 2010, |_| true).unwrap();
    let table = Table::open(folder.path()).await.unwrap();
    assert!(routes::count(&table, &loaded(2), &loaded(2010)).await.is_ok());
}
