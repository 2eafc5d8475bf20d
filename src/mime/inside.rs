//! Looking inside a document: what it holds, by name and by what it is, without unpacking it to disk.
//!
//! An archive is read as its readers read it, and where they would differ (two names for one entry, entries that no
//! directory lists) it is [`Fact::Ambiguous`]. What is packed in something packed is looked into to a depth; entries that
//! hold nothing are unpacked for their first octets only. All that is unpacked in one look counts against one limit, which
//! bounds memory and time whatever the sender built.

use std::collections::BTreeSet;

use walk::{Shown, Walk};

mod compound;
mod inflate;
mod kind;
mod letter;
mod octets;
mod office;
mod pdf;
mod tape;
mod text;
mod walk;
mod zip;

pub use octets::{Octets, Unavailable};

/// Limits on one look.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Files found in all.
    pub files: usize,
    /// Containers within containers.
    pub depth: usize,
    /// Octets unpacked or copied in all.
    pub unpacked: usize,
    /// Octets of an archive's own directory.
    pub directory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 5_000, depth: 6, unpacked: 48 * 1024 * 1024, directory: 4 * 1024 * 1024 }
    }
}

/// What is told of a file beyond its name and type. Policy says what of it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// It has macros: VBA, Excel 4.0, or StarBasic.
    Macros,
    /// An archive, or an entry of one, that opens with a password only.
    Encrypted,
    /// A document (PDF, Office) that opens with a password only.
    Locked,
    /// An archive of a kind, or packed in a way, that is not looked into; or a damaged one.
    Unseen,
    /// Readers would differ on what it holds.
    Ambiguous,
    /// Packed more deeply than [`Limits::depth`].
    TooDeep,
    /// More files, or more octets, than the limits.
    TooLarge,
    /// Something foreign is embedded: an OLE object, a file in a PDF.
    Embedded,
    /// It fetches a template, frame or object from elsewhere when it is opened.
    External,
    /// It runs a script, or starts a program, when it is opened or pressed (PDF).
    Active,
}

impl Fact {
    /// Every fact and its word in policy files.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Macros, "macros"),
        (Self::Encrypted, "encrypted"),
        (Self::Locked, "locked"),
        (Self::Unseen, "unseen"),
        (Self::Ambiguous, "ambiguous"),
        (Self::TooDeep, "too-deep"),
        (Self::TooLarge, "too-large"),
        (Self::Embedded, "embedded"),
        (Self::External, "external"),
        (Self::Active, "active"),
    ];
}

/// A file found in the document, at any depth.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The names on the way to it, outermost first, its own last; as written, not sanitised.
    pub path: Vec<String>,
    /// Other names that a reader might give it.
    pub other_names: Vec<String>,
    /// The media type that its content shows, where it shows one and can be seen.
    pub media_type: Option<String>,
    /// What else is told of it.
    pub facts: BTreeSet<Fact>,
}

/// What a document is and holds.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Inside {
    /// The media types that it shows: of a document with macros its own, beside that of its container.
    pub media_types: Vec<String>,
    /// What else is told of it.
    pub facts: BTreeSet<Fact>,
    /// The title that it gives itself (PDF), on one line, at most 250 characters.
    pub title: Option<String>,
    /// The files in it, in the order in which they were found.
    pub found: Vec<Found>,
}

/// Octets at the start of a document that show whether looking into it is worth while.
pub const START: usize = kind::START;

/// Whether a document that starts so may hold anything: a picture, sound or film does not, and is most of what is sent.
pub fn may_hold(name: &str, start: &[u8]) -> bool {
    let shown = kind::media_type(start);
    let plays = shown.is_some_and(|kind| ["image/", "audio/", "video/"].iter().any(|group| kind.starts_with(group)));
    !plays || kind::by_start(name, start) != kind::Kind::Other
}

/// Looks into a document. `name` is the one given to it, which tells a message from a text.
///
/// # Errors
/// [`Unavailable`] where its octets cannot be read; nothing is known of it then.
pub fn look(name: &str, octets: &mut dyn Octets, limits: &Limits) -> Result<Inside, Unavailable> {
    let mut walk = Walk::new(limits);
    let shown = walk.look(name, octets, &[])?;
    let Shown { media_types, facts, title } = shown;
    Ok(Inside { media_types, facts, title, found: walk.into_found() })
}

/// [`look`], within its own limits, into octets in memory, which are always there.
pub fn look_at(name: &str, mut octets: &[u8]) -> Inside {
    look(name, &mut octets, &Limits::default()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
