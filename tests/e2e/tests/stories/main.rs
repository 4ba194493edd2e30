//! What people and their servers do with the system, and what becomes of those who should not. One module a story, one test a
//! turn that it can take. Time is moved, never waited for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "panicking is how a test fails")]

mod a_clumsy_client;
mod a_colleague_joins;
mod a_forgotten_password;
mod a_key_at_home;
mod a_key_that_leaked;
mod a_lost_refresh_answer;
mod asking_twice_for_a_key;
mod first_login_to_first_call;
mod going_live;
mod lockout_and_recovery;
mod people_come_and_go;
mod rotating_a_key;
mod session_life;
mod signing_up;
mod the_authenticator_app;
mod the_dashboard;
mod the_mailed_code;
mod the_neighbours_organization;
mod the_operator;
mod the_organization_is_suspended;
mod the_organizations_trail;
mod the_owner_hands_over;
mod the_refresh_token_is_stolen;
mod the_sessions_of_a_person;
mod the_viewer_who_may_not;
mod the_webhook;
mod two_organizations;
mod when_a_key_was_used;
