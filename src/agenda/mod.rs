//! Work that is due: expiry, key destruction, checkpoints; ordered by time, guarded against a wrong clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::event::Event;
use crate::keyring::{Keyring, KeyringError};
use crate::queue::Queue;
use crate::store::{Batch, CommitError, Key, Store, StoreError, Stored, Table};
use crate::time::{Day, Timestamp};
use crate::vault::{Vault, VaultError};

pub mod clock;

use clock::{Reading, believes_start, believes_step, step_since};

/// How often the clocks are read.
const TICK: Duration = Duration::from_secs(2);
/// Work is done every so many ticks.
const TICKS_A_ROUND: u32 = 15;

/// How often it is asked whether a checkpoint is owed, and how soon one that failed is tried again.
const CHECKPOINT_LOOK: Duration = Duration::from_secs(600);
/// How long work that panicked rests.
const REST: Duration = Duration::from_secs(30);

/// Days for which letters in the queue keep their keys past the day they were sealed for, when the gateway was off and
/// could not deal with them.
const LONGEST_OUTAGE: i32 = 30;

/// Why a round of the agenda did not end well; what is left is found again by the next.
#[derive(Debug, thiserror::Error)]
pub enum AgendaError {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A change that could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// The clock is not believed: nothing was expired or destroyed.
    pub halted: bool,
    /// Parcels and grants removed.
    pub expired: usize,
    /// Days whose keys were destroyed.
    pub destroyed: Vec<Day>,
    /// Days punched for rights that were taken back.
    pub punched: usize,
}

/// The last clock reading that was believed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct LastReading(Timestamp);

impl Stored for LastReading {
    const VERSION: u8 = 1;
}

fn reading_key() -> Key {
    Key::new(Table::Meta, &[b"clock"])
}

/// The agenda of one store. One process has one.
pub struct Agenda {
    store: Store,
    keyring: Keyring,
    vault: Vault,
    queue: Queue,
    clock: Mutex<Clock>,
}

struct Clock {
    guarded: bool,
    /// When the clock was last believed by somebody who knew.
    anchor: Reading,
    halted: bool,
    /// The day of the last checkpoint made for its sake.
    checkpointed: Day,
}

impl Agenda {
    /// The agenda, with the clock held against the last reading in the store. `guarded` is `[gateway] clock_guard`.
    ///
    /// # Errors
    /// [`AgendaError::Store`].
    pub async fn new(
        store: Store,
        keyring: Keyring,
        vault: Vault,
        queue: Queue,
        guarded: bool,
        start: Reading,
    ) -> Result<Self, AgendaError> {
        let last = store.get::<LastReading>(&reading_key()).await?.map(|record| record.value.0);
        let believed = !guarded || last.is_none_or(|last| believes_start(last, start.wall));
        if let Some(last) = last.filter(|_| !believed) {
            Event::ClockHalted { step_secs: start.wall.secs() - last.secs() }.log();
        }
        let clock = Clock { guarded, anchor: start, halted: !believed, checkpointed: start.wall.day() };
        Ok(Self { store, keyring, vault, queue, clock: Mutex::new(clock) })
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the clock is not believed: expiry and key destruction wait for [`Agenda::accept`].
    pub fn is_halted(&self) -> bool {
        self.clock().halted
    }

    /// Takes note of both clocks; called at least every two seconds.
    pub fn observe(&self, now: Reading) {
        let mut clock = self.clock();
        let step = step_since(clock.anchor, now);
        if clock.guarded && !clock.halted && !believes_step(step) {
            clock.halted = true;
            Event::ClockHalted { step_secs: step / 1000 }.log();
        }
    }

    /// Believes the clock from here on: somebody who can read another one has said so.
    ///
    /// # Errors
    /// [`AgendaError::Commit`].
    pub async fn accept(&self, now: Reading) -> Result<(), AgendaError> {
        {
            let mut clock = self.clock();
            clock.anchor = now;
            clock.halted = false;
        }
        Event::ClockAccepted.log();
        self.note(now.wall).await
    }

    async fn note(&self, wall: Timestamp) -> Result<(), AgendaError> {
        let mut batch = Batch::default();
        batch.put(reading_key(), &LastReading(wall)).frees_space();
        self.store.commit(batch).await?;
        Ok(())
    }

    /// Does everything that is due at `now`: expires parcels, destroys the keys of days that have passed, makes
    /// those of days to come, punches days. While the clock is not believed only days are punched, which no clock decides.
    ///
    /// # Errors
    /// [`AgendaError`]; what is left is found again by the next round.
    pub async fn run(&self, now: Timestamp) -> Result<Round, AgendaError> {
        let punched = self.vault.punch_owed().await?;
        if self.is_halted() {
            return Ok(Round { halted: true, punched, ..Round::default() });
        }
        self.note(now).await?;
        let expired = self.vault.expire_due(now).await?;
        let destroyed = self.turn_keys(now.day()).await?;
        Ok(Round { halted: false, expired, destroyed, punched })
    }

    async fn turn_keys(&self, today: Day) -> Result<Vec<Day>, AgendaError> {
        let oldest = self.queue.oldest_sealed_until().await?.unwrap_or(today);
        let transit_from = oldest.clamp(today.plus(-LONGEST_OUTAGE), today);
        let keyring = self.keyring.clone();
        let turned = tokio::task::spawn_blocking(move || {
            keyring.extend(today)?;
            keyring.destroy_before(today, transit_from)
        });
        let destroyed = turned.await.map_err(|_| KeyringError::Source("turning the keys was interrupted".into()))??;
        for day in &destroyed {
            Event::KeyDestroyed { day: *day }.log();
        }
        Ok(destroyed)
    }

    /// Makes the day's checkpoint, where none was made yet.
    async fn checkpoint(&self, today: Day) -> Result<(), StoreError> {
        if self.clock().checkpointed != today {
            self.store.checkpoint().await?;
            self.clock().checkpointed = today;
        }
        Ok(())
    }

    /// Keeps the agenda until `stop` says true: reads the clocks every two seconds, works every thirty, and beside that
    /// makes a checkpoint once a day. What panics goes on after a rest.
    pub async fn keep(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let rounds = supervise("agenda", REST, stop.clone(), || self.clone().make_rounds(stop.clone()));
        let checkpoints = supervise("checkpoint", REST, stop.clone(), || self.clone().make_checkpoints(stop.clone()));
        tokio::join!(rounds, checkpoints);
    }

    async fn make_rounds(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for tick in (0..TICKS_A_ROUND).cycle() {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let now = Reading::take();
            self.observe(now);
            if tick == 0
                && let Err(error) = self.run(now.wall).await
            {
                Event::Trouble { place: "agenda", cause: error.to_string() }.log();
            }
        }
    }

    async fn make_checkpoints(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.checkpoint(crate::store::now().day()).await {
                Event::Trouble { place: "checkpoint", cause: error.to_string() }.log();
            }
            if rests(CHECKPOINT_LOOK, &mut stop).await {
                return;
            }
        }
    }
}

/// Waits; whether a stop was asked for meanwhile.
async fn rests(length: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::time::timeout(length, stop.wait_for(|stop| *stop)).await.is_ok()
}

/// Begins the work again whenever it panics, until it ends or a stop is asked for.
pub(crate) async fn supervise<W>(
    place: &'static str,
    rest: Duration,
    mut stop: watch::Receiver<bool>,
    work: impl Fn() -> W,
) where
    W: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut task = JoinSet::new();
        task.spawn(work());
        let ended = task.join_next().await;
        if !ended.is_some_and(|ended| ended.is_err_and(|error| error.is_panic())) {
            return;
        }
        Event::Trouble { place, cause: format!("it panicked, and begins again in {} s", rest.as_secs()) }.log();
        if rests(rest, &mut stop).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
