//! Entries: as the central directory lists them, and as their own headers do (APPNOTE.TXT, sections 4.3.7 and 4.3.12).

use crate::mime::inside::octets::{Octets, Unavailable, u16_at, u32_at, u64_at};

/// General purpose bits (APPNOTE.TXT, section 4.4.4).
const ENCRYPTED: u16 = 1;
const STREAMED: u16 = 1 << 3;
const STRONGLY_ENCRYPTED: u16 = 1 << 6;
const UTF8: u16 = 1 << 11;
const MASKED: u16 = 1 << 13;

/// The method that stands for WinZip's AES encryption.
const AES: u16 = 99;

/// Extra fields (APPNOTE.TXT, sections 4.5.3 and 4.6.9).
const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

/// An entry of the central directory.
pub(super) struct Entry {
    flags: u16,
    pub method: u16,
    /// Octets packed and unpacked.
    pub packed: u64,
    pub size: u64,
    /// Where its own header is.
    pub offset: u64,
    name: String,
    /// The name in the Unicode path field, which some readers prefer.
    unicode_name: Option<String>,
}

impl Entry {
    /// The first entry, and what stands behind it.
    pub fn parse(listed: &[u8]) -> Option<(Self, &[u8])> {
        let (fixed, rest) = listed.split_at_checked(46)?;
        fixed.starts_with(b"PK\x01\x02").then_some(())?;
        let (name, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 28)))?;
        let (extra, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 30)))?;
        let (_comment, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 32)))?;
        let flags = u16_at(fixed, 8);
        let [size, packed, offset] =
            large([u32_at(fixed, 24), u32_at(fixed, 20), u32_at(fixed, 42)], field(extra, ZIP64));
        let unicode_name = field(extra, UNICODE_PATH).and_then(|field| field.get(5..)).map(|name| text(name, UTF8));
        let entry =
            Self { flags, method: u16_at(fixed, 10), packed, size, offset, name: text(name, flags), unicode_name };
        Some((entry, rest))
    }

    pub fn is_encrypted(&self) -> bool {
        self.flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED) != 0 || self.method == AES
    }

    /// Its name as the central directory gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/') && self.size == 0 && self.packed <= 2
    }

    /// Its names, first the one that most readers take.
    pub fn names(&self, local: Option<&Local>) -> Vec<String> {
        let mut names = vec![self.name.clone()];
        for other in self.unicode_name.iter().chain(local.map(|local| &local.name)) {
            if !names.contains(other) {
                names.push(other.clone());
            }
        }
        names
    }
}

/// An entry's own header.
pub(super) struct Local {
    flags: u16,
    method: u16,
    pub packed: u64,
    size: u64,
    pub name: String,
    /// Where its octets start.
    pub data: u64,
}

impl Local {
    /// The header at this place; `None` where there is none.
    pub fn read(octets: &mut dyn Octets, at: u64) -> Result<Option<Self>, Unavailable> {
        const FIXED: usize = 30;
        // Most names are short: one reading is enough for nearly all headers.
        let mut header = octets.take(at, FIXED + 226)?;
        if header.len() < FIXED || !header.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let (name_octets, extra_octets) = (usize::from(u16_at(&header, 26)), usize::from(u16_at(&header, 28)));
        let length = FIXED + name_octets + extra_octets;
        if header.len() < length {
            header = octets.take(at, length)?;
        }
        let Some(name) = header.get(FIXED..FIXED + name_octets) else { return Ok(None) };
        let Some(extra) = header.get(FIXED + name_octets..length) else { return Ok(None) };
        let flags = u16_at(&header, 6);
        let [size, packed, _] = large([u32_at(&header, 22), u32_at(&header, 18), 0], field(extra, ZIP64));
        let data = at + length as u64;
        Ok(Some(Self { flags, method: u16_at(&header, 8), packed, size, name: text(name, flags), data }))
    }

    /// Whether its sizes stand behind its octets.
    pub fn streams(&self) -> bool {
        self.flags & STREAMED != 0
    }

    pub fn is_encrypted(&self) -> bool {
        self.flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED) != 0 || self.method == AES
    }

    /// Whether it tells the same as the central directory.
    pub fn agrees_with(&self, entry: &Entry) -> bool {
        let sizes = self.packed == entry.packed && self.size == entry.size;
        self.name == entry.name && self.method == entry.method && (sizes || self.streams() && self.packed == 0)
    }
}

/// Sizes and places of 32 bits, or of 64 from the zip64 field for those that are all ones (APPNOTE.TXT, section 4.5.3).
fn large(small: [u32; 3], zip64: Option<&[u8]>) -> [u64; 3] {
    let mut at = 0;
    small.map(|value| match zip64 {
        Some(field) if value == u32::MAX => {
            at += 8;
            u64_at(field, at - 8)
        }
        _ => u64::from(value),
    })
}

/// An extra field by its number.
fn field(mut extra: &[u8], number: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (header, rest) = extra.split_at(4);
        let (field, rest) = rest.split_at(usize::from(u16_at(header, 2)).min(rest.len()));
        if u16_at(header, 0) == number {
            return Some(field);
        }
        extra = rest;
    }
    None
}

/// A name: UTF-8 where it is that, whatever the flag says, as readers guess it; else by one octet for one character.
fn text(name: &[u8], flags: u16) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) if flags & UTF8 != 0 => String::from_utf8_lossy(name).into_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(name).0.into_owned(),
    }
}
