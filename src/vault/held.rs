//! Rights of a contact: held while an invitation is open, begun when the person enrols, and their links renewed.

use std::time::Duration;

use crate::id::{ContactId, GrantId, PatientMark};
use crate::mime::assess::PatientRef;
use crate::secret::Secret;
use crate::store::Batch;
use crate::time::Timestamp;
use crate::vault::{Grant, Vault, VaultError};

impl Vault {
    /// What stands for a patient in rights and visits: a keyed hash of the record number, or of name and birthdate. Case
    /// and spacing of a name do not count.
    pub fn patient_mark(&self, patient: &PatientRef) -> PatientMark {
        let folded = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let text = match patient {
            PatientRef::Record(number) => format!("record\0{}", number.trim()),
            PatientRef::Named { name, birthdate } => format!("named\0{}\0{birthdate}", folded(name)),
        };
        PatientMark(self.keyring.lookup("patient", text.as_bytes()))
    }

    /// The living grants of a contact, newest first, up to `limit`.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grants_of_contact(
        &self,
        _contact: ContactId,
        _limit: usize,
    ) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        todo!()
    }

    /// Starts the clocks of everything that is held for a contact, in the batch: documents are kept from now on as long as
    /// was decided, and the day under which they were held is owed a punch, so that no copy opens longer.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn start_clocks(
        &self,
        _batch: &mut Batch,
        _contact: ContactId,
        _now: Timestamp,
    ) -> Result<usize, VaultError> {
        todo!()
    }

    /// Gives a living right a new link, in the batch; the old token opens nothing any more. Never past `keep_until`.
    ///
    /// # Errors
    /// [`VaultError::Ended`], [`VaultError::Missing`].
    pub async fn renew_link(
        &self,
        _batch: &mut Batch,
        _id: GrantId,
        _token: &Secret<String>,
        _lives: Duration,
        _now: Timestamp,
    ) -> Result<(), VaultError> {
        todo!()
    }
}
