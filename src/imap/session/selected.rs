//! The mailbox that is open: what the client knows of it, and how it is opened and closed.

use std::collections::HashMap;

use tokio::sync::watch;

use super::{Done, Halt, Session};
use crate::imap::command::{By, Opening, RawName, Resync};
use crate::imap::response::{Condition, Refusal};
use crate::imap::set::{End, SequenceSet, written};
use crate::mailbox::{Keyword, MailboxError, ModSeq, OpenMailbox, Row, SystemFlags, Uid, Uids, View};

/// A mailbox that is open, as the client knows it.
pub(super) struct Selected {
    pub(super) mailbox: OpenMailbox,
    /// Says that something may have happened since the view was read.
    pub(super) changes: watch::Receiver<u64>,
    /// What was told: positions count in it, whatever has happened since.
    pub(super) view: View,
    pub(super) read_only: bool,
    /// How many keywords the client knows.
    pub(super) keywords: usize,
    /// Messages that are `\Recent` to this session.
    pub(super) recent: Uids,
    /// `$` (RFC 5182): the last search's result.
    pub(super) saved: Uids,
    /// Changes that the client made itself and was told of.
    pub(super) told: HashMap<Uid, ModSeq>,
    /// Those of the view that have gone and of which that could not be told yet, as they last were; and, while there are such,
    /// the mailbox as this session last looked at it.
    departed: HashMap<Uid, Row>,
    looked: Option<View>,
}

impl Selected {
    /// Notes how the mailbox is now.
    pub(super) fn look(&mut self, now: &View) {
        let last = self.looked.as_ref().unwrap_or(&self.view);
        let gone = now.difference(last).vanished.into_iter().filter(|(_, uid)| self.view.find(*uid).is_some());
        let rows: Vec<Row> = gone.filter_map(|(_, uid)| last.find(uid).cloned()).collect();
        self.departed.extend(rows.into_iter().map(|row| (row.uid, row)));
        self.looked = (!self.departed.is_empty()).then(|| now.clone());
    }

    /// From now on positions count in this view, and of what has gone is told.
    pub(super) fn turn_to(&mut self, now: &View) -> View {
        self.departed = HashMap::default();
        self.looked = None;
        std::mem::replace(&mut self.view, now.clone())
    }

    /// A message as it is, or, where it is gone, as it last was: what was told of it never goes back.
    pub(super) fn newest(&self, known: &Row, now: &View) -> Row {
        now.find(known.uid).or_else(|| self.departed.get(&known.uid)).unwrap_or(known).clone()
    }

    /// Where the messages of a set stand, rising, from 0.
    ///
    /// # Errors
    /// A position beyond the end (RFC 9051, section 9: an error), but not a UID that is not there.
    pub(super) fn positions(&self, by: By, set: &SequenceSet) -> Result<Vec<usize>, Refusal> {
        let ranges = match set {
            SequenceSet::Saved => return Ok(self.saved.iter().filter_map(|uid| self.view.position(uid)).collect()),
            SequenceSet::Ranges(ranges) => ranges,
        };
        let count = self.view.len();
        if by == By::Uid {
            return Ok(self.positions_of(&self.uids(ranges)));
        }
        let beyond = |end: &End| matches!(end, End::Number(number) if *number as usize > count);
        if count == 0 || ranges.iter().any(|(one, other)| beyond(one) || beyond(other)) {
            return Err(Refusal::NoSuchMessage);
        }
        let last = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(SequenceSet::resolve(ranges, last).iter().map(|number| number as usize - 1).collect())
    }

    /// UIDs that ranges name here.
    pub(super) fn uids(&self, ranges: &[(End, End)]) -> Uids {
        SequenceSet::resolve(ranges, self.view.rows().next_back().map_or(0, |row| row.uid))
    }

    /// Where those of these UIDs stand that are there.
    pub(super) fn positions_of(&self, uids: &Uids) -> Vec<usize> {
        let mut positions = Vec::new();
        for (first, last) in uids.ranges() {
            let from = self.view.position_or_next(*first);
            let to = (from..self.view.len()).take_while(|at| self.view.row(*at).is_some_and(|row| row.uid <= *last));
            positions.extend(to);
        }
        positions
    }

    /// The UIDs at these positions.
    pub(super) fn uids_at(&self, positions: &[usize]) -> Uids {
        positions.iter().filter_map(|at| self.view.row(*at)).map(|row| row.uid).collect()
    }
}

/// `\Answered … keyword …`: what messages of a mailbox may have.
pub(super) fn flag_names(view: &View) -> String {
    let system = SystemFlags::ALL.iter().map(|(_, name)| *name);
    system.chain(view.keywords().iter().map(Keyword::as_str)).collect::<Vec<_>>().join(" ")
}

impl Session {
    pub(super) fn selected(&self) -> Result<&Selected, Refusal> {
        self.selected.as_ref().ok_or(Refusal::NothingSelected)
    }

    /// The mailbox as it is now.
    pub(super) async fn look(&mut self) -> Result<View, Halt> {
        let now = self.selected()?.mailbox.view().await?;
        if let Some(selected) = &mut self.selected {
            selected.look(&now);
        }
        Ok(now)
    }

    /// The selected mailbox, if it may be changed.
    pub(super) fn writable(&self) -> Result<&Selected, Refusal> {
        let selected = self.selected()?;
        if !self.mail()?.may_write(selected.mailbox.owner()) {
            return Err(MailboxError::Denied.into());
        }
        if selected.read_only { Err(Refusal::ReadOnly) } else { Ok(selected) }
    }

    pub(super) async fn select(&mut self, name: &RawName, opening: Opening) -> Result<Done, Halt> {
        if opening.resync.is_some() && !self.enabled.qresync {
            return Err(Refusal::NotEnabled.into());
        }
        let name = self.mailbox_name(name)?;
        // What is not understood changes nothing; what is tried and fails leaves nothing open.
        if self.selected.take().is_some() {
            self.out.line("* OK [CLOSED] The other mailbox is closed");
        }
        let mail = self.mail()?;
        let mailbox = mail.open(mail.find(&name).await?).await?;
        // Watched from before it is read: what happens in between is seen.
        let changes = mailbox.changes();
        let view = mailbox.view().await?;
        self.enabled.condstore |= opening.condstore;
        // A workgroup's mailbox that one may only read is as if it were opened by EXAMINE.
        let read_only = opening.read_only || !mail.may_write(mailbox.owner());
        let mut selected = Selected {
            keywords: view.keywords().len(),
            mailbox,
            changes,
            view,
            read_only,
            recent: Uids::default(),
            saved: Uids::default(),
            told: HashMap::default(),
            departed: HashMap::default(),
            looked: None,
        };
        selected.recent = selected.rows_in(selected.fresh());
        self.tell_selected(&selected);
        if self.enabled.rev2 {
            self.out.put("* LIST () \"/\" ").mailbox(&name).line("");
        }
        self.selected = Some(selected);
        if let Some(resync) = &opening.resync {
            let resynced = self.resync(resync).await;
            // What is refused has opened nothing.
            resynced.inspect_err(|_| self.selected = None)?;
        }
        match read_only {
            true => Done::with("READ-ONLY".into(), "Opened for reading only"),
            false => Done::with("READ-WRITE".into(), "SELECT done"),
        }
    }

    fn tell_selected(&mut self, selected: &Selected) {
        let (view, flags) = (&selected.view, flag_names(&selected.view));
        self.out.line(&format!("* FLAGS ({flags})"));
        let permanent = if selected.read_only { String::new() } else { format!("{flags} \\*") };
        let mut code = |code: String, text: &str| {
            self.out.status(None, Condition::Ok, Some(&code), text);
        };
        code(format!("PERMANENTFLAGS ({permanent})"), "Flags that are kept");
        code(format!("UIDVALIDITY {}", view.validity()), "UIDs are valid");
        code(format!("UIDNEXT {}", view.uid_next()), "The next UID");
        code(format!("HIGHESTMODSEQ {}", view.modseq()), "The last change");
        code(format!("MAILBOXID ({})", view.id()), "The mailbox itself");
        if !self.enabled.rev2
            && let Some(first) = view.first_unseen()
        {
            self.out.status(None, Condition::Ok, Some(&format!("UNSEEN {}", first + 1)), "The first not seen");
        }
        self.out.line(&format!("* {} EXISTS", view.len()));
        if !self.enabled.rev2 {
            self.out.line(&format!("* {} RECENT", selected.recent.len()));
        }
    }

    /// What has happened since the client was here last (RFC 7162, section 3.2.5).
    async fn resync(&mut self, resync: &Resync) -> Result<(), Halt> {
        let selected = self.selected()?;
        if selected.view.validity() != resync.uid_validity {
            return Ok(());
        }
        let past = selected.mailbox.past(&selected.view, resync.modseq).await?;
        let last = selected.view.uid_next().saturating_sub(1);
        let known = resync.known.as_ref().map(|ranges| SequenceSet::resolve(ranges, last));
        let concerns = |uid: &Uid| known.as_ref().is_none_or(|known| known.contains(*uid));
        let vanished: Uids = past.vanished.iter().filter(concerns).collect();
        let changed: Vec<Uid> = past.changed.into_iter().filter(concerns).collect();
        if !vanished.is_empty() {
            self.out.line(&format!("* VANISHED (EARLIER) {}", written(&vanished)));
        }
        for uid in changed {
            self.tell_flags(uid, true);
        }
        Ok(())
    }

    pub(super) async fn close(&mut self) -> Result<Done, Halt> {
        let selected = self.selected.take().ok_or(Refusal::NothingSelected)?;
        if !selected.read_only && self.mail()?.may_write(selected.mailbox.owner()) {
            self.mail()?.expunge(selected.mailbox.id(), None).await?;
        }
        Done::plain("CLOSE done")
    }

    pub(super) fn unselect(&mut self) -> Result<Done, Halt> {
        self.selected = None;
        Done::plain("UNSELECT done")
    }
}
