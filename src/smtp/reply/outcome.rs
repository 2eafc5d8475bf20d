//! From meaning to reply, as far as the gateway decides: sign-in, senders, recipients, messages.

use super::Reply;
use super::Severity::{Permanent, Success, Transient};
use crate::gateway::{Receipt, Refusal, SignInError};

/// A message was taken: how many get it, how many do not.
pub fn accepted(receipt: &Receipt) -> Reply {
    let taken = receipt.accepted;
    let noun = if taken == 1 { "recipient" } else { "recipients" };
    let mut text = format!("Accepted for {taken} {noun}");
    if receipt.asked > 0 {
        text.push_str(&format!(", {} waiting until you have answered a mail", receipt.asked));
    }
    if receipt.refused > 0 {
        text.push_str(&format!(", {} refused by policy", receipt.refused));
    }
    if receipt.reported > 0 {
        text.push_str(" (a report is on its way to you)");
    }
    Reply::new(Success, 50, (0, 0), "accepted", format!("{text}, id {}", receipt.transaction))
}

impl From<SignInError> for Reply {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Rejected => Self::new(
                Permanent,
                35,
                (7, 8),
                "sign-in-rejected",
                "Name or password is not right; the name is your whole e-mail address",
            ),
            SignInError::Busy => {
                Self::new(Transient, 54, (7, 0), "sign-in-busy", "Too many sign-ins at once; try again in a minute")
            }
            SignInError::Unavailable => Self::new(
                Transient,
                54,
                (7, 0),
                "sign-in-unavailable",
                "Cannot sign anyone in just now; try again later",
            ),
        }
    }
}

impl From<&Refusal> for Reply {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotYourAddress { field } => Self::new(
                Permanent,
                50,
                (7, 1),
                "not-your-address",
                format!(
                    "This account may not send as that address ({field}). Check the From field in your mail program."
                ),
            ),
            Refusal::NoSuchAddress => Self::new(
                Permanent,
                50,
                (1, 1),
                "no-such-address",
                "There is no such address here; check how it is spelt",
            ),
            Refusal::NotUnderstood(defect) if defect.limit => {
                Self::new(Permanent, 52, (3, 4), defect.word, &defect.words)
            }
            Refusal::NotUnderstood(defect) => Self::new(Permanent, 50, (6, 0), defect.word, &defect.words),
            Refusal::Policy(words) => Self::new(Permanent, 50, (7, 1), "policy", words),
            Refusal::Loop => {
                Self::new(Permanent, 54, (4, 6), "loop", "The message goes in circles: too many Received fields")
            }
            Refusal::Full => Self::new(Transient, 52, (3, 1), "full", "No space to store the message; try again later"),
            Refusal::Unavailable => {
                Self::new(Transient, 51, (3, 0), "unavailable", "Cannot take the message just now; try again later")
            }
        }
    }
}
