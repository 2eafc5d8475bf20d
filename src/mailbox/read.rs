//! Reading messages.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::anatomy::Anatomy;
use crate::blob::{BlobError, ObjectRef, OctetStream};
use crate::id::{Id, MailId, ThreadId};
use crate::mailbox::records::{Brief, Content, Source};
use crate::mailbox::{MailboxError, Mailboxes, Row};
use crate::store::Table;

/// A message: what it is made of, and where its octets are.
#[derive(Clone)]
pub struct MailContent {
    mail: MailId,
    content: Content,
}

crate::secret::silent_debug!(MailContent);

impl MailContent {
    /// EMAILID.
    pub fn mail(&self) -> MailId {
        self.mail
    }

    /// THREADID: the same for messages whose References begin alike.
    pub fn thread(&self) -> ThreadId {
        self.content.thread
    }

    /// What it is made of.
    pub fn anatomy(&self) -> &Anatomy {
        &self.content.anatomy
    }

    /// Its header section with the empty line, where that is not very long (16 KiB): else it must be read.
    pub fn header(&self) -> Option<&Bytes> {
        let header = &self.content.header;
        (header.len() as u64 == self.content.anatomy.root.header.end).then_some(header)
    }

    /// The beginning of its text (RFC 8970), at most 200 characters; empty where it has none.
    pub fn preview(&self) -> &str {
        &self.content.preview
    }
}

impl Mailboxes {
    /// What is known of a message, by one record.
    ///
    /// # Errors
    /// [`MailboxError::Expunged`] where it is no more.
    pub async fn content(&self, row: &Row) -> Result<MailContent, MailboxError> {
        let found = self.store.get::<Content>(&Content::key(row.mail)).await?;
        let content = found.ok_or(MailboxError::Expunged)?.value;
        Ok(MailContent { mail: row.mail, content })
    }

    /// What `read` makes of what is asked first of these messages, in their order; `None` is one that is no more. It keeps the
    /// thread until all are read.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub fn briefs<T>(
        &self,
        mails: &[MailId],
        mut read: impl FnMut(usize, &Brief<'_>) -> T,
    ) -> Result<Vec<Option<T>>, MailboxError> {
        let keys: Vec<&[u8; 16]> = mails.iter().map(Id::octets).collect();
        let read = |at, octets: &[u8]| Brief::of(octets).map(|brief| read(at, &brief));
        Ok(self.store.each(Table::MailContent, &keys, read)?)
    }

    /// Does `work` beside the runtime, once less of such work is being done than there are processors: who waits longest is
    /// next, and sessions that ask for little are not held up.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        // It is never closed.
        let place = Arc::clone(&self.processors).acquire_owned().await.ok();
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
    }

    /// Octets of a message; what lies beyond its end is left out. Once this has returned they can be read to their end,
    /// also where the message is expunged meanwhile.
    ///
    /// # Errors
    /// [`MailboxError::Expunged`] where it is no more; [`MailboxError::Blob`].
    pub async fn octets(&self, mail: &MailContent, range: Range<u64>) -> Result<OctetStream, MailboxError> {
        let object = match &mail.content.source {
            Source::Object(object) => object.clone(),
            Source::Until { original, .. } => {
                original.open::<ObjectRef>(&self.keyring, mail.mail.octets()).map_err(|_| MailboxError::Expunged)?
            }
        };
        match self.objects.read_held(&object, range).await {
            Err(BlobError::Missing) => Err(MailboxError::Expunged),
            read => Ok(read?),
        }
    }
}
