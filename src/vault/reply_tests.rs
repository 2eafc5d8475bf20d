//! Conversations and drafts, over a real store.

use super::tests::{DAY, House, NOW};
use super::*;
use crate::access::{Admitted, Door, Proved, admit};
use crate::conversation;
use crate::guests::ends;
use crate::id::GrantId;
use crate::random;
use crate::store::{Batch, Table};
use crate::time::Timestamp;

fn admitted(grant: GrantId) -> Admitted {
    let door =
        Door { grant, checks: &[], practice: "clinic", patient: None, keep_until: NOW.plus(DAY), revoked: false };
    admit(&door, &Proved::default(), NOW).unwrap()
}

impl House {
    async fn reply(&self, grant: GrantId, text: &str, now: Timestamp) -> Result<(), VaultError> {
        let object = self.objects.of(&text.as_bytes().repeat(5000)).await.unwrap();
        let (name, media_type) = ("photo.jpg".into(), "image/jpeg".into());
        let attachments = vec![KeptAttachment { name, media_type, object: object.reference() }];
        let reply = KeptReply { text: text.into(), attachments };
        let mut batch = Batch::default();
        self.vault.put_reply(&mut batch, &admitted(grant), (random::id(), &reply), &[object], now).await?;
        self.store.commit(batch).await.unwrap();
        Ok(())
    }

    /// Ends what is over, as the agenda does.
    async fn end(&self, now: Timestamp) -> usize {
        let mut ended = 0;
        for end in ends::due(&self.store, now, None, 100).await.unwrap() {
            assert_eq!(end.key.table, Table::Reply);
            ended += usize::from(self.vault.end_conversation(end.at, &end.key).await.unwrap());
        }
        ended
    }

    async fn texts(&self, grant: GrantId) -> Vec<(Timestamp, String)> {
        let replies = self.vault.replies(&admitted(grant)).await.unwrap();
        replies.into_iter().map(|(sent, reply)| (sent, reply.text)).collect()
    }
}

#[tokio::test]
async fn a_conversation_lives_as_long_as_its_last_reply() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (ann, ben) = (random::id(), random::id());
    house.reply(ann, "first", NOW).await.unwrap();
    house.reply(ben, "other", NOW).await.unwrap();
    house.reply(ann, "second", NOW.plus(60 * DAY)).await.unwrap();
    assert_eq!(house.texts(ann).await, [(NOW, "first".into()), (NOW.plus(60 * DAY), "second".into())]);
    assert_eq!(house.end(NOW.plus(89 * DAY)).await, 0);
    assert_eq!(house.end(NOW.plus(90 * DAY)).await, 1, "the other one; this one was prolonged");
    assert_eq!(house.texts(ann).await.len(), 2);
    let replies = house.vault.replies(&admitted(ann)).await.unwrap();
    house.objects.verify(&replies[0].1.attachments[0].object).await.unwrap();
    assert_eq!(house.end(NOW.plus(150 * DAY)).await, 1);
    assert!(house.is_empty().await, "attachments and all");
}

#[tokio::test]
async fn a_conversation_opens_no_more_after_its_day() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    house.reply(ann, "first", NOW).await.unwrap();
    let day = NOW.plus(conversation::KEPT).day().plus(1);
    house.keyring.destroy_before(day, day).unwrap();
    assert!(house.texts(ann).await.is_empty());
    assert_eq!(house.end(NOW.plus(91 * DAY)).await, 1, "what nobody can open is let go of all the same");
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn a_conversation_has_room_for_so_many_replies() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    for number in 0..conversation::MOST_REPLIES {
        house.reply(ann, &format!("{number}"), NOW.plus(std::time::Duration::from_secs(number.into()))).await.unwrap();
    }
    assert!(matches!(house.reply(ann, "more", NOW.plus(DAY)).await, Err(VaultError::Full)));
}

#[tokio::test]
async fn a_draft_is_kept_for_an_hour_for_the_same_contact() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (ann, ben, grant) = (random::id(), random::id(), random::id());
    let hour = conversation::DRAFT_KEPT;
    house.vault.keep_draft(ann, grant, "older", NOW).await.unwrap();
    house.vault.keep_draft(ann, grant, "newer", NOW.plus(hour / 2)).await.unwrap();
    let draft = async |contact, now| house.vault.draft(contact, grant, now).await.unwrap();
    assert_eq!(draft(ann, NOW.plus(hour)).await.as_deref(), Some("newer"));
    assert_eq!(draft(ben, NOW).await, None);
    assert_eq!(draft(ann, NOW.plus(hour * 3 / 2)).await, None);
    assert_eq!(ends::due(&house.store, NOW.plus(DAY), None, 10).await.unwrap().len(), 1, "one end, not two");
    let mut batch = Batch::default();
    house.vault.drop_draft(&mut batch, ann, grant).await.unwrap();
    house.store.commit(batch).await.unwrap();
    assert!(house.is_empty().await);
}
