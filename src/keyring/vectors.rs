//! The committed vectors of `tests/vault/*.vec`: lines of `name = hex`. `UPDATE_GOLDEN=1` writes what the code makes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use crate::keyring::DataKey;

/// A vector as read, and as the code makes it again.
pub(crate) struct Vector {
    path: PathBuf,
    read: BTreeMap<String, Vec<u8>>,
    made: Vec<(String, Vec<u8>)>,
}

impl Vector {
    /// Reads `tests/vault/NAME.vec`.
    pub fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vault").join(format!("{name}.vec"));
        let text = if is_update() { String::new() } else { std::fs::read_to_string(&path).unwrap() };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.map(|line| line.split_once(" = ").unwrap());
        let read = fields.map(|(name, hex)| (name.to_owned(), HEXLOWER.decode(hex.as_bytes()).unwrap())).collect();
        Self { path, read, made: Vec::new() }
    }

    /// A field that the code makes; it must be what was read. What was read.
    pub fn octets(&mut self, name: &str, made: &[u8]) -> Vec<u8> {
        self.made.push((name.to_owned(), made.to_vec()));
        if !is_update() {
            assert_eq!(HEXLOWER.encode(&self.read[name]), HEXLOWER.encode(made), "{name} of {}", self.path.display());
        }
        made.to_vec()
    }

    /// A field with randomness in it: as read, or, where the vector is written, as made now.
    pub fn given(&mut self, name: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        let octets = self.read.get(name).cloned().unwrap_or_else(make);
        self.made.push((name.to_owned(), octets.clone()));
        octets
    }

    /// A key.
    pub fn key(&mut self, name: &str, octets: [u8; 32]) -> DataKey {
        self.octets(name, &octets);
        DataKey::from_octets(octets)
    }

    /// Writes it, if that is asked for; else every field must have been compared.
    pub fn finish(self) {
        if is_update() {
            let lines = self.made.iter().map(|(name, octets)| format!("{name} = {}\n", HEXLOWER.encode(octets)));
            let text = format!("# Format: docs/storage.md\n{}", lines.collect::<String>());
            std::fs::write(&self.path, text).unwrap();
        } else {
            assert_eq!(self.read.len(), self.made.len(), "fields of {}", self.path.display());
        }
    }
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}
