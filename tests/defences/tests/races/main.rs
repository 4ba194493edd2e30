//! Races: many at once, held at a barrier and let go together, in every size of [`harness::SIZES`]. Each round looks at the answers and
//! at what the table holds afterwards. `make test` runs a few rounds of each, `make races` a hundred.
//!
//! | | who races | what must hold | where |
//! |---|---|---|---|
//! | R1 | makers of a key | one key, and one maker who has it | `keys.rs` |
//! | R2 | makers and revokers of a key | a revoked key is dead; the marker names a live key or is gone | `keys.rs` |
//! | R3 | uses of one refresh token | one rotation; reuse ends the session, a repeat gets the same successor | `refresh.rs` |
//! | R4 | a thief and the honest client | dead for both; nothing refreshes after the end | `refresh.rs` |
//! | R5 | refreshing and logging out | after the logout's answer nothing refreshes | `refresh.rs` |
//! | R6 | repeats of a refresh that was cut | one rotation, the same successor for all | `refresh.rs` |
//! | R7 | uses of one code | one session | `guesses.rs` |
//! | R8 | wrong codes, wrong passwords | no more are judged than allowed | `guesses.rs` |
//! | R9 | switching, withdrawing payments, and making a key | the key's environment is the organization's when it is made | `standing.rs` |
//! | R10 | refreshing while the signing key rotates | every token is accepted everywhere; no unpublished key signs | `signing_keys.rs` |
//! | R11 | being demoted or removed and making a key | never a key after it | `standing.rs` |
//! | R12 | calls that several guards count | what one guard refuses, no other counts | `guesses.rs` |
//! | R13 | revoking, suspending, killing and authorizing | refused from the next call; a killed signing key within a minute | `verdicts.rs` |
//! | R14 | handing over, changing roles, inviting, accepting and removing | one owner; one membership an invitation; nothing half done | `people.rs` |
//! | R15 | uses of one code of an authenticator app, of one backup code | one session | `factors.rs` |
//! | R16 | logging in with an app and turning it off | no login of before ends after it | `factors.rs` |
//! | R17 | signing up with one address, using one code and one reset token | one account, one use, few mails | `accounts.rs` |
//! | R18 | reporting, revoking, moving and using a key that leaked | revoked once, told once; the latest use stays | `leaks.rs` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, their helpers included, fail by panicking")]

mod accounts;
mod factors;
mod guesses;
mod harness;
mod keys;
mod leaks;
mod people;
mod refresh;
mod signing_keys;
mod standing;
mod verdicts;
