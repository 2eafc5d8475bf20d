//! Visits: one browser's way through the portal, found by the keyed hash of its cookie's token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::Proved;
use crate::guests::{Guests, ends};
use crate::id::{ContactId, GrantId, Id, VisitId};
use crate::random;
use crate::secret::{Secret, silent_debug};
use crate::store::{Batch, CommitError, Key, StoreError, Stored, Table};
use crate::time::Timestamp;

/// A visit that nobody uses ends.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// A visit ends, used or not.
const LONGEST: Duration = Duration::from_secs(8 * 3_600);
/// That it is used is noted so often at most.
const NOTED_EVERY: Duration = Duration::from_secs(60);
/// A visit that has ended is known for so long, for what was typed meanwhile.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// No commit has this number.
const NEVER: u64 = u64::MAX;

/// One browser's visit. It belongs to one contact from its first moment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Visit {
    /// Its name in the log, and the opener whose codes these are; the same through every step up.
    pub id: VisitId,
    /// Whose rights it may use.
    pub contact: ContactId,
    /// What was shown so far.
    pub proved: Proved,
    /// The right whose link it came by, if by a link.
    pub by: Option<GrantId>,
    /// The keyed hash of that link's token.
    pub link: Option<[u8; 16]>,
    /// The password it signed in with, if it did, by when that was set. With another, or with a closed account, it has ended.
    pub password_since: Option<Timestamp>,
    /// When it began; it ends eight hours later.
    pub began: Timestamp,
    /// When it was last used, to the minute; it ends fifteen idle minutes later.
    pub seen: Timestamp,
    /// What form tokens are derived from.
    pub form_secret: [u8; 16],
}

silent_debug!(Visit);

impl Stored for Visit {
    const VERSION: u8 = 1;
}

impl Visit {
    /// A visit that begins now and has shown nothing.
    pub fn begin(contact: ContactId, by: Option<GrantId>, now: Timestamp) -> Self {
        let (id, form_secret) = (random::id(), random::octets());
        Self {
            id,
            contact,
            proved: Proved::default(),
            by,
            link: None,
            password_since: None,
            began: now,
            seen: now,
            form_secret,
        }
    }

    /// The link it came by, if that was to this right.
    pub fn link_to(&self, grant: GrantId) -> Option<[u8; 16]> {
        self.link.filter(|_| self.by == Some(grant))
    }

    /// When it ends, if it is not used again.
    pub fn ends(&self) -> Timestamp {
        self.seen.plus(IDLE).min(self.began.plus(LONGEST))
    }

    fn forgotten(&self) -> Timestamp {
        self.ends().plus(REMEMBERED)
    }
}

type Token = [u8; 16];

fn visit_key(token: &Token) -> Key {
    Key::new(Table::Visit, &[token])
}

fn contact_key(contact: ContactId, token: &Token) -> Key {
    Key::new(Table::VisitByContact, &[contact.octets(), token])
}

impl Guests {
    fn visit_token(&self, cookie: &str) -> Token {
        self.keyring.lookup("visit", cookie.as_bytes())
    }

    /// Begins a visit, and ends the one it takes the place of: the id changes at each step up. The cookie's token.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] where that one has ended meanwhile; where the store cannot be read or written.
    pub async fn begin_visit(&self, visit: &Visit, instead_of: Option<&str>) -> Result<Secret<String>, CommitError> {
        let mut batch = Batch::default();
        let cookie = self.put_visit(&mut batch, visit, instead_of).await.map_err(unread)?;
        self.store.commit(batch).await?;
        Ok(cookie)
    }

    /// The same, in the batch.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn put_visit(
        &self,
        batch: &mut Batch,
        visit: &Visit,
        instead_of: Option<&str>,
    ) -> Result<Secret<String>, StoreError> {
        if let Some(old) = instead_of {
            let token = self.visit_token(old);
            let found = self.store.get::<Visit>(&visit_key(&token)).await?;
            // Of two steps up at once from one cookie one happens, and none after its visit was ended.
            batch.require_version(visit_key(&token), found.as_ref().map_or(NEVER, |found| found.version));
            if let Some(old) = found {
                put_end(batch, &token, &old.value);
            }
        }
        let cookie = random::token();
        let token = self.visit_token(cookie.expose());
        batch.put(visit_key(&token), visit).put_octets(contact_key(visit.contact, &token), Vec::new());
        ends::put(batch, visit.forgotten(), &visit_key(&token));
        Ok(cookie)
    }

    /// The living visit of a cookie's token; notes that it was used, at most once a minute.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn visit(&self, cookie: &str, now: Timestamp) -> Result<Option<Visit>, StoreError> {
        let token = self.visit_token(cookie);
        let key = visit_key(&token);
        let Some(record) = self.store.get::<Visit>(&key).await?.filter(|found| now < found.value.ends()) else {
            return Ok(None);
        };
        if !self.may_go_on(&record.value).await? {
            return Ok(None);
        }
        if now.since(record.value.seen) < NOTED_EVERY {
            return Ok(Some(record.value));
        }
        let used = Visit { seen: now, ..record.value.clone() };
        let mut batch = Batch::default();
        ends::remove(&mut batch, record.value.forgotten(), &key);
        ends::put(&mut batch, used.forgotten(), &key);
        batch.require_version(key.clone(), record.version).put(key, &used);
        match self.store.commit(batch).await {
            // It was ended meanwhile, or another request of the same page has noted it.
            Err(CommitError::Conflict) => self.visit_as_it_is(&token, now).await,
            // A full disk ends no visit.
            Ok(_) | Err(_) => Ok(Some(used)),
        }
    }

    /// Whether the account that a visit signed in to is still what it was: the visit may have begun, or gone on, while the
    /// password was changed or the account closed.
    async fn may_go_on(&self, visit: &Visit) -> Result<bool, StoreError> {
        if !visit.proved.account {
            return Ok(true);
        }
        let guest = self.find(visit.contact).await?.map(|guest| guest.value);
        Ok(guest.is_some_and(|guest| guest.is_enrolled() && guest.password_since == visit.password_since))
    }

    async fn visit_as_it_is(&self, token: &Token, now: Timestamp) -> Result<Option<Visit>, StoreError> {
        let found = self.store.get::<Visit>(&visit_key(token)).await?;
        Ok(found.map(|found| found.value).filter(|visit| now < visit.ends()))
    }

    /// The visit of a cookie's token though its time is over, for what was typed meanwhile.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn visit_that_was(&self, cookie: &str, now: Timestamp) -> Result<Option<Visit>, StoreError> {
        let found = self.store.get::<Visit>(&visit_key(&self.visit_token(cookie))).await?;
        match found.map(|found| found.value).filter(|visit| now < visit.forgotten()) {
            Some(visit) if self.may_go_on(&visit).await? => Ok(Some(visit)),
            _ => Ok(None),
        }
    }

    /// Ends one visit.
    ///
    /// # Errors
    /// Where the store cannot be read or written.
    pub async fn end_visit(&self, cookie: &str) -> Result<(), CommitError> {
        let token = self.visit_token(cookie);
        let Some(found) = self.store.get::<Visit>(&visit_key(&token)).await.map_err(unread)? else { return Ok(()) };
        let mut batch = Batch::default();
        put_end(&mut batch, &token, &found.value);
        batch.frees_space();
        self.store.commit(batch).await.map(drop)
    }

    /// Living visits of a contact, and those that ended within the hour.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn visits_of(&self, contact: ContactId, now: Timestamp) -> Result<Vec<Visit>, StoreError> {
        let found = self.all_visits(contact).await?;
        Ok(found.into_iter().map(|(_, visit)| visit).filter(|visit| now < visit.ends()).collect())
    }

    async fn all_visits(&self, contact: ContactId) -> Result<Vec<(Token, Visit)>, StoreError> {
        let from = contact.octets();
        let to = [from.as_slice(), &[0xFF; 17]].concat();
        let mut found = Vec::new();
        for key in self.store.scan_keys(Table::VisitByContact, from, &to, usize::MAX).await? {
            let Some(token) = key.last_chunk::<16>() else { continue };
            let visit = self.store.get::<Visit>(&visit_key(token)).await?;
            found.extend(visit.map(|visit| (*token, visit.value)));
        }
        Ok(found)
    }

    /// Ends all visits of a contact that `which` names. How many lived.
    ///
    /// # Errors
    /// Where the store cannot be read or written.
    pub async fn end_visits(
        &self,
        contact: ContactId,
        which: impl Fn(&Visit) -> bool,
        now: Timestamp,
    ) -> Result<usize, CommitError> {
        let mut batch = Batch::default();
        batch.frees_space();
        let mut lived = 0;
        for (token, visit) in self.all_visits(contact).await.map_err(unread)? {
            if which(&visit) {
                put_end(&mut batch, &token, &visit);
                lived += usize::from(now < visit.ends());
            }
        }
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(lived)
    }

    /// Removes a visit whose time is long over, in the batch.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn forget_visit(&self, batch: &mut Batch, key: &Key) -> Result<(), StoreError> {
        if let Some(found) = self.store.get::<Visit>(key).await? {
            batch.delete(Key::new(Table::VisitByContact, &[found.value.contact.octets(), &key.octets]));
        }
        batch.delete(key.clone());
        Ok(())
    }
}

fn put_end(batch: &mut Batch, token: &Token, visit: &Visit) {
    let key = visit_key(token);
    ends::remove(batch, visit.forgotten(), &key);
    batch.delete(contact_key(visit.contact, token)).delete(key);
}

/// A store that cannot be read takes no change either.
fn unread(error: StoreError) -> CommitError {
    CommitError::Disk(error.to_string())
}
