//! One test for each fault that was found, headed by what happened. Newest last.
//!
//! A fault of one function has its test beside that function.

use std::fs;
use std::process::Command;

use crate::live::clinic::{Clinic, HOST, JANE, PASSWORD, repository, words};
use crate::live::tools::{find, run};

/// The README's first example was refused: curl sends what printf writes as it is, with bare LF, without `--crlf`.
#[test]
fn the_example_of_the_readme_goes_through() {
    let Some(shell) = find("sh", "the_example_of_the_readme_goes_through") else { return };
    if find("curl", "the_example_of_the_readme_goes_through").is_none() {
        return;
    }
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let begin = readme.find("printf 'From: ").expect("the example begins with printf");
    let (example, _) = readme[begin..].split_once("\nls outbox").expect("the example ends with ls outbox");

    let mut clinic = Clinic::with_jane();
    // What is different here: the address, and a password that nobody types.
    let script = example
        .replace(&format!("{HOST}:2587:127.0.0.1"), &format!("{HOST}:2587:{}", clinic.submission().ip()))
        .replace(&format!("--user {JANE}"), &format!("--user '{JANE}:{PASSWORD}'"));
    assert_ne!(script, example);
    let output = run(Command::new(shell).args(["-c", &script]).current_dir(clinic.path(".")), b"");
    assert!(output.status.success(), "{}\n{}", words(&output), clinic.last_words());
    assert!(clinic.wait_for_delivery_to("patient@mail.example").bodies().contains("All is well."));
}
