//! Postern, a secure mail gateway for clinics.
//!
//! Five rings over a vocabulary; imports point inwards only (`tests/layering.rs` checks it):
//!
//! | ring | modules | may use |
//! |---|---|---|
//! | 5 shell | `main`, [`cli`], [`config`], [`tls`], [`log`] | everything |
//! | 4 edges | [`smtp`], [`imap`], [`relay`], [`portal`], [`admin`], over [`net`] | rings 0–3, `net`; never a sibling |
//! | 3 service | [`gateway`] | rings 0–2 |
//! | 2 state | [`vault`], [`queue`], [`directory`], [`accounts`], [`guests`], [`mailbox`], [`agenda`] over [`store`], [`blob`], [`keyring`], [`random`] | rings 0–2 |
//! | 1 rules | [`mime`], [`policy`], [`pack`], [`delivery`], [`access`], [`invitation`], [`conversation`], [`anatomy`], [`archive`], [`sasl`], [`texts`] | rings 0–1; no I/O, clock, randomness or log |
//! | 0 words | [`mail`], [`id`], [`time`], [`secret`], [`fault`], [`document`], [`event`] | ring 0 |
//!
//! # Where is …?
//!
//! | question | place |
//! |---|---|
//! | the life of a message, step under step | `gateway/accept.rs` |
//! | the reply for an unknown recipient | `smtp/reply/` |
//! | smuggling, bare LF, the final dot | `smtp/data.rs` |
//! | why was this secured | `policy/decide.rs`, `postern explain` |
//! | what the fields of mail programs say; what leaves of a header section | `mime/assess/signals.rs`; `pack/field.rs`, `pack/inner.rs` |
//! | what the recipient reads | mails: `pack/`; pages: `portal/pages/`, `texts.rs`; their words in `policies/templates` |
//! | CSP, cookies, who may post a form | `portal/headers.rs`, `portal/cookies.rs`, `portal/door.rs` |
//! | a literal, and back in step after garbage | `imap/fragment.rs` |
//! | what IMAP offers, and which command is legal when | `imap/session/offers.rs`, `imap/session/commands.rs` |
//! | when may 250 be said | `gateway/commit.rs` |
//! | what lies on disk | `store/`, `docs/storage.md` |
//! | the chunk format of a blob | `blob/stream.rs` |
//! | when a right to documents ends, and what moves that | `vault/clocks.rs`, `vault/held.rs` |
//! | what of a sender's HTML is shown | `pack/shown.rs`, `tests/shown` |
//! | when the next delivery attempt is | `delivery/retry.rs` |
//! | what a mistake in a file prints | `fault.rs`, `document/`, `policy/file.rs`, `config/check.rs` |

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests wait, so they read clocks"))]

pub mod document;
pub mod event;
pub mod fault;
pub mod id;
pub mod mail;
pub mod secret;
pub mod time;

pub mod access;
pub mod anatomy;
pub mod archive;
pub mod conversation;
pub mod delivery;
pub mod invitation;
pub mod mime;
pub mod pack;
pub mod policy;
pub mod sasl;
pub mod texts;

pub mod accounts;
pub mod agenda;
pub mod blob;
pub mod directory;
pub mod guests;
pub mod keyring;
pub mod mailbox;
pub mod queue;
pub mod random;
pub mod store;
pub mod vault;

pub mod gateway;

pub mod admin;
pub mod imap;
pub mod net;
pub mod portal;
pub mod relay;
pub mod smtp;

pub mod cli;
pub mod config;
pub mod log;
pub mod tls;
