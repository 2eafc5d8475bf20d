//! The built program, run as its admin runs it and spoken to as its clients speak.
//!
//! Each test makes a [`clinic::Clinic`]: a folder with a configuration, policies and an outbox of its own, on a loopback
//! address of its own, so that tests run side by side.

mod browser;
mod client;
mod clients;
pub mod clinic;
mod commands;
mod corpus;
mod crash;
mod crowd;
mod demo;
mod evasions;
mod far_side;
mod first_start;
mod full_disk;
mod imap;
mod kill;
mod letters;
mod life;
mod limits;
mod load;
mod markers;
pub mod outbox;
mod readers;
mod reload;
mod smarthost;
mod stress;
pub mod tools;
mod workgroups;
