//! Reading everything that living grants can open, to its end.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::id::{GrantId, ParcelId};
use crate::vault::{Grant, ParcelContent, Vault, VaultError};

/// Grants looked at together.
const PAGE: usize = 200;

/// What `vault verify` found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Parcels opened.
    pub parcels: u64,
    /// Deposits read to their end and found whole.
    pub deposits: u64,
    /// Octets of them.
    pub octets: u64,
    /// Ids of parcels or blobs that are damaged or missing, with what is wrong.
    pub damaged: Vec<(String, String)>,
    /// Blob files that nothing names (the next sweep removes them).
    pub orphans: u64,
}

impl Vault {
    /// Reads everything that living grants can open, to its end. `progress` is told the octets read so far.
    ///
    /// # Errors
    /// [`VaultError::Store`] where the store itself cannot be read; damage is in the report.
    pub async fn verify(&self, progress: &(dyn Fn(u64) + Sync)) -> Result<VerifyReport, VaultError> {
        let (mut report, mut seen, mut after) = (VerifyReport::default(), Seen::default(), None);
        loop {
            let page = self.grants(after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (id, grant) in &page {
                self.verify_grant(*id, grant, &mut seen, &mut report, progress).await?;
            }
        }
        report.orphans = self.objects.orphans().await?;
        Ok(report)
    }

    async fn verify_grant(
        &self,
        id: GrantId,
        grant: &Grant,
        seen: &mut Seen,
        report: &mut VerifyReport,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), VaultError> {
        // Judged by the key alone: what still opens must be whole, whatever the clock says.
        match self.content(grant, grant.created).await {
            Ok(content) => {
                if seen.parcels.insert(grant.parcel) {
                    report.parcels += 1;
                    self.verify_deposits(&content, seen, report, progress).await;
                }
            }
            Err(VaultError::Ended) => {}
            Err(error @ (VaultError::Store(crate::store::StoreError::Disk(_)) | VaultError::Commit(_))) => {
                return Err(error);
            }
            Err(error) => report.damaged.push((id.to_string(), error.to_string())),
        }
        Ok(())
    }

    async fn verify_deposits(
        &self,
        content: &ParcelContent,
        seen: &mut Seen,
        report: &mut VerifyReport,
        progress: &(dyn Fn(u64) + Sync),
    ) {
        for object in content.deposits.iter().map(|deposit| &deposit.object) {
            if !seen.objects.insert(object.id) {
                continue;
            }
            match self.objects.verify(object).await {
                Ok(()) => {
                    report.deposits += 1;
                    report.octets += object.octets;
                    progress(report.octets);
                }
                Err(error) => {
                    crate::event::Event::BlobUnsound { blob: object.id }.log();
                    report.damaged.push((object.id.to_string(), error.to_string()));
                }
            }
        }
    }
}

/// What was read already: several grants open one parcel, several parcels share an object.
#[derive(Default)]
struct Seen {
    parcels: HashSet<ParcelId>,
    objects: HashSet<crate::id::BlobId>,
}
