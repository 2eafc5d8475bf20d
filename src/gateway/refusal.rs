//! Why something is not taken: what the client learns. The log learns the cause, one id joins both.

use crate::mime::Defect;

/// A refusal. `smtp/reply` gives each its code and enhanced code in one exhaustive match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 550 5.7.1: not an address of this account. Which field: `MAIL FROM`, `From`, `Sender`.
    NotYourAddress {
        /// Where it stands.
        field: &'static str,
    },
    /// 550 5.1.1: no such address at the gateway's own host name.
    NoSuchAddress,
    /// 550 5.6.0 (or 552 5.3.4 for a limit): not understood.
    NotUnderstood(Defect),
    /// 550 5.7.1: policy refuses; its words.
    Policy(String),
    /// 554 5.4.6: more than 30 Received fields.
    Loop,
    /// 452 4.3.1: no space.
    Full,
    /// 451 4.3.0: cannot tell; try again. The id is in the log.
    Unavailable,
}
