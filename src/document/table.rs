//! What was read: a table whose values have the form that its keys allow.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::Faults;
use crate::fault::Fault;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the admin names it.
    pub file: Arc<str>,
    /// Its octets.
    pub span: Range<usize>,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Place {
    /// A fault here.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(&*self.file, self.span.clone(), message)
    }
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is written.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// A value of the form its key demands.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Word),
    Flag(bool),
    Count(u64),
    Length(Duration),
    List(Vec<Word>),
    Table(Table),
    Tables(Vec<Table>),
}

/// A table as written. A value that was at fault reads as if it were not there, but [`Table::has`] knows of it, so
/// that one mistake is not faulted twice.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) place: Place,
    pub(super) bare: bool,
    pub(super) entries: BTreeMap<&'static str, (Place, Option<Value>)>,
}

impl Table {
    /// Where it begins.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where a key's value stands; the table itself where the key is not written.
    pub fn place_of(&self, key: &str) -> &Place {
        self.entries.get(key).map_or(&self.place, |(place, _)| place)
    }

    /// Whether a key is written, soundly or not.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether nothing at all is written in it.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// A text or a word of a choice.
    pub fn text(&self, key: &str) -> Option<&Word> {
        match self.value(key) {
            Some(Value::Text(word)) => Some(word),
            _ => None,
        }
    }

    /// A text, read on by `parse`; what that says against it is noted as a fault.
    pub fn parsed<T>(
        &self,
        key: &str,
        faults: &mut Faults,
        parse: impl FnOnce(&Word) -> Result<T, Fault>,
    ) -> Option<T> {
        match parse(self.text(key)?) {
            Ok(value) => Some(value),
            Err(fault) => {
                faults.add(fault);
                None
            }
        }
    }

    /// A list of texts; empty where none is written.
    pub fn texts(&self, key: &str) -> &[Word] {
        match self.value(key) {
            Some(Value::List(words)) => words,
            _ => &[],
        }
    }

    /// A list of texts, each read on by `parse`; what that says against one is noted as a fault.
    pub fn each<T>(&self, key: &str, faults: &mut Faults, mut parse: impl FnMut(&Word) -> Result<T, Fault>) -> Vec<T> {
        let mut values = Vec::new();
        for word in self.texts(key) {
            match parse(word) {
                Ok(value) => values.push(value),
                Err(fault) => faults.add(fault),
            }
        }
        values
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A whole number, or a size in octets.
    pub fn count(&self, key: &str) -> Option<u64> {
        match self.value(key) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// A length of time.
    pub fn length(&self, key: &str) -> Option<Duration> {
        match self.value(key) {
            Some(Value::Length(length)) => Some(*length),
            _ => None,
        }
    }

    /// A table within.
    pub fn table(&self, key: &str) -> Option<&Table> {
        match self.value(key) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The tables of `[[key]]`.
    pub fn tables(&self, key: &str) -> &[Table] {
        match self.value(key) {
            Some(Value::Tables(tables)) => tables,
            _ => &[],
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).and_then(|(_, value)| value.as_ref())
    }
}
