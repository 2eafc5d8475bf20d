//! Rights of a contact: held while an invitation is open, begun when the person enrols, and their links renewed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{ContactId, GrantId, Id, PatientMark};
use crate::mime::assess::PatientRef;
use crate::secret::Secret;
use crate::store::{Batch, Record, Table};
use crate::time::Timestamp;
use crate::vault::grants::{Target, after_prefix, grant_key, last_id, token_key};
use crate::vault::{Grant, Vault, VaultError};

/// Keys of the contact's index read at once.
const PAGE: usize = 100;

impl Grant {
    /// Whether it opens anything now.
    pub fn lives(&self, now: Timestamp) -> bool {
        self.key.is_some() && self.revoked.is_none() && now < self.keep_until
    }

    /// When it ends where its documents are kept until then: a first download has had its say, and keeps it.
    fn kept_until(&self, until: Timestamp) -> Timestamp {
        let downloaded = self.downloaded.zip(self.keep_after_download).map(|(at, keep)| at.plus(keep));
        downloaded.map_or(until, |ends| until.min(ends))
    }
}

impl Vault {
    /// What stands for a patient in rights and visits: a keyed hash of the record number, of name and birthdate, or, where
    /// nobody is named, of address and birthdate. Case and spacing of a name do not count.
    pub fn patient_mark(&self, patient: &PatientRef) -> PatientMark {
        let folded = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let text = match patient {
            PatientRef::Record(number) => format!("record\0{}", number.trim()),
            PatientRef::Named { name, birthdate } => format!("named\0{}\0{birthdate}", folded(name)),
            PatientRef::Unnamed { at, birthdate } => format!("unnamed\0{at}\0{birthdate}"),
        };
        PatientMark(self.keyring.lookup("patient", text.as_bytes()))
    }

    /// The living grants of a contact, newest first, up to `limit`: by their index, however many others there are.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grants_of_contact(
        &self,
        contact: ContactId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        let mut found = Vec::new();
        let (mut from, to) = (contact.octets().to_vec(), after_prefix(contact.octets()));
        while found.len() < limit {
            let page = self.store.scan_keys(Table::GrantByContact, &from, &to, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = [last.as_slice(), &[0]].concat();
            for id in page.iter().filter_map(|key| newest_first(key)) {
                let grant = self.grant(id).await?.map(|record| record.value);
                found.extend(grant.filter(|grant| grant.lives(now)).map(|grant| (id, grant)));
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Starts the clocks of everything that is held for a contact, in the batch: documents are kept from now on as long as
    /// was decided, and the day under which they were held is owed a punch, so that no copy opens longer. How many.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn start_clocks(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        self.move_held(batch, contact, now, |grant| {
            let held = grant.held.take()?;
            grant.begun = Some(held);
            let until = grant.kept_until(now.plus(held.keep));
            grant.link_until = now.plus(held.link).min(until);
            Some(until)
        })
        .await
    }

    /// Holds again, in the batch, what lives of what was held for a contact: its invitation was sent again, and is open for
    /// `longest` at most. Not what was downloaded and ends for that: nobody waits for it. How many.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn hold(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        longest: Duration,
        now: Timestamp,
    ) -> Result<usize, VaultError> {
        self.move_held(batch, contact, now, |grant| {
            if grant.downloaded.is_some() && grant.keep_after_download.is_some() {
                return None;
            }
            let held = grant.held.or(grant.begun.take())?;
            grant.held = Some(held);
            grant.link_until = now.plus(longest.max(held.link));
            Some(now.plus(longest).plus(held.keep))
        })
        .await
    }

    /// Lets `change` decide about each living right that is or was held: when it ends from now on, or that it stays.
    async fn move_held(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        now: Timestamp,
        change: impl Fn(&mut Grant) -> Option<Timestamp>,
    ) -> Result<usize, VaultError> {
        let mut moved = BTreeMap::new();
        for (id, _) in self.grants_of_contact(contact, now, usize::MAX).await? {
            let found = self.grant_in_batch(batch, id).await?;
            let Some(record) = found.filter(|record| record.value.lives(now)) else { continue };
            let mut grant = record.value.clone();
            if let Some(until) = change(&mut grant) {
                moved.insert(id, self.move_end(batch, id, &record, grant, until)?);
            }
        }
        self.move_parcels(batch, &moved).await?;
        Ok(moved.len())
    }

    /// Gives a living right a new link, in the batch; the old token opens nothing any more. Never past `keep_until`.
    ///
    /// # Errors
    /// [`VaultError::Ended`], [`VaultError::Missing`].
    pub async fn renew_link(
        &self,
        batch: &mut Batch,
        id: GrantId,
        token: &Secret<String>,
        lives: Duration,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let Record { version, value: mut grant } = self.grant_in_batch(batch, id).await?.ok_or(VaultError::Missing)?;
        if !grant.lives(now) {
            return Err(VaultError::Ended);
        }
        batch.delete(token_key(&grant.token_hash));
        grant.token_hash = self.keyring.lookup("token", token.expose().as_bytes());
        grant.link_until = grant.keep_until.min(now.plus(lives));
        batch.put(token_key(&grant.token_hash), &Target(id));
        batch.require_version(grant_key(id), version).put(grant_key(id), &grant);
        Ok(())
    }
}

/// The grant that a key of the contact's index names: see [`super::grants::contact_key`].
fn newest_first(key: &[u8]) -> Option<GrantId> {
    last_id::<GrantId>(key).map(|id| GrantId::from_octets(id.octets().map(|octet| !octet)))
}
