//! What has ended is removed: found by the agenda's index in order of time, never by a scan of everything.

use crate::blob::Released;
use crate::event::Event;
use crate::id::{GrantId, Id, ParcelId};
use crate::store::{Batch, CommitError, Key, StoreError, Table};
use crate::time::Timestamp;
use crate::vault::grants::{contact_key, day_key, grant_key, token_key, transaction_key};
use crate::vault::parcel::parcel_key;
use crate::vault::put::Ending;
use crate::vault::{Parcel, Vault, VaultError};

/// Entries settled in one commit.
const PAGE: usize = 50;

/// One entry of the agenda's index, of a kind that the vault made.
struct Due {
    ending: Ending,
    id: [u8; 16],
}

fn read_due(key: &[u8]) -> Option<Due> {
    let (kind, id) = key.get(8..)?.split_first()?;
    let ending = match kind {
        1 => Ending::Grant,
        2 => Ending::Parcel,
        _ => return None,
    };
    Some(Due { ending, id: id.try_into().ok()? })
}

fn is_damage(error: &VaultError) -> bool {
    matches!(error, VaultError::Unsound(_) | VaultError::Store(StoreError::Unsound(_)))
}

impl Vault {
    /// Removes parcels and grants whose time has passed, found by the agenda's index, not by scanning. How many. One that is
    /// damaged keeps no other from being removed: it stays, and the log says of which kind it is.
    ///
    /// # Errors
    /// [`VaultError`]; what was not removed is found again by the next run.
    pub async fn expire_due(&self, now: Timestamp) -> Result<usize, VaultError> {
        let to = Timestamp::from_millis(now.millis().saturating_add(1)).to_key();
        let (mut from, mut removed, mut damaged) = (Vec::new(), 0, 0);
        loop {
            let page = self.store.scan_keys(Table::Agenda, &from, &to, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = [last.as_slice(), &[0]].concat();
            removed += match self.expire_page(&page, now).await {
                Err(error) if is_damage(&error) => self.expire_each(&page, now, &mut damaged).await?,
                other => other?,
            };
        }
        if damaged > 0 {
            let cause = format!("{damaged} grants and parcels are damaged and cannot be removed");
            Event::Trouble { place: "expiry", cause }.log();
        }
        Ok(removed)
    }

    /// Each for itself, so that one that does not open stays alone.
    async fn expire_each(&self, page: &[Vec<u8>], now: Timestamp, damaged: &mut usize) -> Result<usize, VaultError> {
        let mut removed = 0;
        for key in page {
            match self.expire_page(std::slice::from_ref(key), now).await {
                Err(error) if is_damage(&error) => *damaged += 1,
                other => removed += other?,
            }
        }
        Ok(removed)
    }

    async fn expire_page(&self, page: &[Vec<u8>], now: Timestamp) -> Result<usize, VaultError> {
        let (mut batch, mut files, mut removed) = (Batch::default(), Vec::new(), 0);
        batch.frees_space();
        for key in page {
            let Some(due) = read_due(key) else { continue };
            batch.delete(Key::new(Table::Agenda, &[key]));
            removed += usize::from(match due.ending {
                Ending::Grant => self.end_grant(&mut batch, Id::from_octets(due.id), now).await?,
                Ending::Parcel => self.end_parcel(&mut batch, Id::from_octets(due.id), now, &mut files).await?,
            });
        }
        if batch.is_empty() {
            return Ok(0);
        }
        match self.store.commit(batch).await {
            Ok(_) => {
                self.objects.drop_files(files).await;
                Ok(removed)
            }
            // Somebody changed one of them meanwhile; the next run finds them all again.
            Err(CommitError::Conflict) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it ended: one that was extended since has a later entry of its own.
    async fn end_grant(&self, batch: &mut Batch, id: GrantId, now: Timestamp) -> Result<bool, VaultError> {
        let Some(record) = self.grant(id).await?.filter(|record| record.value.keep_until <= now) else {
            return Ok(false);
        };
        let grant = record.value;
        batch.require_version(grant_key(id), record.version).delete(grant_key(id));
        batch.delete(token_key(&grant.token_hash)).delete(day_key(grant.keep_until.day(), id));
        batch.delete(transaction_key(grant.transaction, id)).delete(contact_key(grant.contact, id));
        Ok(true)
    }

    async fn end_parcel(
        &self,
        batch: &mut Batch,
        id: ParcelId,
        now: Timestamp,
        files: &mut Vec<Released>,
    ) -> Result<bool, VaultError> {
        let found = self.store.get::<Parcel>(&parcel_key(id)).await?;
        let Some(record) = found.filter(|record| record.value.until <= now) else { return Ok(false) };
        batch.require_version(parcel_key(id), record.version).delete(parcel_key(id));
        for object in record.value.objects {
            files.push(self.objects.release(batch, object).await?);
        }
        Ok(true)
    }
}
