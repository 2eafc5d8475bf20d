//! IMAP: the dialog files on the bare session and on the live server, and what only a live server has.

mod bare;
mod dialog;
mod house;
mod live;
mod oracle;
mod searches;
mod under_way;

use std::path::PathBuf;

use dialog::Dialog;
use house::House;

fn dialogs() -> Vec<Dialog> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs/imap");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|path| Dialog::read(path)).collect()
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} dialogs fail:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test]
async fn dialogs_on_the_bare_session() {
    let house = House::new().await;
    let mut failures = Vec::new();
    for dialog in dialogs() {
        failures.extend(bare::run(&house, &dialog).await.err());
    }
    report(&failures);
}

#[tokio::test]
async fn dialogs_on_the_live_server() {
    let house = House::new().await;
    let mut failures = Vec::new();
    for dialog in dialogs() {
        failures.extend(live::run(&house, &dialog).await.err());
    }
    report(&failures);
}
