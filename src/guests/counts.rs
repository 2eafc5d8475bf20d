//! How often somebody guessed or asked: counted on disk before anything is compared, one after the other.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::guests::{Guests, ends};
use crate::id::{ContactId, GrantId, Id, VisitId};
use crate::store::{Batch, CommitError, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// What is counted: each has a count of its own.
#[derive(Debug, Clone, Copy)]
pub enum Counted<'a> {
    /// Wrong codes for a right and opener.
    CodeTry(GrantId, VisitId),
    /// Codes asked for.
    CodeRequest(GrantId, VisitId),
    /// Codes asked for, a moment ago.
    CodePause(GrantId, VisitId),
    /// Wrong codes for a right, whoever guessed: of those who came by this link of it, or by none of it.
    CodeInAll(GrantId, Option<[u8; 16]>),
    /// Codes mailed for a right, whoever asked.
    CodesFor(GrantId),
    /// Codes mailed to a contact.
    CodesTo(ContactId),
    /// Codes asked for from an address (an IPv6 /64 counts as one).
    CodesFrom(IpAddr),
    /// Visits begun by the links of a right.
    VisitsBy(GrantId),
    /// Visits begun from an address.
    VisitsFrom(IpAddr),
    /// Wrong birthdates on a link.
    Birthdate(GrantId),
    /// Wrong birthdates when registering by the invitation that was issued then.
    Registration(ContactId, Timestamp),
    /// Wrong birthdates for a contact, over all messages.
    BirthdateOf(ContactId),
    /// Wrong birthdates from an address (an IPv6 /64 counts as one).
    BirthdateFrom(IpAddr),
    /// Wrong birthdates, whoever guessed, and whose.
    BirthdateOverall,
    /// Wrong passwords for a name, known or not, in its lookup form.
    SignIn(&'a str),
    /// Wrong passwords from an address.
    SignInFrom(IpAddr),
    /// Password mails asked for from an address.
    ForgotFrom(IpAddr),
    /// Fresh links, magic links and password mails sent to a contact.
    Mailed(ContactId),
    /// Downloads of a visit.
    Download(VisitId),
}

impl Counted<'_> {
    /// Its name and subject, unambiguous together: no name begins another's.
    fn text(&self) -> Vec<u8> {
        let pieces: (&str, Vec<u8>) = match self {
            Self::CodeTry(grant, visit) => ("code-try", pair(grant, visit)),
            Self::CodeRequest(grant, visit) => ("code-request", pair(grant, visit)),
            Self::CodePause(grant, visit) => ("code-pause", pair(grant, visit)),
            Self::CodeInAll(grant, link) => {
                ("code-in-all", [grant.octets().as_slice(), link.as_ref().map_or(&[][..], |link| link)].concat())
            }
            Self::CodesFor(grant) => ("codes-for", grant.octets().to_vec()),
            Self::CodesTo(contact) => ("codes-to", contact.octets().to_vec()),
            Self::CodesFrom(address) => ("codes-from", origin(*address)),
            Self::VisitsBy(grant) => ("visits-by", grant.octets().to_vec()),
            Self::VisitsFrom(address) => ("visits-from", origin(*address)),
            Self::Birthdate(grant) => ("birthdate", grant.octets().to_vec()),
            Self::Registration(contact, issued) => {
                ("registration", [contact.octets().as_slice(), &issued.to_key()].concat())
            }
            Self::BirthdateOf(contact) => ("birthdate-of", contact.octets().to_vec()),
            Self::BirthdateFrom(address) => ("birthdate-from", origin(*address)),
            Self::BirthdateOverall => ("birthdate-overall", Vec::new()),
            Self::SignIn(name) => ("sign-in", name.as_bytes().to_vec()),
            Self::SignInFrom(address) => ("sign-in-from", origin(*address)),
            Self::ForgotFrom(address) => ("forgot-from", origin(*address)),
            Self::Mailed(contact) => ("mailed", contact.octets().to_vec()),
            Self::Download(visit) => ("download", visit.octets().to_vec()),
        };
        [pieces.0.as_bytes(), &[0], &pieces.1].concat()
    }
}

fn pair(grant: &GrantId, visit: &VisitId) -> Vec<u8> {
    [grant.octets().as_slice(), visit.octets()].concat()
}

/// Who an address is: an IPv6 customer has a /64 to choose from; IPv4 written as IPv6 is IPv4.
fn origin(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => Ipv6Addr::octets(&v6)[..8].to_vec(),
    }
}

/// How many within how long, and how long it is locked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// This many are let through.
    pub most: u32,
    /// Within this time from the first.
    pub within: Duration,
    /// Then none for this long, from the last that was let through.
    pub lock: Duration,
}

/// What counting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Go on; so many are left after this one.
    Left(u32),
    /// Not before this moment.
    LockedUntil(Timestamp),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Counter {
    /// When the first was counted.
    first: Timestamp,
    count: u32,
    /// None is let through before this moment, once all were.
    locked_until: Option<Timestamp>,
    /// It says nothing any more from then on.
    until: Timestamp,
}

impl Stored for Counter {
    const VERSION: u8 = 1;
}

impl Counter {
    /// One more; `None` where it is locked, and until when.
    fn and_one(living: Option<&Self>, limit: Limit, now: Timestamp) -> Result<Self, Timestamp> {
        if let Some(locked) = living.and_then(|counter| counter.locked_until) {
            return Err(locked);
        }
        let (first, counted) = living.map_or((now, 0), |counter| (counter.first, counter.count));
        let count = counted.saturating_add(1);
        let locked_until = (count >= limit.most).then(|| now.plus(limit.lock));
        Ok(Self { first, count, locked_until, until: locked_until.unwrap_or_else(|| first.plus(limit.within)) })
    }
}

impl Guests {
    fn count_key(&self, what: Counted<'_>) -> Key {
        Key::new(Table::Guesses, &[&self.keyring.lookup("guesses", &what.text())])
    }

    async fn counter(&self, key: &Key) -> Result<Option<Record<Counter>>, StoreError> {
        self.store.get::<Counter>(key).await
    }

    /// Counts one try against a limit, durably and one after the other: of two hundred at once, exactly as many are
    /// let through as the limit says.
    ///
    /// # Errors
    /// Where the store cannot be read or written: cannot tell is not yes.
    pub async fn count(&self, what: Counted<'_>, limit: Limit, now: Timestamp) -> Result<Count, CommitError> {
        let key = self.count_key(what);
        let _turn = self.turn(&key).await;
        loop {
            let found = self.counter(&key).await.map_err(unread)?;
            let living = found.as_ref().map(|found| &found.value).filter(|counter| now < counter.until);
            let counter = match Counter::and_one(living, limit, now) {
                Ok(counter) => counter,
                Err(locked) => return Ok(Count::LockedUntil(locked)),
            };
            match self.write(&key, found.as_ref(), Some(&counter)).await {
                Ok(()) => return Ok(Count::Left(limit.most.saturating_sub(counter.count))),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts one try in several ways, in this order, or in none: where one refuses, those before it get theirs back, and
    /// those after it never count. How many each has left; or until when it is locked.
    ///
    /// # Errors
    /// As [`Guests::count`].
    pub async fn count_all(
        &self,
        ways: &[(Counted<'_>, Limit)],
        now: Timestamp,
    ) -> Result<Result<Vec<u32>, Timestamp>, CommitError> {
        let mut left = Vec::with_capacity(ways.len());
        for (what, limit) in ways {
            match self.count(*what, *limit, now).await? {
                Count::Left(after_this) => left.push(after_this),
                Count::LockedUntil(until) => {
                    for (counted, _) in &ways[..left.len()] {
                        self.give_back(*counted).await?;
                    }
                    return Ok(Err(until));
                }
            }
        }
        Ok(Ok(left))
    }

    /// Until when it is locked, without counting.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn locked(&self, what: Counted<'_>, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let found = self.counter(&self.count_key(what)).await?;
        Ok(found.and_then(|found| found.value.locked_until).filter(|until| now < *until))
    }

    /// Forgets what was counted, after a success.
    ///
    /// # Errors
    /// Where the store cannot be read or written.
    pub async fn forget(&self, what: Counted<'_>) -> Result<(), CommitError> {
        self.change(what, |_| None).await
    }

    /// Takes one back that was counted and was no wrong guess; what others did stays counted.
    ///
    /// # Errors
    /// Where the store cannot be read or written.
    pub async fn give_back(&self, what: Counted<'_>) -> Result<(), CommitError> {
        let one_less = |counter: &Counter| {
            let count = counter.count.checked_sub(1).filter(|count| *count > 0)?;
            Some(Counter { count, locked_until: None, ..counter.clone() })
        };
        self.change(what, one_less).await
    }

    async fn change(&self, what: Counted<'_>, change: impl Fn(&Counter) -> Option<Counter>) -> Result<(), CommitError> {
        let key = self.count_key(what);
        let _turn = self.turn(&key).await;
        loop {
            let Some(found) = self.counter(&key).await.map_err(unread)? else { return Ok(()) };
            match self.write(&key, Some(&found), change(&found.value).as_ref()).await {
                Err(CommitError::Conflict) => {}
                done => return done,
            }
        }
    }

    async fn write(
        &self,
        key: &Key,
        read: Option<&Record<Counter>>,
        counter: Option<&Counter>,
    ) -> Result<(), CommitError> {
        let mut batch = Batch::default();
        match read {
            Some(read) => {
                ends::remove(&mut batch, read.value.until, key);
                batch.require_version(key.clone(), read.version)
            }
            None => batch.require_absent(key.clone()),
        };
        match counter {
            Some(counter) => {
                ends::put(&mut batch, counter.until, key);
                batch.put(key.clone(), counter)
            }
            None => batch.delete(key.clone()),
        };
        self.store.commit(batch).await.map(drop)
    }
}

/// A count that cannot be read cannot be counted on either.
fn unread(error: StoreError) -> CommitError {
    CommitError::Disk(error.to_string())
}
