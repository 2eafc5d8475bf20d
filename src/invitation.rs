//! The life of an invitation: what follows from what, and when. Pure; `gateway` carries the effects out.
//!
//! ```text
//!            Registered ──▶ Accepted
//! Open ──────Cancel, the last wrong birthdate ──▶ Cancelled ──Resend──▶ Open
//!   ▲  └─────Due, after its last day ──▶ Expired ──Resend, Written──▶ Open
//!   └────────Resend begins it anew
//! ```
//!
//! `tests/lifecycle` has the whole of it as tables.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// When reminders go, when the invitation ends, and how many wrong birthdates end it (role files set them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Reminders, counted from the issue, in rising order.
    pub reminders: Vec<Duration>,
    /// How long it lives. A reminder of its last moment goes first, and leaves a day to answer ([`Schedule::longest`]).
    pub lives: Duration,
    /// Wrong birthdates that cancel it.
    pub tries: u8,
}

/// Day 3, 15 and 30; thirty days; three tries.
impl Default for Schedule {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let days = |days: u64| Duration::from_secs(days * DAY);
        Self { reminders: vec![days(3), days(15), days(30)], lives: days(30), tries: 3 }
    }
}

impl Schedule {
    /// What the last reminder leaves at least.
    const TO_ANSWER: Duration = Duration::from_secs(86_400);

    /// From the issue to the end, where nothing else ends it: it lives through its last day, so a reminder of that day
    /// is of use. Documents are held no longer.
    pub fn longest(&self) -> Duration {
        let answered = self.reminders.last().map_or(Duration::ZERO, |last| last.saturating_add(Self::TO_ANSWER));
        self.lives.max(answered)
    }

    /// How many reminders are due this long after the issue.
    fn reminders_due(&self, age: Duration) -> u8 {
        let due = self.reminders.iter().filter(|reminder| **reminder <= age).count();
        u8::try_from(due).unwrap_or(u8::MAX)
    }
}

/// Where an invitation stands. States say what is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The person is to register.
    Open {
        /// Whether a person pressed the button on its page.
        opened: bool,
        /// Reminders that went by the schedule.
        reminded: u8,
        /// Wrong birthdates so far.
        wrong: u8,
    },
    /// Registered: nothing is awaited any more.
    Accepted,
    /// Registration is closed until it is sent again.
    Cancelled(Why),
    /// Nobody came; it must be sent again.
    Expired,
}

/// Why it was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// By the sender.
    ByHand,
    /// Too many wrong birthdates.
    Birthdate,
}

/// An invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// When it was sent, the last time.
    pub issued: Timestamp,
    /// Where it stands.
    pub state: State,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A person pressed the button on its page.
    Opened,
    /// A birthdate that is not the one the sender gave.
    WrongBirthdate,
    /// The form was right and the password is set.
    Registered,
    /// The sender wants a reminder now.
    Remind,
    /// The sender takes it back.
    Cancel,
    /// The sender sends it again, with the birthdate corrected or not; also out of every end but `Accepted`.
    Resend,
    /// A further message goes to the person: its notice invites. It opens what had expired, and nothing else.
    Written,
    /// Time has passed.
    Due,
}

/// What must be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Mail the invitation (again).
    MailInvitation,
    /// Mail the reminder of this number, from 1; 0 for one by hand.
    MailReminder(u8),
    /// Tell the person that registration is closed and whom to call.
    TellGuestCancelled,
    /// Tell the sender that wrong birthdates have cancelled it, and how to correct it.
    TellSenderCancelled,
    /// Tell the sender that nobody came.
    TellSenderExpired,
    /// The clocks of the documents that were held start now.
    StartClocks,
}

/// What an event cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    /// Registered already.
    #[error("this person has registered already")]
    Accepted,
    /// Cancelled or expired: only sending it again helps.
    #[error("this invitation has ended; send it again")]
    Ended,
}

type Step = Result<(State, Vec<Effect>), NotPossible>;

impl Invitation {
    /// A new one, sent now.
    pub fn issue(now: Timestamp) -> Self {
        Self { issued: now, state: State::Open { opened: false, reminded: 0, wrong: 0 } }
    }

    /// Whether somebody may register by it.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// When it ends by itself, counted from its issue; also for one that has ended.
    pub fn until(&self, schedule: &Schedule) -> Timestamp {
        self.issued.plus(schedule.longest())
    }

    /// What it becomes by an event, and what is to be done.
    ///
    /// # Errors
    /// [`NotPossible`]: nothing changes.
    pub fn step(&self, event: Event, now: Timestamp, schedule: &Schedule) -> Result<(Self, Vec<Effect>), NotPossible> {
        let anew = |effects| Ok((Self::issue(now), effects));
        let (state, effects) = match (self.state, event) {
            (State::Accepted | State::Cancelled(_) | State::Expired, Event::Due) => (self.state, Vec::new()),
            (State::Accepted, _) => return Err(NotPossible::Accepted),
            (_, Event::Resend) => return anew(vec![Effect::MailInvitation]),
            (State::Expired, Event::Written) => return anew(Vec::new()),
            (State::Cancelled(_) | State::Expired, _) => return Err(NotPossible::Ended),
            (State::Open { opened, reminded, wrong }, event) => {
                self.step_open((opened, reminded, wrong), event, now, schedule)?
            }
        };
        Ok((Self { issued: self.issued, state }, effects))
    }

    fn step_open(
        &self,
        (opened, reminded, wrong): (bool, u8, u8),
        event: Event,
        now: Timestamp,
        schedule: &Schedule,
    ) -> Step {
        let unchanged = State::Open { opened, reminded, wrong };
        Ok(match event {
            Event::Opened => (State::Open { opened: true, reminded, wrong }, Vec::new()),
            Event::WrongBirthdate => wrong_birthdate((opened, reminded, wrong), schedule),
            Event::Registered => (State::Accepted, vec![Effect::StartClocks]),
            Event::Remind => (unchanged, vec![Effect::MailReminder(0)]),
            Event::Cancel => (State::Cancelled(Why::ByHand), vec![Effect::TellGuestCancelled, Effect::StartClocks]),
            Event::Resend | Event::Written => (unchanged, Vec::new()),
            Event::Due if self.until(schedule) <= now => {
                (State::Expired, vec![Effect::TellSenderExpired, Effect::StartClocks])
            }
            // After an outage one reminder goes, not all that were missed.
            Event::Due => match schedule.reminders_due(now.since(self.issued)) {
                due if due > reminded => {
                    (State::Open { opened, reminded: due, wrong }, vec![Effect::MailReminder(due)])
                }
                _ => (unchanged, Vec::new()),
            },
        })
    }

    /// When [`Event::Due`] is to come next; never, once it has ended.
    pub fn due(&self, schedule: &Schedule) -> Option<Timestamp> {
        let State::Open { reminded, .. } = self.state else { return None };
        let next = schedule.reminders.get(usize::from(reminded)).map(|length| self.issued.plus(*length));
        let until = self.until(schedule);
        Some(next.map_or(until, |next| next.min(until)))
    }
}

fn wrong_birthdate((opened, reminded, wrong): (bool, u8, u8), schedule: &Schedule) -> (State, Vec<Effect>) {
    let wrong = wrong.saturating_add(1);
    if wrong < schedule.tries {
        return (State::Open { opened, reminded, wrong }, Vec::new());
    }
    let effects = vec![Effect::TellGuestCancelled, Effect::TellSenderCancelled, Effect::StartClocks];
    (State::Cancelled(Why::Birthdate), effects)
}
