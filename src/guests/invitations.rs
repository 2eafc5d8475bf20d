//! Invitations as stored: sealed until a day, found by contact, and by when they are due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::guests::{Guests, ends, sealed};
use crate::id::{ContactId, GrantId, Id, TransactionId};
use crate::invitation::Invitation;
use crate::keyring::Capsule;
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::policy::Role;
use crate::secret::silent_debug;
use crate::store::{Batch, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long an invitation is remembered after it was last changed: longer than any lives, so that an ended one can be
/// listed, corrected and sent again. Its key dies with the day.
const REMEMBERED: Duration = Duration::from_secs(120 * 86_400);

/// An invitation, as stored with those it concerns.
#[derive(Clone, Serialize, Deserialize)]
pub struct InvitationRecord {
    /// Its life.
    pub life: Invitation,
    /// Who is invited.
    pub address: Address,
    /// As what.
    pub role: Option<Role>,
    /// The practice that speaks.
    pub practice: String,
    /// Who invited.
    pub sender: Address,
    /// The name shown for them.
    pub sender_name: String,
    /// The patient, where that was said.
    pub patient: Option<PatientRef>,
    /// The birthdate that must be entered, `YYYY-MM-DD`.
    pub birthdate: Option<String>,
    /// The right it came with; its link opens the invitation's page.
    pub grant: GrantId,
    /// The message it came with.
    pub transaction: TransactionId,
    /// The link's token, so that a reminder can carry it.
    pub token: String,
    /// When it is due next; [`Guests::put_invitation`] sets it.
    pub due: Option<Timestamp>,
    /// It is forgotten at this moment, unless it changes; [`Guests::put_invitation`] sets it.
    pub remembered_until: Timestamp,
}

silent_debug!(InvitationRecord);

#[derive(Serialize, Deserialize)]
struct StoredInvitation {
    invitation: Capsule,
}

impl Stored for StoredInvitation {
    const VERSION: u8 = 1;
}

/// An entry of the index of due invitations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueInvitation {
    /// Since when.
    pub at: Timestamp,
    /// Whose.
    pub contact: ContactId,
}

fn invitation_key(contact: ContactId) -> Key {
    Key::new(Table::Invitation, &[contact.octets()])
}

fn due_key(due: DueInvitation) -> Key {
    Key::new(Table::InvitationDue, &[&due.at.to_key(), due.contact.octets()])
}

fn read_due(octets: &[u8]) -> Option<DueInvitation> {
    let (at, contact) = octets.split_first_chunk::<8>()?;
    Some(DueInvitation { at: Timestamp::from_key(*at), contact: ContactId::from_octets(contact.try_into().ok()?) })
}

impl Guests {
    /// The invitation of a contact. One whose key has died is not known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitation(&self, contact: ContactId) -> Result<Option<Record<InvitationRecord>>, StoreError> {
        let key = invitation_key(contact);
        let Some(record) = self.store.get::<StoredInvitation>(&key).await? else { return Ok(None) };
        let invitation = sealed::open::<InvitationRecord>(&self.keyring, &key, &record.value.invitation)?;
        Ok(invitation.map(|value| Record { version: record.version, value }))
    }

    /// Puts an invitation into the batch, and when it is due next into the index, on condition that nobody changed it
    /// since it was read.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn put_invitation(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        read: Option<&Record<InvitationRecord>>,
        invitation: &InvitationRecord,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = invitation_key(contact);
        sealed::require_as_read(batch, &key, read.map(|read| read.version));
        if let Some(Record { value: old, .. }) = read {
            ends::remove(batch, sealed::end(old.remembered_until), &key);
            if let Some(at) = old.due {
                batch.delete(due_key(DueInvitation { at, contact }));
            }
        }
        if let Some(at) = due {
            batch.put_octets(due_key(DueInvitation { at, contact }), Vec::new());
        }
        let remembered_until = now.plus(REMEMBERED);
        let changed = InvitationRecord { due, remembered_until, ..invitation.clone() };
        let invitation = sealed::seal(&self.keyring, &key, remembered_until, &changed)?;
        ends::put(batch, sealed::end(remembered_until), &key);
        batch.put(key, &StoredInvitation { invitation });
        Ok(())
    }

    /// The batch fails if the invitation is no longer as it was read.
    pub fn require_invitation(&self, batch: &mut Batch, contact: ContactId, read: &Record<InvitationRecord>) {
        batch.require_version(invitation_key(contact), read.version);
    }

    /// Invitations that are due at `now`, in order of time, up to `limit`; found by the index. `after` is the last one of
    /// the page before.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitations_due(
        &self,
        now: Timestamp,
        after: Option<DueInvitation>,
        limit: usize,
    ) -> Result<Vec<DueInvitation>, StoreError> {
        let from = after.map_or_else(Vec::new, |after| [due_key(after).octets, vec![0]].concat());
        let to = Timestamp::from_millis(now.millis().saturating_add(1)).to_key();
        let keys = self.store.scan_keys(Table::InvitationDue, &from, &to, limit).await?;
        Ok(keys.iter().filter_map(|key| read_due(key)).collect())
    }

    /// Takes an entry out of the index whose invitation is no more.
    pub fn forget_due(&self, batch: &mut Batch, due: DueInvitation) {
        batch.delete(due_key(due));
    }

    /// Open invitations and ended ones, in order of contact, after `after`, up to `limit`, for listings.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitations(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<(ContactId, InvitationRecord)>, StoreError> {
        let from = after.map_or_else(Vec::new, |after| [after.octets().as_slice(), &[0]].concat());
        let rows = self.store.scan::<StoredInvitation>(Table::Invitation, &from, &[], limit).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (octets, record) in rows {
            let Ok(id) = <[u8; 16]>::try_from(octets.as_slice()) else { continue };
            let contact = ContactId::from_octets(id);
            let key = invitation_key(contact);
            let opened = sealed::open::<InvitationRecord>(&self.keyring, &key, &record.value.invitation)?;
            found.extend(opened.map(|invitation| (contact, invitation)));
        }
        Ok(found)
    }
}
