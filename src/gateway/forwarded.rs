//! Forwarded messages taken apart: what is attached to a message that is attached, as documents of their own.

use crate::blob::RawMessage;
use crate::gateway::{Refusal, read};
use crate::mime::TransferEncoding;
use crate::mime::assess::Attachment;

/// Messages within messages that are taken apart.
const DEPTH: usize = 5;
/// Documents that are taken out of forwarded messages; what is beyond stays in its message alone.
const MOST: usize = 200;

/// The documents of the messages among these, and of the messages among those. One that is not understood is left as it is.
///
/// # Errors
/// As [`read::assess`], but for what is not understood.
pub(super) async fn documents(message: &RawMessage, attachments: &[Attachment]) -> Result<Vec<Attachment>, Refusal> {
    let (mut found, mut level): (Vec<Attachment>, Vec<Attachment>) = (Vec::new(), attachments.to_vec());
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for forwarded in level.iter().filter(|it| is_message(it)) {
            match taken_apart(message, forwarded).await {
                Ok(documents) => below.extend(documents),
                Err(Refusal::NotUnderstood(_)) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        below.truncate(MOST - found.len());
        found.extend_from_slice(&below);
        level = below;
    }
    Ok(found)
}

/// Whether it stands in the message as a message does.
fn is_message(attachment: &Attachment) -> bool {
    let declared = ["message/rfc822", "message/global"].contains(&attachment.declared_type.as_str());
    declared
        && attachment.encoding == TransferEncoding::Identity
        && attachment.within.is_none()
        && attachment.front.is_empty()
}

async fn taken_apart(message: &RawMessage, forwarded: &Attachment) -> Result<Vec<Attachment>, Refusal> {
    let outline = read::outline_within(message, forwarded.body.clone()).await?;
    Ok(read::assess(message, &outline).await?.attachments)
}
