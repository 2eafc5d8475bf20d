//! What the server offers, and what a client asks to be told: CAPABILITY, ENABLE, ID, NAMESPACE, quota.

use super::{Done, Halt, Session, Tls};
use crate::imap::command::RawName;
use crate::imap::response::Refusal;
use crate::mailbox::{MailboxError, MailboxName};

/// Before sign-in.
const BEFORE: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE";
/// After it, beside those.
const AFTER: &str = "NAMESPACE CHILDREN UIDPLUS MOVE UNSELECT SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS \
    STATUS=SIZE ESEARCH SEARCHRES WITHIN INPROGRESS CONDSTORE QRESYNC BINARY SORT SORT=DISPLAY ESORT THREAD=REFERENCES \
    THREAD=ORDEREDSUBJECT OBJECTID PREVIEW UTF8=ACCEPT QUOTA QUOTA=RES-STORAGE";

impl Session {
    /// The capabilities now.
    pub(super) fn capabilities(&self) -> String {
        match (&self.signed_in, self.tls) {
            (Some(_), _) => format!("{BEFORE} {AFTER} APPENDLIMIT={}", self.largest_message()),
            (None, Tls::Active) => format!("{BEFORE} AUTH=PLAIN AUTH=LOGIN"),
            (None, Tls::Offered) => format!("{BEFORE} STARTTLS LOGINDISABLED"),
        }
    }

    /// Octets of the largest message that APPEND takes.
    pub(super) fn largest_message(&self) -> u64 {
        self.signed_in.as_ref().map_or(0, |signed_in| signed_in.mail.limits().message)
    }

    pub(super) fn capability(&mut self) -> Result<Done, Halt> {
        let line = format!("* CAPABILITY {}", self.capabilities());
        self.out.line(&line);
        Done::plain("That is offered")
    }

    /// ID: a name without a version, which would only help who looks for holes.
    pub(super) fn id(&mut self) -> Result<Done, Halt> {
        self.out.line("* ID (\"name\" \"Postern\")");
        Done::plain("Pleased to meet you")
    }

    pub(super) fn enable(&mut self, words: &[String]) -> Result<Done, Halt> {
        let mut enabled = Vec::new();
        for word in words {
            match word.as_str() {
                "IMAP4REV2" => {
                    self.enabled.rev2 = true;
                    self.out.speak_utf8();
                    enabled.push("IMAP4rev2");
                }
                "UTF8=ACCEPT" => {
                    self.out.speak_utf8();
                    enabled.push("UTF8=ACCEPT");
                }
                "CONDSTORE" => {
                    self.enabled.condstore = true;
                    enabled.push("CONDSTORE");
                }
                "QRESYNC" => {
                    self.enabled.condstore = true;
                    self.enabled.qresync = true;
                    enabled.push("QRESYNC");
                }
                _ => {}
            }
        }
        let space = if enabled.is_empty() { "" } else { " " };
        self.out.line(&format!("* ENABLED{space}{}", enabled.join(" ")));
        Done::plain("Enabled")
    }

    /// One's own mailboxes, and as other users' those of one's workgroups.
    pub(super) fn namespace(&mut self) -> Result<Done, Halt> {
        let others = self.mail()?.workgroups().map_or("NIL".into(), |name| format!("((\"{name}/\" \"/\"))"));
        self.out.line(&format!("* NAMESPACE ((\"\" \"/\")) {others} NIL"));
        Done::plain("NAMESPACE done")
    }

    pub(super) async fn quota_root(&mut self, mailbox: &RawName) -> Result<Done, Halt> {
        let name = self.mailbox_name(mailbox)?;
        let root = self.mail()?.quota_root(&name).await?;
        self.out.put("* QUOTAROOT ").mailbox(&name).put(" ");
        self.put_root(root.as_ref());
        self.out.line("");
        self.tell_quota(root.as_ref()).await?;
        Done::plain("GETQUOTAROOT done")
    }

    pub(super) async fn quota(&mut self, root: &[u8]) -> Result<Done, Halt> {
        let root = match root {
            [] => None,
            name => Some(self.mailbox_name(&name.to_vec()).map_err(|_| Refusal::NoQuotaRoot)?),
        };
        self.tell_quota(root.as_ref()).await?;
        Done::plain("GETQUOTA done")
    }

    /// The root of one's own mailboxes is called `""`, that of a workgroup's as the name above them.
    fn put_root(&mut self, root: Option<&MailboxName>) {
        match root {
            Some(name) => self.out.mailbox(name),
            None => self.out.put("\"\""),
        };
    }

    /// STORAGE counts in units of 1024 octets (RFC 9208, section 5.1).
    async fn tell_quota(&mut self, root: Option<&MailboxName>) -> Result<(), Halt> {
        let usage = match self.mail()?.usage(root).await {
            Err(MailboxError::Missing) => return Err(Refusal::NoQuotaRoot.into()),
            usage => usage?,
        };
        let (used, most) = (usage.octets.div_ceil(1024), usage.most_octets / 1024);
        self.out.put("* QUOTA ");
        self.put_root(root);
        self.out.line(&format!(" (STORAGE {used} {most})"));
        Ok(())
    }
}
