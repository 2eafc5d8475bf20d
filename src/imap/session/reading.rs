//! Reading through many messages: few sessions of an account do it at once, the client hears that it goes on, and nobody's
//! answer is worked for who has gone or may not read it any more.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::{Halt, Outlet, Session};
use crate::imap::response::{Condition, Refusal};

/// The turn to read through messages; it ends when this is dropped.
pub(super) struct Reading {
    told: Instant,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Reading {
    /// Of what is in memory.
    pub(super) fn without_turn() -> Self {
        Self { told: Instant::now(), _turn: None }
    }
}

/// How far a command is: messages looked at, of how many; not known while it waits.
type Progress = Option<(usize, usize)>;

impl Session {
    /// Waits until few enough sessions of the account read through its messages.
    pub(super) async fn begin_reading(&mut self, outlet: &mut impl Outlet) -> Result<Reading, Halt> {
        let readers = Arc::clone(&self.signed_in.as_ref().ok_or(Refusal::NotSignedIn)?.place.reading);
        let mut reading = Reading::without_turn();
        let turn = readers.acquire_owned();
        tokio::pin!(turn);
        loop {
            match timeout_at(reading.told + self.settings.deadlines.progress, &mut turn).await {
                Ok(turn) => return Ok(Reading { _turn: turn.ok(), ..Reading::without_turn() }),
                Err(_) => self.tell_progress(&mut reading, None, outlet).await?,
            }
        }
    }

    /// Says, where that is due, how far it is; ends the command where its answer may not be read any more.
    pub(super) async fn go_on_reading(
        &mut self,
        reading: &mut Reading,
        progress: (usize, usize),
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        if reading.told.elapsed() < self.settings.deadlines.progress {
            return Ok(());
        }
        self.tell_progress(reading, Some(progress), outlet).await
    }

    async fn tell_progress(
        &mut self,
        reading: &mut Reading,
        progress: Progress,
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        self.may_still_read().await?;
        let (code, words) = match progress {
            None => (in_progress(&self.under_way, "NIL NIL"), "Other searches of this account come first".to_owned()),
            Some((done, all)) => {
                (in_progress(&self.under_way, &format!("{done} {all}")), format!("Looked at {done} of {all} messages"))
            }
        };
        self.out.status(None, Condition::Ok, Some(&code), &words);
        self.flush(outlet).await?;
        reading.told = Instant::now();
        Ok(())
    }

    /// Whether the answer may be read; where not, the session ends.
    pub(super) async fn may_still_read(&mut self) -> Result<(), Halt> {
        if self.still_welcome().await { Ok(()) } else { Err(Refusal::NotSignedIn.into()) }
    }
}

/// The response code of RFC 9585. A `]` in the tag would end it for most who read it.
fn in_progress(tag: &str, state: &str) -> String {
    match tag.contains(']') {
        true => "INPROGRESS".to_owned(),
        false => format!("INPROGRESS (\"{tag}\" {state})"),
    }
}
