//! SMTP in: the dialog files on the bare session and on the live server, and what only a live server has.

mod bare;
mod chunking;
mod dialog;
mod fake;
pub mod live;
mod over_sockets;

use std::path::PathBuf;

use dialog::Dialog;

fn dialogs() -> Vec<Dialog> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs/smtp");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files.iter().map(|path| Dialog::read(path)).collect()
}

fn report(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} dialogs fail:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn dialogs_on_the_bare_session() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    report(dialogs().iter().filter_map(|dialog| runtime.block_on(bare::run(dialog)).err()).collect());
}

#[tokio::test]
async fn dialogs_on_the_live_server() {
    let mut failures = Vec::new();
    for dialog in dialogs() {
        failures.extend(live::run(&dialog).await.err());
    }
    report(failures);
}
