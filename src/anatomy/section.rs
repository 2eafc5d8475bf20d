//! Sections (RFC 9051, section 6.4.5.1): which octets `BODY[1.2.MIME]` names.

use std::ops::Range;

use crate::anatomy::{Anatomy, Part, PartContent};

/// A section as FETCH names it, without a partial range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The part's numbers; none for the message itself.
    pub part: Vec<u32>,
    /// What of it.
    pub text: SectionText,
}

/// What of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SectionText {
    /// All of the message, or the part's body.
    #[default]
    Whole,
    /// `HEADER`: of the message, or of the message in the part.
    Header,
    /// `HEADER.FIELDS` and `HEADER.FIELDS.NOT`.
    Fields {
        /// The fields' names.
        names: Vec<String>,
        /// All but these.
        except: bool,
    },
    /// `TEXT`: the body of the message, or of the message in the part.
    Text,
    /// `MIME`: the part's own header section.
    Mime,
}

/// Where a section lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// These octets.
    Octets(Range<u64>),
    /// Of the header section that these octets are, [`super::only_fields`].
    Fields(Range<u64>),
}

impl Anatomy {
    /// The part with these numbers. Those of a message that is no multipart are 1 for its body.
    pub fn part(&self, numbers: &[u32]) -> Option<&Part> {
        let (mut within, mut chosen) = (Some(&self.root), None);
        for number in numbers {
            let holder = within?;
            let at = usize::try_from(*number).ok()?.checked_sub(1)?;
            let part = match &holder.content {
                PartContent::Multipart(children) => children.get(at)?,
                PartContent::Leaf | PartContent::Message(..) if at == 0 => holder,
                PartContent::Leaf | PartContent::Message(..) => return None,
            };
            chosen = Some(part);
            within = match &part.content {
                PartContent::Leaf => None,
                PartContent::Multipart(_) => Some(part),
                PartContent::Message(_, inner) => Some(inner),
            };
        }
        chosen
    }

    /// Where a section lies; `None` where there is none.
    pub fn seek(&self, section: &Section) -> Option<Sought> {
        // The message that HEADER and TEXT are of.
        let (part, message) = if section.part.is_empty() {
            (None, Some(&self.root))
        } else {
            let part = self.part(&section.part)?;
            let inner = match &part.content {
                PartContent::Message(_, inner) => Some(&**inner),
                PartContent::Leaf | PartContent::Multipart(_) => None,
            };
            (Some(part), inner)
        };
        Some(match &section.text {
            SectionText::Whole => Sought::Octets(part.map_or(0..self.octets, |part| part.body.clone())),
            SectionText::Header => Sought::Octets(message?.header.clone()),
            SectionText::Fields { .. } => Sought::Fields(message?.header.clone()),
            SectionText::Text => Sought::Octets(message?.body.clone()),
            SectionText::Mime => Sought::Octets(part?.header.clone()),
        })
    }
}
