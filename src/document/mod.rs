//! A TOML file that an admin writes, read against a table of its keys.
//!
//! A [`Key`] table is the one truth about a kind of file: the reader ([`read`]) takes what it allows and
//! faults everything else with its place, the JSON Schema for editors ([`schema`]) is made from it, and a
//! test holds the reference in `docs/` against it. Nothing here knows configuration or policy.

mod read;
mod schema;
mod size;
mod table;

use crate::fault::{Fault, Sources};

pub use read::read;
pub use schema::schema;
pub use size::{format_size, parse_size};
pub use table::{Place, Table, Word};

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// What may stand behind `=`.
    pub form: Form,
    /// Whether it must be there.
    pub need: Need,
    /// What it means, in a sentence that an editor shows.
    pub about: &'static str,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A file without it is at fault.
    Required,
    /// It may be left out.
    Optional,
    /// It may be left out, and this is then meant (as TOML would write it).
    Default(&'static str),
}

/// What may stand behind `=`.
#[derive(Debug)]
pub enum Form {
    /// A text that is not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number between these, both included.
    Count {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A length of time as [`crate::time::parse_length`] reads it, between these, both included.
    Length {
        /// The shortest, as written.
        least: &'static str,
        /// The longest, as written.
        most: &'static str,
    },
    /// A number of octets as [`parse_size`] reads it, between these, both included.
    Size {
        /// The smallest, in octets.
        least: u64,
        /// The largest, in octets.
        most: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts or words; it may be empty.
    List(&'static Form),
    /// A text or word, or a list of at least one.
    OneOrMore(&'static Form),
    /// A table with these keys.
    Table(&'static [Key]),
    /// Any number of tables with these keys: `[[name]]`.
    Tables(&'static [Key]),
}

impl Form {
    /// What is expected, as it stands behind "must be".
    pub fn words(&self) -> String {
        match self {
            Self::Text => "a text in quotes".into(),
            Self::Flag => "true or false, without quotes".into(),
            Self::Count { least, most } => format!("a whole number from {least} to {most}, without quotes"),
            Self::Length { least, most } => format!("a length of time from \"{least}\" to \"{most}\", in quotes"),
            Self::Size { least, most } => {
                format!("a size from \"{}\" to \"{}\", in quotes", format_size(*least), format_size(*most))
            }
            Self::Choice(words) => match words {
                [only] => format!("\"{only}\""),
                _ => format!("one of {}", quoted(words)),
            },
            Self::List(inner) => format!("a list in brackets, each item {}", inner.words()),
            Self::OneOrMore(inner) => format!("{}, or a list of such in brackets", inner.words()),
            Self::Table(_) => "a table".into(),
            Self::Tables(_) => "a list of tables".into(),
        }
    }

    /// How to write it, where the words alone do not show it.
    fn example(&self) -> Option<&'static str> {
        match self {
            Self::Length { .. } => Some("write a whole number and s, m, h, d or w, such as \"15m\", \"24h\" or \"7d\""),
            Self::Size { .. } => Some("write a whole number and KiB, MiB or GiB, such as \"50 MiB\""),
            _ => None,
        }
    }
}

/// `"a", "b" or "c"`
pub fn quoted(words: &[&str]) -> String {
    let each: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match each.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// What is at fault in a set of files, with the texts to show it in.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    sources: Sources,
}

impl Faults {
    /// Notes a mistake.
    pub fn add(&mut self, fault: Fault) {
        self.list.push(fault);
    }

    /// Keeps a file's text, so that its faults can be shown in it.
    pub fn keep_source(&mut self, file: &str, text: &str) {
        self.sources.insert(file.to_owned(), text.to_owned());
    }

    /// How many so far.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults, by file and then by place in it, and the texts.
    pub fn into_parts(mut self) -> (Vec<Fault>, Sources) {
        self.list.sort_by(|a, b| (&a.file, a.span.start, a.span.end).cmp(&(&b.file, b.span.start, b.span.end)));
        self.list.dedup();
        (self.list, self.sources)
    }
}
