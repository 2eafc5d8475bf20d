//! The assessment: what a message is, as facts that policy can ask for. It decides nothing.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::mail::Address;
use crate::mime::decode::Decoder;
use crate::mime::inside::Inside;
use crate::mime::{Defect, Entity, Outline, TransferEncoding, header, names};
use crate::policy::Role;

mod body;
pub(in crate::mime) mod content;
mod embedded;
mod html;
mod marked;
mod packed;
mod protection;
mod signals;
mod signature;
mod tags;
mod written;

pub(crate) use content::percent_decoded;
pub(in crate::mime) use content::shown;
pub use marked::MarkSearch;
pub use packed::{LONGEST_PACKED, Packed, Unpacking, is_packed, unpack};
pub use protection::Protection;
pub use signals::{Importance, Sensitivity, Signals};
pub use signature::LARGEST as LARGEST_OF_SIGNATURE;

/// Decoded octets that are read of a leaf that is no text, to see what it is.
pub const START: usize = 8 * 1024;

/// What of the leaves was read while they streamed by: by entity, in the order of [`leaves`].
#[derive(Clone, Default)]
pub struct Reading {
    /// The first [`LeafPlan::wanted`] octets, decoded.
    pub octets: Vec<u8>,
    /// Whether `octets` is the whole.
    pub whole: bool,
}

/// A leaf to be read before the assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPlan {
    /// Where its body is.
    pub body: Range<u64>,
    /// How it is encoded.
    pub encoding: TransferEncoding,
    /// How many decoded octets the assessment wants: all of a text, the start of anything else.
    pub wanted: usize,
    /// Whether its type is `text`; then a broken quoted-printable code in it is no defect.
    pub text: bool,
}

impl LeafPlan {
    /// The decoder for its body.
    pub fn decoder(&self) -> Decoder {
        Decoder::of(self.encoding, self.text)
    }
}

/// The leaves of a message in order, and how much of each is to be read. All together are at most two texts of
/// `text_limit`, and 8 KiB for each leaf.
pub fn leaves(outline: &Outline, text_limit: usize) -> Vec<LeafPlan> {
    let mut room = 2 * text_limit as u64;
    let plan = |leaf: &Entity| {
        let encoded = leaf.body.end - leaf.body.start;
        let wanted = text_limit.max(START);
        // Encoded, a text has at most three octets for one, and soft breaks.
        let fits = encoded <= 4 * (wanted as u64 + 1024) && encoded.min(wanted as u64) <= room;
        let stays = body::may_be_text(leaf) && fits;
        room -= if stays { encoded.min(wanted as u64) } else { 0 };
        let wanted = if stays { wanted } else { START };
        LeafPlan { body: leaf.body.clone(), encoding: leaf.encoding, wanted, text: leaf.media_type.kind == "text" }
    };
    outline.root.leaves().into_iter().map(plan).collect()
}

/// A tag in the subject: what it says, and where it stands in the decoded subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it says.
    pub meaning: TagMeaning,
    /// The one recipient it is about, where it begins with an address: `[jane@example.org doctor]`.
    pub whom: Option<Address>,
    /// Its octets in [`Assessment::subject`], brackets included; none of them where it is a field.
    pub span: Range<usize>,
}

/// The longest time that a tag or a rule can ask for.
pub const LONGEST_CLOCK: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);

/// The tags (product.md); other text in brackets is left alone.
#[derive(Clone, PartialEq, Eq)]
pub enum TagMeaning {
    /// `[secure]`
    Secure,
    /// `[plain]`
    Plain,
    /// `[body]`: text and subject are kept in the vault, too.
    Body,
    /// `[patient …]`: a record number, or a name and birthdate (ISO 8601).
    Patient(PatientRef),
    /// `[doctor]`, `[staff]`, `[doctor-elsewhere]`, `[staff-elsewhere]`, `[payer]`: what an unknown recipient is.
    Role(Role),
    /// `[14d]`, `[2w]`, `[36h]`: link and document clocks.
    Clock(std::time::Duration),
    /// `[nopin]`: no one-time code.
    NoPin,
    /// `[unread 3d]`: the sender is told where it is unread after this time.
    Unread(std::time::Duration),
    /// `[type invoice]`: the type of its documents.
    Type(String),
    /// `[mail]`, `[files]`: what is done without them as well.
    AsAlways(&'static str),
    /// A tag whose feature this version does not have: its first word.
    NotYet(&'static str),
}

/// Whose documents these are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatientRef {
    /// A record number.
    Record(String),
    /// A name and a birthdate `YYYY-MM-DD`.
    Named {
        /// The name as written.
        name: String,
        /// The birthdate.
        birthdate: String,
    },
    /// Nobody said who: whoever was born then and is reached there. No tag says this.
    Unnamed {
        /// The address, in the form in which it is looked up.
        at: String,
        /// The birthdate.
        birthdate: String,
    },
}

/// How an attachment is given to somebody outside.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// As a document.
    AsDocument,
    /// Not at all: another document shows it, or it shows what stands outside of marked parts ([`Assessment::marked`]).
    Nowhere,
    /// In the text, where it stood: a picture that policy knows as part of the sender's signature; its octets.
    InText(bytes::Bytes),
}

impl Given {
    /// As a document, unless it is withheld.
    fn unless(withheld: bool) -> Self {
        if withheld { Self::Nowhere } else { Self::AsDocument }
    }
}

/// One attachment: an entity that policy treats as a document.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Where its body is.
    pub body: Range<u64>,
    /// How it is encoded.
    pub encoding: TransferEncoding,
    /// Which of the decoded octets are its own, where it was taken out of another (`winmail.dat`); else all.
    pub within: Option<Range<u64>>,
    /// The name shown, sanitised (no path, control or bidi characters, at most 255 octets); made from the type
    /// where none is given.
    pub name: String,
    /// Every name by which a reader might take it, sanitised alike; policy judges the worst.
    pub names: Vec<String>,
    /// The media type declared, `type/subtype`.
    pub declared_type: String,
    /// The media type its content shows, where it shows one.
    pub content_type: Option<String>,
    /// Decoded size in octets: exact up to 8 KiB and for what is not encoded; else at most this, for base64 without
    /// spaces between its lines at most two too many.
    pub octets: u64,
    /// Whether the HTML body refers to it by Content-ID.
    pub inline: bool,
    /// What it holds; nothing until it was looked into ([`crate::mime::inside`]).
    pub inside: Inside,
    /// How somebody outside is given it.
    pub given: Given,
    /// What the HTML calls it, where it names it (`Content-ID`, without angle brackets).
    pub content_id: Option<String>,
    /// Octets of it that stand nowhere in the message as they are, before those that do: of a file that was written into a
    /// text, all of it. What it holds is known then.
    pub front: bytes::Bytes,
}

impl Attachment {
    /// The name by which it is looked into: an enclosed message is one whatever it is called.
    pub fn name_to_look_by(&self) -> &str {
        if self.declared_type.starts_with("message/") { "message.eml" } else { &self.name }
    }

    /// The decoder for the whole body that it is, or is within, the same that [`LeafPlan::decoder`] gives.
    pub fn decoder(&self) -> Decoder {
        Decoder::of(self.encoding, self.within.is_none() && self.declared_type.starts_with("text/"))
    }
}

/// The facts.
#[derive(Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The subject, decoded, bidi controls and control characters removed.
    pub subject: String,
    /// Tags in it, in order.
    pub tags: Vec<Tag>,
    /// All addresses of From.
    pub from: Vec<Address>,
    /// The display name of the first From address, if any.
    pub from_name: Option<String>,
    /// Sender, if given.
    pub sender: Option<Address>,
    /// The text as plain text in UTF-8 (made from the HTML where there is none), if there is a text: in the form in
    /// which it is sent (CRLF, no control character but tab).
    pub text: Option<String>,
    /// The HTML as received, in UTF-8, if there is one; files in its own addresses (`data:`) are documents that it refers to.
    pub html: Option<String>,
    /// Whether `text` and `html` are only what stands between lines `[part]` and `[/part]`: for a patient, and nobody else
    /// outside.
    pub marked: bool,
    /// Whether the message was not understood, and its one document is the message as it was written ([`mended`](Self::mended)
    /// says why): nothing else here is from it.
    pub as_written: bool,
    /// The documents.
    pub attachments: Vec<Attachment>,
    /// Number of Received fields (loops: RFC 5321, section 6.3).
    pub received: usize,
    /// Whether `Auto-Submitted` says other than `no` (RFC 3834).
    pub auto_submitted: bool,
    /// The first defect that was mended ([`Outline::mended`], or an address field that is as if it were not there): such a
    /// message is never relayed as it stands.
    pub mended: Option<Defect>,
    /// S/MIME or PGP, where its sender used one of them.
    pub protection: Option<Protection>,
    /// What its sender's program says of it in fields.
    pub signals: Signals,
}

/// The tags in a decoded subject, in order.
///
/// # Errors
/// A [`Defect`] where a tag is meant and not understood.
pub fn subject_tags(subject: &str) -> Result<Vec<Tag>, Defect> {
    Ok(tags::tags(subject)?)
}

impl Assessment {
    /// The documents that may be given to somebody outside.
    pub fn documents(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments.iter().filter(|attachment| attachment.given == Given::AsDocument)
    }

    /// Texts that were not taken as the message's own (they have a control character, are too long, or one of too many) and
    /// are documents, each with the search for marks that it is to be looked through with: it would take what is not marked
    /// along.
    pub fn texts_beside(&self) -> impl Iterator<Item = (&Attachment, MarkSearch)> {
        let text = |it: &&Attachment| !self.marked && ["text/plain", "text/html"].contains(&it.declared_type.as_str());
        self.attachments.iter().filter(text).map(|it| (it, MarkSearch::of(&it.declared_type)))
    }

    /// Whose documents these are, where a tag says so.
    pub fn patient(&self) -> Option<&PatientRef> {
        self.tags.iter().find_map(|tag| match &tag.meaning {
            TagMeaning::Patient(patient) => Some(patient),
            _ => None,
        })
    }

    /// Takes the fields `X-Postern-…` for the tags that they are: only where who sent it may use them.
    ///
    /// # Errors
    /// A [`Defect`] where one is not known, or says what its tag cannot mean.
    pub fn hear_fields(&mut self) -> Result<(), Defect> {
        for (name, value) in &self.signals.fields {
            self.tags.extend(tags::of_field(name, value)?);
        }
        Ok(())
    }

    /// Takes of the fields `X-Postern-…` those that make the message more secure, and forgets the others: where nobody vouches
    /// for who wrote them. How many it forgot.
    pub fn hear_stricter_fields(&mut self) -> usize {
        let fields = std::mem::take(&mut self.signals.fields);
        let heard: Vec<Tag> = fields.iter().filter_map(|(name, value)| tags::stricter_of_field(name, value)).collect();
        let forgotten = fields.len() - heard.len();
        self.tags.extend(heard);
        forgotten
    }
}

/// What the message is. `readings` are those of [`leaves`], in its order; one that is missing counts as not read.
///
/// # Errors
/// A [`Defect`] in a text (a file written into it that cannot be taken out), in Sender, or in a tag.
pub fn assess(outline: &Outline, readings: &[Reading], text_limit: usize) -> Result<Assessment, Defect> {
    let leaves = outline.root.leaves();
    let unread = Reading::default();
    let reading = |at: usize| readings.get(at).unwrap_or(&unread);
    let mut bodies = body::choose(&outline.root, &leaves, readings, text_limit)?;
    let referred = bodies.html.as_deref().map(content::content_ids).unwrap_or_default();
    let marked = marked::Marked::take(&mut bodies.text, &mut bodies.html, bodies.shown.as_deref())?;
    marked.refuse_written(&bodies.written)?;
    let forms = body::forms(&outline.root);
    let given = |(at, leaf): (usize, &&Entity)| Attachment {
        given: Given::unless(marked.withholds(leaf, forms.get(at) == Some(&true))),
        ..attachment(leaf, reading(at), &referred)
    };
    let others = leaves.iter().enumerate().filter(|(at, _)| !bodies.used.contains(at));
    let mut attachments: Vec<Attachment> = others.map(given).collect();
    attachments.extend(bodies.written);
    attachments.extend(bodies.embedded.into_iter().map(|it| Attachment { given: marked.given(&it), ..it }));
    if let Some(protection::ProtectedWhole { document, alone }) = protection::whole(outline) {
        if alone {
            attachments.iter_mut().for_each(|part| part.given = Given::Nowhere);
        }
        attachments.push(Attachment { given: Given::unless(marked.any), ..document });
    }

    let section = &outline.root.header;
    let subject = section.first("Subject").map(|field| header::unstructured(&field.value)).unwrap_or_default();
    let protection = Protection::of(&outline.root, bodies.text.as_deref());
    let recall = signals::recalled_by_words(&subject, bodies.text.as_deref());
    let signals = Signals { recall, ..Signals::of(section) };
    let mut mended = outline.mended.clone();
    let from = addresses(outline, "From", &mut mended);
    let mut senders = addresses(outline, "Sender", &mut mended);
    if senders.len() > 1 {
        return Err(crate::mime::Flaw::Address("Sender").into());
    }
    Ok(Assessment {
        tags: tags::tags(&subject)?,
        subject,
        from_name: from.first().and_then(|mailbox| mailbox.name.clone()),
        from: from.into_iter().map(|mailbox| mailbox.address).collect(),
        sender: senders.pop().map(|mailbox| mailbox.address),
        text: bodies.text,
        html: bodies.html,
        marked: marked.any,
        as_written: false,
        attachments,
        received: section.all("Received").count(),
        auto_submitted: section.all("Auto-Submitted").any(|field| is_automatic(&field.value)),
        mended,
        protection,
        signals,
    })
}

/// The facts of a file that came alone, in a form of the portal: every name a system might save it by, and what its first
/// octets (8 KiB are enough) show. It is not looked into.
pub fn uploaded(name: &str, declared_type: &str, start: &[u8], octets: u64) -> Attachment {
    Attachment {
        body: 0..octets,
        encoding: TransferEncoding::Identity,
        within: None,
        name: names::sanitise(name),
        names: names::saved_as(name),
        declared_type: declared_type.to_owned(),
        content_type: content::shown(&start[..start.len().min(START)]),
        octets,
        inline: false,
        inside: Inside::default(),
        given: Given::AsDocument,
        content_id: None,
        front: bytes::Bytes::new(),
    }
}

/// The mailboxes of a field; none where they are not understood.
fn addresses(outline: &Outline, name: &'static str, mended: &mut Option<Defect>) -> Vec<header::Mailbox> {
    let Some(field) = outline.root.header.first(name) else { return Vec::new() };
    header::mailboxes_strict(name, field).unwrap_or_else(|flaw| {
        mended.get_or_insert(flaw.into());
        Vec::new()
    })
}

/// RFC 3834, section 5: a keyword, parameters and comments behind it.
pub(in crate::mime) fn is_automatic(value: &[u8]) -> bool {
    let word = value.trim_ascii().split(|b| !b.is_ascii_alphanumeric() && *b != b'-').next().unwrap_or_default();
    !word.eq_ignore_ascii_case(b"no")
}

fn attachment(leaf: &Entity, reading: &Reading, referred: &std::collections::HashSet<String>) -> Attachment {
    let content_type = content::shown(&reading.octets[..reading.octets.len().min(START)]);
    let given = given_names(leaf);
    let given = if given.is_empty() { vec![names::made(&leaf.media_type, content_type.as_deref())] } else { given };
    Attachment {
        body: leaf.body.clone(),
        encoding: leaf.encoding,
        within: None,
        name: given[0].clone(),
        names: given,
        declared_type: leaf.media_type.to_string(),
        content_type,
        octets: if reading.whole { reading.octets.len() as u64 } else { decoded_size(leaf) },
        inline: leaf.content_id.as_ref().is_some_and(|id| referred.contains(id)),
        inside: Inside::default(),
        given: Given::AsDocument,
        content_id: leaf.content_id.clone(),
        front: bytes::Bytes::new(),
    }
}

/// Every name the leaf bears, sanitised. An encoded word as written is left out: decoded it stands beside, and ends alike.
fn given_names(leaf: &Entity) -> Vec<String> {
    let mut given: Vec<String> = Vec::new();
    let decoded_beside = |name: &String| {
        let decoded = header::words::decode(name);
        decoded != *name && leaf.names.contains(&decoded)
    };
    for name in leaf.names.iter().filter(|name| !decoded_beside(name)).flat_map(|name| names::saved_as(name)) {
        if !given.contains(&name) {
            given.push(name);
        }
    }
    given
}

fn decoded_size(leaf: &Entity) -> u64 {
    let encoded = leaf.body.end - leaf.body.start;
    match leaf.encoding {
        TransferEncoding::Base64 => encoded.saturating_sub(2 * leaf.lines).div_ceil(4) * 3,
        TransferEncoding::Identity | TransferEncoding::QuotedPrintable => encoded,
    }
}

#[cfg(test)]
mod tests;
