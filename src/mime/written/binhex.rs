//! BinHex 4.0 (RFC 1741): a Macintosh file with both forks, in 64 characters, runs shortened.

use super::{Form, Written, line_of, name_of};

const ALPHABET: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

/// What marks a run: the octet before it, so often.
const RUN: u8 = 0x90;

/// The line that it begins with, as far as all writers agree.
const BEGIN: &[u8] = b"(This file must be converted with BinHex";

/// The file that begins with the first line of the text.
pub(super) fn read(text: &[u8]) -> Option<Written> {
    let (line, length) = line_of(text);
    line.trim_ascii_start().starts_with(BEGIN).then_some(())?;
    let start = length + text[length..].iter().position(|octet| !octet.is_ascii_whitespace())?;
    (text[start] == b':').then_some(())?;
    let end = memchr::memchr(b':', &text[start + 1..]).map_or(text.len(), |at| start + 1 + at);
    let octets = expanded(&sextets(&text[start + 1..end]), text.len());
    let (name, data, sound) = file(&octets)?;
    let place = 0..(end + 1).min(text.len());
    Some(Written { name: name_of(name), form: Form::BinHex, place, octets: data.to_vec(), sound })
}

/// Characters of the alphabet as octets; others, line ends mostly, are passed over.
fn sextets(text: &[u8]) -> Vec<u8> {
    let values: Vec<u8> =
        text.iter().filter_map(|octet| ALPHABET.iter().position(|known| known == octet)).map(|v| v as u8).collect();
    let groups = values.chunks(4).flat_map(|group| {
        let value = |at: usize| group.get(at).copied().unwrap_or(0);
        let octets = [value(0) << 2 | value(1) >> 4, value(1) << 4 | value(2) >> 2, value(2) << 6 | value(3)];
        octets.into_iter().take(group.len() * 6 / 8)
    });
    groups.collect()
}

/// Runs written out. A run of 255 takes four characters, so this could grow a hundredfold: it ends at `limit` octets,
/// which bounds what a text can hold by its own length.
fn expanded(octets: &[u8], limit: usize) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), octets.iter().copied());
    while let Some(octet) = rest.next() {
        if out.len() >= limit {
            break;
        }
        match (octet, if octet == RUN { rest.next() } else { None }) {
            (RUN, Some(0)) => out.push(RUN),
            (RUN, Some(count)) => {
                let last = out.last().copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(last, usize::from(count) - 1));
            }
            (RUN, None) => {}
            (other, _) => out.push(other),
        }
    }
    out
}

/// The name, the data fork, and whether the checksums of header and data hold (RFC 1741, appendix A).
fn file(octets: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let name_octets = usize::from(*octets.first()?);
    let name = octets.get(1..1 + name_octets)?;
    let header = octets.get(..name_octets + 20)?;
    let long = |at: usize| header.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let data_octets = long(name_octets + 12)?;
    let sum_of_header = octets.get(name_octets + 20..name_octets + 22)?;
    let rest = &octets[name_octets + 22..];
    let data = &rest[..data_octets.min(rest.len())];
    let sum_of_data = rest.get(data_octets..data_octets.saturating_add(2));
    let sound = crc(header).to_be_bytes() == sum_of_header && sum_of_data == Some(&crc(data).to_be_bytes());
    Some((name, data, sound))
}

/// CRC-16 of CCITT, from zero (RFC 1741, appendix A).
fn crc(octets: &[u8]) -> u16 {
    octets.iter().fold(0_u16, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_written_out_and_bounded() {
        assert_eq!(expanded(&[1, RUN, 4, 2, RUN, 0, 3], 100), [1, 1, 1, 1, 2, RUN, 3]);
        assert!(expanded(&[1, RUN, 255].repeat(1000), 100).len() < 100 + 255);
        assert_eq!(crc(b"123456789"), 0x31C3);
    }
}
