//! yEnc, draft 1.3: octets moved by 42, four of them escaped; a file may come in parts, one in each message.

use super::{Form, Written, line_of, name_of};

/// The file, or the part of one, that begins with the first line of the text.
pub(super) fn read(text: &[u8]) -> Option<Written> {
    let (line, mut at) = line_of(text);
    let line = line.trim_ascii_start().strip_prefix(b"=ybegin ")?;
    let name = memchr::memmem::find(line, b"name=").map_or(&b""[..], |start| &line[start + 5..]);
    let mut written =
        Written { name: name_of(name.trim_ascii()), form: Form::YEnc, place: 0..at, octets: Vec::new(), sound: false };
    let mut escaped = false;
    while at < text.len() {
        let (line, length) = line_of(&text[at..]);
        if let Some(end) = line.strip_prefix(b"=yend ") {
            written.sound = holds(end, &written.octets);
            at += length;
            break;
        }
        if !line.starts_with(b"=ypart ") {
            decode(unstuffed(line), &mut escaped, &mut written.octets);
        }
        at += length;
    }
    written.place.end = at;
    Some(written)
}

/// A line that began with a dot has two on its way (RFC 3977, section 3.1.1); mail keeps them.
fn unstuffed(line: &[u8]) -> &[u8] {
    if line.starts_with(b"..") { &line[1..] } else { line }
}

fn decode(line: &[u8], escaped: &mut bool, out: &mut Vec<u8>) {
    for octet in line {
        if std::mem::take(escaped) {
            out.push(octet.wrapping_sub(64 + 42));
        } else if *octet == b'=' {
            *escaped = true;
        } else {
            out.push(octet.wrapping_sub(42));
        }
    }
}

/// Whether the size and the checksum in the last line are those of the octets.
fn holds(end: &[u8], octets: &[u8]) -> bool {
    let value = |key: &str| {
        let words = end.split(|octet| *octet == b' ');
        words
            .filter_map(|word| word.strip_prefix(key.as_bytes()))
            .next()
            .map(|v| String::from_utf8_lossy(v.trim_ascii()))
    };
    let size = value("size=").and_then(|size| size.parse::<usize>().ok());
    let sum = value("pcrc32=").or_else(|| value("crc32=").filter(|_| value("part=").is_none()));
    let mut crc = flate2::Crc::new();
    crc.update(octets);
    let sum_holds = sum.is_none_or(|sum| u32::from_str_radix(&sum, 16) == Ok(crc.sum()));
    size == Some(octets.len()) && sum_holds
}
