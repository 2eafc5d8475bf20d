//! The SMTP client: every dialog file on the bare client and against a loopback server, and far sides that misbehave.

pub mod bare;
pub mod live;
pub mod script;

#[path = "../far_side/mod.rs"]
mod far_side;

use std::path::Path;

use script::Script;

fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs/relay");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "txt"));
    paths.sort();
    assert!(paths.len() >= 15, "{paths:?}");
    paths.iter().map(|path| Script::read(path)).collect()
}

#[test]
fn dialogs_on_the_bare_client() {
    scripts().iter().filter(|script| !script.live_only).for_each(bare::play);
}

#[tokio::test]
async fn dialogs_against_a_server() {
    for script in scripts() {
        live::play(script).await;
    }
}
