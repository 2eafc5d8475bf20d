//! The master key: thirty-two octets, or a passphrase, that open the keyring.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::BASE64;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::{Zeroize, Zeroizing};

use crate::keyring::{DataKey, KeyringError};
use crate::random;
use crate::secret::Secret;

/// First line of a key file.
const TITLE: &str = "postern master key 1";
/// Nothing that is a key is longer.
const LONGEST: u64 = 4096;

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterSource {
    /// A file of its own, mode 0600; made at first start.
    File(PathBuf),
    /// A command whose standard output is the key (a KMS, a TPM, systemd-creds).
    Command(String),
    /// Asked for on the terminal, stretched by Argon2id with the keyring's salt.
    Passphrase,
    /// An environment variable (discouraged: others on the machine may read it).
    Env(String),
}

/// What opens the keyring.
#[derive(Debug, Clone)]
pub struct MasterKey(Form);

#[derive(Debug, Clone)]
enum Form {
    Key(DataKey),
    Passphrase(Secret<String>),
}

/// How a passphrase becomes a key; kept in the clear in the keyring's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Salt.
    pub salt: [u8; 16],
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Stretch {
    /// What new keyrings use: 64 MiB, three passes (RFC 9106's second recommendation), one lane.
    pub fn fresh() -> Self {
        Self { salt: random::octets(), memory: 64 * 1024, passes: 3 }
    }
}

impl MasterKey {
    /// Reads the key from its source; asks on the terminal for a passphrase.
    ///
    /// # Errors
    /// [`KeyringError::Source`] with what is wrong and what to do.
    pub fn read(source: &MasterSource) -> Result<Self, KeyringError> {
        match source {
            MasterSource::File(path) => read_file(path),
            MasterSource::Command(command) => read_command(command),
            MasterSource::Passphrase => ask().map(|passphrase| Self(Form::Passphrase(passphrase))),
            MasterSource::Env(name) => read_env(name),
        }
    }

    /// Makes a key file with a fresh key, mode 0600, synced; its folder is made (0700) where it is missing.
    ///
    /// # Errors
    /// [`KeyringError::Source`] where it cannot be written, or is there already.
    pub fn make_file(path: &Path) -> Result<Self, KeyringError> {
        let fault = |error: std::io::Error| {
            source_error(format!("the master key file {} cannot be made: {error}", path.display()))
        };
        let key = DataKey::fresh();
        let text = Zeroizing::new(format!(
            "{TITLE}\n# Whoever has this key and the keyring can read everything. Keep one copy of it in a safe,\n\
             # never beside a backup of the data. Without it nothing can be read any more.\nkey: {}\n",
            *Zeroizing::new(BASE64.encode(key.expose()))
        ));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        super::file::make_private_folder(folder).map_err(fault)?;
        if path.exists() {
            return Err(fault(std::io::ErrorKind::AlreadyExists.into()));
        }
        write_private(path, text.as_bytes()).map_err(fault)?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)?;
        Ok(Self(Form::Key(key)))
    }

    /// The key made of this passphrase, as [`MasterSource::Passphrase`] would read it.
    pub fn from_passphrase(passphrase: Secret<String>) -> Self {
        Self(Form::Passphrase(passphrase))
    }

    /// The octets that seal the keyring.
    pub(super) fn key(&self, stretch: &Stretch) -> Result<DataKey, KeyringError> {
        let passphrase = match &self.0 {
            Form::Key(key) => return Ok(key.clone()),
            Form::Passphrase(passphrase) => passphrase,
        };
        let failed = |error: argon2::Error| source_error(format!("the passphrase cannot be stretched: {error}"));
        let params = argon2::Params::new(stretch.memory, stretch.passes, 1, Some(32)).map_err(failed)?;
        let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut octets = [0; 32];
        argon.hash_password_into(passphrase.expose().as_bytes(), &stretch.salt, &mut octets).map_err(failed)?;
        let key = DataKey::from_octets(octets);
        octets.zeroize();
        Ok(key)
    }
}

/// Writes a file under another name first: after a crash there is the whole key, or no key and the next start makes one.
fn write_private(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_added_extension("new");
    // What a crash left is not written over: it keeps its mode, and whoever has it open.
    if let Err(error) = std::fs::remove_file(&fresh)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(octets)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

fn source_error(words: String) -> KeyringError {
    KeyringError::Source(words)
}

fn read_file(path: &Path) -> Result<MasterKey, KeyringError> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => source_error(format!(
            "the master key file {shown} is not there; put it back from its copy in the safe (without it the data cannot be read)"
        )),
        _ => source_error(format!("the master key file {shown} cannot be read: {error}")),
    })?;
    let mode = file.metadata().map_err(|error| source_error(format!("{shown}: {error}")))?.mode();
    if mode & 0o077 != 0 {
        return Err(source_error(format!(
            "the master key file {shown} can be read by others (mode {:04o}); run: chmod 600 {shown}",
            mode & 0o7777
        )));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut text).map_err(|error| source_error(format!("{shown}: {error}")))?;
    parse(&text).ok_or_else(|| {
        source_error(format!(
            "the master key file {shown} does not hold a key; it has the line \"{TITLE}\" and a line \"key: \" with 44 characters of base64"
        ))
    })
}

fn read_command(command: &str) -> Result<MasterKey, KeyringError> {
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| source_error(format!("the master key command cannot be run: {error}")))?;
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(source_error(format!(
            "the master key command failed ({}); run it by hand: {command}",
            output.status
        )));
    }
    parse(&text).ok_or_else(|| {
        source_error("the master key command printed no key; it prints 32 octets as 44 characters of base64".into())
    })
}

fn read_env(name: &str) -> Result<MasterKey, KeyringError> {
    let text = std::env::var(name).map(Zeroizing::new);
    let text =
        text.map_err(|_| source_error(format!("the environment variable {name} for the master key is not set")))?;
    parse(text.as_bytes()).ok_or_else(|| {
        source_error(format!("the environment variable {name} holds no key; it holds 44 characters of base64"))
    })
}

/// A key file, or the base64 alone.
fn parse(text: &[u8]) -> Option<MasterKey> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let key = if first == TITLE { lines.next()?.strip_prefix("key:")?.trim() } else { first };
    if lines.next().is_some() {
        return None;
    }
    let octets = Zeroizing::new(BASE64.decode(key.as_bytes()).ok()?);
    let octets = <[u8; 32]>::try_from(octets.as_slice()).ok()?;
    Some(MasterKey(Form::Key(DataKey::from_octets(octets))))
}

/// Asks on the controlling terminal, without echo.
fn ask() -> Result<Secret<String>, KeyringError> {
    let fault = |error: std::io::Error| {
        source_error(format!(
            "there is no terminal to ask for the passphrase ({error}); start postern by hand, or use master = \"command:…\""
        ))
    };
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(fault)?;
    let before = tcgetattr(&terminal).map_err(|error| fault(error.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(|error| fault(error.into()))?;
    let mut line = String::new();
    let asked = write!(&terminal, "Passphrase of the master key: ")
        .and_then(|()| BufReader::new((&terminal).take(LONGEST)).read_line(&mut line));
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    asked.map_err(fault)?;
    restored.map_err(|error| fault(error.into()))?;
    let passphrase = Secret::new(line.trim_end_matches(['\r', '\n']).to_owned());
    line.zeroize();
    if passphrase.expose().is_empty() {
        return Err(source_error("no passphrase was given".into()));
    }
    Ok(passphrase)
}
