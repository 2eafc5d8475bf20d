//! Passwords: Argon2id, a few at a time, and the same work for names that do not exist.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::{Semaphore, oneshot};

use crate::accounts::known::is_known;
use crate::random;
use crate::secret::Secret;

/// Fewest characters of a password that stands alone (NIST SP 800-63B rev. 4, section 3.1.1.2).
pub const SHORTEST: usize = 15;
/// Most octets of a password; longer ones would only cost work.
pub const LONGEST: usize = 1024;

/// OWASP's floor for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How much later than everything else the threads of guests' sign-ins come to a processor: beside mail under full load
/// they get little of it, else all they can use (sched(7), nice).
const NICE: i32 = 19;
/// How long memory is kept for the next sign-in.
const REST: Duration = Duration::from_secs(10);
/// Room of this size the allocator takes from the system, and gives back to it, by itself (glibc's `mmap` threshold is never
/// higher than 32 MiB); less of it, once given back, would stay with each thread. What is not used of it takes no memory.
const GIVEN_BACK: usize = 33 * 1024 * 1024;
/// Sign-ins that may wait for their turn; beyond that a client is told to come back.
const WAITING: usize = 256;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Under [`SHORTEST`] characters.
    #[error("a password needs at least 15 characters; a few words in a row are easy to remember")]
    TooShort,
    /// Over [`LONGEST`] octets.
    #[error("a password may have at most 1024 octets")]
    TooLong,
    /// One of the first that anybody tries.
    #[error("this password is among the first that anybody tries; choose another")]
    Common,
    /// Argon2 had no memory.
    #[error("the password cannot be hashed now; try again")]
    NoMemory,
}

/// Hashes and checks passwords; the semaphore bounds the memory and cores this may take.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    memory: Arc<Memory>,
    /// Gives way to other work.
    gives_way: bool,
    /// What is verified against where there is no account; no password matches it but by a miracle.
    nobody: Arc<str>,
}

impl Passwords {
    /// At most `at_once` computations run at the same time (19 MiB each). Blocks for one of them.
    ///
    /// # Errors
    /// [`PasswordError::NoMemory`].
    pub fn new(at_once: usize) -> Result<Self, PasswordError> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            queue: Arc::new(Semaphore::new(WAITING)),
            memory: Arc::default(),
            gives_way: false,
            nobody: hash_now(&random::octets::<32>())?.into(),
        })
    }

    /// The same for people outside: with turns and places of its own, at most `at_once`, on threads that give way to all
    /// other work, so that any number of sign-ins at the portal leaves mail and staff alone.
    #[must_use]
    pub fn for_guests(&self, at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            queue: Arc::new(Semaphore::new(WAITING)),
            memory: Arc::default(),
            gives_way: true,
            nobody: Arc::clone(&self.nobody),
        }
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`PasswordError`]: what is wrong with it, in words for the person who chose it.
    pub async fn hash(&self, password: &Secret<String>) -> Result<String, PasswordError> {
        check(password.expose())?;
        let password = password.clone();
        let _turn = self.turns.acquire().await;
        self.aside(move || hash_now(password.expose().as_bytes())).await.unwrap_or(Err(PasswordError::NoMemory))
    }

    /// Whether the password is the one behind `hash`. Without a hash the same work is done for nothing and the
    /// answer is no. `None`: too many are waiting, and nothing was done.
    pub async fn verify(&self, password: &Secret<String>, hash: Option<String>) -> Option<bool> {
        let _place = self.queue.try_acquire().ok()?;
        let _turn = self.turns.acquire().await.ok()?;
        let (password, nobody) = (password.clone(), Arc::clone(&self.nobody));
        let memory = Arc::clone(&self.memory);
        let verify = move || {
            let phc = hash.as_deref().unwrap_or(&nobody);
            memory.lend(|blocks| verify_now(password.expose(), phc, blocks)) && hash.is_some()
        };
        let verified = self.aside(verify).await;
        self.memory.give_back_at_rest();
        verified
    }

    /// Does the work beside the async threads. `None` where it panicked, or there was no thread for it.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        if !self.gives_way {
            return tokio::task::spawn_blocking(work).await.ok();
        }
        let (done, result) = oneshot::channel();
        // A thread of its own, because what has given way cannot come back without a privilege.
        let thread = std::thread::Builder::new().name("guest-password".into()).spawn(move || {
            // Where it is refused the work is done all the same.
            let _ = rustix::process::setpriority_process(None, NICE);
            // Who asked may be gone.
            let _ = done.send(work());
        });
        thread.ok()?;
        result.await.ok()
    }
}

/// Memory of computations, kept for the next ones while people sign in: to be given 19 MiB anew costs a tenth of the work.
#[derive(Default)]
struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    blocks: Vec<Vec<Block>>,
    /// How often some was lent.
    lent: u64,
    /// Whether somebody watches for a time without sign-ins.
    watched: bool,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        let kept = self.kept().blocks.pop();
        let mut blocks = kept.unwrap_or_else(|| Vec::with_capacity(GIVEN_BACK.div_ceil(Block::SIZE)));
        let result = work(&mut blocks);
        let mut kept = self.kept();
        kept.lent += 1;
        kept.blocks.push(blocks);
        result
    }

    /// Gives all of it back when nobody has signed in for [`REST`].
    fn give_back_at_rest(self: &Arc<Self>) {
        if std::mem::replace(&mut self.kept().watched, true) {
            return;
        }
        let memory = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let lent = memory.kept().lent;
                tokio::time::sleep(REST).await;
                let mut kept = memory.kept();
                if kept.lent == lent {
                    kept.watched = false;
                    return kept.blocks = Vec::new();
                }
            }
        });
    }
}

fn check(password: &str) -> Result<(), PasswordError> {
    if password.len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if is_common(password) { Err(PasswordError::Common) } else { Ok(()) }
}

/// What is long enough and still first on any list: one character, or one short piece, over and over; a run of
/// the keyboard or the alphabet; one of the list.
fn is_common(password: &str) -> bool {
    const RUNS: [&str; 4] = [
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "01234567890123456789012345678901234567890123456789",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
        "1234567890qwertyuiopasdfghjklzxcvbnm",
    ];
    let lower = password.to_lowercase();
    let letters: Vec<char> = lower.chars().collect();
    let longest_piece = (letters.len() / 2).min(10);
    let repeats = (1..=longest_piece).any(|size| letters.iter().zip(&letters[size..]).all(|(a, b)| a == b));
    repeats || RUNS.iter().any(|run| run.contains(lower.as_str())) || is_known(password)
}

fn argon2() -> Argon2<'static> {
    #[allow(clippy::expect_used, reason = "constants within Argon2's bounds")]
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("constants within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &[u8]) -> Result<String, PasswordError> {
    let hasher = argon2();
    let params = hasher.params().clone();
    hasher
        .hash_password_customized(
            password,
            &random::octets::<16>(),
            Some("argon2id"),
            Some(Version::V0x13 as u32),
            params,
        )
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::NoMemory)
}

fn verify_now(password: &str, phc: &str, blocks: &mut Vec<Block>) -> bool {
    let capped = &password.as_bytes()[..password.len().min(LONGEST)];
    matches(capped, phc, blocks).unwrap_or(false) && password.len() <= LONGEST
}

/// `None` where the PHC string is none of ours.
fn matches(password: &[u8], phc: &str, blocks: &mut Vec<Block>) -> Option<bool> {
    let stored = PasswordHash::new(phc).ok()?;
    let ours = stored.algorithm.as_str() == "argon2id" && stored.version == Some(Version::V0x13 as u32);
    let (params, salt, expected) = (Params::try_from(&stored).ok()?, stored.salt?, stored.hash.filter(|_| ours)?);
    blocks.resize(params.block_count(), Block::new());
    let mut found = vec![0; expected.as_ref().len()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(password, salt.as_ref(), &mut found, blocks.as_mut_slice()).ok()?;
    Some(verify_slices_are_equal(&found, expected.as_ref()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_and_a_wrong_or_unknown_one_does_not() {
        let passwords = Passwords::new(1).unwrap();
        let right = Secret::new(String::from("correct horse battery"));
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify(&right, Some(hash.clone())).await, Some(true));
        assert_eq!(passwords.verify(&Secret::new("correct horse".into()), Some(hash)).await, Some(false));
        assert_eq!(passwords.verify(&right, None).await, Some(false));
    }

    /// Two hundred sign-ins at the portal left a quarter of the processors to mail.
    #[tokio::test]
    async fn guests_give_way_and_wait_in_a_queue_of_their_own() {
        let staff = Passwords::new(1).unwrap();
        let guests = staff.for_guests(1);
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let normal = niceness();
        assert_eq!(guests.aside(niceness).await, Some((normal + NICE).min(19)));
        assert_eq!((staff.aside(niceness).await, niceness()), (Some(normal), normal));
        let password = Secret::new(String::from("nurse tea at half past nine"));
        let hash = guests.hash(&password).await.unwrap();
        assert_eq!(guests.verify(&password, Some(hash.clone())).await, Some(true));
        let _places = guests.queue.clone().acquire_many_owned(WAITING as u32).await.unwrap();
        assert_eq!(guests.verify(&password, Some(hash.clone())).await, None, "no place left");
        assert_eq!(staff.verify(&password, Some(hash)).await, Some(true));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_kept_between_sign_ins_and_given_back_at_rest() {
        let memory = Arc::new(Memory::default());
        let sign_in = || {
            memory.lend(|blocks| blocks.resize(19, Block::new()));
            memory.give_back_at_rest();
        };
        sign_in();
        tokio::time::sleep(REST * 9 / 10).await;
        assert_eq!(memory.kept().blocks.first().map(Vec::len), Some(19), "there for the next one");
        sign_in();
        tokio::time::sleep(REST).await;
        assert_eq!(memory.kept().blocks.len(), 1, "somebody has just signed in");
        tokio::time::sleep(REST * 2).await;
        assert_eq!(memory.kept().blocks.len(), 0);
        sign_in();
        assert_eq!(memory.kept().blocks.len(), 1);
    }

    #[test]
    fn what_anybody_tries_first_is_not_taken() {
        for (password, expected) in [
            ("short", Err(PasswordError::TooShort)),
            ("aaaaaaaaaaaaaaaaaaaa", Err(PasswordError::Common)),
            ("passwordpassword", Err(PasswordError::Common)),
            ("qwertyuiopasdfghjkl", Err(PasswordError::Common)),
            ("nurse tea at half past nine", Ok(())),
        ] {
            assert_eq!(check(password), expected, "{password}");
        }
        assert_eq!(check(&"x1".repeat(600)), Err(PasswordError::TooLong));
    }
}
