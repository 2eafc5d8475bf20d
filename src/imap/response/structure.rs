//! ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051, section 7.5.2).

use crate::anatomy::{Envelope, EnvelopeAddress, Part, PartContent};
use crate::imap::response::Writer;

/// `(date subject from sender reply-to to cc bcc in-reply-to message-id)`.
pub fn write_envelope(out: &mut Writer, envelope: &Envelope) {
    out.put("(");
    text(out, envelope.date.as_ref());
    out.put(" ");
    text(out, envelope.subject.as_ref());
    let lists = [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc];
    for list in lists {
        out.put(" ");
        addresses(out, list);
    }
    out.put(" ");
    text(out, envelope.in_reply_to.as_ref());
    out.put(" ");
    text(out, envelope.message_id.as_ref());
    out.put(")");
}

fn addresses(out: &mut Writer, list: &[EnvelopeAddress]) {
    if list.is_empty() {
        out.put("NIL");
        return;
    }
    out.put("(");
    for EnvelopeAddress { name, route, mailbox, host } in list {
        out.put("(");
        text(out, name.as_ref());
        for piece in [route, mailbox, host] {
            out.put(" ");
            text(out, piece.as_ref());
        }
        out.put(")");
    }
    out.put(")");
}

/// A part and what it holds; `extended` is BODYSTRUCTURE, else BODY. Parts nest no deeper than
/// [`crate::anatomy::DEEPEST`].
pub fn write_body_structure(out: &mut Writer, part: &Part, extended: bool) {
    out.put("(");
    if let PartContent::Multipart(parts) = &part.content {
        for part in parts {
            write_body_structure(out, part, extended);
        }
        out.put(" ").string(part.subtype.as_bytes());
        if extended {
            out.put(" ");
            parameters(out, &part.parameters);
            disposition(out, part);
        }
        out.put(")");
        return;
    }
    single(out, part, extended);
    if extended {
        out.put(" ");
        text(out, part.md5.as_ref());
        disposition(out, part);
    }
    out.put(")");
}

fn single(out: &mut Writer, part: &Part, extended: bool) {
    out.string(part.kind.as_bytes()).put(" ").string(part.subtype.as_bytes()).put(" ");
    parameters(out, &part.parameters);
    for field in [&part.id, &part.description] {
        out.put(" ");
        text(out, field.as_ref());
    }
    let octets = part.body.end.saturating_sub(part.body.start);
    out.put(" ").string(part.encoding.as_bytes()).put(&format!(" {octets}"));
    match &part.content {
        PartContent::Message(envelope, inner) => {
            out.put(" ");
            write_envelope(out, envelope);
            out.put(" ");
            write_body_structure(out, inner, extended);
            out.put(&format!(" {}", part.lines));
        }
        _ if part.kind.eq_ignore_ascii_case("text") => {
            out.put(&format!(" {}", part.lines));
        }
        _ => {}
    }
}

/// Disposition, languages and location, each behind a space.
fn disposition(out: &mut Writer, part: &Part) {
    match &part.disposition {
        Some((kind, with)) => {
            out.put(" (").string(kind.as_bytes()).put(" ");
            parameters(out, with);
            out.put(")");
        }
        None => {
            out.put(" NIL");
        }
    }
    match part.languages.as_slice() {
        [] => {
            out.put(" NIL");
        }
        languages => {
            out.put(" (");
            for (at, language) in languages.iter().enumerate() {
                out.put(if at > 0 { " " } else { "" }).string(language.as_bytes());
            }
            out.put(")");
        }
    }
    out.put(" ");
    text(out, part.location.as_ref());
}

fn parameters(out: &mut Writer, parameters: &[(String, String)]) {
    if parameters.is_empty() {
        out.put("NIL");
        return;
    }
    out.put("(");
    for (at, (name, value)) in parameters.iter().enumerate() {
        out.put(if at > 0 { " " } else { "" }).string(name.as_bytes()).put(" ").string(value.as_bytes());
    }
    out.put(")");
}

fn text(out: &mut Writer, text: Option<&String>) {
    out.nstring(text.map(String::as_bytes));
}
