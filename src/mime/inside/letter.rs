//! Messages in messages: a mail that is attached (RFC 5322), and what Outlook packs (`winmail.dat`).

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::Fact;
use super::octets::{Octets, Unavailable};
use super::text;
use super::walk::{Shown, Walk};
use crate::mime::second;
use crate::mime::tnef::{self, Content, Doubt};

/// Looks at the parts of a mail that is attached. It need not be understood as our own must: a lenient reader serves, as
/// whoever opens it will use one.
pub(super) fn look_letter(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let Some(whole) = walk.whole(octets, shown)? else { return Ok(()) };
    if !second::may_be_parsed(&whole) {
        shown.facts.insert(Fact::TooDeep);
        return Ok(());
    }
    // The reader keeps each part, also those that hold nothing.
    if memchr::memmem::find_iter(&whole, b"\n--").nth(2 * walk.limits.files).is_some() {
        shown.facts.insert(Fact::TooLarge);
        return Ok(());
    }
    let Some(message) = MessageParser::default().parse(&whole) else { return Ok(()) };
    for part in &message.parts {
        if matches!(part.body, PartType::Text(_) | PartType::Html(_)) {
            let body = whole.get(part.offset_body as usize..part.offset_end as usize);
            text::find_written(walk, body.unwrap_or_default(), path, shown)?;
        }
        let name = part.attachment_name().unwrap_or_default().to_owned();
        let octets: &[u8] = match &part.body {
            PartType::Text(text) | PartType::Html(text) if !name.is_empty() => text.as_bytes(),
            PartType::Binary(octets) | PartType::InlineBinary(octets) => octets,
            PartType::Message(message) => message.raw_message(),
            PartType::Text(_) | PartType::Html(_) | PartType::Multipart(_) => continue,
        };
        if !walk.may_find(shown) {
            break;
        }
        let name = match (&part.body, name.is_empty()) {
            (PartType::Message(_), _) => "message.eml".to_owned(),
            (_, true) => "attachment".to_owned(),
            (_, false) => name,
        };
        walk.find(path, vec![name], Some(&mut &*octets), &[])?;
    }
    Ok(())
}

/// Looks at the attachments that Outlook packed.
pub(super) fn look_tnef(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let Some(whole) = walk.whole(octets, shown)? else { return Ok(()) };
    let Some(message) = tnef::read(&whole, &tnef::Limits::default()) else {
        shown.facts.insert(Fact::Unseen);
        return Ok(());
    };
    find_packed(walk, &message, path, shown)
}

/// Messages within messages are as deep as [`tnef::Limits::depth`] at most.
fn find_packed(
    walk: &mut Walk<'_>,
    message: &tnef::Message<'_>,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    for (doubt, fact) in [
        (Doubt::Twofold, Fact::Ambiguous),
        (Doubt::TooMany, Fact::TooLarge),
        (Doubt::TooDeep, Fact::TooDeep),
        (Doubt::Properties, Fact::Ambiguous),
    ] {
        if message.doubts.contains(&doubt) {
            shown.facts.insert(fact);
        }
    }
    for attachment in &message.attachments {
        if !walk.may_find(shown) {
            break;
        }
        let mut given = attachment.names.clone();
        if given.is_empty() {
            given.push("attachment".to_owned());
        }
        for content in &attachment.contents {
            match content {
                Content::Message(inner, _) => {
                    walk.find(path, given.clone(), None, &[])?;
                    let path: Vec<String> = path.iter().cloned().chain([given[0].clone()]).collect();
                    find_packed(walk, inner, &path, shown)?;
                }
                Content::File(octets) | Content::Object(octets) => {
                    walk.find(path, given.clone(), Some(&mut &**octets), &[])?;
                }
            }
        }
        if attachment.contents.is_empty() {
            walk.find(path, given, None, &[])?;
        }
    }
    Ok(())
}
