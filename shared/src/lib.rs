//! What every function of Syncgram Pay's authentication is made of.
//!
//! Imports go one way: `http` → `flows`, `authz`, `rotation` → `app` → `store`, `mail`, `signer`, `secrets`, `key_sets`, `config` → the pure
//! rooms (`tokens`, `passwords`, `api_keys`, `challenges`, `sessions`, `guards`, `organizations`, `users`) → `addresses`,
//! `audit`, `causes`, `clock`, `crypto`, `ids`, `rng`, `sensitive`. A test reads the `use crate::` lines and fails when one goes back.

pub mod addresses;
pub mod api_keys;
pub mod app;
pub mod audit;
pub mod authz;
pub mod causes;
pub mod challenges;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod failure;
pub mod flows;
pub mod guards;
pub mod http;
pub mod ids;
pub mod init;
pub mod key_sets;
pub mod mail;
pub mod organizations;
pub mod passwords;
pub mod principals;
pub mod rng;
pub mod rotation;
pub mod secrets;
pub mod sensitive;
pub mod sessions;
pub mod signer;
pub mod store;
pub mod tokens;
pub mod users;
