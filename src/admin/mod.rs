//! The commands of an admin: asked over the server's Unix socket, or done alone when no server runs.

mod invitations;
pub mod perform;
pub mod request;
pub mod socket;
mod staff;

pub use perform::{Desk, perform};
pub use request::{Answer, AppPasswordRow, GrantRow, InvitationRow, PartyFacts, QueueDetail, Request, StaffRow};
pub use socket::{CallError, call, serve};
