//! A second opinion on structure: another parser, of other habits, looks at the same message.

use mail_parser::{MessageParser, PartType};

use crate::mime::{Defect, Flaw, Outline};

/// Longest message that is looked at twice.
const LONGEST: usize = 1024 * 1024;

/// Messages within messages that the other parser is trusted with: it recurses when it drops them, and tens of thousands
/// abort the process. No more are refused than a digest of a thousand messages.
const ENCLOSED: usize = 1000;

/// Whether mail-parser finds no more leaves with content than the outline has. Where it finds fewer, that is one of its
/// known faults. A message over 1 MiB is not looked at.
///
/// # Errors
/// A [`Defect`] where it sees more: the message is ambiguous. A limit, where it could enclose more than a thousand
/// messages in one another.
pub fn second_opinion(outline: &Outline, whole: &[u8]) -> Result<(), Defect> {
    if whole.len() > LONGEST {
        return Ok(());
    }
    if !may_be_parsed(whole) {
        return Err(Flaw::EntitiesLimit.into());
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

/// Whether mail-parser can be trusted with these octets.
pub(in crate::mime) fn may_be_parsed(octets: &[u8]) -> bool {
    enclosed_at_most(octets) <= ENCLOSED
}

/// How many messages can be enclosed in one another: each needs a Content-Type, and a type that is or implies a message.
fn enclosed_at_most(octets: &[u8]) -> usize {
    let types = mentions(octets, b"rfc822") + mentions(octets, b"global") + mentions(octets, b"digest");
    types.min(mentions(octets, b"content-type"))
}

/// How often a word stands in the octets, in any case.
fn mentions(octets: &[u8], word: &[u8]) -> usize {
    let (lower, upper) = (word[0].to_ascii_lowercase(), word[0].to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, octets)
        .filter(|at| octets.get(*at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)))
        .count()
}

#[cfg(test)]
mod tests {
    use crate::mime::{Limits, assess_octets};

    #[test]
    fn enclosed_messages_end_before_the_stack_does() {
        let nested = |levels: usize| b"Content-Type: message/rfc822\r\n\r\n".repeat(levels);
        assert!(assess_octets(&nested(1000), &Limits::default()).is_ok());
        let defect = assess_octets(&nested(30_000), &Limits::default()).unwrap_err();
        assert!(defect.limit, "{}", defect.word);
        let digests = b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n".repeat(1000);
        assert!(
            assess_octets(
                &[b"Content-Type: message/rfc822\r\n\r\n".as_slice(), &digests[..50_000]].concat(),
                &Limits::default()
            )
            .is_ok()
        );
    }
}
