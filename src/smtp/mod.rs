//! SMTP in: submission by staff's mail programs, and relay listeners for servers that are trusted
//! (RFC 5321, RFC 6409, RFC 8314).
//!
//! | subject | place |
//! |---|---|
//! | command table, what is legal when | `session/commands.rs` |
//! | arguments of MAIL and RCPT | `parameters.rs` |
//! | the final dot, smuggling | `data.rs` |
//! | what is said | `reply.rs` |
//! | sockets, deadlines, TLS | `server.rs` |

pub mod data;
pub mod mailroom;
pub mod parameters;
pub mod reply;
pub mod server;
pub mod session;
pub mod settings;

pub use crate::net::Guesses;
pub use mailroom::{Incoming, Mailroom, Spool};
pub use server::Server;
pub use session::Session;
pub use settings::{Deadlines, Limits, Purpose, RelayTrust, Settings};
