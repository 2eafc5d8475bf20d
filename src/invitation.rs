//! The life of an invitation: what follows from what, and when. Pure; `gateway` carries the effects out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// When reminders go, when the invitation ends, and how many wrong birthdates end it (role files set them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Reminders, counted from the issue, in rising order.
    pub reminders: Vec<Duration>,
    /// How long it lives. A reminder of the same moment goes first.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl Invitation {
    /// A new one, sent now.
    pub fn issue(now: Timestamp) -> Self {
        Self { issued: now, state: State::Open { opened: false, reminded: 0, wrong: 0 } }
    }

    /// What it becomes by an event, and what is to be done.
    ///
    /// # Errors
    /// [`NotPossible`]: nothing changes.
    pub fn step(
        &self,
        _event: Event,
        _now: Timestamp,
        _schedule: &Schedule,
    ) -> Result<(Self, Vec<Effect>), NotPossible> {
        todo!()
    }

    /// When [`Event::Due`] is to come next; never, once it has ended.
    pub fn due(&self, _schedule: &Schedule) -> Option<Timestamp> {
        todo!()
    }
}
