//! Schemas for editors and the tables of the reference are made from the tables of keys that the reader uses:
//! here they are held against them. `UPDATE_GOLDEN=1` rewrites both.

use std::path::{Path, PathBuf};

use postern::document::{Form, Key, Need};
use postern::{config, policy};

use crate::bad_config::{files_below, golden, sources};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_shipped_schemas_are_those_of_the_reader() {
    let mut wrong = Vec::new();
    let folder = root().join("policies/schema");
    let mut schemas = vec![("config".to_owned(), config::schema())];
    let defs = policy::schema()["$defs"].clone();
    schemas.extend(defs.as_object().unwrap().clone());
    assert_eq!(schemas.len(), 8);
    for (name, schema) in schemas {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        golden(&folder.join(format!("{name}.json")), &text, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The keys of `config.smtp.relay`, `rules.rule.when` ….
fn keys_at(path: &str) -> &'static [Key] {
    let mut names = path.split('.');
    let first = names.next().unwrap();
    let mut keys = match policy::KINDS.iter().find(|(name, ..)| *name == first) {
        Some((_, keys, _)) => *keys,
        None => config::file::KEYS,
    };
    for name in names {
        let key = keys.iter().find(|key| key.name == name).unwrap_or_else(|| panic!("{path}: no {name}"));
        keys = below(key).unwrap_or_else(|| panic!("{path}: {name} is no table"));
    }
    keys
}

fn below(key: &Key) -> Option<&'static [Key]> {
    match key.form {
        Form::Table(keys) | Form::Tables(keys) => Some(keys),
        _ => None,
    }
}

fn table(keys: &[Key]) -> String {
    let mut text = String::from("| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in keys.iter().filter(|key| below(key).is_none()) {
        let default = match key.need {
            Need::Required => "must be there".to_owned(),
            Need::Optional => "–".to_owned(),
            Need::Default(default) => format!("`{default}`"),
        };
        let value = key.form.words().replace(", in quotes", "").replace(", without quotes", "");
        text.push_str(&format!("| `{}` | {value} | {default} | {} |\n", key.name, key.about.replace('|', "\\|")));
    }
    text
}

/// The paths of all tables that have keys of their own.
fn paths(at: &str, keys: &'static [Key], found: &mut Vec<String>) {
    if keys.iter().any(|key| below(key).is_none()) {
        found.push(at.to_owned());
    }
    for key in keys {
        if let Some(inner) = below(key) {
            paths(&format!("{at}.{}", key.name), inner, found);
        }
    }
}

#[test]
fn every_key_stands_in_the_reference_as_the_reader_knows_it() {
    let mut expected = Vec::new();
    paths("config", config::file::KEYS, &mut expected);
    for (name, keys, _) in policy::KINDS {
        paths(name, keys, &mut expected);
    }
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for page in ["docs/configuration.md", "docs/policy.md"] {
        let path = root().join(page);
        let written = std::fs::read_to_string(&path).unwrap();
        let mut pieces = written.split("<!-- keys: ");
        let mut made = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (at, rest) = piece.split_once(" -->\n").unwrap();
            let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{page}: {at} has no end"));
            made.push_str(&format!("<!-- keys: {at} -->\n{}<!-- end -->{after}", table(keys_at(at))));
            seen.push(at.to_owned());
        }
        golden(&path, &made, &mut wrong);
    }
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected, "the tables in docs/ are not those of the reader");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_of_the_reference_are_sound() {
    let page = std::fs::read_to_string(root().join("docs/policy.md")).unwrap();
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|example| example.contains("[[rule]]") || example.contains("[[test]]"))
        .collect();
    assert!(examples.len() >= 6);
    for example in examples {
        let mut files = files_below(&root().join("tests/policy/base"));
        let name = if example.contains("[[test]]") { "tests/example.toml" } else { "50-example.toml" };
        files.insert(name.into(), example.into());
        let policy = policy::PolicySet::load(&sources(files))
            .unwrap_or_else(|(faults, texts)| panic!("{}", postern::fault::render(&faults, &texts)));
        for result in policy.run_tests() {
            assert_eq!(result.failure, None, "{example}");
        }
    }
}
