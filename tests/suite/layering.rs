//! The rings: reads every `crate::` path of `src` against the table at the top of `src/lib.rs`.
//!
//! The table is the law, so that it cannot go stale: a module that does not stand in it fails, and
//! so does a module that uses a ring its row does not name. Rings 0 and 1 are also kept pure here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    ring: u8,
    /// Stands after `over`: a base that its own ring builds on, and that uses none of its ring but other bases.
    base: bool,
}

/// The table of `src/lib.rs`: each module's place, and the highest ring that each ring may use.
struct Rings {
    places: BTreeMap<String, Place>,
    reach: BTreeMap<u8, u8>,
}

impl Rings {
    fn read(lib: &str) -> Self {
        let row = Regex::new(r"^//! \| (\d) \w+ \| (.+) \| (.+) \|$").unwrap();
        let name = Regex::new(r"`(\w+)`").unwrap();
        let highest = Regex::new(r"rings? (?:\d–)?(\d)").unwrap();
        let (mut places, mut reach) = (BTreeMap::new(), BTreeMap::new());
        for cells in lib.lines().filter_map(|line| row.captures(line)) {
            let ring: u8 = cells[1].parse().unwrap();
            let (upper, bases) = cells[2].split_once(" over ").unwrap_or((&cells[2], ""));
            for (text, base) in [(upper, false), (bases, true)] {
                places.extend(name.captures_iter(text).map(|found| (found[1].to_owned(), Place { ring, base })));
            }
            reach.insert(ring, highest.captures(&cells[3]).map_or(ring, |found| found[1].parse().unwrap()));
        }
        Self { places, reach }
    }

    /// Whether a line in `from` may name `to`; the reason if not.
    fn judge(&self, from: &str, to: &str) -> Result<(), String> {
        if from == to {
            return Ok(());
        }
        let place = |module: &str| {
            self.places.get(module).ok_or_else(|| format!("`{module}` has no row in the ring table of src/lib.rs"))
        };
        let (here, there) = (place(from)?, place(to)?);
        let reach = self.reach[&here.ring];
        if there.ring < here.ring && there.ring <= reach {
            return Ok(());
        }
        if there.ring > here.ring {
            return Err(format!(
                "`{from}` (ring {}) uses `{to}` (ring {}): imports point inwards",
                here.ring, there.ring
            ));
        }
        match (here.ring, here.base, there.base) {
            (4, false, false) => Err(format!("edge `{from}` uses its sibling edge `{to}`")),
            (_, true, false) => Err(format!("`{from}` carries `{to}` and may not lean on it")),
            _ => Ok(()),
        }
    }
}

#[test]
fn imports_point_inwards_and_edges_never_meet() {
    let rings = Rings::read(&read(&root().join("src/lib.rs")));
    let mut faults = Vec::new();
    for file in sources() {
        let Some(from) = module_of(&file) else { continue };
        for (line, to) in crate_paths(&read(&file)) {
            if let Err(reason) = rings.judge(&from, &to) {
                faults.push(format!("{}:{line}: {reason}", shown(&file)));
            }
        }
    }
    assert!(faults.is_empty(), "{} imports break the rings:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_module_has_a_row_and_every_row_a_module() {
    let lib = read(&root().join("src/lib.rs"));
    let declared = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    let mut modules: Vec<_> = declared.captures_iter(&lib).map(|found| found[1].to_owned()).collect();
    let mut rows: Vec<_> = Rings::read(&lib).places.into_keys().filter(|name| name != "main").collect();
    modules.sort();
    rows.sort();
    assert_eq!(modules, rows, "left: `pub mod` lines of src/lib.rs; right: its ring table");
}

#[test]
fn words_and_rules_are_pure() {
    let rings = Rings::read(&read(&root().join("src/lib.rs")));
    let impure = Regex::new(
        r"\b(tokio::|std::fs\b|std::process\b|std::thread\b|Tcp(Stream|Listener)|UdpSocket|SystemTime|Instant::now|\w+::now\(|async fn|\.await\b|tracing::|println!|eprintln!|aws_lc_rs::rand)",
    )
    .unwrap();
    let mut faults = Vec::new();
    for file in sources() {
        let Some(module) = module_of(&file) else { continue };
        // `event` is the closed list of what is logged, so it alone names the log.
        if rings.places.get(&module).is_none_or(|place| place.ring > 1) || module == "event" || is_tests(&file) {
            continue;
        }
        let text = read(&file);
        for (number, line) in before_tests(&text) {
            if let Some(found) = impure.find(line) {
                faults.push(format!("{}:{number}: `{}` in ring 0 or 1", shown(&file), found.as_str()));
            }
        }
    }
    assert!(faults.is_empty(), "rules have no I/O, clock, randomness or log:\n{}", faults.join("\n"));
}

/// The law itself, on a small house, so that a mistake in the reader cannot pass for a clean tree.
#[test]
fn the_reader_sees_what_it_must() {
    let rings = Rings::read(concat!(
        "//! | ring | modules | may use |\n",
        "//! | 5 shell | `main`, [`cli`] | everything |\n",
        "//! | 4 edges | [`smtp`], [`relay`], over [`net`] | rings 0–3, `net`; never a sibling |\n",
        "//! | 2 state | [`vault`] over [`store`] | rings 0–2 |\n",
        "//! | 1 rules | [`mime`] | rings 0–1; no I/O |\n",
        "//! | 0 words | [`mail`] | ring 0 |\n",
    ));
    for (from, to, allowed) in [
        ("cli", "smtp", true),
        ("main", "cli", true),
        ("smtp", "net", true),
        ("smtp", "vault", true),
        ("vault", "store", true),
        ("mime", "mail", true),
        ("smtp", "relay", false),
        ("net", "smtp", false),
        ("store", "vault", false),
        ("mime", "store", false),
        ("mail", "mime", false),
        ("vault", "smtp", false),
        ("smtp", "nowhere", false),
    ] {
        assert_eq!(rings.judge(from, to).is_ok(), allowed, "{from} -> {to}");
    }
    let text = "use crate::mail;\nuse crate::{\n    smtp::Reply,\n    store::{self, Table},\n};\n// crate::relay\nlet x = crate::vault::open();\n";
    let found: Vec<_> = crate_paths(text).into_iter().map(|(line, to)| format!("{line} {to}")).collect();
    assert_eq!(found, ["1 mail", "3 smtp", "4 store", "7 vault"]);
}

/// Every `crate::name` of a text with its line, groups (`use crate::{…}`) opened.
fn crate_paths(text: &str) -> Vec<(usize, String)> {
    let code: String = text.lines().map(|line| without_comment(line).to_owned() + "\n").collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = at + "crate::".len();
        if code[rest..].starts_with('{') {
            found.extend(group(&code, rest));
        } else {
            found.push((rest, word(&code[rest..])));
        }
    }
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    found.into_iter().filter(|(_, name)| !name.is_empty()).map(|(at, name)| (line_of(at), name)).collect()
}

/// The first name of each branch of the brace group that opens at `open`.
fn group(code: &str, open: usize) -> Vec<(usize, String)> {
    let (mut depth, mut expecting, mut found) = (0_usize, false, Vec::new());
    for (offset, c) in code[open..].char_indices() {
        match c {
            '{' => {
                depth += 1;
                expecting = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' => expecting = depth == 1,
            _ if expecting && depth == 1 && !c.is_whitespace() => {
                found.push((open + offset, word(&code[open + offset..])));
                expecting = false;
            }
            _ => {}
        }
    }
    found
}

/// Tests beside their module: `tests.rs`, `load_tests.rs`, `tests/`.
fn is_tests(file: &Path) -> bool {
    shown(file).split('/').any(|part| part.trim_end_matches(".rs").ends_with("tests"))
}

/// The lines before the file's own tests, numbered, without comments.
fn before_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .enumerate()
        .map(|(index, line)| (index + 1, without_comment(line)))
}

fn without_comment(line: &str) -> &str {
    line.find("//").filter(|at| !line[..*at].ends_with(':')).map_or(line, |at| &line[..at])
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The top-level module that a file belongs to; `None` for `lib.rs`.
fn module_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix(root().join("src")).unwrap().components().next()?;
    let name = Path::new(first.as_os_str()).file_stem()?.to_string_lossy().into_owned();
    (name != "lib").then_some(name)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn sources() -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![root().join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 20, "src was not found");
    files
}
