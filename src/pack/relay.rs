//! The header section of a relayed message: as received, with the trace in front and without what nobody may see.

use std::net::IpAddr;

use mail_builder::headers::Header;
use mail_builder::headers::text::Text;

use crate::mail::ReceivedTrace;
use crate::mime::{HeaderField, Outline};
use crate::pack::field::one_line;
use crate::pack::moment;

/// The header section of a relayed message: Received first, every field octet for octet but Bcc and Resent-Bcc, and,
/// where `subject` is given, one Subject that says this. Date and Message-ID are added where the message has none
/// (RFC 6409, section 8). Ends with the empty line; the body octets follow untouched.
pub fn relayed_header(
    outline: &Outline,
    trace: &ReceivedTrace,
    hostname: &str,
    transaction: &str,
    subject: Option<&str>,
) -> Vec<u8> {
    let fields = &outline.root.header.fields;
    let octets: usize = fields.iter().map(|field| field.name.len() + field.value.len() + 3).sum();
    let mut out = Vec::with_capacity(octets + 512);
    out.extend(received(trace, hostname, transaction).into_bytes());
    let mut rewritten = false;
    for field in fields {
        if is(field, "Bcc") || is(field, "Resent-Bcc") {
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
    Text::new(one_line(subject)).write_header(out, "Subject: ".len());
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
