//! What follows from a change of an invitation: the mails that invite, remind and tell, with the links they carry, and the
//! clocks of what was held.

use std::time::Duration;

use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::invitations::{Change, InvitationError};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::links;
use crate::gateway::{Gateway, Snapshot};
use crate::guests::InvitationRecord;
use crate::id::ContactId;
use crate::invitation::{Effect, Event, Why};
use crate::mail::Address;
use crate::pack::own::Says;
use crate::store::{Batch, Record};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// What a link lives at least that a reminder carries.
const SHORTEST_LINK: Duration = Duration::from_secs(86_400);
/// Rights that are looked through for one whose link still leads somewhere.
const LOOKED_THROUGH: usize = 20;

impl Gateway {
    /// Puts one effect into the batch. A fresh link changes which right and token the record names.
    ///
    /// # Errors
    /// [`InvitationError`]; the batch is of no use then.
    pub(super) async fn put_effect(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (change, record): (&Change<'_>, &mut InvitationRecord),
        effect: Effect,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        match effect {
            Effect::MailInvitation => {
                // First, so that the link and what is said of it are of rights that wait again.
                let longest = snapshot.policy.schedule(record.role).longest();
                self.stations.vault.hold(batch, change.contact, longest, now).await?;
                self.put_mail_to_guest(batch, snapshot, (change, record), None, now).await
            }
            Effect::MailReminder(number) => {
                self.put_mail_to_guest(batch, snapshot, (change, record), Some(number), now).await
            }
            Effect::TellGuestCancelled => {
                let why = if change.event == Event::WrongBirthdate { Why::Birthdate } else { Why::ByHand };
                let says = Says::InvitationCancelled { sender_name: &record.sender_name, why: Some(why) };
                self.put_mail_about(batch, snapshot, record, (&record.address, None), says, now)
            }
            Effect::TellSenderCancelled => self.tell_sender(batch, snapshot, record, Some(Why::Birthdate), now).await,
            Effect::TellSenderExpired => self.tell_sender(batch, snapshot, record, None, now).await,
            Effect::StartClocks => {
                self.stations.vault.start_clocks(batch, change.contact, now).await?;
                Ok(())
            }
        }
    }

    async fn tell_sender(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        record: &InvitationRecord,
        why: Option<Why>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let says = Says::InvitationEnded { guest: &record.address, why, issued: record.life.issued };
        let reply_to = self.status_address(record.transaction);
        let InvitationRecord { transaction, practice, sender, .. } = record;
        let mail = OwnMail { transaction: *transaction, practice, to: sender, reply_to: Some(&reply_to), says };
        Ok(self.put_staff_mail(batch, snapshot, mail, now).await?)
    }

    fn put_mail_about(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        record: &InvitationRecord,
        (to, reply_to): (&Address, Option<&Address>),
        says: Says<'_>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let InvitationRecord { transaction, practice, .. } = record;
        let mail = OwnMail { transaction: *transaction, practice, to, reply_to, says };
        Ok(self.put_own_mail(batch, snapshot, mail, now)?)
    }

    /// The mail that invites again or reminds.
    async fn put_mail_to_guest(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (change, record): (&Change<'_>, &mut InvitationRecord),
        reminder: Option<u8>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let schedule = snapshot.policy.schedule(record.role);
        let until = record.life.until(&schedule);
        if !self.put_link(batch, change.contact, record, until, now).await? {
            // What a sender asks for is answered; a reminder of nothing is not sent.
            return if change.event == Event::Due { Ok(()) } else { Err(InvitationError::NothingLeft) };
        }
        let says = Says::Invitation {
            role: record.role,
            sender_name: &record.sender_name,
            link: &self.link_to(links::ENTER, &record.token),
            until,
            reminder,
            last: reminder.is_some_and(|number| usize::from(number) == schedule.reminders.len()),
        };
        let what = if reminder.is_some() { Happened::Reminded } else { Happened::Invited };
        let line = HistoryLine { grant: record.grant, what, at: now, from: None };
        self.put_history(batch, record.transaction, &line)?;
        self.put_mail_about(batch, snapshot, record, (&record.address, None), says, now)
    }

    /// The link it came with while that works, so that every mail's link leads somewhere; else a fresh one, to the same right
    /// or to another that lives. False where none does.
    async fn put_link(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        record: &mut InvitationRecord,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, InvitationError> {
        let vault = &self.stations.vault;
        let lives = until.since(now).max(SHORTEST_LINK);
        let found = vault.grant_by_token(&record.token).await?.filter(|(id, _)| *id == record.grant);
        if let Some((id, _)) = found
            && let Some(Record { value: grant, .. }) = vault.grant_in_batch(batch, id).await?
            && grant.lives(now)
            && grant.link_until >= until.min(now.plus(SHORTEST_LINK))
        {
            return Ok(true);
        }
        let mut rights = vec![(record.grant, record.transaction)];
        let others = vault.grants_of_contact(contact, now, LOOKED_THROUGH).await?;
        rights.extend(others.into_iter().map(|(id, grant)| (id, grant.transaction)));
        for (grant, transaction) in rights {
            match self.put_fresh_token(batch, grant, lives, now).await {
                Ok(token) => {
                    (record.grant, record.transaction) = (grant, transaction);
                    record.token = token.expose().clone();
                    return Ok(true);
                }
                Err(VaultError::Ended | VaultError::Missing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
