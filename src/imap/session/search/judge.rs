//! A part of a mailbox, judged: by its rows, and by the records of its messages as far as they tell.

use std::ops::Range;

use super::Found;
use super::criteria::{Criteria, Known};
use crate::gateway::staff_mail::StaffMail;
use crate::mailbox::{Brief, MailboxError, View};

/// A search at work in a mailbox.
pub(super) struct Judge {
    pub(super) mail: StaffMail,
    pub(super) criteria: Criteria,
    /// What the client was told of: positions count in it.
    pub(super) before: View,
    /// What there is now.
    pub(super) now: View,
}

/// What is known of whether a message meets the criteria.
pub(super) enum Verdict {
    Meets,
    Fails,
    /// More of it must be read.
    Open(Known),
}

impl Judge {
    /// Those at these positions that meet the criteria or may do so, in their order.
    pub(super) fn judge(&self, positions: Range<usize>) -> Result<Vec<(Found, Verdict)>, MailboxError> {
        let (mut judged, mut asked, mut mails) = (Vec::new(), Vec::new(), Vec::new());
        for (position, row) in self.before.rows_in(positions) {
            let Some(row) = self.now.find(row.uid) else { continue };
            let verdict = match self.criteria.judge(position, row, &self.now, &Known::default()) {
                Ok(false) => continue,
                Ok(true) => Verdict::Meets,
                Err(need) => {
                    if self.criteria.is_brief(need) {
                        asked.push(judged.len());
                        mails.push(row.mail);
                    }
                    Verdict::Open(Known::default())
                }
            };
            judged.push((Found { position, row: row.clone() }, verdict));
        }
        let verdicts = self.mail.briefs(&mails, |at, brief| self.by_brief(&judged[asked[at]].0, brief))?;
        for (at, verdict) in asked.into_iter().zip(verdicts) {
            // What was expunged meanwhile meets nothing.
            judged[at].1 = verdict.unwrap_or(Verdict::Fails);
        }
        judged.retain(|(_, verdict)| !matches!(verdict, Verdict::Fails));
        Ok(judged)
    }

    fn by_brief(&self, Found { position, row }: &Found, brief: &Brief<'_>) -> Verdict {
        let mut known = Known::default();
        loop {
            match self.criteria.judge(*position, row, &self.now, &known) {
                Ok(true) => return Verdict::Meets,
                Ok(false) => return Verdict::Fails,
                Err(need) if self.criteria.learn(need, brief, &mut known) => {}
                Err(_) => return Verdict::Open(known),
            }
        }
    }
}
