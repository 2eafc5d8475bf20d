//! Work on many messages, in parts beside the runtime: a lone session has all processors, many take turns, and none holds
//! up those that ask for little.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::gateway::staff_mail::StaffMail;
use crate::id::MailId;
use crate::mailbox::{Brief, MailboxError, Mailboxes};

/// Parts that are begun before the first of them is asked for: so much is kept of what they found.
const AHEAD: usize = 4;

/// A part was not done to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// Parts of some work, and what came of those that are done.
pub struct Parts<I, F, T> {
    mailboxes: Mailboxes,
    parts: I,
    work: Arc<F>,
    ahead: VecDeque<JoinHandle<T>>,
}

impl StaffMail {
    /// Does `work` for each of these parts.
    pub fn in_parts<I, F, T>(&self, parts: I, work: F) -> Parts<I::IntoIter, F, T>
    where
        I: IntoIterator,
    {
        Parts {
            mailboxes: self.mailboxes.clone(),
            parts: parts.into_iter(),
            work: Arc::new(work),
            ahead: VecDeque::new(),
        }
    }

    /// What `read` makes of what is asked first of these messages, as [`Mailboxes::briefs`].
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub fn briefs<T>(
        &self,
        mails: &[MailId],
        read: impl FnMut(usize, &Brief<'_>) -> T,
    ) -> Result<Vec<Option<T>>, MailboxError> {
        self.mailboxes.briefs(mails, read)
    }
}

impl<I, F, T> Parts<I, F, T>
where
    I: Iterator,
    I::Item: Send + 'static,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    /// What came of the next part; `None` behind the last one.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub async fn next(&mut self) -> Option<Result<T, Interrupted>> {
        while self.ahead.len() < AHEAD
            && let Some(part) = self.parts.next()
        {
            let work = Arc::clone(&self.work);
            self.ahead.push_back(self.mailboxes.aside(move || work(part)).await);
        }
        Some(self.ahead.pop_front()?.await.map_err(|_| Interrupted))
    }
}
