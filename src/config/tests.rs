use std::path::Path;

use proptest::prelude::*;

use super::{Config, check, file};
use crate::document::{self, Faults, Form, Key, Need};
use crate::fault::{Fault, render};

fn read(text: &str) -> (Option<Config>, Vec<Fault>, String) {
    let mut faults = Faults::default();
    let table = document::read("config.toml", text, file::KEYS, &mut faults);
    let config = check::check(&table, Path::new("/etc/postern"), &mut faults);
    let (faults, sources) = faults.into_parts();
    let words = render(&faults, &sources);
    (config, faults, words)
}

const LEAST: &str = "[gateway]\nhostname = \"mail.clinic.example\"\npublic_url = \"https://mail.clinic.example\"\n\
    [relay]\nmode = \"smarthost\"\nhost = \"smtp.provider.example\"\n";

/// Every key that has a default, written out with it.
fn written_out(keys: &[Key]) -> toml::Table {
    let mut table: toml::Table = toml::Table::new();
    for key in keys {
        if let Form::Table(below) = key.form {
            table.insert(key.name.into(), written_out(below).into());
        }
        if let Need::Default(default) = key.need {
            let written: toml::Table = format!("value = {default}").parse().unwrap();
            table.insert(key.name.into(), written["value"].clone());
        }
    }
    table
}

#[test]
fn the_defaults_that_are_told_are_those_that_hold() {
    let mut table = written_out(file::KEYS);
    for (section, keys) in LEAST.parse::<toml::Table>().unwrap() {
        let into = table.entry(section).or_insert_with(|| toml::Table::new().into()).as_table_mut().unwrap();
        into.extend(keys.as_table().unwrap().clone());
    }
    let (told, faults, words) = read(&table.to_string());
    assert!(faults.is_empty(), "{words}");
    let (held, ..) = read(LEAST);
    assert_eq!(told.unwrap(), held.unwrap());
}

#[test]
fn paths_are_below_the_files_folder_and_worked_out() {
    let (config, ..) =
        read(&LEAST.replace("[relay]", "data_dir = \"../../var/./postern\"\ncerts = \"/srv/certs\"\n[relay]"));
    let gateway = config.unwrap().gateway;
    assert_eq!(gateway.data_dir, Path::new("/var/postern"));
    assert_eq!(gateway.certs, Path::new("/srv/certs"));
    assert_eq!(gateway.policies, Path::new("/etc/postern/policies"));
}

#[test]
fn no_secret_of_a_configuration_is_shown() {
    for text in [
        format!("{LEAST}username = \"u\"\npassword = \"hunter2\"\n"),
        format!("{LEAST}username = \"u\"\npassword = \"env:hunter2\"\n"),
        format!("{LEAST}[keys]\nmaster = \"hunter2\"\n"),
    ] {
        let (config, faults, words) = read(&text);
        assert!(!faults.is_empty());
        assert!(!words.contains("hunter2") && !format!("{config:?}").contains("hunter2"), "{words}");
    }
}

proptest! {
    #[test]
    fn a_slip_of_the_pen_is_a_fault_and_no_panic(
        at in any::<prop::sample::Index>(), cut in 0usize..12, put in "[ -~\n\"=\\[\\]é]{0,6}",
    ) {
        let mut text = include_str!("../../config.toml").to_owned();
        let places: Vec<usize> = (0..=text.len()).filter(|place| text.is_char_boundary(*place)).collect();
        let from = at.index(places.len());
        let to = (from + cut).min(places.len() - 1);
        text.replace_range(places[from]..places[to], &put);
        let (config, faults, words) = read(&text);
        prop_assert!(config.is_some() || !faults.is_empty());
        prop_assert_eq!(words.is_empty(), faults.is_empty());
        for fault in faults {
            prop_assert!(fault.span.end <= text.len());
        }
    }
}
