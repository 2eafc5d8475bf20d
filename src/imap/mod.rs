//! IMAP: staff read secure replies and what they sent, in the mail program they have (RFC 3501, RFC 9051).
//!
//! | subject | place |
//! |---|---|
//! | lines, literals, resynchronisation after a refusal | `fragment.rs` |
//! | commands: from octets to what they mean | `command/` |
//! | sequence sets, names, dates, patterns of LIST | `set.rs`, `name.rs`, `date.rs`, `pattern.rs` |
//! | what is written, and the table of refusals | `response/` |
//! | the session, without sockets | `session/` |
//! | sockets, deadlines, TLS | `server.rs`, `pace.rs` |
//! | sessions of one account | `places.rs` |

pub mod command;
pub mod date;
pub mod fragment;
pub mod name;
mod pace;
pub mod pattern;
pub mod places;
pub mod response;
pub mod server;
pub mod session;
pub mod set;
pub mod settings;

pub use places::Places;
pub use server::Server;
pub use session::Session;
pub use settings::{Deadlines, Limits, Purpose, Settings};
