//! The use cases: the only place where rules meet stored state.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::accounts::{Accounts, Pass, SignIn, StaffAccount};
use crate::blob::{Objects, RawMessage, SpoolWriter};
use crate::directory::Directory;
use crate::event::Event;
use crate::guests::Guests;
use crate::id::{SessionId, TransactionId};
use crate::keyring::Keyring;
use crate::mail::{Address, Domain, Envelope, Origin, ReceivedTrace};
use crate::mailbox::Mailboxes;
use crate::policy::WorkgroupRight;
use crate::queue::Queue;
use crate::secret::Secret;
use crate::store::{self, Store};
use crate::vault::Vault;

pub mod accept;
pub mod commit;
pub mod deliver;
pub mod due;
mod effects;
mod forwarded;
pub mod history;
mod inside;
pub mod invitations;
pub mod mails;
mod message;
pub mod parties;
pub mod policies;
pub mod questions;
pub mod read;
mod recall;
mod records;
pub mod refusal;
mod reports;
mod round;
mod signatures;
pub mod staff_mail;
pub mod status;
mod tokens;
pub mod visits;
mod watch;
mod words;

pub use deliver::Deliveries;
pub use policies::{Policies, Snapshot};
pub use refusal::Refusal;

/// A message that came in, whole.
pub struct ReceivedMessage {
    /// Its name from now on.
    pub transaction: TransactionId,
    /// The connection it came by, for the log.
    pub session: SessionId,
    /// Who vouches for it.
    pub origin: Origin,
    /// Its envelope, at least one recipient.
    pub envelope: Envelope,
    /// How it came.
    pub trace: ReceivedTrace,
    /// Its octets.
    pub message: RawMessage,
}

/// What 250 can be said for.
#[derive(Debug)]
pub struct Receipt {
    /// The message's name.
    pub transaction: TransactionId,
    /// Recipients it goes to.
    pub accepted: usize,
    /// Recipients who wait, because the sender is asked who they are.
    pub asked: usize,
    /// Recipients refused at DATA: each gets nothing.
    pub refused: usize,
    /// How many of the refused a report goes to the sender for; none where the sender is null or wants none (RFC 3461).
    pub reported: usize,
}

/// Why a sign-in did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Wrong name or password, or disabled: always the same.
    Rejected,
    /// Too many sign-ins at once; try again.
    Busy,
    /// The store cannot be read.
    Unavailable,
}

/// What the gateway must be told.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// EHLO name, Message-ID domain, the domain of command addresses.
    pub hostname: Domain,
    /// The only base of links in mail, without a slash at its end.
    pub public_url: String,
    /// Who gets mail for `postmaster@hostname`.
    pub postmaster: Option<Address>,
}

/// The parts of the house the gateway works with.
#[derive(Clone)]
pub struct Stations {
    /// Records.
    pub store: Store,
    /// Sealed octets.
    pub objects: Objects,
    /// Parcels and grants.
    pub vault: Vault,
    /// Deliveries.
    pub queue: Queue,
    /// Staff.
    pub accounts: Accounts,
    /// Contacts.
    pub directory: Directory,
    /// People outside: accounts, invitations, visits.
    pub guests: Guests,
    /// Mailboxes of staff.
    pub mailboxes: Mailboxes,
    /// What admins wrote.
    pub policies: Arc<Policies>,
    /// Seals what the gateway itself keeps: questions, records of messages, their history.
    pub keyring: Keyring,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    settings: Arc<GatewaySettings>,
    stations: Stations,
    /// Turns at what takes long, reading a sender's HTML: for half the cores.
    readers: Arc<Semaphore>,
    /// Downloads that were counted.
    downloads: Arc<visits::Downloads>,
}

impl Gateway {
    /// A gateway over these stations.
    pub fn new(settings: GatewaySettings, stations: Stations) -> Self {
        let readers = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
        let (settings, readers) = (Arc::new(settings), Arc::new(Semaphore::new(readers)));
        Self { settings, stations, readers, downloads: Arc::default() }
    }

    /// What it was told.
    pub fn settings(&self) -> &GatewaySettings {
        &self.settings
    }

    /// The parts it works with, for the commands of an admin.
    pub fn stations(&self) -> &Stations {
        &self.stations
    }

    /// Checks a name and password: the same work for known and unknown names. Who signed in, and what that stands on, for
    /// [`Gateway::stands`].
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(&self, name: &str, password: &Secret<String>) -> Result<(Origin, Pass), SignInError> {
        match self.stations.accounts.sign_in(name, password, store::now()).await {
            Ok(SignIn::Welcome(account, pass)) => Ok((Origin::Staff { id: pass.id, address: account.address }, pass)),
            Ok(SignIn::Rejected) => Err(SignInError::Rejected),
            Ok(SignIn::Busy) => Err(SignInError::Busy),
            Err(error) => {
                trouble("sign-in", &error);
                Err(SignInError::Unavailable)
            }
        }
    }

    /// Whether a sign-in still stands.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`] where that cannot be told.
    pub async fn stands(&self, pass: &Pass) -> Result<bool, SignInError> {
        self.stations.accounts.stands(pass, store::now()).await.map_err(|error| {
            trouble("sign-in", &error);
            SignInError::Unavailable
        })
    }

    /// Whether this origin may use this address in MAIL FROM, by the policy in force now.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`] where that cannot be told.
    pub async fn may_send_as(&self, origin: &Origin, address: &Address) -> Result<bool, Refusal> {
        self.may_send_by(&self.stations.policies.snapshot(), origin, address).await
    }

    /// The same by one snapshot, which also judges the rest of a message.
    async fn may_send_by(&self, snapshot: &Snapshot, origin: &Origin, address: &Address) -> Result<bool, Refusal> {
        let accounts = &self.stations.accounts;
        match origin {
            Origin::Staff { id, .. } => {
                let account = accounts.get(*id).await.map_err(|error| unavailable("accounts", &error))?;
                Ok(account
                    .is_some_and(|account| !account.value.disabled && speaks_as(snapshot, &account.value, address)))
            }
            Origin::Relay { any_sender: true } => Ok(true),
            Origin::Relay { any_sender: false } => {
                if snapshot.policy.practice_of(address.domain()).is_some() {
                    return Ok(true);
                }
                let account = accounts.find(address).await.map_err(|error| unavailable("accounts", &error))?;
                Ok(account.is_some_and(|(_, account)| !account.value.disabled))
            }
        }
    }

    /// Whether mail for this recipient is taken at all (asked at RCPT): at the gateway's own host name only
    /// `postmaster` is somebody (RFC 5321, section 4.5.1), and what a question or a status mail names for its answer.
    /// Whoever may send here may name it; that only the one who was asked is heard is seen at DATA.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAddress`]; [`Refusal::Policy`] where the question or message is no more; [`Refusal::Unavailable`].
    pub async fn check_recipient(&self, _origin: &Origin, recipient: &Address) -> Result<(), Refusal> {
        if recipient.domain() != &self.settings.hostname || self.is_postmaster(recipient) {
            return Ok(());
        }
        match self.read_token(recipient) {
            Some(token) => self.check_token(token).await,
            None => Err(Refusal::NoSuchAddress),
        }
    }

    fn is_postmaster(&self, address: &Address) -> bool {
        self.settings.postmaster.is_some()
            && address.domain() == &self.settings.hostname
            && address.local_part().eq_ignore_ascii_case("postmaster")
    }

    /// A place for a message to come in.
    pub fn spool(&self) -> SpoolWriter {
        SpoolWriter::new(self.stations.objects.blobs())
    }
}

/// Whether this account may send as this address. As a workgroup's address only whom policy lets, whatever address the account
/// has or was delegated.
fn speaks_as(snapshot: &Snapshot, account: &StaffAccount, address: &Address) -> bool {
    match snapshot.policy.workgroup_at(address) {
        Some((_, group)) => group.right_of(&account.address, &account.groups) >= Some(WorkgroupRight::Send),
        None => account.may_send_as(address),
    }
}

/// Logs a cause that nobody outside may read.
pub(crate) fn trouble(place: &'static str, cause: &dyn std::fmt::Display) {
    Event::Trouble { place, cause: cause.to_string() }.log();
}

/// Logs the cause and makes the refusal that says "try again".
pub(crate) fn unavailable(place: &'static str, cause: &dyn std::fmt::Display) -> Refusal {
    trouble(place, cause);
    Refusal::Unavailable
}
