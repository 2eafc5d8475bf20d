//! SORT (RFC 5256, RFC 5267, RFC 5957).

use std::cmp::Reverse;

use super::reading::Reading;
use super::search::Found;
use super::{Done, Halt, Outlet, Session};
use crate::anatomy::{SortKeys, collation};
use crate::event::Event;
use crate::gateway::staff_mail::{Interrupted, StaffMail};
use crate::id::MailId;
use crate::imap::command::{By, SearchRequest, SortBy, SortKey};
use crate::imap::response::Refusal;
use crate::mailbox::MailboxError;
use crate::time::Timestamp;

/// What a message is ordered by: no more of it is kept than that.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Moment(Timestamp),
    Octets(u64),
    Text(Box<str>),
    Backwards(Reverse<Box<Value>>),
}

/// Messages whose records are read together beside the runtime.
const PART: usize = 128;

impl Session {
    pub(super) async fn sort(
        &mut self,
        by: By,
        order: &[SortKey],
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let sorted = match self.sorted(order, request, outlet).await {
            Ok(sorted) => sorted,
            Err(halt) => return Err(self.unsaved(request, halt)),
        };
        match &request.returns {
            None => self.tell_found("SORT", by, &sorted, request),
            returns => self.tell_extended(by, (&sorted, returns.as_deref()), request),
        }
        Done::plain("SORT done")
    }

    /// What was found, by the first criterion that tells two apart, else by position (RFC 5256, section 3).
    async fn sorted(
        &mut self,
        order: &[SortKey],
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Vec<Found>, Halt> {
        let reads = order.iter().any(|key| !matches!(key.by, SortBy::Arrival | SortBy::Size));
        let keyed = |found: Found, keys: SortKeys| -> (Vec<Value>, Found) {
            (order.iter().map(|key| value(*key, &found, &keys)).collect(), found)
        };
        let (mut keyed, _reading) = self.found_with_keys(request, reads, keyed, outlet).await?;
        let sorting = tokio::task::spawn_blocking(move || {
            keyed.sort_by(|(one, a), (other, b)| one.cmp(other).then(a.position.cmp(&b.position)));
            keyed.into_iter().map(|(_, found)| found).collect()
        });
        sorting.await.map_err(|_| Refusal::Interrupted.into())
    }

    /// What is made of each message that meets the criteria and of what its header section says, which is read where `reads` says
    /// so, and the reading, for what is still to be done with it. What was expunged meanwhile is left out.
    pub(super) async fn found_with_keys<T>(
        &mut self,
        request: &SearchRequest,
        reads: bool,
        make: impl Fn(Found, SortKeys) -> T,
        outlet: &mut impl Outlet,
    ) -> Result<(Vec<T>, Reading), Halt> {
        let found = self.find(request, outlet).await?;
        let all = found.len();
        let mut made = Vec::with_capacity(all);
        if !reads {
            for (at, found) in found.into_iter().enumerate() {
                if at % PART == PART - 1 {
                    tokio::task::yield_now().await;
                }
                made.push(make(found, SortKeys::default()));
            }
            return Ok((made, Reading::without_turn()));
        }
        let (mail, mut reading) = (self.mail()?, self.begin_reading(outlet).await?);
        let (mut rest, reader) = (found.into_iter(), mail.clone());
        let parts =
            std::iter::from_fn(|| Some(rest.by_ref().take(PART).collect()).filter(|part: &Vec<_>| !part.is_empty()));
        let mut parts = mail.in_parts(parts, move |part| keys_of(&reader, part));
        while let Some(part) = parts.next().await {
            self.go_on_reading(&mut reading, (made.len(), all), outlet).await?;
            for (found, keys) in part.map_err(|Interrupted| Refusal::Interrupted)?? {
                let keys = match keys {
                    Some(keys) => Some(keys),
                    None => keys_of_long(&mail, &found).await?,
                };
                made.extend(keys.map(|keys| make(found, keys)));
            }
        }
        self.may_still_read().await?;
        Ok((made, reading))
    }
}

/// What the header sections of these messages say; `None` where they are not in their records. What was expunged meanwhile
/// is left out.
fn keys_of(mail: &StaffMail, part: Vec<Found>) -> Result<Vec<(Found, Option<SortKeys>)>, MailboxError> {
    let mails: Vec<MailId> = part.iter().map(|found| found.row.mail).collect();
    let keys = mail.briefs(&mails, |_, brief| brief.header().map(SortKeys::of))?;
    Ok(part.into_iter().zip(keys).filter_map(|(found, keys)| Some((found, keys?))).collect())
}

/// What a header section says that must be read: nothing where it cannot be; `None` where the message was expunged meanwhile.
async fn keys_of_long(mail: &StaffMail, found: &Found) -> Result<Option<SortKeys>, MailboxError> {
    let read = async { mail.header(&mail.content(&found.row).await?).await };
    match read.await {
        Ok(header) => Ok(Some(SortKeys::of(&header))),
        Err(MailboxError::Expunged) => Ok(None),
        Err(error @ MailboxError::Blob(_)) => {
            Event::Trouble { place: "imap-sort", cause: format!("mail {}: {error}", found.row.mail) }.log();
            Ok(Some(SortKeys::default()))
        }
        Err(error) => Err(error),
    }
}

fn value(key: SortKey, found: &Found, keys: &SortKeys) -> Value {
    let text = |text: &str| Value::Text(collation(text).into());
    let value = match key.by {
        SortBy::Arrival => Value::Moment(found.row.date),
        SortBy::Cc => text(&keys.cc),
        SortBy::Date => Value::Moment(sent(found, keys)),
        SortBy::DisplayFrom => text(&keys.display_from),
        SortBy::DisplayTo => text(&keys.display_to),
        SortBy::From => text(&keys.from),
        SortBy::Size => Value::Octets(found.row.octets),
        SortBy::Subject => text(&keys.subject.text),
        SortBy::To => text(&keys.to),
    };
    if key.reverse { Value::Backwards(Reverse(Box::new(value))) } else { value }
}

/// When it was sent, or arrived where it does not say.
pub(super) fn sent(found: &Found, keys: &SortKeys) -> Timestamp {
    keys.sent.unwrap_or(found.row.date)
}
