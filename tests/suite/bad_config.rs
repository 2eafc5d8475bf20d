//! Every mistake that an operator can make, with the exact words he reads: `tests/bad_config/NN-name/`.
//!
//! A case is a `config.toml`, or files below `policies/` that are laid over a sound set of policies, and `expected`.
//! `UPDATE_GOLDEN=1` rewrites what is expected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postern::config::Config;
use postern::fault::render;
use postern::policy::{PolicySet, SourceFile};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The folders of a family of cases, in order.
pub fn cases(family: &str) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root().join(family))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    cases.sort();
    cases
}

/// Compares with the golden file, or rewrites it.
pub fn golden(path: &Path, got: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(path, got).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected != got {
        wrong.push(format!("{}\n--- expected\n{expected}\n--- got\n{got}", path.display()));
    }
}

/// The files below a folder, by their names below it.
pub fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

pub fn sources(files: BTreeMap<String, String>) -> Vec<SourceFile> {
    files.into_iter().map(|(name, text)| SourceFile { path: format!("policies/{name}"), name, text }).collect()
}

fn words_of_config(path: &Path) -> String {
    match Config::load(path) {
        Ok(config) => config.notices.iter().map(|notice| format!("notice: {notice}\n")).collect(),
        Err((faults, texts)) => {
            let folder = format!("{}/", path.parent().unwrap().display());
            format!("{}\n", render(&faults, &texts)).replace(&folder, "")
        }
    }
}

fn words_of_policies(folder: &Path) -> String {
    let mut files = files_below(&root().join("policy/base"));
    for (name, text) in files_below(folder) {
        // An empty file stands for one that is missing.
        if text.is_empty() {
            files.remove(&name)
        } else {
            files.insert(name, text)
        };
    }
    match PolicySet::load(&sources(files)) {
        Ok(policy) => {
            let failures = policy.run_tests().into_iter().filter_map(|test| Some((test.name, test.failure?)));
            failures.map(|(name, failure)| format!("{name}: {failure}\n")).collect()
        }
        Err((faults, texts)) => format!("{}\n", render(&faults, &texts)),
    }
}

#[test]
fn every_mistake_is_explained_in_these_words() {
    let mut wrong = Vec::new();
    let cases = cases("bad_config");
    assert!(cases.len() >= 25, "{} cases", cases.len());
    for case in cases {
        let config = case.join("config.toml");
        let words = if config.exists() { words_of_config(&config) } else { words_of_policies(&case.join("policies")) };
        assert!(!words.is_empty(), "{}: nothing is wrong", case.display());
        golden(&case.join("expected"), &words, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_shipped_configuration_is_sound_and_has_no_notice() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
    let config = Config::load(&path).unwrap_or_else(|(faults, texts)| panic!("{}", render(&faults, &texts)));
    assert_eq!(config.notices, Vec::<String>::new());
    let relay = config.smtp.relay.iter().map(|listener| listener.listen);
    let mut all = config.smtp.submission.into_iter().chain(config.smtp.submissions).chain(relay);
    assert!(all.all(|address| address.ip().is_loopback() && address.port() >= 1024));
}
