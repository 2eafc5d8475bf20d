//! The texts of pages: every one that a page says is there, and none is there that no page says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Texts whose names are put together, by their beginnings.
const FAMILIES: [&str; 6] = ["error-", "fault-", "field-", "help-", "kind-", "role-"];

fn read(folder: &str, ending: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.into_iter().filter(|file| file.extension().is_some_and(|found| found == ending));
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn every_text_that_is_said_is_there_and_none_is_there_for_nothing() {
    let sources = read("src/portal/pages", "html") + &read("src/portal", "rs");
    let english = include_str!("../../../policies/templates/en/portal.ftl");
    let there: BTreeSet<&str> = english.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id).collect();
    let there: BTreeSet<&str> = there.into_iter().filter(|id| !id.starts_with([' ', '-'])).collect();
    let said = Regex::new(r#"(?:say|with|with_two|count|fill|calendar)\(\s*"([a-z][a-z0-9-]+)""#).unwrap();
    let said: BTreeSet<&str> = said.captures_iter(&sources).map(|found| found.get(1).unwrap().as_str()).collect();
    let missing: Vec<_> = said.difference(&there).collect();
    assert!(missing.is_empty(), "said and not there: {missing:?}");
    let written = |id: &str| sources.contains(&format!("\"{id}\"")) || english.contains(&format!("{{ {id} }}"));
    let unsaid: Vec<_> =
        there.iter().filter(|id| !written(id) && !FAMILIES.iter().any(|f| id.starts_with(f))).collect();
    assert!(unsaid.is_empty(), "there for nothing: {unsaid:?}");
}

/// What the gateway calls a fault of a form has its sentence.
#[test]
fn every_word_of_a_fault_has_its_sentence() {
    let english = include_str!("../../../policies/templates/en/portal.ftl");
    let words = [
        "missing",
        "too-long",
        "not-a-phone",
        "not-a-mobile",
        "not-a-date",
        "not-a-website",
        "not-offered",
        "not-confirmed",
    ];
    for word in words {
        assert!(english.contains(&format!("\nfault-{word} = ")), "{word}");
    }
    for word in [
        "not-found",
        "link-used",
        "locked",
        "busy",
        "codes-closed",
        "full",
        "unavailable",
        "foreign",
        "stale-form",
        "malformed",
        "too-large",
        "too-slow",
        "wrong-host",
        "method",
        "range",
    ] {
        for part in ["title", "text", "next"] {
            assert!(english.contains(&format!("\nerror-{word}-{part} = ")), "{word} {part}");
        }
    }
}
