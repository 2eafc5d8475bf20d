//! Rules of delivery: what an attempt came to, when to try again, what to tell the sender.

pub mod dsn;
pub mod enhanced;
pub mod outcome;
pub mod retry;

pub use enhanced::Enhanced;
pub use outcome::{Cause, Outcome, Step, judge};
