//! The log: one line an event, on standard error, for journald or a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Begins logging. `POSTERN_LOG` chooses how much is shown (`error`, `warn`, `info`); `POSTERN_LOG_FORMAT=json` makes
/// each line a JSON object.
///
/// Libraries are never heard: what they say is not ours to keep free of addresses.
pub fn begin() {
    let wanted = std::env::var("POSTERN_LOG").unwrap_or_default();
    let level =
        ["error", "warn", "info"].into_iter().find(|level| wanted.eq_ignore_ascii_case(level)).unwrap_or("info");
    let filter = EnvFilter::new(format!("off,postern={level}"));
    let base = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_span_events(FmtSpan::NONE);
    if std::env::var_os("POSTERN_LOG_FORMAT").is_some_and(|format| format == "json") {
        base.json().init();
    } else {
        base.init();
    }
}
