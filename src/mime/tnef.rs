//! Outlook's `winmail.dat`: the Transport Neutral Encapsulation Format ([MS-OXTNEF]).
//!
//! A message of its own, packed into one attachment: class, text, HTML or compressed RTF, and files with their names.
//! Nothing is copied: what an attachment holds is a slice of the octets given, so that it can be streamed from where they
//! lie. Everything a reader might show is found, also where the stream is damaged: what is odd is told as a [`Doubt`].

use std::collections::BTreeSet;

use assembly::Assembly;
use stream::Attributes;

mod assembly;
mod cursor;
mod property;
mod stream;
mod text;

/// Limits on what is taken out.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Attachments of one message.
    pub attachments: usize,
    /// Messages within messages.
    pub depth: usize,
    /// Octets of RTF that are made of compressed RTF.
    pub rtf: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attachments: 500, depth: 8, rtf: 4 * 1024 * 1024 }
    }
}

/// What is odd about a stream. Readers differ in what they make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// An attribute's checksum is wrong.
    Checksum,
    /// The stream ends within an attribute.
    Cut,
    /// What follows the last attribute is none.
    GarbageAtEnd,
    /// A list of MAPI properties breaks off.
    Properties,
    /// An attribute of an attachment stands before any attachment began.
    Stray,
    /// An attachment has its content twice, in two forms.
    Twofold,
    /// Compressed RTF that cannot be read.
    Rtf,
    /// More attachments than [`Limits::attachments`]; the others are left out.
    TooMany,
    /// Messages within messages beyond [`Limits::depth`]; they stay octets.
    TooDeep,
}

/// A message that was packed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message<'a> {
    /// Its class in the words of today: `IPM.Note`, `IPM.Outlook.Recall`, `IPM.Schedule.Meeting.Request`.
    pub class: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its text, in any of three forms.
    pub body: Body,
    /// Its attachments, in order.
    pub attachments: Vec<Attachment<'a>>,
    /// What is odd about it, also within the messages attached.
    pub doubts: BTreeSet<Doubt>,
}

/// The text of a packed message. Outlook writes one of the forms, mostly RTF, which may hold the HTML it was made of.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// Plain text.
    pub text: Option<String>,
    /// HTML, decoded.
    pub html: Option<String>,
    /// RTF, no longer compressed; octets, since it names its code pages itself.
    pub rtf: Option<Vec<u8>>,
}

/// A file, object or message in a packed message.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attachment<'a> {
    /// Every name given, decoded, not sanitised; first the one that Outlook shows.
    pub names: Vec<String>,
    /// `PidTagAttachMimeTag`, the media type that its sender's program knew.
    pub media_type: Option<String>,
    /// `PidTagAttachContentId`, by which the HTML refers to it.
    pub content_id: Option<String>,
    /// What it holds; more than one only where [`Doubt::Twofold`] is told, none where the sender gave a name alone.
    pub contents: Vec<Content<'a>>,
}

/// What an attachment holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// The octets of a file.
    File(&'a [u8]),
    /// An embedded OLE object, as its storage ([MS-CFB]) or stream.
    Object(&'a [u8]),
    /// A message, and the octets it was packed in.
    Message(Box<Message<'a>>, &'a [u8]),
}

impl<'a> Content<'a> {
    /// The octets of it, wherever they stand in the stream.
    pub fn octets(&self) -> &'a [u8] {
        match self {
            Self::File(octets) | Self::Object(octets) | Self::Message(_, octets) => octets,
        }
    }
}

/// The message in these octets; `None` where they are no TNEF. Time and memory are proportional to the octets.
pub fn read<'a>(octets: &'a [u8], limits: &Limits) -> Option<Message<'a>> {
    read_at_depth(octets, limits, 0)
}

fn read_at_depth<'a>(octets: &'a [u8], limits: &Limits, depth: usize) -> Option<Message<'a>> {
    let mut attributes = Attributes::of(octets)?;
    let mut assembly = Assembly::new(limits, depth);
    for attribute in attributes.by_ref() {
        assembly.add(&attribute);
    }
    // Exchange fills the last line of its base64 with NULs.
    if attributes.rest().iter().any(|octet| *octet != 0) {
        assembly.doubt(Doubt::GarbageAtEnd);
    }
    Some(assembly.finish())
}

#[cfg(test)]
mod tests;
