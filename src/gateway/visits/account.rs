//! The account: signing in and out, the password, the visits, closing it.

use std::net::IpAddr;

use crate::access::AccessCheck;
use crate::directory::Noted;
use crate::event::Event;
use crate::gateway::Gateway;
use crate::gateway::visits::{Entered, NewPassword, Visit, VisitError, limits, not_committed, not_now, password};
use crate::guests::{Count, Counted, Guest};
use crate::id::ContactId;
use crate::mail::Address;
use crate::policy::Role;
use crate::random;
use crate::secret::Secret;
use crate::store::{self, Batch, Record};
use crate::time::Timestamp;

/// What a name and password came to.
#[derive(Debug)]
pub enum GuestSignIn {
    /// In.
    Welcome(Entered),
    /// Wrong name, wrong password, no such account, closed: one answer, after the same work.
    Rejected,
}

/// What the account page shows.
#[derive(Debug)]
pub struct AccountView {
    /// The practice whose face the page wears: the one that invited.
    pub practice: String,
    /// The address, which is the name to sign in with.
    pub address: Address,
    /// The person's name.
    pub name: String,
    /// The relation.
    pub role: Option<Role>,
    /// When they registered.
    pub registered: Timestamp,
    /// Other visits that have signed in and live: when begun, when last used.
    pub visits: Vec<(Timestamp, Timestamp)>,
}

/// The form under which tries for a name are counted: an address's own, whatever its case; else what was typed, as far as
/// an address could be long.
fn counted_name(name: &str) -> String {
    const LONGEST: usize = 320;
    match Address::parse(name.trim()) {
        Ok(address) => address.lookup_form(),
        Err(_) => name.trim().to_lowercase().chars().take(LONGEST).collect(),
    }
}

impl Gateway {
    /// Checks name and password; the same work for known and unknown names. Tries are counted per name and per address
    /// of origin. Where no link was on the way, the list is next.
    ///
    /// # Errors
    /// [`VisitError::Busy`], [`VisitError::LockedUntil`].
    pub async fn guest_sign_in(
        &self,
        name: &str,
        password: &Secret<String>,
        from: IpAddr,
        cookie: Option<&str>,
    ) -> Result<GuestSignIn, VisitError> {
        let now = store::now();
        let counted = counted_name(name);
        self.count_sign_in(&counted, Some(from), now).await?;
        let found = self.guest_named(name).await?;
        let hash = found.as_ref().and_then(|(_, guest)| guest.value.password.clone());
        let Some(matches) = self.stations.guests.passwords().verify(password, hash).await else {
            self.uncount_sign_in(&counted, from, false).await?;
            return Err(VisitError::Busy);
        };
        let Some((contact, guest)) = found.filter(|(_, guest)| matches && guest.value.is_enrolled()) else {
            Event::GuestRefused { what: "password", peer: from }.log();
            return Ok(GuestSignIn::Rejected);
        };
        self.uncount_sign_in(&counted, from, true).await?;
        self.welcome(contact, &guest, cookie, now).await.map(GuestSignIn::Welcome)
    }

    /// The account behind a name.
    pub(super) async fn guest_named(&self, name: &str) -> Result<Option<(ContactId, Record<Guest>)>, VisitError> {
        let Ok(address) = Address::parse(name.trim()) else { return Ok(None) };
        let contact = self.stations.directory.find(&address).await.map_err(|error| not_now("directory", &error))?;
        let Some(contact) = contact else { return Ok(None) };
        let guest = self.stations.guests.find(contact.id).await.map_err(|error| not_now("guests", &error))?;
        Ok(guest.map(|guest| (contact.id, guest)))
    }

    async fn count_sign_in(&self, name: &str, from: Option<IpAddr>, now: Timestamp) -> Result<(), VisitError> {
        let name = [(Counted::SignIn(name), limits::SIGN_IN)];
        let from = from.map(|from| (Counted::SignInFrom(from), limits::SIGN_IN_FROM));
        let ways: Vec<_> = name.into_iter().chain(from).collect();
        let counted = self.stations.guests.count_all(&ways, now).await.map_err(not_committed)?;
        counted.map(drop).map_err(VisitError::LockedUntil)
    }

    /// A try that was no wrong guess: of the name all are forgotten after a success, of the origin only this one.
    async fn uncount_sign_in(&self, name: &str, from: IpAddr, success: bool) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        guests.give_back(Counted::SignInFrom(from)).await.map_err(not_committed)?;
        let done = match success {
            true => guests.forget(Counted::SignIn(name)).await,
            false => guests.give_back(Counted::SignIn(name)).await,
        };
        done.map_err(not_committed)
    }

    /// Begins the visit of who signed in. It happens only if the account is still as it was when the password was right.
    async fn welcome(
        &self,
        contact: ContactId,
        guest: &Record<Guest>,
        cookie: Option<&str>,
        now: Timestamp,
    ) -> Result<Entered, VisitError> {
        let before = self.visit_before(cookie).await?;
        let cookie = cookie.filter(|_| before.is_some());
        let own = before.filter(|before| before.contact == contact);
        let mut visit = match own {
            Some(before) => Visit { seen: now, form_secret: random::octets(), ..before },
            None => Visit::begin(contact, None, now),
        };
        visit.proved.account = true;
        visit.proved.any_patient = guest.value.role.is_some_and(|role| role != Role::Patient);
        visit.proved.stands_for = guest.value.patients.clone();
        visit.password_since = guest.value.password_since;
        let mut batch = Batch::default();
        self.put_use(&mut batch, contact, guest, now).await?;
        let put = self.stations.guests.put_visit(&mut batch, &visit, cookie).await;
        let cookie = put.map_err(|error| not_now("visits", &error))?;
        self.step_up(batch, (visit, cookie), "account", None).await
    }

    /// An account that is used is remembered longer, and so is the contact behind it.
    async fn put_use(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        guest: &Record<Guest>,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        if guest.value.is_ageing(now) {
            guests.put(batch, contact, Some(guest), &guest.value, now).map_err(|error| not_now("guests", &error))?;
        } else {
            guests.require_guest(batch, contact, Some(guest));
        }
        let Guest { address, role, .. } = &guest.value;
        let noted = self.stations.directory.note(batch, &mut Noted::default(), address, *role, now).await;
        noted.map(drop).map_err(|error| not_now("directory", &error))
    }

    /// Ends this visit.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn sign_out(&self, cookie: &str) -> Result<(), VisitError> {
        self.stations.guests.end_visit(cookie).await.map_err(not_committed)
    }

    /// The account of a visit that has signed in.
    async fn own_account(&self, visit: &Visit) -> Result<Record<Guest>, VisitError> {
        let signed_in = Err(VisitError::Show(AccessCheck::Account));
        if !visit.proved.account {
            return signed_in;
        }
        let guest = self.stations.guests.find(visit.contact).await.map_err(|error| not_now("guests", &error))?;
        guest.filter(|guest| guest.value.is_enrolled()).map_or(signed_in, Ok)
    }

    /// The account page. Asks for the account.
    ///
    /// # Errors
    /// [`VisitError::Show`].
    pub async fn account(&self, visit: &Visit) -> Result<AccountView, VisitError> {
        let guest = self.own_account(visit).await?.value;
        let visits = self.stations.guests.visits_of(visit.contact, store::now()).await;
        let visits = visits.map_err(|error| not_now("visits", &error))?;
        let others = visits.iter().filter(|other| {
            other.id != visit.id && other.proved.account && other.password_since == guest.password_since
        });
        Ok(AccountView {
            practice: guest.practice,
            address: guest.address,
            name: guest.name,
            role: guest.role,
            registered: guest.registered,
            visits: others.map(|other| (other.began, other.seen)).collect(),
        })
    }

    /// Compares the present password again; counted like a sign-in.
    async fn check_present(&self, guest: &Guest, present: &Secret<String>, now: Timestamp) -> Result<bool, VisitError> {
        let name = guest.address.lookup_form();
        self.count_sign_in(&name, None, now).await?;
        let guests = &self.stations.guests;
        let matches = guests.passwords().verify(present, guest.password.clone()).await;
        let done = match matches {
            Some(true) => guests.forget(Counted::SignIn(&name)).await,
            Some(false) => Ok(()),
            None => guests.give_back(Counted::SignIn(&name)).await,
        };
        done.map_err(not_committed)?;
        matches.ok_or(VisitError::Busy)
    }

    /// Changes the password; all other visits end, and this one gets a new cookie.
    ///
    /// # Errors
    /// [`VisitError::Show`], [`VisitError::LockedUntil`].
    pub async fn change_password(
        &self,
        (visit, cookie): (&Visit, &str),
        present: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<Result<Entered, NewPassword>, VisitError> {
        let now = store::now();
        let guest = self.own_account(visit).await?;
        if !self.check_present(&guest.value, present, now).await? {
            return Ok(Err(NewPassword::WrongPresent));
        }
        let hash = match self.hash_for(&guest.value, new).await? {
            Ok(hash) => hash,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut batch = Batch::default();
        let changed = Guest { password: Some(hash), password_since: Some(now), ..guest.value.clone() };
        let put = self.stations.guests.put(&mut batch, visit.contact, Some(&guest), &changed, now);
        put.map_err(|error| not_now("guests", &error))?;
        let renewed = Visit { password_since: Some(now), ..visit.clone() };
        let up = self.put_step_up(&mut batch, (&renewed, cookie), visit.proved.clone(), now).await?;
        let entered = self.step_up(batch, up, "new password", None).await?;
        // They have ended with the old password; what is left of them is only taken away.
        self.end_all_but(visit, now).await.ok();
        Ok(Ok(entered))
    }

    /// The hash of a new password, or what is wrong with it.
    pub(super) async fn hash_for(
        &self,
        guest: &Guest,
        new: &Secret<String>,
    ) -> Result<Result<String, NewPassword>, VisitError> {
        let snapshot = self.policies();
        let practice = crate::gateway::mails::practice_or_first(&snapshot, &guest.practice);
        password::hash(&self.stations.guests, guest, practice, new).await
    }

    async fn end_all_but(&self, visit: &Visit, now: Timestamp) -> Result<usize, VisitError> {
        let other = |other: &Visit| other.id != visit.id;
        self.stations.guests.end_visits(visit.contact, other, now).await.map_err(not_committed)
    }

    /// Ends all other visits of the account. How many.
    ///
    /// # Errors
    /// [`VisitError::Show`].
    pub async fn end_other_visits(&self, visit: &Visit) -> Result<usize, VisitError> {
        self.own_account(visit).await?;
        self.end_all_but(visit, store::now()).await
    }

    /// Closes the account: nobody signs in with it, its answers are forgotten, its visits end. A later message invites
    /// again. Asks for the password once more.
    ///
    /// # Errors
    /// [`VisitError::Show`], [`VisitError::LockedUntil`].
    pub async fn close_account(
        &self,
        visit: &Visit,
        password: &Secret<String>,
    ) -> Result<Result<(), NewPassword>, VisitError> {
        let now = store::now();
        let guest = self.own_account(visit).await?;
        if !self.check_present(&guest.value, password, now).await? {
            return Ok(Err(NewPassword::WrongPresent));
        }
        let mut batch = Batch::default();
        let closed = guest.value.clone().closed();
        let put = self.stations.guests.put(&mut batch, visit.contact, Some(&guest), &closed, now);
        put.map_err(|error| not_now("guests", &error))?;
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        // Those that had signed in have ended with the account.
        let ended = self.stations.guests.end_visits(visit.contact, |_| true, now).await;
        ended.map_err(not_committed).ok();
        Event::VisitProved { visit: visit.id, what: "closed the account" }.log();
        Ok(Ok(()))
    }
}

/// Whether a count lets through.
pub(super) fn go_on(count: Count) -> Result<(), VisitError> {
    match count {
        Count::Left(_) => Ok(()),
        Count::LockedUntil(until) => Err(VisitError::LockedUntil(until)),
    }
}
