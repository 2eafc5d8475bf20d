//! Document types: what a document is for those who read it, found by rules; `policies/types.toml`.

use super::pattern::{AddressPattern, Glob};
use super::{Practice, SourceFile, condition};
use crate::document::{Faults, Form, Key, Need, Table, Word, read};
use crate::fault::Fault;
use crate::mail::Address;
use crate::mime::assess::{Assessment, Attachment, Given};
use crate::mime::header::{Mailbox, mailboxes};

/// A type of documents, in the order of the file.
#[derive(Debug, Clone)]
pub struct DocumentType {
    /// Its name in rules and tags: `invoice`.
    pub name: String,
    /// What it is called in a subject, and beside the document.
    pub title: String,
    from: Option<SpeaksAs>,
    when: Vec<TypeTest>,
}

/// In whose name a mail leaves that leads to documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeaksAs {
    /// The name before the address.
    pub name: Option<String>,
    /// An address of a practice of ours.
    pub address: Address,
}

impl std::fmt::Display for SpeaksAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// The file.
#[derive(Debug, Clone, Default)]
pub(super) struct Types {
    pub kinds: Vec<DocumentType>,
    /// For documents of several types, and of one without an address of its own.
    from: Option<SpeaksAs>,
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
    key(
        "from",
        Form::Text,
        Need::Optional,
        "In whose name the mail leaves where all documents are of it: \"Clinic Accounts <accounts@clinic.example>\", an address of the practice that the sender may send as; else it leaves in the sender's.",
    ),
    key("when", Form::Tables(WHEN), Need::Optional, "What makes a document one of it: any of these."),
];

/// The keys of the file.
pub const KEYS: &[Key] = &[
    key(
        "from",
        Form::Text,
        Need::Optional,
        "The same where documents are of several types, or of one that has no address of its own.",
    ),
    key(
        "type",
        Form::Tables(TYPE),
        Need::Required,
        "Types, in the order in which their documents are shown. A document is of the first that fits.",
    ),
];

/// `domains` takes those of the addresses in whose name mails leave: each must be a practice's.
pub(super) fn read_types(file: &SourceFile, domains: &mut Vec<Word>, faults: &mut Faults) -> Types {
    let table = read(&file.path, &file.text, KEYS, faults);
    let from = table.parsed("from", faults, |word| speaks_as(word, domains));
    let mut types: Vec<DocumentType> = Vec::new();
    for written in table.tables("type") {
        let Some(name) = written.parsed("name", faults, name) else { continue };
        if types.iter().any(|earlier| earlier.name == name) {
            let fault = written.place_of("name").fault(format!("the type \"{name}\" is listed a second time"));
            faults.add(fault.hint("put the [[type.when]] of both behind one of them"));
        }
        let when = written.tables("when").iter().map(|when| read_when(when, faults)).collect();
        let title = written.text("title").map(|word| word.text.clone()).unwrap_or_default();
        let from = written.parsed("from", faults, |word| speaks_as(word, domains));
        types.push(DocumentType { name, title, from, when });
    }
    Types { kinds: types, from }
}

fn speaks_as(word: &Word, domains: &mut Vec<Word>) -> Result<SpeaksAs, Fault> {
    let [Some(Mailbox { name, address })] = &mut mailboxes(&word.text)[..] else {
        let fault = word.place.fault(format!("\"{}\" is no address to send from", word.text));
        return Err(
            fault.hint("write an address, or a name and an address: \"Clinic Accounts <accounts@clinic.example>\"")
        );
    };
    domains.push(Word { text: address.domain().to_string(), place: word.place.clone() });
    Ok(SpeaksAs { name: name.take(), address: address.clone() })
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

impl Types {
    /// In whose name a mail of this practice leaves that leads to the message's documents, `common` being the type of them all;
    /// `None`: in the sender's own.
    pub fn speaks_as(
        &self,
        message: &Assessment,
        common: Option<&DocumentType>,
        practice: &Practice,
    ) -> Option<SpeaksAs> {
        message.documents().next()?;
        let from = common.and_then(|kind| kind.from.as_ref()).or(self.from.as_ref());
        from.filter(|from| practice.domains.contains(from.address.domain())).cloned()
    }
}

/// The type that all documents have, pictures of the text apart where there is anything else.
pub(super) fn common<'a>(message: &Assessment, types: &[Option<&'a DocumentType>]) -> Option<&'a DocumentType> {
    let only_pictures = message.documents().all(|document| document.inline);
    let given = message.attachments.iter().zip(types).filter(|(document, _)| document.given == Given::AsDocument);
    let mut told = given.filter(|(document, _)| only_pictures || !document.inline).map(|(_, kind)| *kind);
    let first = told.next()??;
    told.all(|kind| kind.is_some_and(|kind| kind.name == first.name)).then_some(first)
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
