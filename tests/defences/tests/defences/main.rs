//! What must hold: races, and what each call costs.

mod budget;
mod races;
mod recovery;
mod writes;
