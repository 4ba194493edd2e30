//! Every target over its seeds, and over changes of them: the short form of `make fuzz`, so that no target rots.

#![expect(clippy::unwrap_used, clippy::panic, reason = "its helpers fail by panicking, as tests do")]

mod mutate;
mod run;

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use mutate::Mutator;

/// How many changed inputs each target is tried with, beside its seeds.
const CHANGES: usize = 2_000;

/// A target's own seeds, and those of all.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let own = read(&format!("seeds/{target}"));
    assert!(own.len() >= 2, "{target} has seeds of its own");
    [own, read("any")].concat()
}

fn read(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
    };
    let mut seeds: Vec<_> = entries.map(read).collect();
    seeds.sort();
    seeds
}

/// Runs one target; the targets are tests of their own, so that they run beside each other.
fn holds(name: &str) {
    let target = fuzz::target(name).unwrap();
    let seeds = seeds(name);
    let tried = |what: &str, data: &[u8]| {
        let run = catch_unwind(|| target.run(data));
        assert!(run.is_ok(), "{name} does not hold of {what}: {}", data.escape_ascii());
    };
    for (seed, data) in &seeds {
        tried(seed, data);
    }
    let mut mutator = Mutator::new(name.bytes().map(u64::from).sum());
    let inputs: Vec<&[u8]> = seeds.iter().map(|(_, data)| data.as_slice()).collect();
    for nth in 0..CHANGES {
        tried(&format!("change {nth}"), &mutator.change(&inputs));
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { holds(stringify!($name)); })*

        #[test]
        fn every_target_has_its_test() {
            let named: Vec<&str> = fuzz::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(named, [$(stringify!($name)),*]);
        }
    };
}
targets! {
    authorizer_event bearer jwt jwt_signed api_key refresh_token
    register verify_email resend_sign_up forgot_password reset_password change_password login verify resend refresh
    begin_totp confirm_totp remove_totp remake_codes create_key change_key report_leaks signed_report
    rename_organization switch_environment change_role hand_over invite accept_invitation set_webhook
    proxy_event operator audit_stream audit_verify
}

#[test]
fn every_body_that_the_document_has_is_made() {
    let [made, documented] = fuzz::routes_with_bodies();
    assert_eq!(made, documented);
}

#[test]
fn no_seed_holds_a_credential() {
    for target in fuzz::TARGETS {
        for (seed, data) in seeds(target.name) {
            let text = String::from_utf8_lossy(&data);
            let key = text.split("sk_").skip(1).any(|rest| rest.len() >= 43 && !rest.starts_with("live_000"));
            let token =
                text.split("eyJ").skip(1).any(|rest| rest.matches('.').count() == 2 && rest.len() > 200);
            assert!(!key && !token && !text.contains("rt_"), "{}/{seed}", target.name);
        }
    }
}
