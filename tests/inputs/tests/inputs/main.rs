//! Bad inputs: each gets the answer it should, and changes nothing.
//!
//! Every test is a table of cases against a devstack of its own. After each case everything that could have changed is compared with
//! what it was. A case that fails does not stop its table: all that failed are named in the end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, their helpers included, fail by panicking"
)]

use inputs as harness;

mod access_tokens;
mod allowed_addresses;
mod api_keys;
mod attempts;
mod authorization;
mod authorizer_events;
mod authorizer_junk;
mod bodies;
mod dashboard;
mod fields;
mod limits;
mod logs;
mod metrics;
mod neighbours;
mod outage;
mod paths;
mod protocol;
mod proxy_events;
mod refresh_tokens;
mod routes;
mod second_step;
mod session_cookies;
mod sign_in;
mod token_texts;
mod twice;
