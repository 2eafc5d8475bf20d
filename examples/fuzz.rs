//! Looks for octets that break what must hold: `cargo run --release --example fuzz -- TARGET SECONDS [FOLDER …]`. Inputs are
//! mutated messages and files below `tests/mime` and the folders (`../shared/corpus`, say). What breaks something is written to
//! `target/fuzz/`; `fuzz TARGET FILE` runs it again. The targets are those of `tests/suite/targets.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool for developers ends where a file cannot be read")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postern::gateway::Policies;

#[path = "../tests/suite/targets.rs"]
mod targets;
#[path = "../tests/suite/trial.rs"]
mod trial;

use targets::{Mutations, TARGETS, Target, seeds};

/// An answer that takes longer is a fault.
const LONGEST: Duration = Duration::from_secs(2);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let target = arguments.first().and_then(|name| TARGETS.iter().find(|target| target.name == *name));
    let (Some(target), Some(how)) = (target, arguments.get(1)) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("usage: fuzz TARGET SECONDS [FOLDER ...]\n       fuzz TARGET FILE\ntargets: {}", names.join(", "));
        std::process::exit(2);
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policies = Policies::open(&root.join("policies")).unwrap_or_else(|broken| panic!("{broken:?}"));
    let found = match how.parse() {
        Ok(seconds) => {
            let mut folders = vec![root.join("tests/mime"), root.join("src/cli/demo/assets")];
            folders.extend(arguments[2..].iter().map(PathBuf::from));
            search(target, &policies, Duration::from_secs(seconds), &folders)
        }
        Err(_) => usize::from(breaks(target, &policies, &std::fs::read(how).unwrap()).is_some()),
    };
    std::process::exit(i32::from(found > 0));
}

/// Tries inputs for this long. How many broke something.
fn search(target: &Target, policies: &Policies, length: Duration, folders: &[PathBuf]) -> usize {
    let number = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sound = seeds(target, folders);
    println!("{}: {} sound inputs, number {number}", target.name, sound.len());
    let mut mutations = Mutations::new(number, target, sound);
    let (begun, mut inputs, mut octets, mut found, mut slowest) = (Instant::now(), 0_u64, 0_u64, 0, Duration::ZERO);
    while begun.elapsed() < length {
        let input = mutations.input();
        let started = Instant::now();
        if let Some(why) = breaks(target, policies, &input) {
            found += 1;
            keep(target, found, &input, why);
        }
        slowest = slowest.max(started.elapsed());
        inputs += 1;
        octets += input.len() as u64;
    }
    let megabytes = octets / (1024 * 1024);
    println!("{}: {inputs} inputs, {megabytes} MiB, {found} found, the slowest took {slowest:.1?}", target.name);
    found
}

/// Why an input breaks something, if it does.
fn breaks(target: &Target, policies: &Policies, input: &[u8]) -> Option<&'static str> {
    let started = Instant::now();
    let panicked = catch_unwind(AssertUnwindSafe(|| (target.run)(policies, input))).is_err();
    if panicked {
        return Some("panic");
    }
    (started.elapsed() > LONGEST).then_some("slow")
}

fn keep(target: &Target, number: usize, input: &[u8], why: &str) {
    let folder = Path::new("target/fuzz");
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{}-{number}.{why}", target.name));
    std::fs::write(&path, input).unwrap();
    println!("{}: {why}, see {}", target.name, path.display());
}
