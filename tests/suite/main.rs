//! The one integration test binary: it links once and runs everything that needs more than one module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what broke by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests wait, so they read clocks and the environment")]

mod bad_config;
mod gateway;
mod guests;
mod imap;
mod layering;
mod lifecycle;
mod live;
mod mailbox;
mod mime;
mod pack;
mod parcels;
mod policy;
mod portal;
mod queue;
mod reference;
mod regression;
mod relay;
mod smtp;
mod storage;
mod targets;
mod trial;
mod wire;
