//! Documents, streamed from the vault.

use std::ops::Range;

use crate::blob::OctetStream;
use crate::gateway::Gateway;
use crate::gateway::visits::{Visit, VisitError};
use crate::id::{DepositId, GrantId};

/// A document that a visitor may have.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its file name.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Octets.
    pub octets: u64,
    /// Whether a browser may show it.
    pub opens: bool,
    object: crate::blob::ObjectRef,
}

impl Gateway {
    /// One document.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`]; [`VisitError::LockedUntil`] after more than ten within a minute
    /// (`counts` is false for a further range of one that was counted).
    pub async fn document(
        &self,
        _visit: &Visit,
        _grant: GrantId,
        _deposit: DepositId,
        _counts: bool,
    ) -> Result<Document, VisitError> {
        todo!()
    }

    /// All documents of a message; counts once. Names are unique among them.
    ///
    /// # Errors
    /// As [`Gateway::document`].
    pub async fn documents(&self, _visit: &Visit, _grant: GrantId) -> Result<Vec<Document>, VisitError> {
        todo!()
    }

    /// A document's octets in this range; whole chunks are authenticated before one octet is given.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`] where it is damaged.
    pub async fn read_document(&self, document: &Document, range: Range<u64>) -> Result<OctetStream, VisitError> {
        let _ = (&document.object, range);
        todo!()
    }
}
