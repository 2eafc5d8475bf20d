//! Sections of messages: BODY[…], RFC822…, BINARY[…] (RFC 9051, section 6.4.5.1; RFC 3516), streamed.

use bytes::Bytes;

use super::{Gone, Halt, Outlet, Session};
use crate::anatomy::{Envelope, LooseDecoder, Section, SectionText};
use crate::gateway::staff_mail::{Binary, Piece, StaffMail};
use crate::imap::command::{FetchItem, Partial};
use crate::imap::response::{Refusal, Writer};
use crate::mailbox::{MailContent, MailboxError};

/// A message that is read.
pub(super) struct Source<'a> {
    pub(super) mail: &'a StaffMail,
    pub(super) content: &'a MailContent,
}

impl Source<'_> {
    pub(super) async fn envelope(&self) -> Result<Option<Envelope>, MailboxError> {
        Ok(there(self.mail.header(self.content).await)?.map(|header| Envelope::of(&header)))
    }
}

/// What is there; `None` where the message was expunged meanwhile.
fn there<T>(read: Result<T, MailboxError>) -> Result<Option<T>, MailboxError> {
    match read {
        Err(MailboxError::Expunged) => Ok(None),
        read => read.map(Some),
    }
}

impl Session {
    /// Tells of a section. False where the message was expunged meanwhile: it says NIL then (RFC 2180, section 4.1.3).
    pub(super) async fn tell_section(
        &mut self,
        item: &FetchItem,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<bool, Halt> {
        match item {
            FetchItem::Body(section, partial, _) => {
                self.out.put("BODY[");
                write_section(&mut self.out, section);
                self.out.put("]");
                self.put_origin(*partial);
                self.tell_octets(section, *partial, source, outlet).await
            }
            FetchItem::Rfc822(name, text, _) => {
                self.out.put(name);
                let section = Section { part: Vec::new(), text: text.clone() };
                self.tell_octets(&section, None, source, outlet).await
            }
            FetchItem::Binary(part, partial, _) => {
                self.out.put("BINARY[").put(&numbers(part)).put("]");
                self.put_origin(*partial);
                self.tell_binary(part, *partial, source, outlet).await
            }
            FetchItem::BinarySize(part) => {
                let size = there(source.mail.binary_size(source.content, part).await)?;
                let octets = size.flatten().unwrap_or(0);
                self.out.put("BINARY.SIZE[").put(&numbers(part)).put(&format!("] {octets}"));
                Ok(size.is_some())
            }
            _ => Ok(true),
        }
    }

    /// `<first>`, where a partial was asked for.
    fn put_origin(&mut self, partial: Partial) {
        if let Some((first, _)) = partial {
            self.out.put(&format!("<{first}>"));
        }
    }

    async fn tell_octets(
        &mut self,
        section: &Section,
        partial: Partial,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<bool, Halt> {
        let sought = there(source.mail.sought(source.content, section).await)?;
        match sought.clone() {
            None => {
                self.out.put(" NIL");
            }
            // Of a part that is not there there are no octets.
            Some(None) => {
                self.out.put(" \"\"");
            }
            Some(Some(Piece::Made(octets))) => {
                let (from, to) = window(partial, octets.len() as u64);
                let octets = octets.slice(from as usize..to as usize);
                self.out.put(" ");
                // Quoted strings are for what is short and plain; programs expect a literal here.
                self.out.literal(&octets);
            }
            Some(Some(Piece::Octets(range))) => {
                let (from, to) = window(partial, range.end.saturating_sub(range.start));
                let range = range.start + from..range.start + to;
                let Some(mut octets) = there(source.mail.octets(source.content, range).await)? else {
                    self.out.put(" NIL");
                    return Ok(false);
                };
                self.out.put(" ").literal_of(to - from, false);
                let mut left = to - from;
                while let Some(piece) = octets.next().await? {
                    left = left.saturating_sub(piece.len() as u64);
                    self.out.octets(&piece);
                    self.flush_if_full(outlet).await?;
                }
                require_whole(left)?;
            }
        }
        Ok(sought.is_some())
    }

    async fn tell_binary(
        &mut self,
        part: &[u32],
        partial: Partial,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<bool, Halt> {
        // Opened before it is measured, so that it stays until it was read.
        let opened = there(source.mail.binary(source.content, part).await)?;
        let was_there = opened.is_some();
        let size = there(source.mail.binary_size(source.content, part).await)?.flatten();
        let (Some(Binary::Octets(mut octets)), Some(size)) = (opened, size) else {
            self.out.put(if was_there { " \"\"" } else { " NIL" });
            return Ok(was_there);
        };
        let (from, to) = window(partial, size);
        self.out.put(" ").literal_of(to - from, true);
        let mut at = 0;
        while at < to
            && let Some(piece) = octets.next().await?
        {
            let wanted = within(&piece, at, from, to);
            at += piece.len() as u64;
            self.out.octets(&wanted);
            self.flush_if_full(outlet).await?;
        }
        require_whole(to.saturating_sub(at))?;
        Ok(true)
    }
}

/// A literal that turns out shorter than announced would put the client out of step.
fn require_whole(missing: u64) -> Result<(), Halt> {
    if missing == 0 { Ok(()) } else { Err(Gone("content-unreadable").into()) }
}

/// What of a piece that stands at `at` lies between `from` and `to`.
fn within(piece: &Bytes, at: u64, from: u64, to: u64) -> Bytes {
    let length = piece.len() as u64;
    let place = |octet: u64| octet.saturating_sub(at).min(length) as usize;
    piece.slice(place(from)..place(to))
}

/// The octets that a partial names, of so many.
fn window(partial: Partial, length: u64) -> (u64, u64) {
    match partial {
        None => (0, length),
        Some((first, count)) => {
            let from = first.min(length);
            (from, from.saturating_add(count).min(length))
        }
    }
}

/// `1.2.HEADER.FIELDS (From To)`.
fn write_section(out: &mut Writer, section: &Section) {
    let dot = if section.part.is_empty() { "" } else { "." };
    out.put(&numbers(&section.part));
    match &section.text {
        SectionText::Whole => {}
        SectionText::Header => {
            out.put(dot).put("HEADER");
        }
        SectionText::Text => {
            out.put(dot).put("TEXT");
        }
        SectionText::Mime => {
            out.put(dot).put("MIME");
        }
        SectionText::Fields { names, except } => {
            out.put(dot).put(if *except { "HEADER.FIELDS.NOT (" } else { "HEADER.FIELDS (" });
            for (at, name) in names.iter().enumerate() {
                out.put(if at > 0 { " " } else { "" });
                let atom = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
                if atom {
                    out.put(name)
                } else {
                    out.string(name.as_bytes())
                };
            }
            out.put(")");
        }
    }
}

fn numbers(part: &[u32]) -> String {
    part.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

/// Whether every part that is asked for decoded can be: an answer that has begun cannot be refused any more.
pub(super) fn check_binary(items: &[FetchItem], source: &Source<'_>) -> Result<(), Refusal> {
    let unknown = |item: &FetchItem| match item {
        FetchItem::Binary(part, ..) | FetchItem::BinarySize(part) => {
            source.content.anatomy().part(part).is_some_and(|part| LooseDecoder::of(&part.encoding).is_err())
        }
        _ => false,
    };
    if items.iter().any(unknown) { Err(Refusal::UnknownCte) } else { Ok(()) }
}
