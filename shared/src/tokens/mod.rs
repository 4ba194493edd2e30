//! Tokens: the signed access token, the opaque refresh token, the public keys, and the access tokens already seen.

pub mod access_token;
pub mod key_ledger;
pub mod key_set;
pub mod refresh_token;
pub mod remembered;
