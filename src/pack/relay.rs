//! The header section of a relayed message: as received, with the trace in front and without what nobody may see.

use std::net::IpAddr;

use mail_builder::headers::Header;

use crate::mail::ReceivedTrace;
use crate::mime::{HeaderField, Outline};
use crate::pack::field::unstructured;
use crate::pack::inner::stays_inside;
use crate::pack::moment;

/// Fields by which a practice system tells this gateway what to do: nobody else reads them.
const OWN: &str = "X-Postern-";

/// What of a relayed message's header section is not as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes<'a> {
    /// The subject, where a tag in it was used up.
    pub subject: Option<&'a str>,
    /// Whether it goes to somebody outside: what tells of the inner machines then stays inside.
    pub outside: bool,
}

/// The header section of a relayed message: Received first, every field octet for octet but Bcc, Resent-Bcc and our own
/// `X-Postern-…`, and, where a subject is given, one Subject that says this (and no Thread-Topic: Exchange repeats the old
/// subject there). Date and Message-ID are added where the message has none (RFC 6409, section 8). Ends with the empty line;
/// the body octets follow untouched.
pub fn relayed_header(
    outline: &Outline,
    trace: &ReceivedTrace,
    hostname: &str,
    transaction: &str,
    changes: Changes<'_>,
) -> Vec<u8> {
    let subject = changes.subject;
    let fields = &outline.root.header.fields;
    let octets: usize = fields.iter().map(|field| field.name.len() + field.value.len() + 3).sum();
    let mut out = Vec::with_capacity(octets + 512);
    out.extend(received(trace, hostname, transaction).into_bytes());
    let mut rewritten = false;
    for field in fields {
        if is_dropped(field, changes) {
            continue;
        }
        match subject.filter(|_| is(field, "Subject")) {
            None => as_received(field, &mut out),
            Some(subject) if !rewritten => write_subject(subject, &mut out),
            Some(_) => {}
        }
        rewritten |= is(field, "Subject");
    }
    if !fields.iter().any(|field| is(field, "Date")) {
        out.extend(format!("Date: {}\r\n", moment::rfc5322(trace.at)).into_bytes());
    }
    if !fields.iter().any(|field| is(field, "Message-ID")) {
        out.extend(format!("Message-ID: <{transaction}@{hostname}>\r\n").into_bytes());
    }
    out.extend(b"\r\n");
    out
}

fn is_dropped(field: &HeaderField, changes: Changes<'_>) -> bool {
    is(field, "Bcc")
        || is(field, "Resent-Bcc")
        || field.name.get(..OWN.len()).is_some_and(|name| name.eq_ignore_ascii_case(OWN))
        || (changes.subject.is_some() && is(field, "Thread-Topic"))
        || (changes.outside && stays_inside(&field.name))
}

fn is(field: &HeaderField, name: &str) -> bool {
    field.name.trim_end().eq_ignore_ascii_case(name)
}

fn as_received(field: &HeaderField, out: &mut Vec<u8>) {
    out.extend(field.name.as_bytes());
    out.push(b':');
    out.extend(&field.value);
    out.extend(b"\r\n");
}

fn write_subject(subject: &str, out: &mut Vec<u8>) {
    out.extend(b"Subject: ");
    unstructured(subject).write_header(out, "Subject: ".len());
}

/// RFC 5321, section 4.4. A hop between servers keeps its trace; of somebody who signed in (RFC 3848: a protocol that
/// ends in `A`) neither the address nor an address literal in EHLO goes out, as both tell where the person sits.
fn received(trace: &ReceivedTrace, hostname: &str, transaction: &str) -> String {
    let helo: String = trace.helo.chars().filter(char::is_ascii_graphic).take(255).collect();
    let signed_in = trace.protocol.ends_with('A');
    let from = match trace.peer {
        _ if signed_in && helo.starts_with('[') => "localhost".to_owned(),
        _ if signed_in => helo,
        IpAddr::V4(peer) => format!("{helo} ([{peer}])"),
        IpAddr::V6(peer) => format!("{helo} ([IPv6:{peer}])"),
    };
    let (protocol, at) = (&trace.protocol, moment::rfc5322(trace.at));
    format!("Received: from {from}\r\n\tby {hostname} with {protocol}\r\n\tid {transaction};\r\n\t{at}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::{Content, Entity, HeaderSection, MediaType, TransferEncoding};
    use crate::time::Timestamp;

    const AS_RECEIVED: Changes<'_> = Changes { subject: None, outside: false };

    fn outline(fields: &[(&str, &[u8])]) -> Outline {
        let fields = fields
            .iter()
            .map(|(name, value)| HeaderField { name: (*name).to_owned(), value: value.to_vec() })
            .collect();
        let root = Entity {
            header: HeaderSection { fields },
            media_type: MediaType { kind: "text".into(), subtype: "plain".into(), parameters: vec![] },
            encoding: TransferEncoding::Identity,
            disposition: None,
            names: vec![],
            content_id: None,
            body: 0..0,
            lines: 0,
            content: Content::Leaf,
        };
        Outline { root, header_end: 0, octets: 0, mended: None }
    }

    fn trace(helo: &str, peer: &str, protocol: &str) -> ReceivedTrace {
        let at = Timestamp::from_secs(1_795_266_300);
        ReceivedTrace { helo: helo.into(), peer: peer.parse().unwrap(), protocol: protocol.into(), at }
    }

    fn relayed(fields: &[(&str, &[u8])], subject: Option<&str>) -> String {
        relayed_to(fields, Changes { subject, outside: false })
    }

    fn relayed_to(fields: &[(&str, &[u8])], changes: Changes<'_>) -> String {
        let trace = trace("pm.clinic.example", "10.0.0.17", "ESMTPS");
        let octets = relayed_header(&outline(fields), &trace, "mail.clinic.example", "id26", changes);
        String::from_utf8_lossy(&octets).into_owned()
    }

    #[test]
    fn every_field_stays_octet_for_octet_but_bcc_and_a_subject_whose_tag_was_used() {
        let fields: [(&str, &[u8]); 8] = [
            ("Received", b"from a\r\n\tby b"),
            ("SUBJECT", b" [plain] R\xc3\xa9sultats"),
            ("X-Odd ", b"  kept\r\n  as it is \t"),
            ("bcc", b" hidden@x.example"),
            ("Resent-Bcc", b" hidden@x.example"),
            ("Date", b" whatever"),
            ("message-id", b" <1@x>"),
            ("Subject", b" [plain] twice"),
        ];
        let front = "Received: from pm.clinic.example ([10.0.0.17])\r\n\tby mail.clinic.example with ESMTPS\r\n\
                     \tid id26;\r\n\tSat, 21 Nov 2026 13:05:00 +0000\r\nReceived:from a\r\n\tby b\r\n";
        let rest = "X-Odd :  kept\r\n  as it is \t\r\nDate: whatever\r\nmessage-id: <1@x>\r\n";
        let kept = relayed(&fields, None);
        assert_eq!(kept, format!("{front}SUBJECT: [plain] Résultats\r\n{rest}Subject: [plain] twice\r\n\r\n"));
        let rewritten = relayed(&fields, Some("Résultats\r\nBcc: x"));
        assert_eq!(rewritten, format!("{front}Subject: =?utf-8?Q?R=C3=A9sultats__Bcc:_x?=\r\n{rest}\r\n"));
    }

    #[test]
    fn what_tells_of_the_inner_machines_goes_to_colleagues_only() {
        let fields: [(&str, &[u8]); 5] = [
            ("Date", b" x"),
            ("Message-ID", b" <1@x>"),
            ("X-MS-Exchange-Organization-AuthSource", b" exch01.clinic.local"),
            ("x-originating-ip ", b" [10.0.0.17]"),
            ("X-POSTERN-Patient", b" 10423"),
        ];
        let inside = relayed(&fields, None);
        assert!(inside.contains("exch01") && inside.contains("x-originating-ip : [10.0.0.17]"), "{inside}");
        let outside = relayed_to(&fields, Changes { subject: None, outside: true });
        assert!(outside.ends_with("Date: x\r\nMessage-ID: <1@x>\r\n\r\n"), "{outside}");
        assert!(!inside.contains("10423"));
    }

    #[test]
    fn a_submission_without_date_and_message_id_is_given_them() {
        let header = relayed(&[("Subject", b" x")], None);
        assert!(header.ends_with(
            "Subject: x\r\nDate: Sat, 21 Nov 2026 13:05:00 +0000\r\nMessage-ID: <id26@mail.clinic.example>\r\n\r\n"
        ));
    }

    #[test]
    fn where_somebody_signed_in_from_is_not_told() {
        for (helo, peer, protocol, from) in [
            ("[192.168.1.9]", "192.0.2.1", "ESMTPSA", "Received: from localhost\r\n"),
            ("laptop.local", "192.0.2.1", "ESMTPSA", "Received: from laptop.local\r\n"),
            ("pm.example", "192.0.2.1", "ESMTP", "Received: from pm.example ([192.0.2.1])\r\n"),
            ("pm.example", "2001:db8::1", "SMTP", "Received: from pm.example ([IPv6:2001:db8::1])\r\n"),
            ("a\r\nb: c", "192.0.2.1", "ESMTPSA", "Received: from ab:c\r\n"),
        ] {
            let octets = relayed_header(&outline(&[]), &trace(helo, peer, protocol), "h.example", "t", AS_RECEIVED);
            assert!(String::from_utf8_lossy(&octets).starts_with(from), "{helo} {peer} {protocol}");
        }
    }
}
