//! The header fields of a mail of our own but for the MIME fields.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;

use super::content::Texts;
use super::{GuestReplyParts, OwnParts, Says};
use crate::pack::{Templates, field, moment};

/// The header fields: from the practice, by the gateway; automatic ones say so (RFC 3834), and ask Exchange for no answer
/// either.
pub(super) fn of<'a>(templates: &Templates, parts: &OwnParts<'_>, texts: &Texts) -> MessageBuilder<'a> {
    let message = MessageBuilder::new()
        .header("From", Written::new_address(Some(field::display_name(&texts.from)), parts.from.to_string()))
        .header("To", Written::new_address(None::<&str>, parts.to.to_string()));
    let message = match (&parts.says, parts.reply_to) {
        (Says::GuestReply(reply), _) => message.header("Reply-To", guest(reply)),
        (_, Some(reply_to)) => message.header("Reply-To", Written::new_address(None::<&str>, reply_to.to_string())),
        (_, None) => message,
    };
    let message = message
        .header("Subject", field::unstructured(&texts.subject))
        .header("Date", Raw::new(moment::rfc5322(parts.now)))
        .header("Message-ID", MessageId::new(format!("{}@{}", parts.unique, parts.hostname)));
    let message = match &parts.says {
        Says::GuestReply(reply) => threaded(message, reply),
        says => message
            .header("Auto-Submitted", Raw::new(if answers(says) { "auto-replied" } else { "auto-generated" }))
            .header("X-Auto-Response-Suppress", Raw::new("All")),
    };
    message.header("Content-Language", field::language(templates.language(&parts.practice.language)))
}

/// The guest, so that an answer from any mail program goes to them. Who has given no name is called by the address, which
/// is not written twice.
fn guest<'a>(reply: &GuestReplyParts<'_>) -> Written<'a> {
    let address = reply.guest.to_string();
    let name = Some(field::display_name(reply.guest_name)).filter(|name| !name.is_empty() && *name != address);
    Written::new_address(name, address)
}

/// Whether it answers what somebody wrote (RFC 3834, section 5).
fn answers(says: &Says<'_>) -> bool {
    match says {
        Says::NotUnderstood { .. } => true,
        Says::Status { title, .. } => ["history", "pending", "done"].contains(title),
        Says::Question { not_understood, .. } => not_understood.is_some(),
        _ => false,
    }
}

/// The thread it belongs to (RFC 5322, section 3.6.4).
fn threaded<'a>(message: MessageBuilder<'a>, reply: &GuestReplyParts<'_>) -> MessageBuilder<'a> {
    let mut thread: Vec<String> = reply.references.iter().filter_map(|it| field::identifier(it)).collect();
    let Some(answered) = reply.in_reply_to.and_then(field::identifier) else {
        return references(message, thread);
    };
    if thread.last() != Some(&answered) {
        thread.push(answered.clone());
    }
    references(message.header("In-Reply-To", MessageId::new(answered)), thread)
}

fn references<'a>(message: MessageBuilder<'a>, thread: Vec<String>) -> MessageBuilder<'a> {
    if thread.is_empty() {
        return message;
    }
    message.header("References", MessageId::new_list(field::within_limit(thread).into_iter()))
}
