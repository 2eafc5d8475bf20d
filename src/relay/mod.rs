//! SMTP out and the folder.

pub mod client;
pub mod errand;
pub mod folder;
pub mod protection;
pub mod smarthost;
