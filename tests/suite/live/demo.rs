//! `postern demo` in a pipe: the whole story in plain lines, and nothing left behind.

use std::process::{Command, Stdio};

#[test]
fn the_demo_tells_its_story_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.args(["demo", "--once"]).current_dir(folder.path()).env("TMPDIR", folder.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = said.as_str();
    for part in [
        "outbox    http://127.0.0.1:",
        "250 2.0.0 Accepted for 3 recipients",
        "a new patient: an invitation",
        "/p/",
        "a doctor elsewhere: an invitation",
        "/p/",
        "as it was written, with Pathology results.pdf (5 KB) and Management plan.docx (3 KB)",
        "Delivery successful",
        "550 5.7.1 The file \"image-viewer.exe\" is not accepted",
        "Who is this recipient?",
        "do   (a doctor in another practice)",
        "/p/",
        "Everything was removed.",
    ] {
        let (_, after) =
            rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing, or out of order:\n{said}"));
        rest = after;
    }
    assert!(!said.contains('\x1b'), "a pipe is sent no colours");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the folder is removed");
}
