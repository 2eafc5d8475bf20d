//! The password: mailed links that set it, the first time and whenever it was forgotten. The first password enrols.

use std::net::IpAddr;
use std::time::Duration;

use crate::gateway::invitations::{Change, InvitationError};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::enrol::not_changed;
use crate::gateway::visits::{NewPassword, NextStep, VisitError, limits, links, not_committed, not_now};
use crate::gateway::{Gateway, Snapshot, trouble};
use crate::guests::{Count, Counted, Guest, InvitationRecord, LivingTicket, Ticket};
use crate::id::ContactId;
use crate::invitation::{Event, NotPossible, State, Why};
use crate::mail::Address;
use crate::pack::own::Says;
use crate::random;
use crate::secret::Secret;
use crate::store::{self, Batch, CommitError, Record};
use crate::time::Timestamp;

/// How long a mailed password link works.
const LINK_LIVES: Duration = Duration::from_secs(86_400);

/// What a mailed password link leads to.
#[derive(Debug)]
pub struct PasswordView {
    /// Whose account; shown to who has the mail.
    pub address: Address,
    /// The practice whose face the page wears.
    pub practice: String,
    /// Whether it is the first password.
    pub first: bool,
}

/// A password link that may be used, and whose account it is about.
struct Setting {
    ticket: LivingTicket,
    contact: ContactId,
    guest: Record<Guest>,
    /// For the first password: the invitation that it accepts.
    invitation: Option<Record<InvitationRecord>>,
}

impl Gateway {
    /// What a mailed password link leads to; changes nothing. `None` for used, expired and unknown ones alike.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn password_link(&self, token: &str) -> Result<Option<PasswordView>, VisitError> {
        let setting = self.setting(token, store::now()).await?;
        Ok(setting.map(|Setting { guest: Record { value: guest, .. }, .. }| PasswordView {
            address: guest.address,
            practice: guest.practice,
            first: guest.enrolled.is_none(),
        }))
    }

    async fn setting(&self, token: &str, now: Timestamp) -> Result<Option<Setting>, VisitError> {
        let guests = &self.stations.guests;
        let ticket = guests.ticket(token, now).await.map_err(|error| not_now("tickets", &error))?;
        let Some((ticket, contact)) = ticket.and_then(|ticket| match ticket.ticket {
            Ticket::Password { contact } => Some((ticket, contact)),
            Ticket::Magic { .. } | Ticket::OldLink { .. } => None,
        }) else {
            return Ok(None);
        };
        let guest = guests.find(contact).await.map_err(|error| not_now("guests", &error))?;
        let may_set = |guest: &Record<Guest>| {
            let Guest { closed, waits_for_admin, password_since, registered, .. } = guest.value;
            !closed && !waits_for_admin && password_since.unwrap_or(registered) <= ticket.made
        };
        let Some(guest) = guest.filter(may_set) else { return Ok(None) };
        if guest.value.enrolled.is_some() {
            return Ok(Some(Setting { ticket, contact, guest, invitation: None }));
        }
        // Registration that was closed meanwhile is closed for who has sent the form too.
        let invitation = guests.invitation(contact).await.map_err(|error| not_now("invitations", &error))?;
        let open = invitation.filter(|invitation| invitation.value.life.is_open());
        Ok(open.map(|open| Setting { ticket, contact, guest, invitation: Some(open) }))
    }

    /// Sets the password by a mailed link, which is used up. The first time this enrols: the invitation is accepted and
    /// the clocks of what was held start. All other visits of the account end. Where to go: sign in.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] for a link that is used or over.
    pub async fn set_password(
        &self,
        token: &str,
        password: &Secret<String>,
    ) -> Result<Result<NextStep, NewPassword>, VisitError> {
        let now = store::now();
        let setting = self.setting(token, now).await?.ok_or(VisitError::NotFound)?;
        let hash = match self.hash_for(&setting.guest.value, password).await? {
            Ok(hash) => hash,
            Err(fault) => return Ok(Err(fault)),
        };
        loop {
            // Read again after the hash took its time, and whenever another change came first.
            let setting = self.setting(token, now).await?.ok_or(VisitError::NotFound)?;
            match self.commit_password(&setting, &hash, now).await {
                Err(InvitationError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(not_changed(error)),
                Ok(()) => {
                    // Visits with the old password have ended with it; what is left of them is only taken away.
                    self.end_everything(&setting, now).await.ok();
                    return Ok(Ok(NextStep::SignIn));
                }
            }
        }
    }

    async fn commit_password(&self, setting: &Setting, hash: &str, now: Timestamp) -> Result<(), InvitationError> {
        let Setting { ticket, contact, guest, invitation } = setting;
        let snapshot = self.policies();
        let guests = &self.stations.guests;
        let mut batch = Batch::default();
        guests.use_ticket(&mut batch, ticket);
        let changed = Guest {
            password: Some(hash.to_owned()),
            password_since: Some(now),
            enrolled: guest.value.enrolled.or(Some(now)),
            ..guest.value.clone()
        };
        guests.put(&mut batch, *contact, Some(guest), &changed, now)?;
        if let Some(read) = invitation {
            let change = Change { contact: *contact, read, event: Event::Registered, birthdate: None, from: None };
            self.put_change(&mut batch, &snapshot, &change, now).await?;
            self.put_welcome(&mut batch, &snapshot, &changed, &read.value, now)?;
        }
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }

    fn put_welcome(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        guest: &Guest,
        invitation: &InvitationRecord,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let says = Says::Welcome {
            role: guest.role,
            name: &guest.name,
            sender_name: &invitation.sender_name,
            link: &self.link_to(links::SIGN_IN, ""),
        };
        let (transaction, practice) = (invitation.transaction, invitation.practice.as_str());
        let mail = OwnMail { transaction, practice, to: &guest.address, reply_to: None, says };
        Ok(self.put_own_mail(batch, snapshot, mail, now)?)
    }

    /// Who knew the old password is out, and who forgot it may try anew.
    async fn end_everything(&self, setting: &Setting, now: Timestamp) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        let signed_in = |visit: &crate::guests::Visit| visit.proved.account;
        guests.end_visits(setting.contact, signed_in, now).await.map_err(not_committed)?;
        let name = setting.guest.value.address.lookup_form();
        guests.forget(Counted::SignIn(&name)).await.map_err(not_committed)
    }

    /// Mails a password link, if there is such an account; the answer is the same if there is none, and comes before
    /// anything is done that depends on it.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`]; [`VisitError::LockedUntil`] where this address of origin has asked too often.
    pub async fn forgot_password(&self, address: &str, from: IpAddr) -> Result<(), VisitError> {
        let now = store::now();
        let count = self.stations.guests.count(Counted::ForgotFrom(from), limits::FORGOT_FROM, now).await;
        super::account::go_on(count.map_err(not_committed)?)?;
        let (gateway, name) = (self.clone(), Secret::new(address.to_owned()));
        tokio::spawn(async move {
            if let Err(error) = gateway.mail_forgotten(name.expose(), now).await {
                trouble("password mail", &format!("{error:?}"));
            }
        });
        Ok(())
    }

    async fn mail_forgotten(&self, name: &str, now: Timestamp) -> Result<(), VisitError> {
        let Some((contact, guest)) = self.guest_named(name).await? else { return Ok(()) };
        let Guest { closed, waits_for_admin, enrolled, .. } = guest.value;
        if closed || waits_for_admin {
            return Ok(());
        }
        let counted = self.stations.guests.count(Counted::Mailed(contact), limits::MAILED, now).await;
        if let Count::LockedUntil(_) = counted.map_err(not_committed)? {
            return Ok(());
        }
        let (mut batch, snapshot) = (Batch::default(), self.policies());
        match self.closed_for(contact, &guest.value).await? {
            Some((sender_name, why)) => {
                let says = Says::InvitationCancelled { sender_name: &sender_name, why };
                let Guest { practice, address, .. } = &guest.value;
                let mail = OwnMail { transaction: random::id(), practice, to: address, reply_to: None, says };
                self.put_own_mail(&mut batch, &snapshot, mail, now).map_err(|error| not_now("mail", &error))?;
            }
            None => {
                let first = enrolled.is_none();
                self.put_password_mail(&mut batch, &snapshot, (contact, &guest.value), first, now)?;
            }
        }
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        self.stations.queue.wake();
        Ok(())
    }

    /// Who invited somebody whose first password is set no more, because the invitation has ended, and why it has: a link
    /// would lead nowhere.
    async fn closed_for(&self, contact: ContactId, guest: &Guest) -> Result<Option<(String, Option<Why>)>, VisitError> {
        if guest.enrolled.is_some() {
            return Ok(None);
        }
        let invitation = self.stations.guests.invitation(contact).await;
        Ok(match invitation.map_err(|error| not_now("invitations", &error))?.map(|read| read.value) {
            Some(invitation) => match invitation.life.state {
                State::Open { .. } => None,
                State::Cancelled(why) => Some((invitation.sender_name, Some(why))),
                State::Expired | State::Accepted => Some((invitation.sender_name, None)),
            },
            // Forgotten since: the practice speaks for itself.
            None => Some((String::new(), None)),
        })
    }

    /// Puts the mail with a single-use link that sets the password into the batch.
    pub(super) fn put_password_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (contact, guest): (ContactId, &Guest),
        first: bool,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let token = self.stations.guests.put_ticket(batch, &Ticket::Password { contact }, LINK_LIVES, now);
        let link = self.link_to(links::PASSWORD, token.expose());
        let says = Says::Password { link: &link, until: now.plus(LINK_LIVES), first };
        let mail =
            OwnMail { transaction: random::id(), practice: &guest.practice, to: &guest.address, reply_to: None, says };
        self.put_own_mail(batch, snapshot, mail, now).map_err(|error| not_now("mail", &error))
    }

    /// Lets somebody in who registered as staff of a practice with an address outside its domains: the mail that sets
    /// their password goes. Not where the invitation has ended: that mail would lead nowhere.
    ///
    /// # Errors
    /// [`InvitationError::NobodyWaits`]; [`InvitationError::NotPossible`].
    pub async fn approve_guest(&self, address: &Address, now: Timestamp) -> Result<(), InvitationError> {
        let found = self.stations.directory.find(address).await?.ok_or(InvitationError::NobodyWaits)?;
        let guests = &self.stations.guests;
        let guest = guests.find(found.id).await?.filter(|guest| guest.value.waits_for_admin);
        let guest = guest.ok_or(InvitationError::NobodyWaits)?;
        let invitation = guests.invitation(found.id).await?.filter(|invitation| invitation.value.life.is_open());
        let invitation = invitation.ok_or(NotPossible::Ended)?;
        let approved = Guest { waits_for_admin: false, ..guest.value.clone() };
        let mut batch = Batch::default();
        guests.require_invitation(&mut batch, found.id, &invitation);
        guests.put(&mut batch, found.id, Some(&guest), &approved, now)?;
        let put = self.put_password_mail(&mut batch, &self.policies(), (found.id, &approved), true, now);
        put.map_err(|_| InvitationError::NobodyWaits)?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }
}
