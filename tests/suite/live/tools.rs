//! Programs of other people, and the plain words for when one is not there.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program, or `None` after a line that says that this test is skipped. In CI a missing program is a failure.
pub fn find(program: &str, test: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found =
        path.split(':').chain(["/usr/sbin"]).map(|folder| PathBuf::from(folder).join(program)).find(|p| p.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{test} needs {program}, and in CI nothing is skipped");
        skipped(test, &format!("{program} is not installed (tests/run as root installs it)"));
    }
    found
}

/// Says that a test is skipped, past the capture of the test harness.
pub fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "\nskipped {test}: {why}");
}

/// Runs a command with this standard input; its output, whatever its status.
pub fn run(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let feeding = std::thread::spawn(move || {
        // A program may end without reading all of it.
        let _ = input.write_all(&stdin);
    });
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    output
}
