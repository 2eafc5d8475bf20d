//! Reading a secret from where the configuration says it is. It is read once, at start, and never shown.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of this file.
    File(PathBuf),
    /// The first line that this command writes.
    Command(String),
}

/// Why a secret cannot be had; for the admin, without a letter of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file, and why.
    #[error("{path} cannot be read: {1}", path = .0.display())]
    File(PathBuf, std::io::Error),
    /// Others may read the file.
    #[error("{path} can be read by others; run: chmod 600 {path}", path = .0.display())]
    Exposed(PathBuf),
    /// The command did not succeed.
    #[error("the command for the password failed: {0}")]
    Command(String),
    /// There is nothing in it.
    #[error("the password's first line is empty, or longer than 1 KiB")]
    Empty,
}

impl SecretSource {
    /// The secret: the first line, without its line end. Blocking.
    ///
    /// # Errors
    /// [`SecretError`]: see its variants. A file that others than its owner may read is refused.
    pub fn read(&self) -> Result<Secret<String>, SecretError> {
        let octets = match self {
            Self::File(path) => read_file(path)?,
            Self::Command(command) => read_command(command)?,
        };
        let line = octets.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            Ok(text) if !text.is_empty() && text.len() <= LONGEST => Ok(Secret::new(text.to_owned())),
            _ => Err(SecretError::Empty),
        }
    }
}

const LONGEST: usize = 1024;

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let fault = |error| SecretError::File(path.to_owned(), error);
    let file = std::fs::File::open(path).map_err(fault)?;
    if file.metadata().map_err(fault)?.permissions().mode() & 0o077 != 0 {
        return Err(SecretError::Exposed(path.to_owned()));
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
    file.take(2 * LONGEST as u64).read_to_end(&mut octets).map_err(fault)?;
    Ok(octets)
}

fn read_command(command: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let run = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    match run {
        Ok(output) if output.status.success() => Ok(Zeroizing::new(output.stdout)),
        Ok(output) => Err(SecretError::Command(output.status.to_string())),
        Err(error) => Err(SecretError::Command(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_secret() {
        let read = |command: &str| SecretSource::Command(command.into()).read();
        assert_eq!(read("printf 'open sesame\\r\\nmore\\n'").unwrap().expose(), "open sesame");
        assert!(matches!(read("true"), Err(SecretError::Empty)));
        assert!(matches!(read("exit 3"), Err(SecretError::Command(_))));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let source = SecretSource::File(path.clone());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let words = source.read().unwrap_err().to_string();
        assert!(words.contains("chmod 600") && !words.contains("hunter2"), "{words}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(source.read().unwrap().expose(), "hunter2");
    }
}
