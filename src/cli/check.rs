//! `postern check`: everything an admin wrote, read as `serve` would read it; all faults at once.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Done, house, print};
use crate::config::Config;

use crate::tls;

/// Reads and judges; starts and changes nothing. Exit status 1 where there is any fault.
pub fn check(path: &Path) -> Done {
    let config = house::read_config(path)?;
    for notice in &config.notices {
        print::line(&format!("note: {notice}"));
    }
    let sound = [check_policies(&config), check_certificates(&config)];
    if sound.iter().all(|sound| *sound) {
        print::line("Everything is in order.");
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn check_policies(config: &Config) -> bool {
    let snapshot = match house::open_policies(&config.gateway.policies) {
        Ok(policies) => policies.snapshot(),
        Err(faults) => {
            print::line(&faults);
            return false;
        }
    };
    let (rules, roles, practices) = snapshot.policy.counts();
    let tests = snapshot.policy.run_tests();
    let failed: Vec<_> = tests.iter().filter_map(|test| Some((&test.name, test.failure.as_ref()?))).collect();
    for (name, failure) in &failed {
        print::line(&format!("policy test {name} fails: {failure}"));
    }
    print::line(&format!(
        "policies: {rules} rules, {roles} roles, {practices} practices; {} of {} tests of your own pass",
        tests.len() - failed.len(),
        tests.len()
    ));
    failed.is_empty()
}

fn check_certificates(config: &Config) -> bool {
    match tls::check(&config.gateway.certs) {
        Ok(sentence) => {
            print::line(&format!("certificates: {sentence}"));
            true
        }
        Err(error) => {
            print::line(&format!("certificates: {error}"));
            false
        }
    }
}
