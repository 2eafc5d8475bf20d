//! The keyring's file: everything in it sealed under the master key, replaced as a whole.
//!
//! Written to `keyring.new`, synced, renamed over `keyring`, the folder synced: a crash leaves the old
//! one or the new one, and what was destroyed is not in the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keyring::days::DayKeys;
use crate::keyring::master::Stretch;
use crate::keyring::seal::Sealer;
use crate::keyring::{DataKey, KeyringError, MasterKey};

const MAGIC: [u8; 16] = *b"postern keyring\x01";
const HEADER: usize = 40;
const NAME: &str = "keyring";

/// What the file holds. A destroyed key is not in it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// Seals records, journal and checkpoints (by a key derived for each).
    pub records: DataKey,
    /// Keys the hashes by which things are found.
    pub lookup: DataKey,
    /// One key per day, class and generation.
    pub days: DayKeys,
}

/// The file and what it takes to write it again.
pub(super) struct KeyringFile {
    folder: PathBuf,
    header: [u8; HEADER],
    master: Sealer,
}

fn header(stretch: &Stretch) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..16].copy_from_slice(&MAGIC);
    header[16..32].copy_from_slice(&stretch.salt);
    header[32..36].copy_from_slice(&stretch.memory.to_be_bytes());
    header[36..].copy_from_slice(&stretch.passes.to_be_bytes());
    header
}

fn stretch(header: &[u8; HEADER]) -> Option<Stretch> {
    let number = |at: usize| header[at..at + 4].try_into().map(u32::from_be_bytes).ok();
    let stretch = Stretch { salt: header[16..32].try_into().ok()?, memory: number(32)?, passes: number(36)? };
    // A forged header must not make the start take all memory or an age.
    (stretch.memory <= 4 * 1024 * 1024 && stretch.passes <= 64).then_some(stretch)
}

impl KeyringFile {
    /// Whether there is one.
    pub fn exists(folder: &Path) -> bool {
        folder.join(NAME).exists()
    }

    /// A file to be made in `folder`, which is made (0700) where it is missing.
    pub fn create(folder: &Path, master: &MasterKey, content: &Content) -> Result<Self, KeyringError> {
        make_private_folder(folder).map_err(|error| write_error(folder, &error))?;
        let stretch = Stretch::fresh();
        let master = Sealer::new(&master.key(&stretch)?);
        let file = Self { folder: folder.to_owned(), header: header(&stretch), master };
        file.write(content)?;
        Ok(file)
    }

    /// Opens the file.
    pub fn open(folder: &Path, master: &MasterKey) -> Result<(Self, Content), KeyringError> {
        let path = folder.join(NAME);
        let shown = path.display();
        let octets = read_private(&path)?;
        let damaged =
            || KeyringError::Source(format!("the keyring {shown} is damaged; put it back from its latest escrow copy"));
        let (header, sealed) = octets.split_first_chunk::<HEADER>().ok_or_else(damaged)?;
        if header[..16] != MAGIC {
            return Err(damaged());
        }
        let master = Sealer::new(&master.key(&stretch(header).ok_or_else(damaged)?)?);
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let opened = master.open(header, &mut sealed).map_err(|_| {
            KeyringError::Source(format!(
                "the keyring {shown} does not open with this master key; either the key is another one's ([keys] master), or the file is damaged (put it back from its latest escrow copy)"
            ))
        })?;
        let content = postcard::from_bytes(opened).map_err(|_| damaged())?;
        Ok((Self { folder: folder.to_owned(), header: *header, master }, content))
    }

    /// Replaces the file; on disk when it returns.
    pub fn write(&self, content: &Content) -> Result<(), KeyringError> {
        let plain = postcard::to_allocvec(content).map(Zeroizing::new);
        let plain = plain.map_err(|error| KeyringError::Source(format!("the keyring cannot be written: {error}")))?;
        let mut octets = self.header.to_vec();
        self.master.seal_onto(&mut octets, &self.header, &plain);
        self.replace(&octets).map_err(|error| write_error(&self.folder, &error))
    }

    fn replace(&self, octets: &[u8]) -> io::Result<()> {
        let fresh = self.folder.join("keyring.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&fresh, self.folder.join(NAME))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn read_private(path: &Path) -> Result<Vec<u8>, KeyringError> {
    let shown = path.display();
    let words = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "the keyring {shown} is not there; put it back from its latest escrow copy (the data cannot be read without it, and a new one would not open it)"
        ),
        _ => format!("the keyring {shown} cannot be read: {error}"),
    };
    let mode = fs::metadata(path).map_err(|error| KeyringError::Source(words(error)))?.mode();
    if mode & 0o077 != 0 {
        return Err(KeyringError::Source(format!(
            "the keyring {shown} can be read by others (mode {:04o}); run: chmod 600 {shown}",
            mode & 0o7777
        )));
    }
    fs::read(path).map_err(|error| KeyringError::Source(words(error)))
}

fn write_error(folder: &Path, error: &io::Error) -> KeyringError {
    KeyringError::Source(format!("the keyring in {} cannot be written: {error}", folder.display()))
}

/// Makes a folder that only its owner enters; one that is there is left as it is.
pub(super) fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
