//! Files and folders, synced.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Makes a folder (0700) where it is missing, its entry synced.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Makes what was created, renamed or removed in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Gives a finished, synced file its name.
pub fn publish(fresh: &Path, name: &Path) -> io::Result<()> {
    fs::rename(fresh, name)?;
    name.parent().map_or(Ok(()), sync_folder)
}

/// New work is refused below this much free space, so that what ends and settles work can still be written, and sled,
/// which cannot bear a full disk, never meets one.
pub const RESERVE: u64 = 32 * 1024 * 1024;
/// Below this much nothing is written any more.
pub const LAST_RESERVE: u64 = 4 * 1024 * 1024;

/// Fails where less than `reserve` is free.
pub fn require_space(folder: &Path, reserve: u64) -> io::Result<()> {
    let free = free(folder)?;
    if free >= reserve {
        return Ok(());
    }
    let (free, reserve) = (free / 1024, reserve / 1024);
    let words = format!("only {free} KiB are free, {reserve} KiB are kept in reserve");
    Err(io::Error::new(io::ErrorKind::StorageFull, words))
}

/// Octets free for us on the disk of `folder`.
pub fn free(folder: &Path) -> io::Result<u64> {
    #[cfg(test)]
    if let Some(free) = crate::store::crash::pretended_space(folder) {
        return Ok(free);
    }
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The files of a folder whose names are a number and this ending, in order of their numbers.
pub fn numbered(folder: &Path, ending: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.strip_suffix(ending)).and_then(|stem| stem.parse().ok()) {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the leftovers of a crash: files of this ending that never got their name.
pub fn remove_unfinished(folder: &Path, ending: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(ending)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
