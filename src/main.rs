//! The `postern` command.

use std::process::ExitCode;

mod shipped;

fn main() -> ExitCode {
    // Before anything can ask for TLS: a second provider in the tree would otherwise make the choice ambiguous.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    postern::net::install_panic_hook();
    postern::cli::run(shipped::POLICIES)
}
