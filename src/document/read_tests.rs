use super::super::{Faults, Form, Key, Need};
use super::read;
use crate::fault::render;

const INNER: &[Key] = &[
    Key { name: "keep", form: Form::Length { least: "1h", most: "90d" }, need: Need::Optional, about: "How long." },
    Key { name: "kind", form: Form::Choice(&["relay", "secure"]), need: Need::Required, about: "What happens." },
];
const KEYS: &[Key] = &[
    Key { name: "name", form: Form::Text, need: Need::Required, about: "What it is called." },
    Key { name: "on", form: Form::Flag, need: Need::Default("true"), about: "Whether." },
    Key { name: "many", form: Form::OneOrMore(&Form::Text), need: Need::Optional, about: "Which." },
    Key { name: "count", form: Form::Count { least: 1, most: 9 }, need: Need::Optional, about: "How many." },
    Key { name: "size", form: Form::Size { least: 1, most: 1 << 20 }, need: Need::Optional, about: "How big." },
    Key { name: "set", form: Form::Table(INNER), need: Need::Optional, about: "What to do." },
    Key { name: "rule", form: Form::Tables(INNER), need: Need::Optional, about: "Rules." },
];

fn faults(text: &str) -> Vec<(String, String)> {
    let mut faults = Faults::default();
    read("x.toml", text, KEYS, &mut faults);
    let (list, sources) = faults.into_parts();
    render(&list, &sources);
    list.into_iter().map(|fault| (text[fault.span.clone()].to_owned(), fault.message)).collect()
}

#[test]
fn a_sound_file_is_read_whole() {
    let text =
        "name = 'a'\nmany = 'x'\ncount = 3\nsize = '4 KiB'\n[set]\nkeep='7d'\nkind='relay'\n[[rule]]\nkind='secure'\n";
    let mut faults = Faults::default();
    let table = read("x.toml", text, KEYS, &mut faults);
    assert!(faults.is_empty());
    assert_eq!(table.text("name").map(|word| word.text.as_str()), Some("a"));
    assert_eq!(table.texts("many").len(), 1);
    assert_eq!((table.count("count"), table.count("size")), (Some(3), Some(4096)));
    assert_eq!(table.table("set").and_then(|set| set.length("keep")).map(|length| length.as_secs()), Some(604_800));
    assert_eq!(table.tables("rule")[0].place().line, 8);
}

#[test]
fn every_fault_is_found_at_its_place() {
    for (text, place, message) in [
        ("nam = 'a'\nname = 'a'\n", "nam", "unknown key \"nam\""),
        ("name = 3", "3", "\"name\" must be a text in quotes"),
        ("name = ' '", "' '", "\"name\" is empty"),
        ("name = 'a'\non = 'yes'", "'yes'", "\"on\" must be true or false, without quotes"),
        ("name = 'a'\ncount = 10", "10", "\"count\" must be a whole number from 1 to 9, without quotes"),
        ("name = 'a'\ncount = -1", "-1", "\"count\" must be a whole number from 1 to 9, without quotes"),
        ("name = 'a'\nsize = '2 MiB'", "'2 MiB'", "\"size\" must be a size from \"1 B\" to \"1 MiB\", in quotes"),
        ("name = 'a'\nmany = []", "[]", "the list of \"many\" is empty, so nothing can ever match"),
        ("nam = 'a'\n[set]\nkind='relay'", "nam", "unknown key \"nam\""),
        ("name = 'a'\n[set]\nkeep='7d'", "[set]", "the key \"kind\" is missing in [set]"),
        ("name = 'a'\n[set]\nkind='rely'", "'rely'", "\"rely\" is not known for \"kind\""),
        ("name = 'a'\nset = 3", "3", "\"set\" must be a table"),
        ("name = 'a'\n[rule]\nkind='relay'", "[rule]", "\"rule\" must be a list of tables"),
        ("", "", "the key \"name\" is missing"),
        ("name = 'a'\nname = 'b'", "name", "this key stands here a second time"),
        ("name = a", "a", "a text without quotes"),
    ] {
        assert_eq!(faults(text), [(place.to_owned(), message.to_owned())], "{text}");
    }
}

#[test]
fn all_faults_at_once_in_order_of_place() {
    let found = faults("count = 0\nname = 1\n[set]\nkeep = '1s'\nkind = 'x'\n");
    assert_eq!(found.len(), 4);
}

#[test]
fn a_key_in_the_wrong_table_is_shown_its_home() {
    let mut faults = Faults::default();
    read("x.toml", "name = 'a'\nkeep = '7d'\n", KEYS, &mut faults);
    let (list, _) = faults.into_parts();
    assert_eq!(list[0].hint.as_deref(), Some("\"keep\" belongs in [set]"));
}
