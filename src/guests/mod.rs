//! Guests: people outside who read and reply. Their accounts, invitations, visits, single-use tickets, and how often
//! they guessed.
//!
//! Everything of a person is sealed until a day, like contacts; keys hold ids and keyed hashes only.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::Proved;
use crate::accounts::Passwords;
use crate::id::{ContactId, GrantId, PatientMark, VisitId};
use crate::invitation::Invitation;
use crate::keyring::Keyring;
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::policy::Role;
use crate::secret::{Secret, silent_debug};
use crate::store::{Batch, Record, Store, StoreError};
use crate::time::Timestamp;

/// A guest's account: free, and reply-only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Guest {
    /// The relation it registered as; none where nobody said.
    pub role: Option<Role>,
    /// The person's full name.
    pub name: String,
    /// The address, as invited.
    pub address: Address,
    /// The answers of the role's form, by field name (`mobile`, `specialty`, `procedures`, `practice_name` …).
    pub answers: Vec<(String, String)>,
    /// PHC string of Argon2id; none until the password is set.
    pub password: Option<String>,
    /// Patients whose birthdate was entered when registering.
    pub patients: Vec<PatientMark>,
    /// When the form was sent.
    pub registered: Timestamp,
    /// When the password was first set: from then on the account is one.
    pub enrolled: Option<Timestamp>,
    /// Staff in my practice with an address outside its domains: an admin must agree first.
    pub waits_for_admin: bool,
    /// Closed by the person or an admin.
    pub closed: bool,
}

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
    /// The link's token, so that a reminder can carry it.
    pub token: String,
}

/// One browser's visit. It belongs to one contact from its first moment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Visit {
    /// Its name in the log.
    pub id: VisitId,
    /// Whose rights it may use.
    pub contact: ContactId,
    /// What was shown so far.
    pub proved: Proved,
    /// The right whose link it came by, if by a link.
    pub by: Option<GrantId>,
    /// When it began; it ends eight hours later.
    pub began: Timestamp,
    /// When it was last used, to the minute; it ends fifteen idle minutes later.
    pub seen: Timestamp,
    /// What form tokens are derived from.
    pub form_secret: [u8; 16],
}

silent_debug!(Guest, InvitationRecord, Visit);

/// What a single-use token in a mail is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ticket {
    /// Sets the password: after the form, or because it was forgotten.
    Password {
        /// Whose.
        contact: ContactId,
    },
    /// A magic link.
    Magic {
        /// Whose.
        contact: ContactId,
        /// What it opens.
        grant: GrantId,
    },
}

/// All guests. Cheap to clone.
#[derive(Clone)]
pub struct Guests {
    #[allow(dead_code)]
    store: Store,
    #[allow(dead_code)]
    keyring: Keyring,
    #[allow(dead_code)]
    passwords: Passwords,
}

impl Guests {
    /// The guests in this store. Guests and staff take turns at the same Argon2 semaphore.
    pub fn new(store: Store, keyring: Keyring, passwords: Passwords) -> Self {
        Self { store, keyring, passwords }
    }

    /// The account of a contact.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn find(&self, _contact: ContactId) -> Result<Option<Record<Guest>>, StoreError> {
        todo!()
    }

    /// Puts an account into the batch, on condition that nobody changed it since it was read.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn put(
        &self,
        _batch: &mut Batch,
        _contact: ContactId,
        _read: Option<&Record<Guest>>,
        _guest: &Guest,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// The invitation of a contact.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitation(&self, _contact: ContactId) -> Result<Option<Record<InvitationRecord>>, StoreError> {
        todo!()
    }

    /// Puts an invitation into the batch, and when it is due next into the index, on condition that nobody changed it
    /// since it was read.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn put_invitation(
        &self,
        _batch: &mut Batch,
        _contact: ContactId,
        _read: Option<&Record<InvitationRecord>>,
        _invitation: &InvitationRecord,
        _due: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Contacts whose invitations are due at `now`, in order of time, up to `limit`; found by the index.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitations_due(&self, _now: Timestamp, _limit: usize) -> Result<Vec<ContactId>, StoreError> {
        todo!()
    }

    /// Open invitations and ended ones, in order of contact, after `after`, up to `limit`, for listings.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn invitations(
        &self,
        _after: Option<ContactId>,
        _limit: usize,
    ) -> Result<Vec<(ContactId, InvitationRecord)>, StoreError> {
        todo!()
    }

    /// Begins a visit, and ends the one it takes the place of: the id changes at each step up. The cookie's token.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn begin_visit(&self, _visit: &Visit, _instead_of: Option<&str>) -> Result<Secret<String>, StoreError> {
        todo!()
    }

    /// The living visit of a cookie's token; notes that it was used, at most once a minute.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn visit(&self, _token: &str, _now: Timestamp) -> Result<Option<Visit>, StoreError> {
        todo!()
    }

    /// The visit of a cookie's token though its time is over, for what was typed meanwhile.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn visit_that_was(&self, _token: &str, _now: Timestamp) -> Result<Option<Visit>, StoreError> {
        todo!()
    }

    /// Ends one visit.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn end_visit(&self, _token: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// Ends all visits of a contact but this one. How many.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn end_visits(&self, _contact: ContactId, _but: Option<VisitId>) -> Result<usize, StoreError> {
        todo!()
    }

    /// Makes a single-use token that lives this long, in the batch.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn put_ticket(
        &self,
        _batch: &mut Batch,
        _ticket: &Ticket,
        _lives: Duration,
        _now: Timestamp,
    ) -> Result<Secret<String>, StoreError> {
        todo!()
    }

    /// What a single-use token is for, without using it up. Used, expired and unknown ones are one answer.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn ticket(&self, _token: &str, _now: Timestamp) -> Result<Option<Record<Ticket>>, StoreError> {
        todo!()
    }

    /// Uses a token up, in the batch.
    pub fn use_ticket(&self, _batch: &mut Batch, _token: &str, _read: &Record<Ticket>) {
        todo!()
    }

    /// Counts one try against a limit, durably and one after the other: of two hundred at once, exactly as many are
    /// let through as the limit says. `true`: go on.
    ///
    /// # Errors
    /// Where the store cannot be written: cannot tell is not yes.
    pub async fn count(&self, _what: Counted<'_>, _limit: Limit, _now: Timestamp) -> Result<Count, StoreError> {
        todo!()
    }

    /// Forgets what was counted, after a success.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn forget(&self, _what: Counted<'_>) -> Result<(), StoreError> {
        todo!()
    }
}

/// What is counted: each has a count of its own.
#[derive(Debug, Clone, Copy)]
pub enum Counted<'a> {
    /// Wrong codes for a right and opener.
    CodeTry(GrantId, VisitId),
    /// Codes asked for.
    CodeRequest(GrantId, VisitId),
    /// Wrong codes for a right, whoever guessed.
    CodeInAll(GrantId),
    /// Wrong birthdates on a link.
    Birthdate(GrantId),
    /// Wrong birthdates for a contact, over all messages.
    BirthdateOf(ContactId),
    /// Wrong birthdates from an address (an IPv6 /64 counts as one).
    BirthdateFrom(IpAddr),
    /// Wrong passwords for a name, known or not, in its lookup form.
    SignIn(&'a str),
    /// Wrong passwords from an address.
    SignInFrom(IpAddr),
    /// Fresh links, magic links and password mails sent to a contact.
    Mailed(ContactId),
    /// Downloads of a visit.
    Download(VisitId),
}

/// How many within how long, and how long it is locked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// This many are let through.
    pub most: u32,
    /// Within this time from the first.
    pub within: Duration,
    /// Then none for this long.
    pub lock: Duration,
}

/// What counting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Go on; so many are left after this one.
    Left(u32),
    /// Not before this moment.
    LockedUntil(Timestamp),
}
