//! From text to a [`Table`], noting every fault of form on the way.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::Value;
use super::{Faults, Form, Key, Need, Place, Table, Word, parse_size};
use crate::fault::{Fault, nearest};
use crate::time::parse_length;

/// Reads a file. The table holds what is sound in form; everything else is a fault with its place: what is no
/// TOML, unknown keys (with the nearest known one), values of the wrong form or out of range, keys that are missing.
/// Where a part is no TOML, missing keys are not faulted, nor unknown ones behind it: what they belong to could not be
/// read.
pub fn read(file: &str, text: &str, keys: &'static [Key], faults: &mut Faults) -> Table {
    faults.keep_source(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.add(syntax_fault(file, text, error));
    }
    let broken = errors.iter().map(|error| error.span().unwrap_or(0..text.len())).collect();
    let mut reader = Reader { file: file.into(), text, root: keys, broken, faults };
    let place = reader.place(0..0);
    reader.table(root.get_ref(), place, keys, &Title::root())
}

fn syntax_fault(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let said = error.message().lines().next().unwrap_or("not TOML").trim();
    let span = error.span().unwrap_or(0..0);
    let fault = |message: String| Fault::new(file, span.clone(), message);
    if said.starts_with("duplicate key") {
        return fault("this key stands here a second time".into()).hint("keep one of the two and remove the other");
    }
    let written = text.get(span.clone()).unwrap_or_default().trim();
    if said.contains("string values must be quoted") && !written.contains(['"', '\n']) {
        return fault("a text without quotes".into()).hint(format!("write \"{written}\""));
    }
    fault(format!("not TOML: {said}"))
        .hint("every line is key = value, [table], [[list of tables]] or # comment; texts stand in quotes")
}

/// The way to a table, as messages name it.
struct Title {
    path: Vec<&'static str>,
    list: bool,
}

impl Title {
    fn root() -> Self {
        Self { path: Vec::new(), list: false }
    }

    fn below(&self, name: &'static str, list: bool) -> Self {
        let mut path = self.path.clone();
        path.push(name);
        Self { path, list }
    }

    /// ` in [smtp.relay]`; nothing for the file itself.
    fn within(&self) -> String {
        match (self.path.is_empty(), self.list) {
            (true, _) => String::new(),
            (false, false) => format!(" in [{}]", self.path.join(".")),
            (false, true) => format!(" in [[{}]]", self.path.join(".")),
        }
    }

    /// `[smtp.relay]`, for a table of this name below.
    fn of(&self, key: &Key) -> String {
        let path = self.below(key.name, false).path.join(".");
        if matches!(key.form, Form::Tables(_)) { format!("[[{path}]]") } else { format!("[{path}]") }
    }
}

struct Reader<'a> {
    file: Arc<str>,
    text: &'a str,
    root: &'static [Key],
    /// What is no TOML.
    broken: Vec<Range<usize>>,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Place { file: Arc::clone(&self.file), line: before.matches('\n').count() + 1, span }
    }

    fn table(&mut self, written: &DeTable<'_>, place: Place, keys: &'static [Key], title: &Title) -> Table {
        let mut entries = BTreeMap::new();
        let mut meant = Vec::new();
        for (name, value) in written {
            let Some(key) = keys.iter().find(|key| key.name == name.get_ref()) else {
                if self.broken.iter().all(|broken| name.span().start < broken.start) {
                    meant.extend(self.unknown(name.get_ref(), name.span(), keys, title));
                }
                continue;
            };
            let read = self.value(key, value, title);
            entries.insert(key.name, (self.place(value.span()), read));
        }
        // A key that was misspelt, or whose own keys stand outside it, is not missing as well.
        let missing_keys = keys.iter().filter(|key| key.need == Need::Required && !written.contains_key(key.name));
        for key in missing_keys.filter(|key| self.broken.is_empty() && !meant.contains(&key.name)) {
            self.faults.add(missing(key, &place, title));
        }
        Table { place, bare: written.is_empty(), entries }
    }

    /// Faults an unknown key. Returns the key of this table that was meant, where that can be told.
    fn unknown(&mut self, name: &str, span: Range<usize>, keys: &'static [Key], title: &Title) -> Option<&'static str> {
        let fault = self.place(span).fault(format!("unknown key \"{name}\"{}", title.within()));
        let (hint, meant) = if let Some(home) = home_of(name, self.root, &Title::root()) {
            let below = keys.iter().find(|key| title.of(key) == home).map(|key| key.name);
            (format!("\"{name}\" belongs in {home}"), below)
        } else if let Some(near) = nearest(name, keys.iter().map(|key| key.name)) {
            (format!("did you mean \"{near}\"?"), Some(near))
        } else {
            let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
            (format!("the keys here are {}", known.join(", ")), None)
        };
        self.faults.add(fault.hint(hint));
        meant
    }

    fn value(&mut self, key: &'static Key, written: &Spanned<DeValue<'_>>, title: &Title) -> Option<Value> {
        let place = self.place(written.span());
        match (&key.form, written.get_ref()) {
            (Form::Table(keys), DeValue::Table(table)) => {
                Some(Value::Table(self.table(table, place, keys, &title.below(key.name, false))))
            }
            (Form::Tables(keys), DeValue::Array(items)) => {
                let below = title.below(key.name, true);
                let tables = items.iter().filter_map(|item| match item.get_ref() {
                    DeValue::Table(table) => {
                        let place = self.place(item.span());
                        Some(self.table(table, place, keys, &below))
                    }
                    _ => {
                        self.wrong_form(key, item);
                        None
                    }
                });
                Some(Value::Tables(tables.collect()))
            }
            (Form::List(inner) | Form::OneOrMore(inner), DeValue::Array(items)) => {
                if items.is_empty() && matches!(key.form, Form::OneOrMore(_)) {
                    let fault =
                        place.fault(format!("the list of \"{}\" is empty, so nothing can ever match", key.name));
                    self.faults.add(fault.hint("name at least one, or remove the key"));
                    return None;
                }
                let words: Vec<Word> = items.iter().filter_map(|item| self.word(key, inner, item)).collect();
                (words.len() == items.len()).then_some(Value::List(words))
            }
            (Form::OneOrMore(inner), _) => Some(Value::List(vec![self.word(key, inner, written)?])),
            (form, _) => self.scalar(key, form, written),
        }
    }

    fn scalar(&mut self, key: &'static Key, form: &Form, written: &Spanned<DeValue<'_>>) -> Option<Value> {
        let read = match (form, written.get_ref()) {
            (Form::Text | Form::Choice(_), _) => return self.word(key, form, written).map(Value::Text),
            (Form::Flag, DeValue::Boolean(flag)) => Some(Value::Flag(*flag)),
            (Form::Count { least, most }, DeValue::Integer(number)) => {
                u64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                    .ok()
                    .filter(|count| (least..=most).contains(&count))
                    .map(Value::Count)
            }
            (Form::Length { least, most }, DeValue::String(text)) => parse_length(text)
                .filter(|length| parse_length(least).is_none_or(|least| *length >= least))
                .filter(|length| parse_length(most).is_none_or(|most| *length <= most))
                .map(Value::Length),
            (Form::Size { least, most }, DeValue::String(text)) => {
                parse_size(text).filter(|size| (least..=most).contains(&size)).map(Value::Count)
            }
            _ => None,
        };
        if read.is_none() {
            self.wrong_form(key, written);
        }
        read
    }

    /// A text or a word of a choice.
    fn word(&mut self, key: &'static Key, form: &Form, written: &Spanned<DeValue<'_>>) -> Option<Word> {
        let place = self.place(written.span());
        let DeValue::String(text) = written.get_ref() else {
            self.wrong_form(key, written);
            return None;
        };
        match form {
            Form::Choice(words) if !words.contains(&text.as_ref()) => {
                let message = format!("\"{text}\" is not known for \"{}\"", key.name);
                let hint = match nearest(text, words.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("it must be {}", form.words()),
                };
                self.faults.add(place.fault(message).hint(hint));
                None
            }
            Form::Text if text.trim().is_empty() => {
                self.faults.add(place.fault(format!("\"{}\" is empty", key.name)));
                None
            }
            _ => Some(Word { text: text.to_string(), place }),
        }
    }

    fn wrong_form(&mut self, key: &Key, written: &Spanned<DeValue<'_>>) {
        let span = written.span();
        if self.broken.iter().any(|broken| broken.start < span.end && span.start < broken.end) {
            return;
        }
        let fault = self.place(span).fault(format!("\"{}\" must be {}", key.name, key.form.words()));
        let hint = match key.form {
            Form::Tables(_) => Some(format!("each begins with [[{}]], in two brackets", key.name)),
            _ => key.form.example().map(str::to_owned),
        };
        self.faults.add(Fault { hint, ..fault });
    }
}

fn missing(key: &Key, place: &Place, title: &Title) -> Fault {
    let message = match key.form {
        Form::Table(_) | Form::Tables(_) => format!("{} is missing", title.of(key)),
        _ => format!("the key \"{}\" is missing{}", key.name, title.within()),
    };
    place.fault(message).hint(format!("{}: {}", key.name, key.about))
}

/// The table that has a key of exactly this name, as messages name it: `[rule.set]`.
fn home_of(name: &str, keys: &'static [Key], title: &Title) -> Option<String> {
    keys.iter().find_map(|key| match key.form {
        Form::Table(below) | Form::Tables(below) => {
            let list = matches!(key.form, Form::Tables(_));
            if below.iter().any(|inner| inner.name == name) {
                return Some(title.of(key));
            }
            home_of(name, below, &title.below(key.name, list))
        }
        _ => None,
    })
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
