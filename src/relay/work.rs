//! Workers: each takes what is due, hands it on, and settles it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::errand::{Content, Errand};
use super::folder::Folder;
use super::smarthost::Line;
use crate::blob::BlobError;
use crate::delivery::{Outcome, Step};
use crate::event::Event;
use crate::gateway::deliver::Deliveries;
use crate::queue::{Claim, LetterOctets};
use crate::store;

/// How long a worker rests when the store fails it.
const REST: Duration = Duration::from_secs(5);
/// How long an attempt may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(20);

/// Whether a stop was asked for; so it is, too, when nobody is left who could ask.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new(receiver: watch::Receiver<bool>) -> Self {
        Self(receiver)
    }

    fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    async fn asked(&mut self) {
        // An error means that its sender is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Ends when the stop was asked for this long ago.
    async fn asked_for(mut self, length: Duration) {
        self.asked().await;
        sleep(length).await;
    }
}

/// One worker's way out.
pub(super) enum Transport {
    Smarthost(Box<Line>),
    Folder(Folder),
}

#[async_trait]
impl Content for LetterOctets {
    async fn next_piece(&mut self) -> Result<Option<Bytes>, BlobError> {
        self.next().await
    }
}

impl Transport {
    async fn attempt(&mut self, deliveries: &Deliveries, claim: &Claim) -> Outcome {
        let Ok(mut content) = deliveries.queue().octets(&claim.letter).await else {
            return Outcome::transient(Step::Storage);
        };
        let size = claim.letter.payload.octets();
        let errand = Errand { delivery: &claim.letter.delivery, tls: claim.entry.tls, size };
        match self {
            Self::Smarthost(line) => line.deliver(&errand, &mut content).await,
            Self::Folder(folder) => folder.deliver(claim.id, &errand, &mut content).await,
        }
    }

    async fn close(&mut self) {
        if let Self::Smarthost(line) = self {
            line.close().await;
        }
    }

    fn idle_until(&self) -> Option<Instant> {
        match self {
            Self::Smarthost(line) => line.idle_until(),
            Self::Folder(_) => None,
        }
    }
}

/// Works until a stop is asked for.
pub(super) async fn work(mut transport: Transport, deliveries: Deliveries, mut stop: Stop) {
    while !stop.is_asked() {
        match deliveries.queue().claim_due(store::now(), 1).await.map(|mut claims| claims.pop()) {
            Ok(Some(claim)) => tokio::select! {
                outcome = transport.attempt(&deliveries, &claim) => settle(&deliveries, &claim, outcome, &mut stop).await,
                () = stop.clone().asked_for(GRACE) => return,
            },
            Ok(None) => idle(&mut transport, &deliveries, &mut stop).await,
            Err(fault) => {
                Event::Trouble { place: "queue", cause: fault.to_string() }.log();
                rest(&mut stop).await;
            }
        }
    }
    transport.close().await;
}

/// Waits for work; a connection that has waited long enough meanwhile is closed.
async fn idle(transport: &mut Transport, deliveries: &Deliveries, stop: &mut Stop) {
    let patience = transport.idle_until();
    tokio::select! {
        () = deliveries.queue().wait(store::now()) => {}
        () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => transport.close().await,
        () = stop.asked() => {}
    }
}

/// Settles until it is written: to drop a claim that was delivered would be to deliver it again.
async fn settle(deliveries: &Deliveries, claim: &Claim, outcome: Outcome, stop: &mut Stop) {
    while let Err(fault) = deliveries.settle(claim, outcome, store::now()).await {
        Event::Trouble { place: "queue", cause: fault.to_string() }.log();
        if stop.is_asked() {
            return;
        }
        rest(stop).await;
    }
}

async fn rest(stop: &mut Stop) {
    tokio::select! {
        () = sleep(REST) => {}
        () = stop.asked() => {}
    }
}
