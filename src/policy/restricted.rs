//! Restricted file types: what is not accepted from anybody for anybody, `policies/restricted.toml`.

use std::borrow::Cow;

use super::SourceFile;
use super::inside;
use super::pattern::Glob;
use crate::document::{Faults, Form, Key, Need, Place, Table, Word, read};
use crate::fault::Fault;
use crate::mime::assess::Attachment;
use crate::mime::inside::Fact;

/// A group of file types and why they are not accepted.
#[derive(Debug, Clone)]
pub(super) struct RestrictedGroup {
    pub(super) name: String,
    extensions: Vec<String>,
    types: Vec<Glob>,
    pub(super) holds: Vec<Fact>,
    anywhere: bool,
    pub(super) place: Place,
}

const GROUP: &[Key] = &[
    Key {
        name: "name",
        form: Form::Text,
        need: Need::Required,
        about: "What the group is called; the sender reads it in the refusal.",
    },
    Key {
        name: "extensions",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "File name endings, without the dot.",
    },
    Key {
        name: "types",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "Media types, with * for any characters; what the content shows counts as well as what is declared.",
    },
    Key {
        name: "holds",
        form: Form::OneOrMore(&Form::Choice(inside::WORDS)),
        need: Need::Optional,
        about: "What is told of a document when it is looked into, or of a file in it.",
    },
    Key {
        name: "anywhere",
        form: Form::Flag,
        need: Need::Default("false"),
        about: "Whether an ending also counts in front of another one, as in setup.exe.pdf.",
    },
];

/// The keys of `restricted.toml`.
pub const KEYS: &[Key] = &[Key {
    name: "group",
    form: Form::Tables(GROUP),
    need: Need::Required,
    about: "Groups of file types that are not accepted; group = [] where every file is.",
}];

pub(super) fn read_restricted(file: &SourceFile, faults: &mut Faults) -> Vec<RestrictedGroup> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let mut groups: Vec<RestrictedGroup> = Vec::new();
    for written in table.tables("group") {
        let Some(group) = read_group(written, faults) else { continue };
        if groups.iter().any(|earlier| earlier.name == group.name) {
            let fault = written.place_of("name").fault(format!("a second group is called \"{}\"", group.name));
            faults.add(fault.hint("give each group a name of its own"));
        }
        groups.push(group);
    }
    groups
}

fn read_group(written: &Table, faults: &mut Faults) -> Option<RestrictedGroup> {
    let extensions = written.each("extensions", faults, extension);
    let types = written.each("types", faults, media_type);
    let holds = written.each("holds", faults, |word| Ok(inside::fact(&word.text)));
    let name = written.text("name")?;
    if !name.text.is_ascii() {
        let fault = name.place.fault("a group's name must be in plain letters (ASCII)");
        faults.add(fault.hint("it stands in the reply to the sender's mail program, which may show nothing else"));
    }
    if !["extensions", "types", "holds"].iter().any(|key| written.has(key)) {
        let fault = written.place().fault(format!("the group \"{}\" names no file type", name.text));
        faults.add(fault.hint("add extensions = [\"…\"], types = [\"…\"] or holds = [\"…\"]"));
    }
    let anywhere = written.flag("anywhere").unwrap_or(false);
    Some(RestrictedGroup {
        name: name.text.clone(),
        extensions,
        types,
        holds: holds.into_iter().flatten().collect(),
        anywhere,
        place: written.place().clone(),
    })
}

fn extension(word: &Word) -> Result<String, Fault> {
    if word.text.contains(['.', '*', '/', ' ']) {
        let fault = word.place.fault(format!("\"{}\" is no file name ending", word.text));
        return Err(fault.hint("write what stands behind the last dot, without the dot: \"exe\""));
    }
    Ok(word.text.to_lowercase())
}

fn media_type(word: &Word) -> Result<Glob, Fault> {
    if word.text.split('/').count() != 2 {
        let fault = word.place.fault(format!("\"{}\" is no media type", word.text));
        return Err(fault.hint("write type/subtype, such as \"application/x-msdownload\" or \"application/x-*\""));
    }
    Ok(Glob::new(&word.text))
}

impl RestrictedGroup {
    /// Whether any name of the attachment, its declared type or its content belongs to the group: the name to be
    /// told to the sender.
    pub(super) fn offending_name<'a>(&self, attachment: &'a Attachment) -> Option<Cow<'a, str>> {
        let mut names = std::iter::once(&attachment.name).chain(&attachment.names);
        let shown = attachment.content_type.iter().chain(&attachment.inside.media_types);
        let mut types = std::iter::once(&attachment.declared_type).chain(shown);
        let by_type = || types.any(|kind| self.holds_type(kind)).then_some(&attachment.name);
        let outside = names.find(|name| self.holds_name(name)).or_else(by_type);
        outside.map(|name| Cow::Borrowed(name.as_str())).or_else(|| self.offending_inside(attachment).map(Cow::Owned))
    }

    pub(super) fn holds_type(&self, kind: &str) -> bool {
        self.types.iter().any(|glob| glob.matches(kind))
    }

    pub(super) fn holds_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches(['.', ' ']).to_lowercase();
        let listed = |ending: &str| self.extensions.iter().any(|extension| extension == ending.trim());
        match name.rsplit_once('.') {
            Some((rest, last)) => listed(last) || self.anywhere && rest.split('.').skip(1).any(listed),
            None => false,
        }
    }
}

/// What the sender reads; where the folder lies on this machine is no business of theirs. File names may hold any
/// letter, a reply only ASCII: what is not becomes `?`, and a long name is cut.
pub(super) fn words(name: &str, group: &RestrictedGroup) -> String {
    const SHOWN: usize = 60;
    let mut shown: String =
        name.chars().map(|c| if c.is_ascii_graphic() && c != '"' || c == ' ' { c } else { '?' }).take(SHOWN).collect();
    if name.chars().count() > SHOWN {
        shown.push_str("...");
    }
    format!("The file \"{shown}\" is not accepted: {} (policies/restricted.toml)", group.name)
}
