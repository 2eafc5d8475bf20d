//! What would become of a folder of messages: `cargo run --example survey -- FOLDER [POLICIES]` takes each message below it
//! through the whole decision (outline, assessment, shipped policies, composing) without storing or sending anything, and
//! prints counts of treatment, refusals by reason, time and memory as Markdown. `--each` also prints a line per message.
//!
//! Messages are files that end in `.eml`, `.msg` or `.txt`, or in nothing.
#![allow(clippy::unwrap_used, reason = "a tool for developers ends where a file cannot be read")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postern::gateway::Policies;

#[path = "../tests/suite/trial.rs"]
mod trial;

use trial::Fate;

#[derive(Default)]
struct Counts {
    messages: usize,
    octets: usize,
    relayed: usize,
    rebuilt: usize,
    secured: usize,
    documents: usize,
    refused: BTreeMap<String, usize>,
    slowest: Duration,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut each = false;
    let mut folders = Vec::new();
    for argument in arguments.by_ref() {
        if argument == "--each" { each = true } else { folders.push(PathBuf::from(argument)) }
    }
    let Some(folder) = folders.first() else {
        eprintln!("usage: survey [--each] FOLDER [POLICIES]");
        std::process::exit(2);
    };
    let policies = folders.get(1).cloned().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"));
    let policies = Policies::open(&policies).unwrap_or_else(|broken| panic!("{broken:?}"));

    let (mut counts, begun) = (Counts::default(), Instant::now());
    let mut files = Vec::new();
    messages_below(folder, &mut files);
    files.sort();
    for file in &files {
        let octets = trial::with_crlf(&std::fs::read(file).unwrap());
        let started = Instant::now();
        let fate = trial::send(&policies, &octets);
        counts.slowest = counts.slowest.max(started.elapsed());
        counts.octets += octets.len();
        let told = counts.take(fate);
        if each {
            println!("{}: {told}", file.strip_prefix(folder).unwrap_or(file).display());
        }
    }
    counts.print(begun.elapsed());
}

fn messages_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let is_message = entry.extension().is_none_or(|ending| ["eml", "msg", "txt"].iter().any(|it| ending == *it));
        if entry.is_dir() {
            messages_below(&entry, found);
        } else if is_message {
            found.push(entry);
        }
    }
}

impl Counts {
    /// Counts one message; what became of it, in a line.
    fn take(&mut self, fate: Fate) -> String {
        self.messages += 1;
        match fate {
            Fate::Refused { word, words } => {
                // File names are the messages' own.
                let words = if word == "policy" { "The policy refuses it.".to_owned() } else { words };
                let told = format!("refused, {word}");
                *self.refused.entry(words).or_default() += 1;
                told
            }
            Fate::Relayed => {
                self.relayed += 1;
                "relayed".to_owned()
            }
            Fate::Secured { octets, documents } => {
                self.documents += documents.len();
                *(if documents.is_empty() { &mut self.rebuilt } else { &mut self.secured }) += 1;
                format!("built anew, {} octets, {} documents", octets.len(), documents.len())
            }
        }
    }

    fn print(&self, took: Duration) {
        let delivered = self.relayed + self.rebuilt + self.secured;
        let percent = |count: usize| 100.0 * count as f64 / self.messages.max(1) as f64;
        println!("| messages | {} |\n|---|---:|", self.messages);
        println!("| relayed as they stand | {} |", self.relayed);
        println!("| built anew, no document | {} |", self.rebuilt);
        println!("| built anew, with a link to documents | {} ({} documents) |", self.secured, self.documents);
        println!("| delivered in all | {delivered} ({:.1} %) |", percent(delivered));
        println!("| refused | {} |", self.messages - delivered);
        println!("| time | {took:.1?} for {} KB; the slowest message {:.1?} |", self.octets / 1024, self.slowest);
        println!("| memory at most | {} |", most_memory().unwrap_or_else(|| "not known".to_owned()));
        println!("\n| refused | reason |\n|---:|---|");
        let mut refused: Vec<_> = self.refused.iter().collect();
        refused.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), reason.as_str()));
        for (reason, count) in refused {
            println!("| {count} | {reason} |");
        }
    }
}

/// What Linux says this process held at most.
fn most_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|most| most.trim().to_owned())
}
