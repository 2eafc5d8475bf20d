//! A message of which nothing is understood but its own header section, as far as that can be cut into fields: the whole as it
//! was written, as one document.

use crate::mime::assess::{Assessment, Attachment, Given, Signals, Tag, is_automatic, subject_tags};
use crate::mime::header::{self, Mailbox};
use crate::mime::inside::Inside;
use crate::mime::{Content, Defect, Entity, Flaw, HeaderField, HeaderSection, MediaType, Outline, TransferEncoding};

mod marks;

pub use marks::WholeSearch;

/// Its name.
const NAME: &str = "message.eml";
/// Fields that the document keeps, beside those that begin with [`OF_CONTENT`]: who wrote what to whom, and in which thread.
/// All others stay inside, as they do of any message that is built anew: no trace, no client's address, no signal, no Bcc.
const KEPT: [&str; 12] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Importance",
    "MIME-Version",
];
/// Octets in one encoded word, so that it stays within 75 characters (RFC 2047, section 2).
const WORD: usize = 45;
/// How fields begin that say how the body is read.
const OF_CONTENT: &str = "content-";

/// The message from its start to its first empty line, `octets` in all, as one document, and what was wrong with it. What its
/// header section says of who wrote it, of its subject with its tags, and of what its sender wants counts as of any message;
/// a line of it that is no field is passed over, and no part of the document.
///
/// # Errors
/// Who sent it (Sender) cannot be told, or a tag is not understood.
pub fn as_written(header: &[u8], octets: u64, defect: Defect) -> Result<(Outline, Assessment), Defect> {
    let header_end = header.len() as u64;
    let section = HeaderSection { fields: fields(header) };
    let speaks = Speaks::of(&section)?;
    let (subject, tags) = subject(&section)?;
    let front = front(&section, &speaks, &subject, &tags);
    let assessment = Assessment {
        subject,
        tags,
        from_name: speaks.from.first().and_then(|mailbox| mailbox.name.clone()),
        from: speaks.from.into_iter().map(|mailbox| mailbox.address).collect(),
        sender: speaks.sender.map(|mailbox| mailbox.address),
        text: None,
        html: None,
        marked: false,
        as_written: true,
        attachments: vec![document(front, header_end..octets)],
        received: section.all("Received").count(),
        auto_submitted: section.all("Auto-Submitted").any(|field| is_automatic(&field.value)),
        mended: Some(defect.clone()),
        protection: None,
        signals: Signals::of(&section),
    };
    let root = Entity {
        header: section,
        media_type: MediaType::octet_stream(),
        encoding: TransferEncoding::Identity,
        disposition: None,
        names: Vec::new(),
        content_id: None,
        body: 0..octets,
        lines: 0,
        content: Content::Leaf,
    };
    Ok((Outline { root, header_end, octets, mended: Some(defect) }, assessment))
}

fn document(front: Vec<u8>, body: std::ops::Range<u64>) -> Attachment {
    Attachment {
        octets: front.len() as u64 + body.end.saturating_sub(body.start),
        body,
        encoding: TransferEncoding::Identity,
        within: None,
        name: NAME.to_owned(),
        names: vec![NAME.to_owned()],
        declared_type: "message/rfc822".to_owned(),
        content_type: None,
        inline: false,
        inside: Inside::default(),
        given: Given::AsDocument,
        content_id: None,
        front: front.into(),
    }
}

/// The fields of a header section, in order. A line that is none, and what continues it, is passed over.
fn fields(header: &[u8]) -> Vec<HeaderField> {
    let (mut fields, mut passed_over) = (Vec::<HeaderField>::new(), true);
    for line in header.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            let continued = fields.last_mut().filter(|_| !passed_over && !line.trim_ascii().is_empty());
            if let Some(field) = continued {
                field.value.extend([b"\r\n", line].concat());
            }
            continue;
        }
        let field = field(line);
        passed_over = field.is_none();
        fields.extend(field);
    }
    fields
}

fn field(line: &[u8]) -> Option<HeaderField> {
    let colon = memchr::memchr(b':', line)?;
    let name = std::str::from_utf8(&line[..colon]).ok()?.trim_end_matches([' ', '\t']);
    let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    sound.then(|| HeaderField { name: name.to_owned(), value: line[colon + 1..].to_vec() })
}

/// Who speaks.
struct Speaks {
    /// By every From field.
    from: Vec<Mailbox>,
    sender: Option<Mailbox>,
    /// Whether there is one From field at most, and one Sender, and all of it is understood.
    clear: bool,
}

impl Speaks {
    fn of(section: &HeaderSection) -> Result<Self, Defect> {
        let mut clear = true;
        let mut all = |name: &'static str| {
            let mut found = Vec::new();
            for (at, field) in section.all(name).enumerate() {
                let read = header::mailboxes_strict(name, field);
                clear &= at == 0 && read.is_ok();
                found.extend(read.unwrap_or_default());
            }
            found
        };
        let (from, mut senders) = (all("From"), all("Sender"));
        if senders.len() > 1 {
            return Err(Flaw::Address("Sender").into());
        }
        Ok(Self { from, sender: senders.pop(), clear })
    }
}

/// The first subject, and the tags of all of them.
fn subject(section: &HeaderSection) -> Result<(String, Vec<Tag>), Defect> {
    let mut subjects = section.all("Subject").map(|field| header::unstructured(&field.value));
    let first = subjects.next().unwrap_or_default();
    let mut tags = subject_tags(&first)?;
    for other in subjects {
        tags.extend(subject_tags(&other)?.into_iter().map(|tag| Tag { span: 0..0, ..tag }));
    }
    Ok((first, tags))
}

/// The document's header section. A subject with tags is not in it: what was written for us, such as a patient's birthdate, is
/// not for who reads it.
fn front(section: &HeaderSection, speaks: &Speaks, subject: &str, tags: &[Tag]) -> Vec<u8> {
    let mut front = Vec::new();
    for field in &section.fields {
        let kept = KEPT.iter().any(|name| field.is(name));
        let of_content = field.name.get(..OF_CONTENT.len()).is_some_and(|it| it.eq_ignore_ascii_case(OF_CONTENT));
        let withheld =
            field.is("Subject") && !tags.is_empty() || (field.is("From") || field.is("Sender")) && !speaks.clear;
        if (kept || of_content) && !withheld {
            front.extend([field.name.as_bytes(), b":", &field.value, b"\r\n"].concat());
        }
    }
    if !tags.is_empty() {
        front.extend(subject_line(subject, tags));
    }
    front.extend_from_slice(b"\r\n");
    front
}

/// The subject without its tags, encoded (RFC 2047).
fn subject_line(subject: &str, tags: &[Tag]) -> Vec<u8> {
    let mut left = subject.to_owned();
    for tag in tags.iter().rev().filter(|tag| subject.get(tag.span.clone()).is_some()) {
        left.replace_range(tag.span.clone(), "");
    }
    let mut words: Vec<String> = Vec::new();
    for c in left.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!(" =?utf-8?B?{}?=", data_encoding::BASE64.encode(word.as_bytes())));
    format!("Subject:{}\r\n", encoded.collect::<Vec<_>>().join("\r\n")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(header: &str) -> Result<(String, Assessment), Defect> {
        let header = header.replace('\n', "\r\n");
        let flaw = Flaw::Base64Alphabet.into();
        let (_, facts) = as_written(header.as_bytes(), header.len() as u64 + 10, flaw)?;
        let front = String::from_utf8(facts.attachments[0].front.to_vec()).unwrap();
        Ok((front.replace("\r\n", "\n"), facts))
    }

    #[test]
    fn what_tells_of_the_house_is_no_part_of_the_document() {
        let (front, facts) = written(
            "Received: from pc [10.0.0.7]\n by mail\nTo: a@x.example\nBCC : b@x.example,\n\tc@x.example\nX-Originating-IP: 10.0.0.7\n\
             junk\n continued\nSubject: x\nresent-bcc:d@x.example\nThread-Index: AdoX\nContent-Type: text/plain;\n name=a\n\n",
        )
        .unwrap();
        assert_eq!(front, "To: a@x.example\nSubject: x\nContent-Type: text/plain;\n name=a\n\n");
        assert_eq!((facts.subject.as_str(), facts.received), ("x", 1));
    }

    #[test]
    fn tags_count_and_are_no_part_of_the_document() {
        let (front, facts) =
            written("Subject: [patient Ann Lee 1980-03-04] Results\nSubject: [14d] x\nX-Postern-NoPin: yes\n\n")
                .unwrap();
        assert_eq!(front, "Subject: =?utf-8?B?UmVzdWx0cw==?=\n\n");
        assert_eq!((facts.tags.len(), facts.signals.fields.len()), (2, 1));
        assert!(facts.patient().is_some());
        assert_eq!(written("Subject: [patient]\n\n").err().map(|defect| defect.word), Some("tag-patient"));
    }

    /// Nobody was asked whether they may send as who stood in From.
    #[test]
    fn who_speaks_is_everybody_that_any_reader_may_show() {
        let (front, facts) = written("From: a@x.example\nFrom: B <b@x.example>\nTo: c@x.example\n\n").unwrap();
        assert_eq!(facts.from.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a@x.example", "b@x.example"]);
        assert_eq!(front, "To: c@x.example\n\n");
        assert_eq!(written("From: nobody\n\n").unwrap().0, "\n");
        assert!(written("Sender: a@x.example\nSender: b@x.example\n\n").is_err());
    }
}
