//! Pictures of signatures: which small pictures of a text leave in the mail, because policy knows them.
//!
//! A pasted screenshot of a result is a picture in the text, too. So one leaves only where the practice lists it, or where the
//! same picture stood in three earlier messages of the same sender. What is remembered of a sender is one bounded record of
//! keyed hashes.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::blob::RawMessage;
use crate::gateway::read::DecodedLeaf;
use crate::gateway::{Gateway, Refusal, trouble, unavailable};
use crate::guests::ends;
use crate::keyring::LookupHash;
use crate::mail::Address;
use crate::mime::assess::{Assessment, Attachment, Given, LARGEST_OF_SIGNATURE};
use crate::policy::{Practice, SenderFacts};
use crate::store::{Batch, CommitError, Key, StoreError, Stored, Table};
use crate::time::Timestamp;

/// Earlier messages that a picture stood in, before it leaves.
const EARLIER: u8 = 3;
/// Pictures that are remembered of one sender: those that were seen last.
const MOST: usize = 64;
/// Pictures of one message that are looked at.
const LOOKED_AT: usize = 16;
/// How long a picture is remembered after it was seen last.
const REMEMBERED: Duration = Duration::from_secs(180 * 86_400);
/// A picture that is known is noted again after this long, so that most messages write nothing.
const NOTED_AGAIN: Duration = Duration::from_secs(30 * 86_400);
/// How often a note is tried when others come first.
const TRIES: usize = 4;

/// What was seen in a sender's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    pictures: Vec<SeenPicture>,
    ends: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SeenPicture {
    mark: LookupHash,
    /// Up to [`EARLIER`].
    messages: u8,
    last: Timestamp,
}

impl Stored for Seen {
    const VERSION: u8 = 1;
}

impl Seen {
    /// Whether a picture is known at this moment.
    fn knows(&self, mark: &LookupHash, now: Timestamp) -> bool {
        let lives = |picture: &&SeenPicture| picture.mark == *mark && picture.last.plus(REMEMBERED) > now;
        self.pictures.iter().find(lives).is_some_and(|picture| picture.messages >= EARLIER)
    }

    /// Counts a message with these pictures. Whether that changed anything worth writing down.
    fn note(&mut self, marks: &[LookupHash], now: Timestamp) -> bool {
        let before = self.clone();
        self.pictures.retain(|picture| picture.last.plus(REMEMBERED) > now);
        for mark in marks {
            match self.pictures.iter_mut().find(|picture| picture.mark == *mark) {
                Some(known) if known.messages < EARLIER || known.last.plus(NOTED_AGAIN) <= now => {
                    (known.messages, known.last) = ((known.messages + 1).min(EARLIER), now);
                }
                Some(_) => {}
                None => self.pictures.push(SeenPicture { mark: *mark, messages: 1, last: now }),
            }
        }
        self.pictures.sort_by_key(|picture| std::cmp::Reverse(picture.last));
        self.pictures.truncate(MOST);
        self.ends = self.pictures.iter().map(|picture| picture.last.plus(REMEMBERED)).max();
        *self != before
    }
}

impl Gateway {
    /// Gives the pictures that policy knows as part of this sender's signature in the text, no longer as documents. The marks of
    /// those that are to be remembered, once the message is accepted.
    ///
    /// # Errors
    /// [`Refusal::NotUnderstood`] for a defect in a picture's encoding, [`Refusal::Unavailable`].
    pub(super) async fn recognise_signature(
        &self,
        message: &RawMessage,
        facts: &mut Assessment,
        (sender, practice): (&SenderFacts, &Practice),
        now: Timestamp,
    ) -> Result<Vec<LookupHash>, Refusal> {
        let candidates: Vec<usize> =
            facts.attachments.iter().enumerate().filter_map(candidate).take(LOOKED_AT).collect();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        // Where a server may name any sender, nobody vouches that its messages are one sender's.
        let learns = practice.learn_signatures && sender.can_answer;
        let seen = match learns {
            true => self.seen(&sender.address).await.map_err(|error| unavailable("pictures", &error))?.1,
            false => Seen::default(),
        };
        let mut marks = Vec::new();
        for at in candidates {
            let Some(octets) = decoded(message, &facts.attachments[at]).await? else { continue };
            let mark = self.stations.keyring.lookup("picture", &octets);
            let listed = practice.lists_picture(&facts.attachments[at].names, digest(&SHA256, &octets).as_ref());
            if !listed && !marks.contains(&mark) {
                marks.push(mark);
            }
            if listed || seen.knows(&mark, now) {
                facts.attachments[at].given = Given::InText(octets);
            }
        }
        Ok(if learns { marks } else { Vec::new() })
    }

    /// Remembers the pictures of an accepted message. What fails is logged: a picture is known a message later then.
    pub(super) async fn note_signature(&self, sender: &Address, marks: &[LookupHash], now: Timestamp) {
        for _ in 0..TRIES {
            match self.try_to_note(sender, marks, now).await {
                Ok(()) => return,
                Err(CommitError::Conflict) => {}
                Err(error) => return trouble("pictures", &error),
            }
        }
    }

    async fn try_to_note(&self, sender: &Address, marks: &[LookupHash], now: Timestamp) -> Result<(), CommitError> {
        let (version, mut seen) = self.seen(sender).await.map_err(|error| CommitError::Disk(error.to_string()))?;
        let (key, before) = (self.seen_key(sender), seen.ends);
        if marks.is_empty() || !seen.note(marks, now) {
            return Ok(());
        }
        let mut batch = Batch::default();
        match version {
            Some(version) => batch.require_version(key.clone(), version),
            None => batch.require_absent(key.clone()),
        };
        if let Some(before) = before {
            ends::remove(&mut batch, before, &key);
        }
        if let Some(after) = seen.ends {
            ends::put(&mut batch, after, &key);
        }
        batch.put(key, &seen);
        self.stations.store.commit(batch).await.map(drop)
    }

    async fn seen(&self, sender: &Address) -> Result<(Option<u64>, Seen), StoreError> {
        let record = self.stations.store.get::<Seen>(&self.seen_key(sender)).await?;
        Ok(record.map_or_else(Default::default, |record| (Some(record.version), record.value)))
    }

    fn seen_key(&self, sender: &Address) -> Key {
        let hash = self.stations.keyring.lookup("picture sender", sender.lookup_form().as_bytes());
        Key::new(Table::SeenPictures, &[&hash])
    }
}

fn candidate((at, attachment): (usize, &Attachment)) -> Option<usize> {
    attachment.may_be_of_signature().then_some(at)
}

/// All of a picture; `None` where it is too large.
async fn decoded(message: &RawMessage, picture: &Attachment) -> Result<Option<Bytes>, Refusal> {
    let (mut leaf, mut octets) = (DecodedLeaf::new(message, picture), Vec::new());
    while let Some(piece) = leaf.next().await? {
        octets.extend_from_slice(piece);
    }
    Ok((octets.len() as u64 <= LARGEST_OF_SIGNATURE).then(|| octets.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u64) -> Timestamp {
        Timestamp::from_secs(0).plus(Duration::from_secs(number * 86_400))
    }

    #[test]
    fn a_picture_is_known_after_three_messages_and_as_long_as_it_is_used() {
        let (mut seen, mark) = (Seen::default(), [7; 16]);
        for number in 0..3 {
            assert!(!seen.knows(&mark, day(number)));
            assert!(seen.note(&[mark], day(number)));
        }
        assert!(seen.knows(&mark, day(3)) && seen.knows(&mark, day(181)) && !seen.knows(&mark, day(182)));
        assert!(!seen.note(&[mark], day(10)), "nothing is written for what is known");
        assert!(seen.note(&[mark], day(40)));
        assert!(seen.knows(&mark, day(200)));
        assert!(seen.note(&[[8; 16]], day(300)));
        assert_eq!(seen.pictures.len(), 1, "what is over is gone");
    }

    #[test]
    fn of_one_sender_a_bounded_number_is_remembered() {
        let mut seen = Seen::default();
        for number in 0..200 {
            seen.note(&[[number; 16]], day(u64::from(number / 2)));
        }
        assert_eq!(seen.pictures.len(), MOST);
        assert!(seen.pictures.iter().all(|picture| picture.mark[0] >= 136));
    }
}
