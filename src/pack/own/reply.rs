//! A guest's reply as mail to the sender's own mailbox: the one mail of ours that holds what a person wrote.

use minijinja::{Value, context};

use super::content::{Content, Reader, texts};
use super::{OwnParts, header};
use crate::mail::Address;
use crate::mime::names::sanitise;
use crate::mime::text::no_files_within;
use crate::pack::notice::{Around, alternative_within};
use crate::pack::{PackError, Templates, field, letter};

/// A guest's reply as mail.
pub struct GuestReplyParts<'a> {
    /// The guest; becomes Reply-To, so that an answer from Outlook goes to them, through the gateway.
    pub guest: &'a Address,
    /// The name they registered with.
    pub guest_name: &'a str,
    /// The subject of what they answer.
    pub subject: &'a str,
    /// Message-ID of what they answer, for In-Reply-To and References.
    pub in_reply_to: Option<&'a str>,
    /// References of what they answer.
    pub references: &'a [String],
    /// The text.
    pub text: &'a str,
    /// Sanitised names and types of attachments; their octets are appended by who sends it.
    pub attachments: &'a [(String, String)],
}

pub(super) fn content<'a>(reply: &'a GuestReplyParts<'_>) -> Content<'a> {
    let facts = context! {
        name => shown_name(reply),
        address => reply.guest.to_string(),
        subject => field::one_line(reply.subject),
        attachments => reply.attachments.len(),
    };
    Content { letter: Some(reply.text), ..Content::of(Reader::Staff, "reply", facts) }
}

/// The name they gave, else their address.
fn shown_name(reply: &GuestReplyParts<'_>) -> String {
    let name = field::one_line(reply.guest_name);
    if name.is_empty() { reply.guest.to_string() } else { name }
}

/// The guest's text as it is sent: their lines, but quoted where a program would make a file of them.
pub(super) fn plain(text: &str) -> String {
    match no_files_within(text.as_bytes()) {
        Ok(_) => text.to_owned(),
        Err(_) => text.lines().map(|line| format!("> {line}\n")).collect(),
    }
}

/// The guest's text as HTML that is safe as it stands.
pub(super) fn html(text: &str) -> Value {
    Value::from_safe_string(letter::from_text(text))
}

/// A guest's reply with attachments that are too large for memory: the octets before, between and after the
/// attachments, each of which goes between two of them in base64 of 76 columns, its lines ended by CRLF. One piece
/// where there are none.
///
/// # Errors
/// [`PackError::Template`]; [`PackError::FileWithin`].
pub fn guest_reply_frame(templates: &Templates, parts: &OwnParts<'_>) -> Result<Vec<Vec<u8>>, PackError> {
    let attachments = match &parts.says {
        super::Says::GuestReply(reply) if !reply.attachments.is_empty() => reply.attachments,
        _ => return super::own_mail(templates, parts).map(|whole| vec![whole]),
    };
    let texts = texts(templates, parts)?;
    let header = header::of(templates, parts, &texts);
    // `_` is in neither the alphabet of base64 nor after `=` in quoted-printable (RFC 2045, section 6.7), and no boundary
    // begins as the other does.
    let boundary = format!("=_mixed_{}", parts.unique);
    let mut piece = alternative_within(header, parts.unique, &texts.text, &texts.html, Around::Mixed(&boundary))?;
    let closing = format!("\r\n--{boundary}--\r\n");
    piece.truncate(piece.len() - closing.len());
    let mut pieces = Vec::with_capacity(attachments.len() + 1);
    for (name, media_type) in attachments {
        piece.extend_from_slice(format!("\r\n--{boundary}\r\n{}\r\n", attached(name, media_type)).as_bytes());
        pieces.push(std::mem::take(&mut piece));
    }
    pieces.push(closing.into_bytes());
    Ok(pieces)
}

/// The header section of an attachment. Each field is one line of at most 998 octets, which is what all readers take:
/// a name of 255 octets fits, however it is written.
fn attached(name: &str, media_type: &str) -> String {
    let name = sanitise(name);
    let plain = name.bytes().all(|b| matches!(b, b' '..=b'~')) && !name.contains("=?");
    let (old, new) = if plain {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        (format!("; name=\"{quoted}\""), format!("filename=\"{quoted}\""))
    } else {
        (encoded_name(&name), format!("filename*=UTF-8''{}", extended(&name)))
    };
    let media_type = octets_of(media_type);
    format!(
        "Content-Type: {media_type}{old}\r\nContent-Disposition: attachment; {new}\r\nContent-Transfer-Encoding: base64\r\n"
    )
}

/// The name as old readers look for it, as an encoded word in quotes (which RFC 2047, section 5, does not know), where it is
/// one: how two are joined, readers do not agree.
fn encoded_name(name: &str) -> String {
    let encoded = field::encoded_words(name);
    if encoded.contains(' ') { String::new() } else { format!("; name=\"{encoded}\"") }
}

/// A media type that base64 octets can have: a composite one cannot be encoded (RFC 2045, section 6.4).
fn octets_of(media_type: &str) -> String {
    let token = |text: &str| {
        !text.is_empty() && text.len() <= 127 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
    };
    match media_type.split_once('/') {
        Some((kind, subtype))
            if token(kind)
                && token(subtype)
                && !["multipart", "message"].iter().any(|it| kind.eq_ignore_ascii_case(it)) =>
        {
            media_type.to_ascii_lowercase()
        }
        _ => String::from("application/octet-stream"),
    }
}

/// A parameter's value in UTF-8 (RFC 2231, section 4).
fn extended(name: &str) -> String {
    let mut out = String::with_capacity(name.len() * 3);
    for b in name.bytes() {
        match b {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
