//! The closed list of what Postern logs: one line an event, the id first, never anything of a
//! patient: no address, name, subject, file name or text, and no words of a far side.
//!
//! `grep` an id and read its story.

use std::fmt;
use std::net::IpAddr;

use crate::id::{BlobId, GrantId, QuestionId, QueueId, RequestId, SessionId, StaffId, TransactionId, VisitId};
use crate::time::Day;

/// Something worth a line. [`Event::log`] writes it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each variant's Display says what it means, and its fields are its words")]
pub enum Event {
    Listening {
        what: &'static str,
        address: String,
    },
    Stopping,
    PolicyLoaded {
        rules: usize,
        roles: usize,
        practices: usize,
    },
    PolicyBroken {
        faults: usize,
    },
    CertificateLoaded {
        names: usize,
    },
    CertificateBroken,
    SessionOpened {
        session: SessionId,
        peer: IpAddr,
        listener: &'static str,
    },
    SessionClosed {
        session: SessionId,
        messages: u32,
        reason: &'static str,
    },
    SessionPanicked {
        session: SessionId,
        place: String,
    },
    SignedIn {
        session: SessionId,
        staff: StaffId,
    },
    SignInFailed {
        session: SessionId,
        peer: IpAddr,
    },
    Refused {
        session: SessionId,
        code: u16,
        enhanced: String,
        reason: &'static str,
    },
    ImapRefused {
        session: SessionId,
        condition: &'static str,
        reason: &'static str,
    },
    PageRefused {
        request: RequestId,
        status: u16,
        reason: &'static str,
        route: String,
    },
    Accepted {
        transaction: TransactionId,
        session: SessionId,
        recipients: usize,
        octets: u64,
        deposits: usize,
    },
    /// Fields of ours in a message from a server that vouches for nobody.
    FieldsPassedOver {
        transaction: TransactionId,
        fields: usize,
    },
    Decided {
        transaction: TransactionId,
        recipient: usize,
        treatment: &'static str,
        rule: String,
    },
    Delivered {
        queue: QueueId,
        transaction: TransactionId,
        attempt: u32,
    },
    Deferred {
        queue: QueueId,
        transaction: TransactionId,
        attempt: u32,
        code: Option<u16>,
        cause: &'static str,
        next_secs: u64,
    },
    Failed {
        queue: QueueId,
        transaction: TransactionId,
        attempt: u32,
        code: Option<u16>,
        cause: &'static str,
    },
    RelayTrouble {
        queue: QueueId,
        code: Option<u16>,
        cause: &'static str,
    },
    LetterLost {
        queue: QueueId,
        transaction: TransactionId,
    },
    SenderTold {
        queue: QueueId,
        about: QueueId,
    },
    Revoked {
        grant: GrantId,
    },
    /// A question to a sender has ended: with the role given, `drop`, `nothing` (returned) or `lost`.
    Answered {
        question: QuestionId,
        transaction: TransactionId,
        with: &'static str,
    },
    /// A word about a message was carried out.
    Ordered {
        transaction: TransactionId,
        word: &'static str,
    },
    StatusTold {
        transaction: TransactionId,
    },
    InvitationChanged {
        grant: GrantId,
        state: &'static str,
    },
    VisitBegan {
        visit: VisitId,
        grant: Option<GrantId>,
    },
    VisitProved {
        visit: VisitId,
        what: &'static str,
    },
    GuestRefused {
        what: &'static str,
        peer: IpAddr,
    },
    KeyDestroyed {
        day: Day,
    },
    ClockHalted {
        step_secs: i64,
    },
    ClockAccepted,
    Checkpointed {
        sequence: u64,
        octets: u64,
    },
    Reopened {
        from: &'static str,
        replayed: u64,
    },
    Swept {
        blobs: usize,
    },
    BlobUnsound {
        blob: BlobId,
    },
    Trouble {
        place: &'static str,
        cause: String,
    },
}

impl Event {
    /// Writes the line.
    pub fn log(&self) {
        match self.level() {
            Severity::Info => tracing::info!(target: "postern", "{self}"),
            Severity::Warning => tracing::warn!(target: "postern", "{self}"),
            Severity::Alarm => tracing::error!(target: "postern", "{self}"),
        }
    }

    fn level(&self) -> Severity {
        match self {
            Self::PolicyBroken { .. }
            | Self::CertificateBroken
            | Self::SignInFailed { .. }
            | Self::Failed { .. }
            | Self::GuestRefused { .. } => Severity::Warning,
            Self::SessionPanicked { .. }
            | Self::ClockHalted { .. }
            | Self::BlobUnsound { .. }
            | Self::RelayTrouble { .. }
            | Self::LetterLost { .. }
            | Self::Trouble { .. } => Severity::Alarm,
            _ => Severity::Info,
        }
    }
}

enum Severity {
    Info,
    Warning,
    Alarm,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { what, address } => write!(f, "- listening what={what} address={address}"),
            Self::Stopping => write!(f, "- stopping"),
            Self::PolicyLoaded { rules, roles, practices } => {
                write!(f, "- policy-loaded rules={rules} roles={roles} practices={practices}")
            }
            Self::PolicyBroken { faults } => write!(f, "- policy-broken faults={faults} remedy=\"postern check\""),
            Self::CertificateLoaded { names } => write!(f, "- certificate-loaded names={names}"),
            Self::CertificateBroken => write!(f, "- certificate-broken remedy=\"postern check\""),
            Self::SessionOpened { session, peer, listener } => {
                write!(f, "{session} session-opened peer={peer} listener={listener}")
            }
            Self::SessionClosed { session, messages, reason } => {
                write!(f, "{session} session-closed messages={messages} reason={reason}")
            }
            Self::SessionPanicked { session, place } => write!(f, "{session} session-panicked place={place}"),
            Self::SignedIn { session, staff } => write!(f, "{session} signed-in staff={staff}"),
            Self::SignInFailed { session, peer } => write!(f, "{session} sign-in-failed peer={peer}"),
            Self::Refused { session, code, enhanced, reason } => {
                write!(f, "{session} refused code={code} enhanced={enhanced} reason={reason}")
            }
            Self::ImapRefused { session, condition, reason } => {
                write!(f, "{session} imap-refused condition={condition} reason={reason}")
            }
            Self::PageRefused { request, status, reason, route } => {
                write!(f, "{request} page-refused status={status} reason={reason} route={route}")
            }
            Self::Accepted { transaction, session, recipients, octets, deposits } => write!(
                f,
                "{transaction} accepted session={session} recipients={recipients} octets={octets} deposits={deposits}"
            ),
            Self::FieldsPassedOver { transaction, fields } => {
                write!(f, "{transaction} fields-passed-over fields={fields} identity=any")
            }
            Self::Decided { transaction, recipient, treatment, rule } => {
                write!(f, "{transaction} decided recipient={recipient} treatment={treatment} rule={rule:?}")
            }
            Self::Delivered { queue, transaction, attempt } => {
                write!(f, "{transaction} delivered queue={queue} attempt={attempt}")
            }
            Self::Deferred { queue, transaction, attempt, code, cause, next_secs } => write!(
                f,
                "{transaction} deferred queue={queue} attempt={attempt} code={} cause={cause} next={next_secs}s",
                Code(*code)
            ),
            Self::Failed { queue, transaction, attempt, code, cause } => {
                write!(f, "{transaction} failed queue={queue} attempt={attempt} code={} cause={cause}", Code(*code))
            }
            Self::RelayTrouble { queue, code, cause } => {
                write!(f, "{queue} relay-trouble code={} cause={cause} remedy=\"docs/delivery.md\"", Code(*code))
            }
            Self::LetterLost { queue, transaction } => {
                write!(f, "{transaction} letter-lost queue={queue} cause=\"its key went with its day\"")
            }
            Self::SenderTold { queue, about } => write!(f, "{queue} sender-told about={about}"),
            Self::Revoked { grant } => write!(f, "{grant} revoked"),
            Self::Answered { question, transaction, with } => {
                write!(f, "{transaction} answered question={question} with={with}")
            }
            Self::Ordered { transaction, word } => write!(f, "{transaction} ordered word={word}"),
            Self::StatusTold { transaction } => write!(f, "{transaction} status-told"),
            Self::InvitationChanged { grant, state } => write!(f, "{grant} invitation state={state:?}"),
            Self::VisitBegan { visit, grant: Some(grant) } => write!(f, "{visit} visit-began grant={grant}"),
            Self::VisitBegan { visit, grant: None } => write!(f, "{visit} visit-began grant=-"),
            Self::VisitProved { visit, what } => write!(f, "{visit} visit-proved what={what}"),
            Self::GuestRefused { what, peer } => write!(f, "- guest-refused what={what} peer={peer}"),
            Self::KeyDestroyed { day } => write!(f, "- key-destroyed day={day}"),
            Self::ClockHalted { step_secs } => {
                write!(f, "- clock-halted step={step_secs}s remedy=\"postern clock accept\"")
            }
            Self::ClockAccepted => write!(f, "- clock-accepted"),
            Self::Checkpointed { sequence, octets } => write!(f, "- checkpointed sequence={sequence} octets={octets}"),
            Self::Reopened { from, replayed } => write!(f, "- store-reopened from={from} replayed={replayed}"),
            Self::Swept { blobs } => write!(f, "- swept blobs={blobs}"),
            Self::BlobUnsound { blob } => write!(f, "{blob} blob-unsound"),
            Self::Trouble { place, cause } => write!(f, "- trouble place={place} cause={cause:?}"),
        }
    }
}

struct Code(Option<u16>);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => write!(f, "{code}"),
            None => f.write_str("-"),
        }
    }
}
