//! Entities whose end has not been seen.

use crate::mime::boundary::Boundary;
use crate::mime::header::EntityFacts;
use crate::mime::{Content, Entity, HeaderSection, MediaType};

/// An entity whose body is being read.
pub(super) struct Started {
    pub header: HeaderSection,
    pub facts: EntityFacts,
    /// Where its body starts.
    pub body: u64,
    /// Line ends in its body so far.
    pub lines: u64,
}

/// A multipart whose parts are being read.
pub(super) struct Multipart {
    pub entity: Started,
    pub boundary: Boundary,
    pub children: Vec<Entity>,
    /// Whether its close delimiter was seen.
    pub closed: bool,
    /// Whether something else than empty lines stands before, between or behind its parts.
    pub filled: bool,
}

impl Multipart {
    /// The entity that it turned out to be, which ends at `end`. Without a part it is a leaf: no text where it is empty, and
    /// else a document, since readers differ in what they show of it.
    pub fn end(mut self, end: u64, at_boundary: bool) -> Entity {
        if !self.children.is_empty() {
            return self.entity.end(end, at_boundary, Content::Multipart(self.children));
        }
        self.entity.facts.media_type = if self.filled { MediaType::octet_stream() } else { MediaType::text_plain() };
        self.entity.end(end, at_boundary, Content::Leaf)
    }
}

impl Started {
    /// The entity, its body ending at `end`; before a boundary line, the CRLF there is the boundary's (RFC 2046,
    /// section 5.1.1).
    pub fn end(self, end: u64, at_boundary: bool, content: Content) -> Entity {
        let cut = at_boundary && end > self.body;
        let body_end = if cut { end.saturating_sub(2).max(self.body) } else { end };
        Entity {
            header: self.header,
            media_type: self.facts.media_type,
            encoding: self.facts.encoding,
            disposition: self.facts.disposition,
            names: self.facts.names,
            content_id: self.facts.content_id,
            body: self.body..body_end,
            lines: self.lines.saturating_sub(u64::from(cut)),
            content,
        }
    }
}
