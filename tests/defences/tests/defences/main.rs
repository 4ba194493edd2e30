//! What must hold, and what each call costs. Races have a test of their own beside this one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

mod account_meanwhile;
mod account_writes;
mod accounts;
mod audit_chains;
mod audit_events;
mod audit_people;
mod audit_settings;
mod audit_stream;
mod budget;
mod budget_account;
mod budget_of_organizations;
mod budget_people;
mod faults;
mod key_usage;
mod leak_door;
mod leaks;
mod outages;
mod people_writes;
mod recovery;
mod remembered;
mod restore;
mod rotation;
mod settings_writes;
mod shapes;
mod shapes_items;
mod shapes_life;
mod shapes_people;
mod side_channels;
mod webhook_budget;
mod webhook_deliveries;
mod writes;
