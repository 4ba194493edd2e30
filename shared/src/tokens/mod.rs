//! Tokens: the signed access token, the opaque refresh token, and the public keys.

pub mod access_token;
pub mod key_ledger;
pub mod key_set;
pub mod refresh_token;
