//! Reading through many messages: few sessions of an account do it at once, the client hears that it goes on, and nobody's
//! answer is worked for who has gone or may not read it any more.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::{Halt, Outlet, Session};
use crate::imap::response::{Condition, Refusal};

/// The turn to read through messages; it ends when this is dropped.
pub(super) struct Reading {
    _turn: Option<OwnedSemaphorePermit>,
    told: Instant,
}

impl Session {
    /// Waits until few enough sessions of the account read through its messages.
    pub(super) async fn begin_reading(&mut self, outlet: &mut impl Outlet) -> Result<Reading, Halt> {
        let readers = Arc::clone(&self.signed_in.as_ref().ok_or(Refusal::NotSignedIn)?.place.reading);
        let mut reading = Reading { _turn: None, told: Instant::now() };
        let turn = readers.acquire_owned();
        tokio::pin!(turn);
        loop {
            match timeout_at(reading.told + self.settings.deadlines.progress, &mut turn).await {
                Ok(turn) => return Ok(Reading { _turn: turn.ok(), told: Instant::now() }),
                Err(_) => self.tell_progress(&mut reading, "Other searches of this account come first", outlet).await?,
            }
        }
    }

    /// Of a reading without a turn: what is looked at is in memory.
    pub(super) fn begin_looking(&self) -> Reading {
        Reading { _turn: None, told: Instant::now() }
    }

    /// Says, where that is due, how far it is; ends the command where its answer may not be read any more.
    pub(super) async fn go_on_reading(
        &mut self,
        reading: &mut Reading,
        (done, all): (usize, usize),
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        if reading.told.elapsed() < self.settings.deadlines.progress {
            return Ok(());
        }
        self.tell_progress(reading, &format!("Looked at {done} of {all} messages"), outlet).await
    }

    async fn tell_progress(
        &mut self,
        reading: &mut Reading,
        words: &str,
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        self.may_still_read().await?;
        self.out.status(None, Condition::Ok, None, words);
        self.flush(outlet).await?;
        reading.told = Instant::now();
        Ok(())
    }

    /// Whether the answer may be read; where not, the session ends.
    pub(super) async fn may_still_read(&mut self) -> Result<(), Halt> {
        if self.still_welcome().await { Ok(()) } else { Err(Refusal::NotSignedIn.into()) }
    }
}
