//! A message of which nothing is understood but that it is one: the whole as it was written, as one document.

use crate::mime::assess::{Assessment, Attachment, Given};
use crate::mime::inside::Inside;
use crate::mime::{Content, Defect, Entity, HeaderSection, MediaType, Outline, TransferEncoding};

/// Its name.
const NAME: &str = "message.eml";

/// The message from its start to its first empty line, `octets` in all, as one document, and what was wrong with it. Neither
/// subject nor text nor anybody's address is taken from it; what stands in a Bcc field is no part of the document.
pub fn as_written(header: &[u8], octets: u64, defect: Defect) -> (Outline, Assessment) {
    let header_end = header.len() as u64;
    let front = without_bcc(header);
    let document = Attachment {
        body: header_end..octets,
        encoding: TransferEncoding::Identity,
        within: None,
        name: NAME.to_owned(),
        names: vec![NAME.to_owned()],
        declared_type: "message/rfc822".to_owned(),
        content_type: None,
        octets: front.len() as u64 + octets.saturating_sub(header_end),
        inline: false,
        inside: Inside::default(),
        given: Given::AsDocument,
        content_id: None,
        front: front.into(),
    };
    let root = Entity {
        header: HeaderSection::default(),
        media_type: MediaType::octet_stream(),
        encoding: TransferEncoding::Identity,
        disposition: None,
        names: Vec::new(),
        content_id: None,
        body: 0..octets,
        lines: 0,
        content: Content::Leaf,
    };
    let assessment = Assessment {
        subject: String::new(),
        tags: Vec::new(),
        from: Vec::new(),
        from_name: None,
        sender: None,
        text: None,
        html: None,
        marked: false,
        as_written: true,
        attachments: vec![document],
        received: 0,
        auto_submitted: false,
        mended: Some(defect.clone()),
        protection: None,
        signals: super::assess::Signals::default(),
    };
    (Outline { root, header_end, octets, mended: Some(defect) }, assessment)
}

/// The lines of a header section without Bcc and Resent-Bcc, and what continues them.
fn without_bcc(header: &[u8]) -> Vec<u8> {
    let (mut left, mut dropped) = (Vec::with_capacity(header.len()), false);
    for line in header.split_inclusive(|b| *b == b'\n') {
        let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii();
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        dropped = if continues {
            dropped
        } else {
            [&b"bcc"[..], b"resent-bcc"].iter().any(|it| name.eq_ignore_ascii_case(it))
        };
        if !dropped {
            left.extend_from_slice(line);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_recipient_is_no_part_of_the_document() {
        let header =
            b"To: a@x.example\r\nBCC : b@x.example,\r\n\tc@x.example\r\nSubject: x\r\nresent-bcc:d@x.example\r\n\r\n";
        assert_eq!(without_bcc(header), b"To: a@x.example\r\nSubject: x\r\n\r\n");
    }
}
