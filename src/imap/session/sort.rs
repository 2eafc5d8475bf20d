//! SORT and THREAD (RFC 5256).

use std::cmp::Ordering;

use super::search::Found;
use super::{Done, Halt, Outlet, Session};
use crate::anatomy::SortKeys;
use crate::gateway::staff_mail::StaffMail;
use crate::imap::command::{By, SearchRequest, SortBy, SortKey};
use crate::mailbox::MailboxError;

/// A message that was found, and what it is ordered by.
pub(super) struct Keyed {
    pub(super) found: Found,
    pub(super) keys: SortKeys,
}

impl Session {
    pub(super) async fn sort(
        &mut self,
        by: By,
        order: &[SortKey],
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let found = self.find(request, outlet).await?;
        let header = order.iter().any(|key| !matches!(key.by, SortBy::Arrival | SortBy::Size));
        let mut keyed = keyed(&self.mail()?, found, header).await?;
        keyed.sort_by(|one, other| compare(order, one, other));
        self.out.put("* SORT");
        for keyed in &keyed {
            self.out.put(&format!(" {}", keyed.found.number(by)));
        }
        self.out.line("");
        Done::plain("SORT done")
    }
}

/// Reads what messages are ordered by; those that are gone meanwhile are left out.
pub(super) async fn keyed(mail: &StaffMail, found: Vec<Found>, header: bool) -> Result<Vec<Keyed>, Halt> {
    let mut keyed = Vec::with_capacity(found.len());
    for found in found {
        let keys = match header {
            false => SortKeys::default(),
            true => match mail.content(&found.row).await {
                Ok(content) => SortKeys::of(&mail.header(&content).await?),
                Err(MailboxError::Expunged) => continue,
                Err(error) => return Err(error.into()),
            },
        };
        keyed.push(Keyed { found, keys });
    }
    Ok(keyed)
}

/// By the first criterion that tells them apart, else by position (RFC 5256, section 3).
fn compare(order: &[SortKey], one: &Keyed, other: &Keyed) -> Ordering {
    let by = |key: &SortKey| {
        let ordering = match key.by {
            SortBy::Arrival => one.found.row.date.cmp(&other.found.row.date),
            SortBy::Cc => one.keys.cc.cmp(&other.keys.cc),
            SortBy::Date => sent(one).cmp(&sent(other)),
            SortBy::From => one.keys.from.cmp(&other.keys.from),
            SortBy::Size => one.found.row.octets.cmp(&other.found.row.octets),
            SortBy::Subject => one.keys.subject.text.cmp(&other.keys.subject.text),
            SortBy::To => one.keys.to.cmp(&other.keys.to),
        };
        if key.reverse { ordering.reverse() } else { ordering }
    };
    let told_apart = order.iter().map(by).find(|ordering| *ordering != Ordering::Equal);
    told_apart.unwrap_or_else(|| one.found.position.cmp(&other.found.position))
}

/// When it was sent, or arrived where it does not say.
pub(super) fn sent(keyed: &Keyed) -> crate::time::Timestamp {
    keyed.keys.sent.unwrap_or(keyed.found.row.date)
}
