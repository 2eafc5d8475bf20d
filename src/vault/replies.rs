//! What guests replied, kept with the conversation until 90 days after its last event.
//!
//! A conversation belongs to one right. Its replies are sealed under one key, wrapped until the day the conversation
//! ends; a further reply wraps it anew, so all of them live as long as the last.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::access::Admitted;
use crate::blob::{Object, ObjectRef};
use crate::conversation;
use crate::guests::ends;
use crate::id::{BlobId, GrantId, GuestReplyId, Id};
use crate::keyring::seal::Sealer;
use crate::keyring::{DataKey, KeyClass, KeyringError, WrappedKey};
use crate::secret::silent_debug;
use crate::store::{Batch, CommitError, Key, Record, Stored, Table};
use crate::time::Timestamp;
use crate::vault::grants::after_prefix;
use crate::vault::{Vault, VaultError};

/// A reply as it is kept, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptReply {
    /// Its text.
    pub text: String,
    /// Its attachments.
    pub attachments: Vec<KeptAttachment>,
}

/// An attachment of a reply.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptAttachment {
    /// Its name, sanitised.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Where its octets are.
    pub object: ObjectRef,
}

silent_debug!(KeptReply, KeptAttachment);

/// The head of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Conversation {
    /// When it ends; the same moment stands in the index of ends.
    until: Timestamp,
    /// The key of its replies, until that day.
    key: WrappedKey,
    /// How many replies it has.
    replies: u32,
}

impl Stored for Conversation {
    const VERSION: u8 = 1;
}

/// A reply as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredReply {
    /// The objects it holds: to be released also when nobody can open `sealed` any more.
    objects: Vec<BlobId>,
    /// [`KeptReply`], sealed under the conversation's key.
    #[serde(with = "serde_bytes")]
    sealed: Vec<u8>,
}

impl Stored for StoredReply {
    const VERSION: u8 = 1;
}

fn conversation_key(grant: GrantId) -> Key {
    Key::new(Table::Reply, &[grant.octets()])
}

fn reply_key(grant: GrantId, sent: Timestamp, id: GuestReplyId) -> Key {
    Key::new(Table::Reply, &[grant.octets(), &sent.to_key(), id.octets()])
}

/// When the reply under this key was sent.
fn sent_at(key: &[u8]) -> Option<Timestamp> {
    Some(Timestamp::from_key(*key.get(16..)?.first_chunk::<8>()?))
}

/// Binds what is sealed to its place.
fn context(key: &Key) -> Vec<u8> {
    [&[key.table as u8], key.octets.as_slice()].concat()
}

impl Vault {
    /// Puts a reply into the batch, with the objects of its attachments; the whole conversation lives from now on as long
    /// as [`conversation::KEPT`] says.
    ///
    /// # Errors
    /// [`VaultError::Full`] where the conversation has [`conversation::MOST_REPLIES`]; [`VaultError`].
    pub async fn put_reply(
        &self,
        batch: &mut Batch,
        admitted: &Admitted,
        (id, reply): (GuestReplyId, &KeptReply),
        objects: &[Object],
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let grant = admitted.grant();
        let key = self.prolong(batch, grant, now).await?;
        let place = reply_key(grant, now, id);
        let plain = postcard::to_allocvec(reply).map(Zeroizing::new);
        let plain = plain.map_err(|error| VaultError::Unsound(error.to_string()))?;
        for object in objects {
            object.put(batch, 1);
        }
        let objects = objects.iter().map(|object| object.reference().id).collect();
        let sealed = Sealer::new(&key).seal(&context(&place), &plain);
        batch.put(place, &StoredReply { objects, sealed });
        Ok(())
    }

    /// The conversation, begun or prolonged by one reply in the batch; its key.
    async fn prolong(&self, batch: &mut Batch, grant: GrantId, now: Timestamp) -> Result<DataKey, VaultError> {
        let place = conversation_key(grant);
        let until = now.plus(conversation::KEPT);
        let found = self.store.get::<Conversation>(&place).await?;
        let (key, replies) = match &found {
            None => {
                batch.require_absent(place.clone());
                (DataKey::fresh(), 0)
            }
            Some(Record { version, value }) => {
                if value.replies >= conversation::MOST_REPLIES {
                    return Err(VaultError::Full);
                }
                batch.require_version(place.clone(), *version);
                ends::remove(batch, value.until, &place);
                (self.keyring.unwrap(&value.key, &context(&place))?, value.replies)
            }
        };
        let wrapped = self.keyring.wrap(until.day(), KeyClass::Contact, &key, &context(&place))?;
        ends::put(batch, until, &place);
        batch.put(place, &Conversation { until, key: wrapped, replies: replies + 1 });
        Ok(key)
    }

    /// The replies of a right's conversation, oldest first.
    ///
    /// # Errors
    /// [`VaultError`]; a conversation whose day has passed has none.
    pub async fn replies(&self, admitted: &Admitted) -> Result<Vec<(Timestamp, KeptReply)>, VaultError> {
        let place = conversation_key(admitted.grant());
        let Some(head) = self.store.get::<Conversation>(&place).await? else { return Ok(Vec::new()) };
        let key = match self.keyring.unwrap(&head.value.key, &context(&place)) {
            Err(KeyringError::NoKeyFor(_)) => return Ok(Vec::new()),
            key => key?,
        };
        let found = self.stored_replies(&place).await?;
        found.into_iter().map(|(place, record)| opened(&key, &place, &record.value)).collect()
    }

    async fn stored_replies(&self, head: &Key) -> Result<Vec<(Key, Record<StoredReply>)>, VaultError> {
        let (from, mut to) = ([head.octets.as_slice(), &[0]].concat(), after_prefix(&head.octets));
        to.extend([0xFF; 8]);
        let found = self.store.scan::<StoredReply>(Table::Reply, &from, &to, usize::MAX).await?;
        Ok(found.into_iter().map(|(octets, record)| (Key::new(Table::Reply, &[&octets]), record)).collect())
    }

    /// Removes a conversation whose time is over, with everything it holds; one that was prolonged stays. `place` is what
    /// the index of ends names, at the end `at`.
    ///
    /// # Errors
    /// [`VaultError`]; then the index still names it.
    pub async fn end_conversation(&self, at: Timestamp, place: &Key) -> Result<bool, VaultError> {
        let mut batch = Batch::default();
        batch.frees_space();
        ends::remove(&mut batch, at, place);
        let mut files = Vec::new();
        let over = self.store.get::<Conversation>(place).await?.filter(|head| head.value.until <= at);
        if let Some(head) = &over {
            batch.require_version(place.clone(), head.version).delete(place.clone());
            for (key, record) in self.stored_replies(place).await? {
                batch.delete(key);
                for object in record.value.objects {
                    files.push(self.objects.release(&mut batch, object).await?);
                }
            }
        }
        match self.store.commit(batch).await {
            Ok(_) => {
                self.objects.drop_files(files).await;
                Ok(over.is_some())
            }
            // It was prolonged meanwhile, and has a later end of its own.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn opened(key: &DataKey, place: &Key, stored: &StoredReply) -> Result<(Timestamp, KeptReply), VaultError> {
    let unsound = || VaultError::Unsound("a reply does not open".into());
    let mut sealed = Zeroizing::new(stored.sealed.clone());
    let plain = Sealer::new(key).open(&context(place), &mut sealed).map_err(|_| unsound())?;
    let reply = postcard::from_bytes(plain).map_err(|_| unsound())?;
    Ok((sent_at(&place.octets).ok_or_else(unsound)?, reply))
}
