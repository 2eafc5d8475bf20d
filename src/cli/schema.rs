//! `postern schema`: JSON Schemas for editors.

use std::process::ExitCode;

use crate::cli::{Done, print};
use crate::{config, policy};

/// A kind of file an admin writes.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Kind {
    /// config.toml
    Config,
    /// policies/*.toml and the files in its folders
    Policy,
}

pub fn schema(kind: Kind) -> Done {
    let schema = match kind {
        Kind::Config => config::schema(),
        Kind::Policy => policy::schema(),
    };
    print::json(&schema)?;
    Ok(ExitCode::SUCCESS)
}
