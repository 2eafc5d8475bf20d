//! MAPI properties as TNEF carries them ([MS-OXTNEF], section 2.1.3.4, `MsgPropertyList`).

use super::cursor::Cursor;

/// Properties that are read; the identifiers are those of [MS-OXPROPS].
pub(super) mod tag {
    pub const MESSAGE_CLASS: u16 = 0x001A;
    pub const SUBJECT: u16 = 0x0037;
    pub const BODY: u16 = 0x1000;
    pub const RTF_COMPRESSED: u16 = 0x1009;
    pub const BODY_HTML: u16 = 0x1013;
    pub const DISPLAY_NAME: u16 = 0x3001;
    pub const ATTACH_DATA: u16 = 0x3701;
    pub const ATTACH_FILENAME: u16 = 0x3704;
    pub const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub const ATTACH_PATHNAME: u16 = 0x3708;
    pub const ATTACH_LONG_PATHNAME: u16 = 0x370D;
    pub const ATTACH_MIME_TAG: u16 = 0x370E;
    pub const ATTACH_TRANSPORT_NAME: u16 = 0x370C;
    pub const ATTACH_CONTENT_ID: u16 = 0x3712;
    pub const INTERNET_CODE_PAGE: u16 = 0x3FDE;
    pub const MESSAGE_CODE_PAGE: u16 = 0x3FFD;
    /// Identifiers from here on have a name in place of a fixed meaning.
    pub const FIRST_NAMED: u16 = 0x8000;
}

/// How a value is written ([MS-OXCDATA], section 2.11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number, time or GUID of so many octets.
    Fixed(usize),
    /// Text in the code page of the message.
    String8,
    /// Text in UTF-16, little endian.
    Unicode,
    Binary,
    /// Binary behind the GUID of an interface.
    Object,
}

impl Kind {
    fn of(kind: u16) -> Option<Self> {
        Some(match kind & 0x0fff {
            0x0001 => Self::Fixed(0),
            0x0002 | 0x000B => Self::Fixed(2),
            0x0003 | 0x0004 | 0x000A => Self::Fixed(4),
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Self::Fixed(8),
            0x0048 => Self::Fixed(16),
            0x001E => Self::String8,
            0x001F => Self::Unicode,
            0x0102 => Self::Binary,
            0x000D => Self::Object,
            _ => return None,
        })
    }
}

/// One property. Of several values only the first is kept: none of those that are read has more.
#[derive(Clone, Copy)]
pub(super) struct Property<'a> {
    pub tag: u16,
    pub kind: Kind,
    pub value: &'a [u8],
}

/// Properties in order; ends where the list does, or where it can no longer be read.
pub(super) struct Properties<'a> {
    rest: Cursor<'a>,
    left: usize,
    /// Whether the list broke off.
    pub broken: bool,
}

impl<'a> Properties<'a> {
    pub fn of(octets: &'a [u8]) -> Self {
        let mut rest = Cursor(octets);
        let left = rest.length();
        Self { rest, left: left.unwrap_or(0), broken: left.is_none() }
    }

    fn property(&mut self) -> Option<Property<'a>> {
        let written = self.rest.u16()?;
        let tag = self.rest.u16()?;
        if tag >= tag::FIRST_NAMED {
            self.skip_name()?;
        }
        let kind = Kind::of(written)?;
        let several = written & 0x1000 != 0;
        let count = if several || !matches!(kind, Kind::Fixed(_)) { self.rest.length()? } else { 1 };
        let value = self.values(kind, count)?;
        Some(Property { tag, kind, value })
    }

    /// [MS-OXTNEF], section 2.1.3.4: a GUID, then a number, or a text padded to four octets.
    fn skip_name(&mut self) -> Option<()> {
        self.rest.take(16)?;
        match self.rest.u32()? {
            0 => self.rest.take(4).map(drop),
            1 => self.rest.counted().map(drop),
            _ => None,
        }
    }

    /// Reads all values and gives the first, or nothing where there is none.
    fn values(&mut self, kind: Kind, count: usize) -> Option<&'a [u8]> {
        if let Kind::Fixed(octets) = kind {
            let padded = octets.next_multiple_of(4);
            let all = self.rest.take(count.checked_mul(padded)?)?;
            return Some(&all[..octets.min(all.len())]);
        }
        let mut first = None;
        for _ in 0..count {
            let value = self.rest.counted()?;
            first.get_or_insert(value);
        }
        Some(first.unwrap_or_default())
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        self.left = self.left.checked_sub(1)?;
        let property = self.property();
        if property.is_none() {
            (self.left, self.broken) = (0, true);
        }
        property
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of one property.
    fn list(parts: &[&[u8]]) -> Vec<u8> {
        [&1_u32.to_le_bytes()[..], &parts.concat()].concat()
    }

    #[test]
    fn values_are_found_behind_names_and_counts() {
        let guid = [7_u8; 16];
        let name = [&1_u32.to_le_bytes()[..], &6_u32.to_le_bytes(), b"a\0b\0\0\0", b"\0\0"].concat();
        let number = [&0_u32.to_le_bytes()[..], &9_u32.to_le_bytes()].concat();
        for (octets, value) in [
            (list(&[b"\x02\x00\x01\x00", b"\x05\x00\xff\xff"]), &b"\x05\x00"[..]),
            (list(&[b"\x48\x00\x01\x00", &guid]), &guid[..]),
            (list(&[b"\x1e\x00\x01\x30", b"\x01\0\0\0", b"\x03\0\0\0", b"ab\0\0"]), b"ab\0"),
            (list(&[b"\x1e\x00\x01\x80", &guid, &name, b"\x01\0\0\0", b"\x04\0\0\0", b"abcd"]), b"abcd"),
            (list(&[b"\x02\x01\x01\x80", &guid, &number, b"\x01\0\0\0", b"\x01\0\0\0", b"x\0\0\0"]), b"x"),
            (list(&[b"\x1e\x10\x01\x30", b"\x02\0\0\0", b"\x01\0\0\0a\0\0\0", b"\x01\0\0\0b\0\0\0"]), b"a"),
            (list(&[b"\x02\x10\x01\x30", b"\x02\0\0\0", b"\x01\0\0\0", b"\x02\0\0\0"]), b"\x01\0"),
            (list(&[b"\x02\x10\x01\x30", b"\0\0\0\0"]), b""),
        ] {
            let mut properties = Properties::of(&octets);
            assert_eq!(properties.next().unwrap().value, value, "{octets:?}");
            assert!(properties.next().is_none() && !properties.broken && properties.rest.0.is_empty());
        }
    }

    #[test]
    fn a_list_that_breaks_off_says_so() {
        for octets in [
            &b"\x01\0"[..],
            &list(&[b"\x99\x09\x01\x00"]),
            &list(&[b"\x1e\x10\x01\x30", b"\xff\xff\xff\xff"]),
            &list(&[b"\x48\x10\x01\x30", b"\xff\xff\xff\xff"]),
            &list(&[b"\x02\x01\x01\x30", b"\x01\0\0\0", b"\xff\xff\xff\xff"]),
        ] {
            let mut properties = Properties::of(octets);
            assert!(properties.next().is_none() && properties.broken, "{octets:?}");
        }
    }
}
