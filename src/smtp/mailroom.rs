//! What the SMTP edge asks of the gateway, and nothing more; so that it can be tried without one.

use std::future::Future;

use crate::accounts::Pass;
use crate::blob::{BlobError, SpoolError, SpoolWriter};
use crate::gateway::{Gateway, Receipt, ReceivedMessage, Refusal, SignInError};
use crate::id::{SessionId, TransactionId};
use crate::mail::{Address, Envelope, Origin, ReceivedTrace};
use crate::mime::Defect;
use crate::secret::Secret;

/// All that is known of a message beside its octets.
pub struct Incoming {
    /// Its name from now on.
    pub transaction: TransactionId,
    /// The connection it came by.
    pub session: SessionId,
    /// Who vouches for it.
    pub origin: Origin,
    /// Its envelope, at least one recipient.
    pub envelope: Envelope,
    /// How it came.
    pub trace: ReceivedTrace,
}

/// Where the octets of a message go as they arrive. Dropped without [`Mailroom::accept`], it leaves nothing behind.
pub trait Spool: Send {
    /// Takes more octets: dot-unstuffed, CRLF line ends, no NUL. The client waits while this does.
    ///
    /// # Errors
    /// The refusal that the client gets at the message's end; nothing more is written then.
    fn write(&mut self, octets: &[u8]) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Who answers a session's questions.
pub trait Mailroom: Send + Sync + 'static {
    /// Where its messages come in.
    type Spool: Spool;
    /// What a sign-in stands on.
    type Pass: Send;

    /// See [`Gateway::sign_in`].
    fn sign_in(
        &self,
        name: &str,
        password: &Secret<String>,
    ) -> impl Future<Output = Result<(Origin, Self::Pass), SignInError>> + Send;

    /// See [`Gateway::stands`].
    fn stands(&self, pass: &Self::Pass) -> impl Future<Output = Result<bool, SignInError>> + Send;

    /// See [`Gateway::may_send_as`].
    fn may_send_as(&self, origin: &Origin, address: &Address) -> impl Future<Output = Result<bool, Refusal>> + Send;

    /// See [`Gateway::check_recipient`].
    fn check_recipient(&self, origin: &Origin, address: &Address) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// A place for a message to come in.
    fn spool(&self) -> Self::Spool;

    /// Takes the message: see [`Gateway::accept`].
    fn accept(&self, incoming: Incoming, spool: Self::Spool) -> impl Future<Output = Result<Receipt, Refusal>> + Send;
}

impl Spool for SpoolWriter {
    async fn write(&mut self, octets: &[u8]) -> Result<(), Refusal> {
        SpoolWriter::write(self, octets).await.map_err(refusal)
    }
}

impl Mailroom for Gateway {
    type Spool = SpoolWriter;
    type Pass = Pass;

    async fn sign_in(&self, name: &str, password: &Secret<String>) -> Result<(Origin, Pass), SignInError> {
        Gateway::sign_in(self, name, password).await
    }

    async fn stands(&self, pass: &Pass) -> Result<bool, SignInError> {
        Gateway::stands(self, pass).await
    }

    async fn may_send_as(&self, origin: &Origin, address: &Address) -> Result<bool, Refusal> {
        Gateway::may_send_as(self, origin, address).await
    }

    async fn check_recipient(&self, origin: &Origin, address: &Address) -> Result<(), Refusal> {
        Gateway::check_recipient(self, origin, address).await
    }

    fn spool(&self) -> SpoolWriter {
        Gateway::spool(self)
    }

    async fn accept(&self, incoming: Incoming, spool: SpoolWriter) -> Result<Receipt, Refusal> {
        let message = spool.finish().await.map_err(refusal)?;
        let Incoming { transaction, session, origin, envelope, trace } = incoming;
        Gateway::accept(self, ReceivedMessage { transaction, session, origin, envelope, trace, message }).await
    }
}

fn refusal(error: SpoolError) -> Refusal {
    match error {
        SpoolError::Blob(BlobError::Full) => Refusal::Full,
        SpoolError::Blob(_) => Refusal::Unavailable,
        SpoolError::BareOctet => {
            let words = "The message has a bare CR, a bare LF or a NUL".into();
            Refusal::NotUnderstood(Defect { word: "bare-octet", words, limit: false })
        }
    }
}
