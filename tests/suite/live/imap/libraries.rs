//! Libraries that programs of clinics are built on: imapclient of Python, imapflow of Node.js.

use std::process::Command;

use super::super::clinic::{Clinic, JANE, PASSWORD, repository, words};
use super::super::tools::{find, run, skipped};
use super::{clinic, replies};

#[test]
fn imapclient_works_and_idles() {
    let test = "imapclient_works_and_idles";
    let library = repository().join("target/tools/python");
    let Some(python) = find("python3", test) else { return };
    if is_there("imapclient", library.join("imapclient").is_dir(), test) {
        speaks(Command::new(python).arg(script("by_imapclient.py")).env("PYTHONPATH", library), &clinic(), test);
    }
}

#[test]
fn imapflow_works_and_idles() {
    let test = "imapflow_works_and_idles";
    let modules = repository().join("target/tools/node_modules");
    let Some(node) = find("node", test) else { return };
    if is_there("imapflow", modules.join("imapflow").is_dir(), test)
        && let Some(clinic) = replies::replied(test)
    {
        speaks(Command::new(node).arg(script("by_imapflow.cjs")).env("NODE_PATH", modules), &clinic, test);
    }
}

fn script(name: &str) -> std::path::PathBuf {
    repository().join("tests/suite/live/imap").join(name)
}

/// Whether a library was fetched; in CI one that was not is a failure.
fn is_there(library: &str, there: bool, test: &str) -> bool {
    if !there {
        assert!(std::env::var_os("CI").is_none(), "{test} needs {library}, and in CI nothing is skipped");
        skipped(test, &format!("{library} is not there (tests/run fetches it)"));
    }
    there
}

/// The script says `done` at its end.
fn speaks(command: &mut Command, clinic: &Clinic, test: &str) {
    let address = clinic.at(2993);
    command.args([&address.ip().to_string(), &address.port().to_string()]).arg(clinic.path("certs/ca.pem"));
    let output = run(command.args([JANE, PASSWORD]), b"");
    assert!(output.status.success() && words(&output).trim_end().ends_with("done"), "{test}: {}", words(&output));
}
