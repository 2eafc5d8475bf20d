//! The rebuilt message of a secured recipient: composed anew from what was understood, never patched.

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use minijinja::{Value, context};

use crate::access::AccessCheck;
use crate::mime::Limits;
use crate::mime::text::{no_files_within, ready_to_send};
use crate::pack::colour::Paint;
use crate::pack::own::role_word;
use crate::pack::pictures::{self, TextPicture};
use crate::pack::template::Templates;
use crate::pack::{NoticeParts, PackError, documents, field, letter, moment};
use crate::policy::Practice;

/// The rebuilt message, whole, in CRLF: `multipart/alternative` with the text and the HTML, and nothing else.
///
/// # Errors
/// A template that fails with values its samples did not foresee; a file written into the text, which shows in what
/// leaves only (a control character dropped, an element taken out of the HTML).
pub fn notice(templates: &Templates, parts: &NoticeParts<'_>) -> Result<Vec<u8>, PackError> {
    notice_around(&Body::of(templates, parts)?, templates, parts)
}

/// The sender's own text, made ready once for everybody who is sent it with a link, or for everybody without; nothing of it
/// for those who read it in the portal alone.
#[derive(Default)]
pub(super) struct Body {
    html: Option<Value>,
    text: Option<Value>,
    /// Those that stand in the HTML.
    pictures: Vec<TextPicture>,
}

impl Body {
    /// Sanitising HTML takes longer than all the rest.
    pub fn of(templates: &Templates, parts: &NoticeParts<'_>) -> Result<Self, PackError> {
        if parts.private {
            return Ok(Self::default());
        }
        let text = parts.message.text.as_deref().map(str::trim_end).filter(|text| !text.is_empty());
        let mut pictures = pictures::of(parts.message, parts.unique, parts.hostname);
        let html = html(templates, parts, &pictures)?;
        let stands = |picture: &TextPicture| html.as_ref().is_some_and(|html| html.contains(&picture.cid));
        pictures.retain(stands);
        Ok(Self { html: html.map(Value::from_safe_string), text: text.map(Value::from), pictures })
    }
}

/// As [`notice`], around a text that is ready.
pub(super) fn notice_around(body: &Body, templates: &Templates, parts: &NoticeParts<'_>) -> Result<Vec<u8>, PackError> {
    let language = &parts.practice.language;
    let values = values(body, templates, parts);
    let text = templates.render(language, "notice.txt", &values)?;
    let html = templates.render(language, "notice.mjml", &values)?;
    let subject = match parts.private {
        true => templates.say(language, "private_subject", &[practice_value(parts.practice)])?,
        false => parts.subject.to_owned(),
    };
    let message =
        field::allowed(parts, &subject).header("Content-Language", field::language(templates.language(language)));
    let around = if body.pictures.is_empty() { Around::Nothing } else { Around::Related(&body.pictures) };
    alternative_within(message, parts.unique, &text, &html, around)
}

/// What stands around the two texts.
pub(super) enum Around<'a> {
    /// Nothing.
    Nothing,
    /// A `multipart/mixed` of this boundary.
    Mixed(&'a str),
    /// A `multipart/related` with these pictures.
    Related(&'a [TextPicture]),
}

/// A message with these header fields and both texts. Each text, and the message as encoded, is looked through for files
/// written into it.
///
/// # Errors
/// [`PackError::FileWithin`]
pub(super) fn alternative(
    message: mail_builder::MessageBuilder<'_>,
    unique: &str,
    text: &str,
    html: &str,
) -> Result<Vec<u8>, PackError> {
    alternative_within(message, unique, text, html, Around::Nothing)
}

/// As [`alternative`], within another multipart where one is given.
pub(super) fn alternative_within(
    message: mail_builder::MessageBuilder<'_>,
    unique: &str,
    text: &str,
    html: &str,
    around: Around<'_>,
) -> Result<Vec<u8>, PackError> {
    let text = ready_to_send(text).map_err(PackError::FileWithin)?;
    let html = ready_to_send(html).map_err(PackError::FileWithin)?;
    // No text in quoted-printable or base64 holds `=_`, so the boundary cannot occur in a part (RFC 2045, section 6.7).
    let boundary = format!("=_{unique}");
    let multipart = |kind: &'static str, boundary: String| ContentType::new(kind).attribute("boundary", boundary);
    let body = MimePart::new(
        multipart("multipart/alternative", boundary),
        vec![MimePart::new("text/plain", text.as_str()), MimePart::new("text/html", html.as_str())],
    );
    let mut octets = Vec::new();
    let body = match around {
        Around::Mixed(boundary) => MimePart::new(multipart("multipart/mixed", boundary.to_owned()), vec![body]),
        Around::Related(pictures) => {
            let kind =
                multipart("multipart/related", format!("=r_{unique}")).attribute("type", "multipart/alternative");
            MimePart::new(kind, std::iter::once(body).chain(pictures.iter().map(picture_part)).collect::<Vec<_>>())
        }
        Around::Nothing => body,
    };
    message.body(body).serialize(&mut octets);
    let header = memchr::memmem::find(&octets, b"\r\n\r\n").unwrap_or_default();
    no_files_within(&octets[header..]).map_err(PackError::FileWithin)?;
    Ok(octets)
}

/// It has no name: what readers list as attachments has one.
fn picture_part(picture: &TextPicture) -> MimePart<'_> {
    let kind = ContentType::new(picture.media_type.as_str());
    MimePart::new(kind, &picture.octets[..]).inline().cid(picture.cid.as_str())
}

/// The practice as templates see it.
pub(super) fn practice_value(practice: &Practice) -> Value {
    let paint = Paint::of(&practice.colour);
    context! {
        name => field::one_line(&practice.name),
        phone => field::one_line(&practice.phone),
        address => practice.address.clone(),
        colour => paint.ground,
        text_colour => paint.text,
        website => practice.website.clone(),
    }
}

fn values(body: &Body, templates: &Templates, parts: &NoticeParts<'_>) -> Value {
    let practice = parts.practice;
    let documents = parts.link.map(|_| documents::summary(&parts.message.attachments));
    let until = moment::parts(parts.link_until, &practice.time_zone);
    let kept = moment::parts(parts.keep_until, &practice.time_zone);
    context! {
        language => templates.language(&practice.language),
        practice => practice_value(practice),
        sender => sender(parts),
        documents => documents,
        link => parts.link,
        kept => (parts.keep_until > parts.link_until && kept.to_string() != until.to_string()).then_some(kept),
        until => until,
        registers => parts.registers,
        role => role_word(parts.role),
        access => parts.access.iter().map(access_word).collect::<Vec<_>>(),
        private => parts.private,
        as_written => parts.message.as_written,
        too_long => text_is_a_document(parts),
        body_html => body.html.clone(),
        body_text => body.text.clone(),
    }
}

/// The sender as the recipient knows them: by name, else by address.
fn sender(parts: &NoticeParts<'_>) -> String {
    let name = parts.message.from_name.as_deref().map(field::one_line).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| parts.sender.to_string())
}

fn access_word(check: &AccessCheck) -> &'static str {
    match check {
        AccessCheck::Account => "account",
        AccessCheck::Code => "code",
        AccessCheck::Birthdate => "birthdate",
        AccessCheck::Magic => "magic",
    }
}

/// Whether there is no text because it was too long to be one (then it is among the documents).
fn text_is_a_document(parts: &NoticeParts<'_>) -> bool {
    let limit = u64::try_from(Limits::default().text).unwrap_or(u64::MAX);
    let message = parts.message;
    let texts = ["text/plain", "text/html"];
    message.text.is_none()
        && message.html.is_none()
        && message.attachments.iter().any(|it| it.octets > limit && texts.contains(&it.declared_type.as_str()))
}

/// The sender's text as HTML: what is left of their HTML, else their plain text.
fn html(templates: &Templates, parts: &NoticeParts<'_>, pictures: &[TextPicture]) -> Result<Option<String>, PackError> {
    let message = parts.message;
    let sanitised = match &message.html {
        Some(html) => sanitised(templates, parts, html, pictures)?.filter(|html| !html.trim().is_empty()),
        None => None,
    };
    if sanitised.is_some() {
        return Ok(sanitised);
    }
    let text = message.text.as_deref().map(letter::from_text);
    Ok(text.filter(|html| !html.is_empty()))
}

fn sanitised(
    templates: &Templates,
    parts: &NoticeParts<'_>,
    html: &str,
    pictures: &[TextPicture],
) -> Result<Option<String>, PackError> {
    let picture = match parts.link {
        Some(_) => letter::escape(&templates.say(&parts.practice.language, "picture", &[])?),
        None => String::new(),
    };
    let names: Vec<&str> = parts.message.attachments.iter().flat_map(|it| &it.names).map(String::as_str).collect();
    Ok(letter::from_html(html, &picture, &names, pictures))
}
