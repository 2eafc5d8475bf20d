//! Printing for people: tables, failures, progress.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Says on standard error what was not done; exit status 1.
pub fn failure(sentence: &str) -> ExitCode {
    eprintln!("postern: {sentence}");
    ExitCode::FAILURE
}

/// Prints a line; a pipe that was closed early (`| head`) is no failure.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints any value as JSON, indented.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn json(value: &impl Serialize) -> Result<(), String> {
    line(&serde_json::to_string_pretty(value).map_err(|error| error.to_string())?);
    Ok(())
}

/// Prints rows under their titles, columns aligned by characters; control characters never reach the terminal.
pub fn table(titles: &[&str], rows: &[Vec<String>]) {
    let clean = |cell: &String| cell.chars().filter(|c| !c.is_control()).collect::<String>();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(clean).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(titles.get(column).map(|title| title.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let print_row = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        line(padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    print_row(&titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>());
    for row in &rows {
        print_row(row);
    }
}

/// Shows how far long work has come, on a terminal only.
pub fn progress(what: &'static str) -> impl Fn(u64) + Sync {
    let terminal = std::io::stderr().is_terminal();
    move |done| {
        if terminal {
            eprint!("\r{what}: {done}   ");
        }
    }
}

/// Ends the line that [`progress`] left.
pub fn end_progress() {
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
}
