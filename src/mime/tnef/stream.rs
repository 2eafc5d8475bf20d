//! The attributes of a TNEF stream ([MS-OXTNEF], section 2.1.3): one after the other, each with its checksum.

use super::cursor::Cursor;

/// `TNEF_SIGNATURE` ([MS-OXTNEF], section 2.1.3.1).
const SIGNATURE: u32 = 0x223E_9F78;

/// What an attribute belongs to ([MS-OXTNEF], section 2.1.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// `lvlMessage`
    Message,
    /// `lvlAttachment`: the attachment that the last `attAttachRendData` began.
    Attachment,
}

/// Identifiers of attributes ([MS-OXTNEF], section 2.1.3.3), without the type that stands in their upper half: some
/// writers give another type, and all readers go by the identifier.
pub(super) mod id {
    pub const SUBJECT: u16 = 0x8004;
    pub const MESSAGE_CLASS: u16 = 0x8008;
    pub const BODY: u16 = 0x800C;
    pub const ATTACH_DATA: u16 = 0x800F;
    pub const ATTACH_TITLE: u16 = 0x8010;
    pub const ATTACH_TRANSPORT_FILENAME: u16 = 0x9001;
    pub const ATTACH_REND_DATA: u16 = 0x9002;
    pub const MESSAGE_PROPERTIES: u16 = 0x9003;
    pub const ATTACHMENT_PROPERTIES: u16 = 0x9005;
    pub const OEM_CODE_PAGE: u16 = 0x9007;
}

/// One attribute.
pub(super) struct Attribute<'a> {
    pub level: Level,
    pub id: u16,
    pub data: &'a [u8],
    /// Whether the sum of its octets is the one given.
    pub sum_holds: bool,
    /// Whether the stream ends within it; `data` is then what there is.
    pub cut: bool,
}

/// Attributes in order. Ends with the stream, or where what follows is no attribute.
pub(super) struct Attributes<'a> {
    rest: Cursor<'a>,
}

impl<'a> Attributes<'a> {
    /// The attributes of these octets, if they are TNEF.
    pub fn of(octets: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor(octets);
        (rest.u32()? == SIGNATURE).then_some(())?;
        let _legacy_key = rest.u16()?;
        Some(Self { rest })
    }

    /// What stands behind the last attribute: garbage, unless it is empty.
    pub fn rest(&self) -> &'a [u8] {
        self.rest.0
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let mut rest = self.rest;
        let level = match rest.u8()? {
            1 => Level::Message,
            2 => Level::Attachment,
            _ => return None,
        };
        let id = rest.u16()?;
        let _type = rest.u16()?;
        let length = rest.length()?;
        let data = rest.take_up_to(length);
        let sum = rest.u16();
        self.rest = rest;
        let cut = data.len() < length || sum.is_none();
        Some(Attribute { level, id, data, sum_holds: cut || sum == Some(sum_of(data)), cut })
    }
}

/// The sum of all octets, modulo 65,536 ([MS-OXTNEF], section 2.1.3.2).
fn sum_of(octets: &[u8]) -> u16 {
    octets.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)))
}
