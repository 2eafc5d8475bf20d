//! Forwarded messages taken apart: what is attached to a message that is attached, as documents of their own.

use std::collections::VecDeque;

use crate::blob::RawMessage;
use crate::gateway::{Refusal, read};
use crate::mime::TransferEncoding;
use crate::mime::assess::{Attachment, Given};

/// Messages within messages that are taken apart.
const DEPTH: usize = 5;
/// Documents that are taken out of forwarded messages; what is beyond stays in its message alone.
const MOST: usize = 200;

/// The documents of the messages among these, and of the messages among those. One that is not understood is left as it is,
/// and of one that is withheld nothing is given either.
///
/// # Errors
/// As [`read::assess`], but for what is not understood.
pub(super) async fn documents(message: &RawMessage, attachments: &[Attachment]) -> Result<Vec<Attachment>, Refusal> {
    let mut found: Vec<Attachment> = Vec::new();
    let mut pending: VecDeque<(Attachment, usize)> = messages(attachments).map(|it| (it.clone(), DEPTH)).collect();
    while let Some((forwarded, depth)) = pending.pop_front().filter(|_| found.len() < MOST) {
        match taken_apart(message, &forwarded).await {
            Ok(mut documents) => {
                documents.truncate(MOST - found.len());
                if depth > 1 {
                    pending.extend(messages(&documents).map(|it| (it.clone(), depth - 1)));
                }
                found.extend(documents);
            }
            Err(Refusal::NotUnderstood(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(found)
}

/// Those that stand in the message as a message does, and are given as documents.
fn messages(attachments: &[Attachment]) -> impl Iterator<Item = &Attachment> {
    attachments.iter().filter(|it| {
        ["message/rfc822", "message/global"].contains(&it.declared_type.as_str())
            && it.given == Given::AsDocument
            && it.encoding == TransferEncoding::Identity
            && it.within.is_none()
            && it.front.is_empty()
    })
}

async fn taken_apart(message: &RawMessage, forwarded: &Attachment) -> Result<Vec<Attachment>, Refusal> {
    let outline = read::outline_within(message, forwarded.body.clone()).await?;
    Ok(read::assess(message, &outline).await?.attachments)
}
