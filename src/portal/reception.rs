//! What the portal asks of the gateway, so that its pages can be tested without one.

use std::net::IpAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt};

use crate::gateway::visits::{
    AccountView, BirthdateAnswer, CodeAnswer, CodeSent, Document, Entered, FormAnswers, GuestSignIn, LinkView,
    NewPassword, NewReply, NextStep, ParcelQuery, ParcelRow, ParcelView, PasswordView, Registered, RegistrationView,
    ReplyFault, Visit, VisitError,
};
use crate::gateway::{Gateway, Snapshot};
use crate::id::{DepositId, GrantId};
use crate::secret::Secret;

/// Octets on their way to a browser; an error breaks the connection off, so that what arrived is known to be incomplete.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

/// A document that may be had, and where its octets come from.
#[derive(Clone)]
pub struct Served {
    /// Its file name.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Octets.
    pub octets: u64,
    /// Whether a browser may show it.
    pub opens: bool,
    /// Its octets.
    pub source: Arc<dyn OctetSource>,
}

/// Where a document's octets come from.
#[async_trait]
pub trait OctetSource: Send + Sync {
    /// The octets of a range.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`] where it is damaged.
    async fn read(&self, range: Range<u64>) -> Result<Pieces, VisitError>;
}

/// A reply that is coming in. Dropped without [`ReplyInHand::send`], it leaves nothing behind.
#[async_trait]
pub trait ReplyInHand: Send {
    /// See [`Gateway::begin_attachment`].
    async fn begin(&mut self, name: &str, media_type: &str) -> Result<Result<(), ReplyFault>, VisitError>;
    /// See [`Gateway::write_attachment`].
    async fn write(&mut self, octets: &[u8]) -> Result<Result<(), ReplyFault>, VisitError>;
    /// See [`Gateway::send_reply`].
    async fn send(self: Box<Self>, text: String) -> Result<Result<(), ReplyFault>, VisitError>;
}

/// Who answers the portal's questions: the gateway, whose functions of the same names say what each promises.
#[async_trait]
#[allow(missing_docs, reason = "each is the gateway's function of the same name")]
pub trait Reception: Send + Sync + 'static {
    fn policies(&self) -> Arc<Snapshot>;

    async fn link(&self, token: &str) -> Result<LinkView, VisitError>;
    async fn enter(&self, token: &str, cookie: Option<&str>, from: IpAddr) -> Result<Entered, VisitError>;
    async fn mail_fresh_link(&self, token: &str) -> Result<(), VisitError>;

    async fn visit(&self, cookie: &str) -> Result<Option<Visit>, VisitError>;
    async fn next_step(&self, visit: &Visit, grant: GrantId) -> Result<NextStep, VisitError>;
    async fn masked_address(&self, visit: &Visit) -> Result<String, VisitError>;

    async fn registration(&self, visit: &Visit) -> Result<RegistrationView, VisitError>;
    async fn register(&self, visit: &Visit, answers: FormAnswers, from: IpAddr) -> Result<Registered, VisitError>;
    async fn password_link(&self, token: &str) -> Result<Option<PasswordView>, VisitError>;
    async fn set_password(
        &self,
        token: &str,
        password: &Secret<String>,
    ) -> Result<Result<NextStep, NewPassword>, VisitError>;
    async fn forgot_password(&self, address: &str, from: IpAddr) -> Result<(), VisitError>;

    async fn guest_sign_in(
        &self,
        name: &str,
        password: &Secret<String>,
        from: IpAddr,
        cookie: Option<&str>,
    ) -> Result<GuestSignIn, VisitError>;
    async fn sign_out(&self, cookie: &str) -> Result<(), VisitError>;
    async fn account(&self, visit: &Visit) -> Result<AccountView, VisitError>;
    async fn change_password(
        &self,
        visit: (&Visit, &str),
        present: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<Result<Entered, NewPassword>, VisitError>;
    async fn end_other_visits(&self, visit: &Visit) -> Result<usize, VisitError>;
    async fn close_account(
        &self,
        visit: &Visit,
        password: &Secret<String>,
    ) -> Result<Result<(), NewPassword>, VisitError>;

    async fn mail_code(&self, visit: &Visit, grant: GrantId, from: IpAddr) -> Result<CodeSent, VisitError>;
    async fn check_code(&self, visit: (&Visit, &str), grant: GrantId, code: &str) -> Result<CodeAnswer, VisitError>;
    async fn check_birthdate(
        &self,
        visit: (&Visit, &str),
        grant: GrantId,
        birthdate: &str,
        from: IpAddr,
    ) -> Result<BirthdateAnswer, VisitError>;
    async fn mail_magic(&self, visit: &Visit, grant: GrantId) -> Result<(), VisitError>;
    async fn use_magic(&self, token: &str, cookie: Option<&str>) -> Result<Option<Entered>, VisitError>;

    async fn parcels(&self, visit: &Visit, query: &ParcelQuery) -> Result<Vec<ParcelRow>, VisitError>;
    async fn parcel(&self, visit: &Visit, grant: GrantId) -> Result<ParcelView, VisitError>;
    async fn document(
        &self,
        visit: &Visit,
        grant: GrantId,
        deposit: DepositId,
        counts: bool,
    ) -> Result<Served, VisitError>;
    /// All documents as a zip: how long it is, and its octets.
    async fn archive(&self, visit: &Visit, grant: GrantId) -> Result<(u64, Pieces), VisitError>;

    async fn begin_reply(&self, visit: &Visit, grant: GrantId) -> Result<Box<dyn ReplyInHand>, VisitError>;
    async fn keep_draft(&self, cookie: &str, grant: GrantId, text: &str) -> Result<(), VisitError>;
}

#[async_trait]
impl Reception for Gateway {
    fn policies(&self) -> Arc<Snapshot> {
        Gateway::policies(self)
    }

    async fn link(&self, token: &str) -> Result<LinkView, VisitError> {
        Gateway::link(self, token).await
    }

    async fn enter(&self, token: &str, cookie: Option<&str>, from: IpAddr) -> Result<Entered, VisitError> {
        Gateway::enter(self, token, cookie, from).await
    }

    async fn mail_fresh_link(&self, token: &str) -> Result<(), VisitError> {
        Gateway::mail_fresh_link(self, token).await
    }

    async fn visit(&self, cookie: &str) -> Result<Option<Visit>, VisitError> {
        Gateway::visit(self, cookie).await
    }

    async fn next_step(&self, visit: &Visit, grant: GrantId) -> Result<NextStep, VisitError> {
        Gateway::next_step(self, visit, grant).await
    }

    async fn masked_address(&self, visit: &Visit) -> Result<String, VisitError> {
        Gateway::masked_address(self, visit).await
    }

    async fn registration(&self, visit: &Visit) -> Result<RegistrationView, VisitError> {
        Gateway::registration(self, visit).await
    }

    async fn register(&self, visit: &Visit, answers: FormAnswers, from: IpAddr) -> Result<Registered, VisitError> {
        Gateway::register(self, visit, answers, from).await
    }

    async fn password_link(&self, token: &str) -> Result<Option<PasswordView>, VisitError> {
        Gateway::password_link(self, token).await
    }

    async fn set_password(
        &self,
        token: &str,
        password: &Secret<String>,
    ) -> Result<Result<NextStep, NewPassword>, VisitError> {
        Gateway::set_password(self, token, password).await
    }

    async fn forgot_password(&self, address: &str, from: IpAddr) -> Result<(), VisitError> {
        Gateway::forgot_password(self, address, from).await
    }

    async fn guest_sign_in(
        &self,
        name: &str,
        password: &Secret<String>,
        from: IpAddr,
        cookie: Option<&str>,
    ) -> Result<GuestSignIn, VisitError> {
        Gateway::guest_sign_in(self, name, password, from, cookie).await
    }

    async fn sign_out(&self, cookie: &str) -> Result<(), VisitError> {
        Gateway::sign_out(self, cookie).await
    }

    async fn account(&self, visit: &Visit) -> Result<AccountView, VisitError> {
        Gateway::account(self, visit).await
    }

    async fn change_password(
        &self,
        visit: (&Visit, &str),
        present: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<Result<Entered, NewPassword>, VisitError> {
        Gateway::change_password(self, visit, present, new).await
    }

    async fn end_other_visits(&self, visit: &Visit) -> Result<usize, VisitError> {
        Gateway::end_other_visits(self, visit).await
    }

    async fn close_account(
        &self,
        visit: &Visit,
        password: &Secret<String>,
    ) -> Result<Result<(), NewPassword>, VisitError> {
        Gateway::close_account(self, visit, password).await
    }

    async fn mail_code(&self, visit: &Visit, grant: GrantId, from: IpAddr) -> Result<CodeSent, VisitError> {
        Gateway::mail_code(self, visit, grant, from).await
    }

    async fn check_code(&self, visit: (&Visit, &str), grant: GrantId, code: &str) -> Result<CodeAnswer, VisitError> {
        Gateway::check_code(self, visit, grant, code).await
    }

    async fn check_birthdate(
        &self,
        visit: (&Visit, &str),
        grant: GrantId,
        birthdate: &str,
        from: IpAddr,
    ) -> Result<BirthdateAnswer, VisitError> {
        Gateway::check_birthdate(self, visit, grant, birthdate, from).await
    }

    async fn mail_magic(&self, visit: &Visit, grant: GrantId) -> Result<(), VisitError> {
        Gateway::mail_magic(self, visit, grant).await
    }

    async fn use_magic(&self, token: &str, cookie: Option<&str>) -> Result<Option<Entered>, VisitError> {
        Gateway::use_magic(self, token, cookie).await
    }

    async fn parcels(&self, visit: &Visit, query: &ParcelQuery) -> Result<Vec<ParcelRow>, VisitError> {
        Gateway::parcels(self, visit, query).await
    }

    async fn parcel(&self, visit: &Visit, grant: GrantId) -> Result<ParcelView, VisitError> {
        Gateway::parcel(self, visit, grant).await
    }

    async fn document(
        &self,
        visit: &Visit,
        grant: GrantId,
        deposit: DepositId,
        counts: bool,
    ) -> Result<Served, VisitError> {
        Gateway::document(self, visit, grant, deposit, counts).await.map(|document| served(self, document))
    }

    async fn archive(&self, visit: &Visit, grant: GrantId) -> Result<(u64, Pieces), VisitError> {
        let documents = Gateway::documents(self, visit, grant).await?;
        let octets = Gateway::zip_octets(&documents);
        let pieces = self.zip(documents).map(|piece| piece.map_err(|_| std::io::Error::other("a document is damaged")));
        Ok((octets, Box::pin(pieces)))
    }

    async fn begin_reply(&self, visit: &Visit, grant: GrantId) -> Result<Box<dyn ReplyInHand>, VisitError> {
        let reply = Gateway::begin_reply(self, visit, grant).await?;
        Ok(Box::new(ReplyToGateway { gateway: self.clone(), visit: visit.clone(), reply }))
    }

    async fn keep_draft(&self, cookie: &str, grant: GrantId, text: &str) -> Result<(), VisitError> {
        Gateway::keep_draft(self, cookie, grant, text).await
    }
}

fn served(gateway: &Gateway, document: Document) -> Served {
    let Document { name, media_type, octets, opens, .. } = document.clone();
    Served { name, media_type, octets, opens, source: Arc::new(InVault { gateway: gateway.clone(), document }) }
}

/// A document in the vault.
struct InVault {
    gateway: Gateway,
    document: Document,
}

#[async_trait]
impl OctetSource for InVault {
    async fn read(&self, range: Range<u64>) -> Result<Pieces, VisitError> {
        let octets = self.gateway.read_document(&self.document, range).await?;
        Ok(Box::pin(try_unfold(octets, |mut octets| async {
            let next = octets.next().await.map_err(std::io::Error::other)?;
            Ok(next.map(|piece| (piece, octets)))
        })))
    }
}

/// A reply on its way to the gateway.
struct ReplyToGateway {
    gateway: Gateway,
    visit: Visit,
    reply: NewReply,
}

#[async_trait]
impl ReplyInHand for ReplyToGateway {
    async fn begin(&mut self, name: &str, media_type: &str) -> Result<Result<(), ReplyFault>, VisitError> {
        self.gateway.begin_attachment(&mut self.reply, name, media_type).await
    }

    async fn write(&mut self, octets: &[u8]) -> Result<Result<(), ReplyFault>, VisitError> {
        self.gateway.write_attachment(&mut self.reply, octets).await
    }

    async fn send(self: Box<Self>, text: String) -> Result<Result<(), ReplyFault>, VisitError> {
        let Self { gateway, visit, mut reply } = *self;
        reply.text = text;
        gateway.send_reply(&visit, reply).await
    }
}
