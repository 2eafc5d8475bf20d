//! The report of a failure to a sender, with nothing in it of the message that failed.
//!
//! It is for a person. The form for machines (`multipart/report`, RFC 3464) is not written yet; its place is
//! `delivery/dsn.rs`.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use minijinja::context;

use crate::pack::notice::{alternative, practice_value};
use crate::pack::template::Templates;
use crate::pack::{PackError, ReportParts, field, moment};

/// The mail that tells a sender that a message could not be delivered: from `postmaster@hostname`, `Auto-Submitted`
/// (RFC 3834), to be sent with an empty reverse-path.
///
/// # Errors
/// A template that fails with values its samples did not foresee.
pub fn failure_report(templates: &Templates, parts: &ReportParts<'_>) -> Result<Vec<u8>, PackError> {
    let practice = parts.practice;
    let language = &practice.language;
    let speaker = practice_value(practice);
    let accepted = moment::parts(parts.accepted, &practice.time_zone);
    let from = templates.say(language, "report_from", std::slice::from_ref(&speaker))?;
    let subject = templates.say(language, "report_subject", std::slice::from_ref(&accepted))?;
    let values = context! {
        language => templates.language(language),
        practice => speaker,
        recipient => parts.recipient.to_string(),
        accepted => accepted,
        enhanced => parts.enhanced,
        sentence => parts.sentence,
        attempts => parts.attempts,
        transaction => parts.transaction,
    };
    let text = templates.render(language, "report.txt", &values)?;
    let html = templates.render(language, "report.mjml", &values)?;
    let message = MessageBuilder::new()
        .header(
            "From",
            Written::new_address(Some(field::display_name(&from)), format!("postmaster@{}", parts.hostname)),
        )
        .header("To", Written::new_address(None::<&str>, parts.to.to_string()))
        .header("Subject", field::unstructured(&subject))
        .header("Date", Raw::new(moment::rfc5322(parts.now)))
        .header("Message-ID", MessageId::new(format!("{}@{}", parts.unique, parts.hostname)))
        .header("Auto-Submitted", Raw::new("auto-replied"))
        .header("Content-Language", field::language(templates.language(language)));
    alternative(message, parts.unique, &text, &html)
}
