//! `postern demo`: a clinic on this computer. Real mail goes in by real SMTP; a browser can walk the rest.
//!
//! Everything listens on loopback and lies in one temporary folder, which is removed at the end. What would leave is
//! shown by a page of its own ([`page`]), so that no mail program is needed.

use std::process::ExitCode;

use crate::cli::Done;

mod letters;
mod outbox;
mod page;
mod people;
mod stage;
mod submit;
mod tell;
mod tour;
mod view;

use stage::Stage;
use tell::Teller;

/// The policy files that come with the program: path below `policies`, content.
pub type Shipped = &'static [(&'static str, &'static [u8])];

/// Runs the tour, then leaves everything open until Ctrl-C; with `once` it ends after the tour.
pub async fn demo(shipped: Shipped, once: bool) -> Done {
    if std::env::var_os("POSTERN_LOG").is_some() {
        crate::log::begin();
    }
    let teller = Teller::new();
    let interrupted = interruption()?;
    let mut interrupted = std::pin::pin!(interrupted);
    let stage = teller.during("keys, certificates and policies made, every port open", Stage::set(shipped)).await?;
    let result = tokio::select! {
        result = show(&stage, &teller, once) => result,
        () = &mut interrupted => Ok(()),
    };
    teller.end();
    stage.strike().await?;
    teller.line("Everything was removed.");
    result.map(|()| ExitCode::SUCCESS)
}

/// The tour, and then nothing more, for as long as somebody looks around.
async fn show(stage: &Stage, teller: &Teller, once: bool) -> Result<(), String> {
    tour::tour(stage, teller).await?;
    if once {
        return Ok(());
    }
    teller.line("Ctrl-C ends the demo and removes everything.");
    std::future::pending().await
}

/// Ends when the person, the system or the terminal's closing says so.
fn interruption() -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
