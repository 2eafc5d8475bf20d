//! The portal: what recipients see in a browser. Requests to answers, without a port ([`app()`]); and over sockets
//! ([`Server`]).
//!
//! | question | place |
//! |---|---|
//! | which address is answered by what | `app.rs` |
//! | Host, Origin, headers, the page of an error | `door.rs`, `headers.rs`, `refusal.rs` |
//! | cookies, form tokens | `cookies.rs`, `tokens.rs` |
//! | what the gateway is asked | `reception.rs` |
//! | what was searched for | `searches.rs` |
//! | how a mail program is set up | `setup.rs` |
//! | what a page looks like | `pages/`, `assets/`; its words in `policies/templates/*/portal.ftl` |
//!
//! GET and HEAD change nothing. Forms work without JavaScript; every error has a next step, and an id that the log has.

mod account;
mod app;
mod assets;
mod body;
mod checks;
mod cookies;
mod documents;
mod door;
mod enrol;
mod fields;
mod guide;
mod headers;
mod help;
mod idle;
mod link;
mod list;
mod message;
mod multipart;
mod page;
mod password;
mod range;
mod reception;
mod refusal;
mod reply;
mod searches;
mod server;
mod settings;
mod setup;
mod sign_in;
mod steps;
mod tokens;
mod visitor;

pub use app::app;
pub use reception::{OctetSource, Pieces, Reception, ReplyInHand, Served};
pub use server::Server;
pub use settings::{Deadlines, Origin, Settings};
pub use setup::{MailServer, MailServers};
pub use visitor::Peer;
