//! What every function of Syncgram Pay's authentication is made of.
//!
//! Imports go one way, from what is listed first to what is listed later. A test reads the `use crate::` lines and fails when one goes
//! back.
//!
//! - `http`: from a gateway's event to what a use case is asked, and back into the envelope.
//! - `flows` (use cases), `authz` (who a bearer is), `rotation` (of secrets), `chaining` (of audit events), `deliveries` (of webhooks), `reminding` (of keys that expire), `init` (a function's start).
//! - `app`: everything a function uses, built once. `failure`: what went wrong that is nobody's doing outside.
//! - `key_sets`, `secrets`: kept for a while. `config`, `courier`, `mail`, `queue`, `signer`, `store`: the world outside.
//! - `sign_ups`; `challenges`, `expiries`, `invitations`, `organizations`, `principals`, `sessions`, `webhooks`; `api_keys`, `guards`, `leaks`, `links`,
//!   `passwords`,
//!   `reset_tokens`, `tokens`, `usage`, `users`: the rules, without it.
//! - `addresses`, `allowed_addresses`, `audit`, `factors`; `crypto`, `ids`; `causes`, `clock`, `deadline`, `metrics`, `panics`, `rng`, `sensitive`: what all of them stand on.

pub mod addresses;
pub mod allowed_addresses;
pub mod api_keys;
pub mod app;
pub mod audit;
pub mod authz;
pub mod batches;
pub mod causes;
pub mod chaining;
pub mod challenges;
pub mod clock;
pub mod config;
pub mod courier;
pub mod crypto;
pub mod deadline;
pub mod deliveries;
pub mod expiries;
pub mod factors;
pub mod failure;
pub mod flows;
pub mod guards;
pub mod http;
pub mod ids;
pub mod init;
pub mod invitations;
pub mod key_sets;
pub mod leaks;
pub mod links;
pub mod mail;
pub mod metrics;
pub mod organizations;
pub mod panics;
pub mod passwords;
pub mod principals;
pub mod queue;
pub mod reminding;
pub mod reset_tokens;
pub mod rng;
pub mod rotation;
pub mod secrets;
pub mod sensitive;
pub mod sessions;
pub mod sign_ups;
pub mod signer;
pub mod store;
pub mod task;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod webhooks;
