//! Whether the index may be trusted: a small file beside it.
//!
//! sled does not sync what it writes. While the machine runs, the page cache has it, also after
//! `kill -9`; after a power loss nobody knows. So the file names the boot during which the index was
//! last in use, and an index of an earlier boot that was not closed is rebuilt.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::store::crash::{Fault, fault_at};
use crate::store::disk;

/// What is known of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Closed and synced.
    Clean,
    /// In use during this boot of the machine.
    InUse(String),
    /// Found damaged.
    Unsound,
}

impl State {
    /// In use, now.
    pub fn in_use() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self::InUse(boot.trim().to_owned())
    }

    /// Whether an index in this state holds what was applied to it.
    pub fn is_trusted(&self) -> bool {
        match self {
            Self::Clean => true,
            Self::InUse(boot) => !boot.is_empty() && *self == Self::in_use(),
            Self::Unsound => false,
        }
    }
}

/// Reads the file; an index without one is not trusted.
pub(super) fn read(folder: &Path) -> State {
    match fs::read_to_string(folder.join("db.state")).as_deref().map(str::trim) {
        Ok("clean") => State::Clean,
        Ok(text) => text.strip_prefix("in use ").map_or(State::Unsound, |boot| State::InUse(boot.to_owned())),
        Err(_) => State::Unsound,
    }
}

/// Replaces the file, synced. A full disk takes no file but lets one go, and an index without one is not trusted: so any
/// state but [`State::Clean`] can be written there too.
pub(super) fn write(folder: &Path, state: &State) -> io::Result<()> {
    match replace(folder, state) {
        Err(error) if *state != State::Clean && error.kind() == io::ErrorKind::StorageFull => forget(folder),
        written => written,
    }
}

fn forget(folder: &Path) -> io::Result<()> {
    for name in ["db.state.new", "db.state"] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    disk::sync_folder(folder)
}

fn replace(folder: &Path, state: &State) -> io::Result<()> {
    fault_at(folder, Fault::Begin)?;
    let text = match state {
        State::Clean => "clean\n".to_owned(),
        State::InUse(boot) => format!("in use {boot}\n"),
        State::Unsound => "unsound\n".to_owned(),
    };
    let fresh = folder.join("db.state.new");
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    disk::publish(&fresh, &folder.join("db.state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_index_or_one_of_this_boot_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!read(folder.path()).is_trusted(), "no file");
        let cases = [
            (State::Clean, true),
            (State::in_use(), true),
            (State::InUse("other".into()), false),
            (State::Unsound, false),
        ];
        for (state, trusted) in cases {
            write(folder.path(), &state).unwrap();
            assert_eq!(read(folder.path()), state);
            assert_eq!(read(folder.path()).is_trusted(), trusted, "{state:?}");
        }
    }
}
