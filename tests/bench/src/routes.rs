//! What each route takes of a processor, in the functions as they ship: some people walk all of them at once.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bench::programs::Built;
use bench::stage::environment;
use scale::load::{Prototype, loaded};
use scale::routes::walk;
use scale::{ScaleError, Table};
use tokio::task::JoinSet;

use crate::figures::{Figures, megabytes, micros};
use crate::invoke::Programs;

/// How many walk. The first call of a route finds a program that has never done it; the median is a later one.
const PEOPLE: usize = 5;

/// Adds `<function> asked <what> CPU us` of every call, and `<function> peak MB` of every program.
pub async fn measure(figures: &mut Figures, built: &Built, work: &Path) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(work)?;
    let prototype = Prototype::make(&Table::open(folder.path()).await?).await?;
    prototype.load(folder.path(), 1, PEOPLE, |_| true)?;
    let programs = Programs::serve(built.clone()).await?;
    let table = Arc::new(Table::elsewhere(folder.path(), &programs.url).await?);
    programs.find(environment(&table.devstack));
    let mut walks = JoinSet::new();
    for number in 1..=PEOPLE {
        let table = Arc::clone(&table);
        walks.spawn(async move { walk(&table, &loaded(number)).await.map(drop) });
    }
    walks.join_all().await.into_iter().collect::<Result<(), ScaleError>>()?;
    for ((function, what), times) in programs.spent() {
        for time in times {
            figures.add(format!("{function} asked {what} CPU us"), micros(time));
        }
    }
    for (function, bytes) in programs.peaks()? {
        figures.add(format!("{function} walked peak MB"), megabytes(bytes));
    }
    Ok(())
}
