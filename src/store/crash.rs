//! Where a test can make the process die: the numbered steps of a commit.
//!
//! `POSTERN_CRASH_AT=journal-synced:17` aborts the process when it reaches that step for the
//! seventeenth time (the first, without a number). Only builds with debug assertions read it: in a
//! release build [`reach`] is empty.

/// A step of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// 1: a blob lies on disk, synced; nothing names it yet.
    BlobsSynced = 1,
    /// 2: the journal has the records, unsynced.
    JournalAppended = 2,
    /// 3: the journal is synced: from here on the commit has happened.
    JournalSynced = 3,
    /// 4: the index has it.
    Applied = 4,
    /// 5: the committer was told.
    Answered = 5,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 5] =
        [Self::BlobsSynced, Self::JournalAppended, Self::JournalSynced, Self::Applied, Self::Answered];

    /// The name the environment variable takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlobsSynced => "blobs-synced",
            Self::JournalAppended => "journal-appended",
            Self::JournalSynced => "journal-synced",
            Self::Applied => "applied",
            Self::Answered => "answered",
        }
    }
}

/// Dies here, if a test asked for it.
#[cfg(debug_assertions)]
pub fn reach(step: Step) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ASKED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static REACHED: AtomicU32 = AtomicU32::new(0);
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("POSTERN_CRASH_AT").ok()?;
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), count.parse().unwrap_or(1)))
    });
    if let Some((name, count)) = asked
        && name == step.name()
        && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        std::process::abort();
    }
}

/// Does nothing in a release build.
#[cfg(not(debug_assertions))]
pub fn reach(_step: Step) {}

/// What a test can make fail, as a full disk would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Syncing a group of commits.
    Sync,
    /// Cutting the journal back to its last good record.
    Cut,
    /// Making a file: the journal's next, or the index's state.
    Begin,
    /// Syncing the folder in which a new journal file has just been given its name.
    Name,
}

/// Where tests of this crate make which of them fail.
#[cfg(test)]
static FAILING: std::sync::Mutex<Vec<(std::path::PathBuf, Fault)>> = std::sync::Mutex::new(Vec::new());

/// Makes these, and no others, fail below a folder from now on.
#[cfg(test)]
pub(super) fn fail_below(folder: &std::path::Path, faults: &[Fault]) {
    let mut failing = FAILING.lock().unwrap();
    failing.retain(|(other, _)| other != folder);
    failing.extend(faults.iter().map(|fault| (folder.to_owned(), *fault)));
}

/// Where tests of this crate pretend how much space is free.
#[cfg(test)]
static SPACE: std::sync::Mutex<Vec<(std::path::PathBuf, u64)>> = std::sync::Mutex::new(Vec::new());

/// Pretends that this much is free below a folder, or no longer.
#[cfg(test)]
pub(crate) fn pretend_space(folder: &std::path::Path, free: Option<u64>) {
    let mut space = SPACE.lock().unwrap();
    space.retain(|(other, _)| other != folder);
    space.extend(free.map(|free| (folder.to_owned(), free)));
}

/// What a test pretends.
#[cfg(test)]
pub(super) fn pretended_space(folder: &std::path::Path) -> Option<u64> {
    SPACE.lock().unwrap().iter().find(|(other, _)| folder.starts_with(other)).map(|(_, free)| *free)
}

/// The fault a test asked for.
#[cfg(test)]
pub(super) fn fault_at(folder: &std::path::Path, fault: Fault) -> std::io::Result<()> {
    let failing = FAILING.lock().unwrap().iter().any(|(other, asked)| *asked == fault && folder.starts_with(other));
    if failing { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// No fault outside tests.
#[cfg(not(test))]
pub(super) fn fault_at(_folder: &std::path::Path, _fault: Fault) -> std::io::Result<()> {
    Ok(())
}
