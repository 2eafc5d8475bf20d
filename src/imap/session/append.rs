//! APPEND (RFC 9051, section 6.3.12): the message streams into the gateway, and is there with the OK.

use super::Session;
use crate::id::MailboxId;
use crate::imap::command::{Appending, parse_append};
use crate::imap::fragment::{Announced, Excess};
use crate::imap::response::{Condition, Refusal};
use crate::mailbox::{FlagSet, MailboxError, NewMail};
use crate::time::Timestamp;

/// A message on its way in.
pub(super) struct Append {
    tag: String,
    state: Result<Taking, Refusal>,
}

struct Taking {
    mailbox: MailboxId,
    flags: FlagSet,
    date: Option<Timestamp>,
    utf8: bool,
    mail: NewMail,
}

impl Session {
    /// A message is announced: it is taken, or refused before a single octet of it is sent.
    pub(super) async fn begin_append(&mut self, head: &[u8], announced: Announced) {
        if !self.still_welcome().await {
            return;
        }
        let (tag, appending) = parse_append(head);
        let state = match appending {
            Ok(appending) => self.taking(appending, announced).await,
            Err(mistake) => Err(Refusal::Mistake(mistake)),
        };
        if state.is_err() {
            self.fragments.refuse_message(Excess::Other);
        } else if self.fragments.take_message() {
            self.go_on();
        }
        self.append = Some(Append { tag, state });
    }

    async fn taking(&mut self, appending: Appending, announced: Announced) -> Result<Taking, Refusal> {
        let name = self.mailbox_name(&appending.mailbox)?;
        let mut flags = FlagSet::default();
        for flag in &appending.flags {
            flags.add(flag)?;
        }
        let mail = self.mail()?;
        if announced.size > mail.limits().message {
            return Err(Refusal::Excess(Excess::Message));
        }
        let mailbox = match mail.find_writable(&name).await {
            Err(MailboxError::Missing) => return Err(Refusal::TryCreate),
            found => found?,
        };
        let Appending { date, utf8, .. } = appending;
        Ok(Taking { mailbox, flags, date, utf8, mail: mail.begin_append() })
    }

    /// Octets of the message. One that cannot be stored is read to its end all the same.
    pub(super) async fn continue_append(&mut self, octets: &[u8]) {
        if let Some(Append { state, .. }) = &mut self.append
            && let Ok(taking) = state
            && let Err(error) = taking.mail.write(octets).await
        {
            *state = Err(error.into());
        }
    }

    /// The message is whole, and so is its line.
    pub(super) async fn end_append(&mut self, rest: &[u8]) {
        let Some(Append { tag, state }) = self.append.take() else { return };
        // It may have been long on its way.
        if !self.still_welcome().await {
            return;
        }
        let result = match state {
            Ok(taking) => self.finish_append(taking, rest).await,
            Err(refusal) => Err(refusal),
        };
        self.tell_news(true).await;
        match result {
            Ok(code) => {
                self.appended += 1;
                self.errors = 0;
                self.out.status(Some(&tag), Condition::Ok, Some(&code), "APPEND done");
            }
            Err(refusal) => self.blame(Some(&tag), &refusal),
        }
    }

    async fn finish_append(&mut self, taking: Taking, rest: &[u8]) -> Result<String, Refusal> {
        let Taking { mailbox, flags, date, utf8, mail } = taking;
        let expected: &[u8] = if utf8 { b")" } else { b"" };
        if rest.trim_ascii_end() != expected {
            return Err(Refusal::BehindMessage);
        }
        if mail.is_empty() {
            return Err(Refusal::EmptyMessage);
        }
        let appended = self.mail()?.append(mailbox, mail, &flags, date).await?;
        Ok(format!("APPENDUID {} {}", appended.validity, appended.uid))
    }

    /// A command was refused and read over to its end.
    pub(super) fn refuse_fragment(&mut self, tag: &[u8], excess: Excess) {
        let appending = self.append.take();
        let refusal = match appending {
            Some(Append { state: Err(refusal), .. }) => refusal,
            _ => Refusal::Excess(excess),
        };
        let sound = |octet: &u8| octet.is_ascii_graphic() && !b"(){%*\"\\+".contains(octet);
        let tag = std::str::from_utf8(tag).ok().filter(|tag| !tag.is_empty() && tag.bytes().all(|b| sound(&b)));
        self.blame(tag, &refusal);
    }
}
