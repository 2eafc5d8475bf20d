//! A second opinion on structure: another parser, of other habits, looks at the same message.

use mail_parser::{MessageParser, PartType};

use crate::mime::{Defect, Flaw, Outline};

/// Longest message that is looked at twice.
const LONGEST: usize = 1024 * 1024;

/// Enclosed messages that the other parser is trusted with: it recurses when it drops them, and aborts the process on
/// tens of thousands.
const ENCLOSED: usize = 200;

/// Whether mail-parser finds no more leaves with content than the outline has. Where it finds fewer, that is one of its
/// known faults. A message over 1 MiB, or with hundreds of enclosed messages, is not looked at.
///
/// # Errors
/// A [`Defect`] where it sees more: the message is ambiguous.
pub fn second_opinion(outline: &Outline, whole: &[u8]) -> Result<(), Defect> {
    if whole.len() > LONGEST
        || mentions(whole, b"rfc822") + mentions(whole, b"global") + mentions(whole, b"digest") > ENCLOSED
    {
        return Ok(());
    }
    let Some(message) = MessageParser::default().parse(whole) else { return Ok(()) };
    let theirs = message.parts.iter().filter(|part| match &part.body {
        PartType::Multipart(_) => false,
        PartType::Text(text) | PartType::Html(text) => !text.trim().is_empty(),
        PartType::Binary(octets) | PartType::InlineBinary(octets) => !octets.trim_ascii().is_empty(),
        PartType::Message(_) => true,
    });
    if theirs.count() > outline.root.leaves().len() { Err(Flaw::SecondOpinion.into()) } else { Ok(()) }
}

/// How often a word stands in the octets, in any case.
fn mentions(octets: &[u8], word: &[u8]) -> usize {
    let (lower, upper) = (word[0].to_ascii_lowercase(), word[0].to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, octets)
        .filter(|at| octets.get(*at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)))
        .count()
}
