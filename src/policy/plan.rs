//! What policy is told, and what it answers.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Ambiguous, BodyPlace, Forwarded, Role, SpeaksAs};
use crate::access::AccessCheck;
use crate::mail::Address;
use crate::mime::Defect;
use crate::mime::assess::{Assessment, PatientRef};
use crate::time::Timestamp;

/// What happens with one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Body octets untouched, sent on.
    Relay,
    /// Rebuilt; documents go into the vault.
    Secure,
    /// Waits until the sender has said who this is: where it would be secured, there are documents, the role (or a
    /// patient's birthdate) is known to nobody, and the sender can answer.
    Ask,
    /// Not sent; the reason is given.
    Refuse,
}

impl Treatment {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Secure => "secure",
            Self::Ask => "ask",
            Self::Refuse => "refuse",
        }
    }
}

/// What is known of the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderFacts {
    /// The address that speaks (From; the account's own where From is a delegated one).
    pub address: Address,
    /// Staff groups of the account; none for a relay listener.
    pub groups: Vec<String>,
    /// The practice: by the account, else by the address's domain.
    pub practice: Option<String>,
    /// Whether a question reaches them and an answer comes back: a staff account, or an address of a practice of ours; not
    /// where a server vouches that may name any sender.
    pub can_answer: bool,
}

/// What is known of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientFacts {
    /// Where to.
    pub address: Address,
    /// Its role, where the directory knows it.
    pub role: Option<Role>,
    /// Whether the directory has the address.
    pub known: bool,
    /// The practice of ours whose domain or staff account it is.
    pub practice: Option<String>,
    /// Whether they have an account on the portal.
    #[serde(default)]
    pub registered: bool,
    /// Whether that account was shown to be the patient's whose documents these are: of the one who is named for this
    /// message or for this address, of any where nobody is.
    #[serde(default)]
    pub proved: bool,
    /// Until when an invitation is open for them, if one is.
    #[serde(default)]
    pub invited_until: Option<Timestamp>,
    /// What an earlier invitation said of the birthdate, `YYYY-MM-DD`, and of which patient.
    #[serde(default)]
    pub birthdate: Option<String>,
    /// The patient that `birthdate` is about, where that was said.
    #[serde(default)]
    pub patient: Option<PatientRef>,
    /// Whether the sender has answered a question about this message.
    #[serde(default)]
    pub answered: bool,
    /// The role that the answer gave.
    #[serde(default)]
    pub answered_role: Option<Role>,
    /// The birthdate that the answer gave.
    #[serde(default)]
    pub answered_birthdate: Option<String>,
}

impl RecipientFacts {
    /// An address that nobody knows anything about.
    pub fn unknown(address: Address) -> Self {
        Self {
            address,
            role: None,
            known: false,
            practice: None,
            registered: false,
            proved: false,
            invited_until: None,
            birthdate: None,
            patient: None,
            answered: false,
            answered_role: None,
            answered_birthdate: None,
        }
    }
}

/// The settings that rules set, key by key; every one has a shipped default.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// What happens.
    pub treatment: Treatment,
    /// For `refuse`: the words the sender reads. Always there when the treatment is `refuse`.
    pub reason: Option<String>,
    /// The role taken where the directory knows none.
    pub role: Option<Role>,
    /// What must be shown before documents open; `None`: as the role file says.
    pub access: Option<Vec<AccessCheck>>,
    /// How long the link works; never longer than `keep`.
    pub link: Duration,
    /// How long documents are kept.
    pub keep: Duration,
    /// How long after the first download, if that ends them.
    pub keep_after_download: Option<Duration>,
    /// Whether `[plain]` may make it an ordinary message.
    pub plain_allowed: bool,
    /// Whether TLS with a verified certificate is demanded towards the recipient.
    pub tls_required: bool,
    /// Groups of restricted file types that may pass all the same.
    pub restricted_allowed: Vec<String>,
    /// Whether the sender is asked who an unknown recipient is.
    pub ask: bool,
    /// How long after the question it is asked again.
    pub ask_again: Duration,
    /// How long after the question the message is returned.
    pub ask_until: Duration,
    /// When the sender is told what became of the message.
    pub status_mail: StatusMail,
    /// Where the text and the subject are read.
    pub body: BodyPlace,
    /// What becomes of a message that is not understood.
    pub ambiguous: Ambiguous,
    /// What becomes of a message that is attached.
    pub forwarded: Forwarded,
    /// What the subject of the mail that leads to documents says.
    pub subject: SubjectShown,
    /// Whether `[nopin]` may take the one-time code away.
    pub nopin_allowed: bool,
    /// Whether a read receipt that the sender's mail program asks for is given.
    pub read_receipt: bool,
    /// With one: after how long the sender is told that the documents are unread.
    pub unread_after: Duration,
    /// Whether an end that the sender's mail program gives the message ends link and documents, where it is earlier.
    pub expiry: bool,
}

impl Settings {
    /// Whether somebody who is secured by these is given something to open: a document, or the text.
    pub fn gives_rights(&self, message: &Assessment) -> bool {
        message.documents().next().is_some() || self.body == BodyPlace::Vault
    }
}

/// What the subject of the mail that leads to documents says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectShown {
    /// What its sender wrote, without used tags.
    Kept,
    /// The title of the documents' type, where they have one in common, else how many they are.
    Type,
}

impl SubjectShown {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Type => "type",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Kept, Self::Type].into_iter().find(|shown| shown.name() == name)
    }
}

/// What the sender wants to hear of documents beside the status mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// Whether, when they are opened.
    pub opened: bool,
    /// After how long, where they are not.
    pub unread: Option<Duration>,
}

impl Watch {
    /// Whether there is nothing to tell of.
    pub fn is_idle(self) -> bool {
        self == Self::default()
    }
}

/// When the sender of a secured message gets a status mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusMail {
    /// Not at all; `history` still answers.
    Never,
    /// Where it did not reach everybody.
    Problems,
    /// One for each message.
    Always,
}

impl StatusMail {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Problems => "problems",
            Self::Always => "always",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Never, Self::Problems, Self::Always].into_iter().find(|mail| mail.name() == name)
    }
}

/// Shows no word of `reason`, which may name a file.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("treatment", &self.treatment)
            .field("reason", &self.reason.is_some())
            .field("role", &self.role)
            .field("access", &self.access)
            .field("link", &self.link)
            .field("keep", &self.keep)
            .field("keep_after_download", &self.keep_after_download)
            .field("plain_allowed", &self.plain_allowed)
            .field("tls_required", &self.tls_required)
            .field("restricted_allowed", &self.restricted_allowed)
            .field("ask", &self.ask)
            .field("status_mail", &self.status_mail)
            .field("body", &self.body)
            .field("ambiguous", &self.ambiguous)
            .field("forwarded", &self.forwarded)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What no rule has changed: secured, a week for the link and the documents.
impl Default for Settings {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        const WEEK: Duration = Duration::from_secs(7 * 86_400);
        Self {
            treatment: Treatment::Secure,
            reason: None,
            role: None,
            access: None,
            link: WEEK,
            keep: WEEK,
            keep_after_download: None,
            plain_allowed: false,
            tls_required: false,
            restricted_allowed: Vec::new(),
            ask: true,
            ask_again: DAY,
            ask_until: DAY.saturating_mul(3),
            status_mail: StatusMail::Always,
            body: BodyPlace::Mail,
            ambiguous: Ambiguous::Refuse,
            forwarded: Forwarded::OneFile,
            subject: SubjectShown::Kept,
            nopin_allowed: true,
            read_receipt: true,
            unread_after: DAY.saturating_mul(3),
            expiry: true,
        }
    }
}

/// Who says what a recipient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSource {
    /// The sender, asked about this message.
    Answer,
    /// `policies/directory.csv`.
    File,
    /// What was remembered with the address.
    Directory,
    /// A rule.
    Rule,
    /// A tag in the subject.
    Tag,
}

/// What the sender is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asking {
    /// Who the recipient is.
    Role,
    /// A patient's birthdate; the role is known.
    Birthdate,
}

/// What was decided for one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    /// The settings in force.
    pub settings: Settings,
    /// The role in force.
    pub role: Option<Role>,
    /// Who says so.
    pub role_by: Option<RoleSource>,
    /// Whose documents these are, for this recipient: by a tag, or for a patient by `directory.csv`, else the one who is
    /// known at this address, else whoever was born on `birthdate`.
    pub patient: Option<PatientRef>,
    /// That patient's birthdate, `YYYY-MM-DD`, where somebody knows it.
    pub birthdate: Option<String>,
    /// Whether the account does not say that they are this patient: a birthdate is asked for beside it.
    pub guarded: bool,
    /// Whether they must register before what is secured can be opened: an account is asked for, and they have none.
    pub registers: bool,
    /// Until when they can, where an invitation is open already.
    pub invited_until: Option<Timestamp>,
    /// With the treatment `ask`: what.
    pub asking: Option<Asking>,
    /// What the sender wants to hear of the documents.
    pub watch: Watch,
    /// Which rule (or `shipped default`, `tag [14d]`, `floor: restricted types`) set which key, in the order decided.
    pub because: Vec<Because>,
}

/// Shows no birthdate.
impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("settings", &self.settings)
            .field("role", &self.role)
            .field("asking", &self.asking)
            .finish_non_exhaustive()
    }
}

impl Decision {
    /// Who had the last word about a key: a rule with its place, a tag, a floor, or `shipped default`. Never a word
    /// of the message, so it may be logged.
    pub fn who_set(&self, key: &str) -> &str {
        self.because.iter().rfind(|because| because.key == key).map_or(SHIPPED_DEFAULT, |because| &because.by)
    }

    /// What is wrong with the message for this recipient: relayed, it keeps its octets, and with them a defect that readers
    /// take differently; not understood at all, it may be secured whole where policy says so.
    pub fn unclear<'a>(&self, message: &'a Assessment) -> Option<&'a Defect> {
        let Settings { treatment, ambiguous, .. } = self.settings;
        let refused_whole = message.as_written && ambiguous == Ambiguous::Refuse;
        message.mended.as_ref().filter(|_| treatment == Treatment::Relay || refused_whole)
    }

    /// Whether anybody said anything about a key.
    pub(super) fn was_set(&self, key: &str) -> bool {
        self.because.iter().any(|because| because.key == key)
    }
}

/// Who says what nobody else says.
pub(super) const SHIPPED_DEFAULT: &str = "shipped default";

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The setting.
    pub key: String,
    /// Its value, as a policy file would write it.
    pub value: String,
    /// Who set it: a rule's name with file and line, a tag, or a floor.
    pub by: String,
}

/// The whole decision; `decisions[i]` is for `recipients[i]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// Per recipient.
    pub decisions: Vec<Decision>,
    /// Why the whole message is refused, if it is (a restricted type, tags that contradict each other, `[plain]` where
    /// policy does not allow it, or nobody is left to send to): words for the sender in ASCII, naming file and rule.
    pub refusal: Option<String>,
    /// The practice in whose name it goes out.
    pub practice: String,
    /// The subject without the tags that were used up.
    pub subject: String,
    /// The type of each document by its name in `types.toml`, in their order.
    pub types: Vec<Option<String>>,
    /// The type that all documents have, pictures of the text apart.
    pub document_type: Option<String>,
    /// In whose name mails leave that lead to documents, where the sender may send as it; `None`: in the sender's own.
    pub speaks_as: Option<SpeaksAs>,
}

impl Plan {
    /// Whether messages that are attached are taken apart. What recipients share is one parcel: where one of them is to have
    /// their attachments, all have.
    pub fn takes_forwarded_apart(&self) -> bool {
        let of = |decision: &Decision| decision.settings.forwarded == Forwarded::TakenApart;
        self.decisions.iter().any(|decision| decision.settings.treatment == Treatment::Secure && of(decision))
    }
}

/// Shows neither the subject nor the words of a refusal.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("decisions", &self.decisions)
            .field("refused", &self.refusal.is_some())
            .field("practice", &self.practice)
            .finish_non_exhaustive()
    }
}
