//! What can be asked, and what is answered; the same types on both sides of the socket.

use serde::{Deserialize, Serialize};

use crate::id::{ContactId, GrantId, QueueId, StaffId};
use crate::mail::Address;
use crate::policy::{RecipientFacts, Role, SenderFacts};
use crate::queue::QueueRow;
use crate::secret::silent_debug;
use crate::time::Timestamp;
use crate::vault::VerifyReport;

/// One command. Listings come in pages: `after` is the last id of the page before.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Request {
    /// `staff add`
    StaffAdd {
        /// The new account's address.
        address: Address,
        /// The person's name.
        name: Option<String>,
        /// The practice.
        practice: Option<String>,
        /// Staff groups.
        groups: Vec<String>,
        /// Other addresses it may send as.
        delegated: Vec<Address>,
        /// Whether it is an admin's.
        admin: bool,
        /// The password in clear; the socket is the admin's own.
        password: String,
    },
    /// `staff list`
    StaffList {
        /// The last id of the page before.
        after: Option<StaffId>,
    },
    /// `staff passwd`
    StaffPasswd {
        /// Whose.
        address: Address,
        /// The new password in clear.
        password: String,
    },
    /// `staff disable`
    StaffDisable {
        /// Whose.
        address: Address,
    },
    /// `staff app-password add`
    AppPasswordAdd {
        /// Whose.
        address: Address,
        /// What it is for.
        name: String,
    },
    /// `staff app-password list`
    AppPasswordList {
        /// Whose.
        address: Address,
    },
    /// `staff app-password remove`
    AppPasswordRemove {
        /// Whose.
        address: Address,
        /// Its name.
        name: String,
    },
    /// `queue list`
    QueueList {
        /// The last id of the page before.
        after: Option<QueueId>,
    },
    /// `queue show`
    QueueShow {
        /// Which.
        id: QueueId,
    },
    /// `grant list`
    GrantList {
        /// The last id of the page before.
        after: Option<GrantId>,
    },
    /// `grant revoke`
    GrantRevoke {
        /// Which.
        id: GrantId,
    },
    /// `invitation list`
    InvitationList {
        /// The last id of the page before.
        after: Option<ContactId>,
    },
    /// `invitation remind`
    InvitationRemind {
        /// Who is invited.
        address: Address,
    },
    /// `invitation cancel`
    InvitationCancel {
        /// Who is invited.
        address: Address,
    },
    /// `invitation resend`
    InvitationResend {
        /// Who is invited.
        address: Address,
        /// The birthdate to be entered from now on, `YYYY-MM-DD`.
        birthdate: Option<String>,
    },
    /// `invitation approve`
    InvitationApprove {
        /// Who waits.
        address: Address,
    },
    /// `vault verify`
    VaultVerify,
    /// `clock accept`
    ClockAccept,
    /// What policy knows of these people, for `explain`.
    Facts {
        /// Who writes.
        from: Address,
        /// To whom.
        to: Vec<Address>,
    },
}

/// One answer.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// Done; a sentence for the admin.
    Done {
        /// The sentence.
        sentence: String,
    },
    /// A page of staff accounts.
    Staff {
        /// The rows.
        rows: Vec<StaffRow>,
    },
    /// A new app password, in clear.
    AppPassword {
        /// It.
        password: String,
    },
    /// The app passwords of an account.
    AppPasswords {
        /// The rows.
        rows: Vec<AppPasswordRow>,
    },
    /// A page of the queue.
    Queue {
        /// The rows.
        rows: Vec<QueueRow>,
    },
    /// One entry of the queue.
    QueueEntry {
        /// The entry.
        entry: QueueDetail,
    },
    /// A page of grants.
    Grants {
        /// The rows.
        rows: Vec<GrantRow>,
    },
    /// A page of invitations.
    Invitations {
        /// The rows.
        rows: Vec<InvitationRow>,
    },
    /// What `vault verify` found.
    Verified {
        /// The report.
        report: VerifyReport,
    },
    /// What policy knows.
    Facts {
        /// Sender and recipients.
        facts: PartyFacts,
    },
    /// How far long work has come; more lines follow.
    Progress {
        /// Things done.
        done: u64,
    },
    /// It was not done; a sentence with the remedy.
    Failed {
        /// The sentence.
        sentence: String,
    },
}

// They hold passwords.
silent_debug!(Request, Answer);

/// One row of `staff app-password list`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AppPasswordRow {
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

/// One row of `staff list`.
#[derive(Debug, Serialize, Deserialize)]
pub struct StaffRow {
    /// Its id, as logs name it.
    pub id: StaffId,
    /// Its address.
    pub address: Address,
    /// The person's name.
    pub name: Option<String>,
    /// The practice.
    pub practice: Option<String>,
    /// Staff groups.
    pub groups: Vec<String>,
    /// Other addresses it may send as.
    pub delegated: Vec<Address>,
    /// Workgroups it belongs to, with the right it has there: `Reception (send)`.
    pub workgroups: Vec<String>,
    /// `active`, `disabled`, `initial password`, `initial password lapsed`.
    pub state: String,
    /// Whether it is an admin's.
    pub admin: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// `queue show`: the entry with its envelope, for the admin's own eyes.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueueDetail {
    /// The row as listed.
    pub row: QueueRow,
    /// The reverse-path, empty for `<>`.
    pub from: String,
    /// The forward-path.
    pub to: String,
    /// Octets it will send.
    pub octets: u64,
    /// Whether TLS with a verified certificate is demanded whatever the relay's configuration says.
    pub tls_required: bool,
}

/// One row of `grant list`.
#[derive(Debug, Serialize, Deserialize)]
pub struct GrantRow {
    /// Its id.
    pub id: GrantId,
    /// Whose message.
    pub transaction: String,
    /// Whose right; absent once the contact is forgotten.
    pub recipient: Option<Address>,
    /// `living`, `link expired`, `ended`, `revoked`.
    pub state: String,
    /// When it was given.
    pub created: Timestamp,
    /// When the link stops working.
    pub link_until: Timestamp,
    /// When the documents go.
    pub keep_until: Timestamp,
}

/// One row of `invitation list`.
#[derive(Debug, Serialize, Deserialize)]
pub struct InvitationRow {
    /// The contact's id.
    pub id: ContactId,
    /// Who is invited.
    pub address: Address,
    /// As what.
    pub role: Option<Role>,
    /// Who invited.
    pub sender: Address,
    /// `open`, `opened`, `waits for an admin`, `accepted`, `cancelled`, `cancelled, wrong birthdates`, `expired`.
    pub state: String,
    /// When it was sent, the last time.
    pub issued: Timestamp,
    /// Reminders that went by the schedule.
    pub reminded: u8,
    /// When the next reminder goes, or it ends.
    pub due: Option<Timestamp>,
}

/// Sender and recipients as policy sees them.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartyFacts {
    /// Who writes.
    pub sender: SenderFacts,
    /// To whom.
    pub recipients: Vec<RecipientFacts>,
}
