//! Document types: what a document is for those who read it, found by rules; `policies/types.toml`.

use super::pattern::{AddressPattern, Glob};
use super::{SourceFile, condition};
use crate::document::{Faults, Form, Key, Need, Table, Word, read};
use crate::fault::Fault;
use crate::mail::Address;
use crate::mime::assess::{Assessment, Attachment, Given};

/// A type of documents, in the order of the file.
#[derive(Debug, Clone)]
pub struct DocumentType {
    /// Its name in rules and tags: `invoice`.
    pub name: String,
    /// What it is called in a subject.
    pub title: String,
    when: Vec<TypeTest>,
}

/// What makes a document one of a type: all that is given.
#[derive(Debug, Clone)]
struct TypeTest {
    file_name: Vec<Glob>,
    subject: Vec<Glob>,
    sender: Vec<AddressPattern>,
    pdf_title: Vec<Glob>,
}

const TEXTS: Form = Form::OneOrMore(&Form::Text);

const fn key(name: &'static str, form: Form, need: Need, about: &'static str) -> Key {
    Key { name, form, need, about }
}

const WHEN: &[Key] = &[
    key("file_name", TEXTS, Need::Optional, "The document's file name; * stands for any characters: \"*invoice*\"."),
    key("pdf_title", TEXTS, Need::Optional, "The title that a PDF gives itself; * stands for any characters."),
    key("subject", TEXTS, Need::Optional, "The whole subject; * stands for any characters."),
    key("sender", TEXTS, Need::Optional, "The sender's address; * stands for any characters: \"accounts@*\"."),
];

const TYPE: &[Key] = &[
    key(
        "name",
        Form::Text,
        Need::Required,
        "What it is called in rules and in the tag [type NAME]: small letters, digits and hyphens.",
    ),
    key("title", Form::Text, Need::Required, "What it is called where recipients read it."),
    key("when", Form::Tables(WHEN), Need::Optional, "What makes a document one of it: any of these."),
];

/// The keys of the file.
pub const KEYS: &[Key] = &[Key {
    name: "type",
    form: Form::Tables(TYPE),
    need: Need::Required,
    about: "Types, in the order in which their documents are shown. A document is of the first that fits.",
}];

pub(super) fn read_types(file: &SourceFile, faults: &mut Faults) -> Vec<DocumentType> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let mut types: Vec<DocumentType> = Vec::new();
    for written in table.tables("type") {
        let Some(name) = written.parsed("name", faults, name) else { continue };
        if types.iter().any(|earlier| earlier.name == name) {
            let fault = written.place_of("name").fault(format!("the type \"{name}\" is listed a second time"));
            faults.add(fault.hint("put the [[type.when]] of both behind one of them"));
        }
        let when = written.tables("when").iter().map(|when| read_when(when, faults)).collect();
        let title = written.text("title").map(|word| word.text.clone()).unwrap_or_default();
        types.push(DocumentType { name, title, when });
    }
    types
}

fn name(word: &Word) -> Result<String, Fault> {
    let sound = word.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if sound {
        return Ok(word.text.clone());
    }
    let fault = word.place.fault(format!("\"{}\" cannot be a type's name", word.text));
    Err(fault.hint("write small letters, digits and hyphens, so that a tag can say it; what people read is \"title\""))
}

fn read_when(written: &Table, faults: &mut Faults) -> TypeTest {
    if written.is_bare() {
        let fault = written.place().fault("every document would be of this type");
        faults.add(fault.hint("name at least one of file_name, pdf_title, subject and sender"));
    }
    let globs = |key| written.texts(key).iter().map(|word| Glob::new(&word.text)).collect();
    TypeTest {
        file_name: globs("file_name"),
        subject: globs("subject"),
        pdf_title: globs("pdf_title"),
        sender: written.each("sender", faults, condition::address),
    }
}

impl TypeTest {
    fn holds(&self, message: &Assessment, sender: &Address, document: &Attachment) -> bool {
        let any = |globs: &[Glob], text: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(text));
        let mut names = std::iter::once(&document.name).chain(&document.names);
        let title = document.inside.title.as_deref();
        names.any(|name| any(&self.file_name, name))
            && any(&self.subject, &message.subject)
            && (self.pdf_title.is_empty() || title.is_some_and(|title| any(&self.pdf_title, title)))
            && (self.sender.is_empty() || self.sender.iter().any(|pattern| pattern.matches(sender)))
    }
}

/// The type of each document, in their order: the one that a tag gives them all, else the first that fits. A picture of the
/// sender's signature is of none.
pub(super) fn types_of<'a>(
    types: &'a [DocumentType],
    message: &Assessment,
    sender: &Address,
    tagged: Option<&str>,
) -> Vec<Option<&'a DocumentType>> {
    let of = |document: &Attachment| match tagged {
        _ if matches!(document.given, Given::InText(_)) => None,
        Some(name) => types.iter().find(|kind| kind.name == name),
        None => types.iter().find(|kind| kind.when.iter().any(|when| when.holds(message, sender, document))),
    };
    message.attachments.iter().map(of).collect()
}

/// Why a tag's type cannot be taken, in words for the sender.
pub(super) fn unknown(types: &[DocumentType], name: &str) -> Option<String> {
    if types.iter().any(|kind| kind.name == name) {
        return None;
    }
    let known: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
    Some(match known[..] {
        [] => String::from("The tag [type ...] names no document type: policies/types.toml has none. Remove the tag."),
        _ => format!("The tag [type ...] names no document type that is known. Write one of: {}.", known.join(", ")),
    })
}
