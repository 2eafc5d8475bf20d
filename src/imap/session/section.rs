//! Sections of messages: BODY[…], RFC822…, BINARY[…] (RFC 9051, section 6.4.5.1; RFC 3516), streamed.

use bytes::Bytes;

use super::{Gone, Halt, Outlet, Session};
use crate::anatomy::{Envelope, Section, SectionText};
use crate::gateway::staff_mail::{Binary, Piece, StaffMail};
use crate::imap::command::{FetchItem, Partial};
use crate::imap::response::{Refusal, Writer};
use crate::mailbox::MailContent;

/// A message that is read.
pub(super) struct Source<'a> {
    pub(super) mail: &'a StaffMail,
    pub(super) content: &'a MailContent,
}

impl Source<'_> {
    pub(super) async fn envelope(&self) -> Result<Envelope, Halt> {
        Ok(Envelope::of(&self.mail.header(self.content).await?))
    }
}

impl Session {
    pub(super) async fn tell_section(
        &mut self,
        item: &FetchItem,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
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
                let size = source.mail.binary_size(source.content, part).await?;
                self.out.put("BINARY.SIZE[").put(&numbers(part)).put(&format!("] {}", size.unwrap_or(0)));
                Ok(())
            }
            _ => Ok(()),
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
    ) -> Result<(), Halt> {
        match source.mail.sought(source.content, section).await? {
            None => {
                self.out.put(" NIL");
            }
            Some(Piece::Made(octets)) => {
                let (from, to) = window(partial, octets.len() as u64);
                let octets = octets.slice(from as usize..to as usize);
                self.out.put(" ");
                // Quoted strings are for what is short and plain; programs expect a literal here.
                self.out.literal(&octets);
            }
            Some(Piece::Octets(range)) => {
                let (from, to) = window(partial, range.end.saturating_sub(range.start));
                let mut octets = source.mail.octets(source.content, range.start + from..range.start + to).await?;
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
        Ok(())
    }

    async fn tell_binary(
        &mut self,
        part: &[u32],
        partial: Partial,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        let Some(size) = source.mail.binary_size(source.content, part).await? else {
            self.out.put(" NIL");
            return Ok(());
        };
        let (from, to) = window(partial, size);
        self.out.put(" ").literal_of(to - from, true);
        let Binary::Octets(mut octets) = source.mail.binary(source.content, part).await? else {
            return Err(Gone("content-unreadable").into());
        };
        let mut at = 0;
        while at < to
            && let Some(piece) = octets.next().await?
        {
            let wanted = within(&piece, at, from, to);
            at += piece.len() as u64;
            self.out.octets(&wanted);
            self.flush_if_full(outlet).await?;
        }
        require_whole(to.saturating_sub(at))
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
            let from = u64::from(first).min(length);
            (from, from.saturating_add(count.into()).min(length))
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
pub(super) async fn check_binary(items: &[FetchItem], source: &Source<'_>) -> Result<(), Halt> {
    for item in items {
        if let FetchItem::Binary(part, ..) | FetchItem::BinarySize(part) = item
            && matches!(source.mail.binary(source.content, part).await?, Binary::UnknownEncoding)
        {
            return Err(Refusal::UnknownCte.into());
        }
    }
    Ok(())
}
