//! uuencode, xxencode, and `begin-base64` (POSIX.1-2017, uuencode).

use super::{Form, Written, line_of, name_of};

/// The alphabet of xxencode.
const XX: &[u8; 64] = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The file that begins with the first line of the text.
pub(super) fn read(text: &[u8]) -> Option<Written> {
    let (line, length) = line_of(text);
    let (form, name) = begin(line.trim_ascii())?;
    let mut written = Written { name: name_of(name), form, place: 0..length, octets: Vec::new(), sound: false };
    let mut alphabet = None;
    let mut at = length;
    while at < text.len() {
        let (line, length) = line_of(&text[at..]);
        let line = line.trim_ascii_end();
        let ends = if form == Form::Base64 { line == b"====" } else { line.eq_ignore_ascii_case(b"end") };
        if ends {
            written.sound = true;
            at += length;
            break;
        }
        let octets = if form == Form::Base64 { base64(line) } else { data(line, &mut alphabet) };
        match octets {
            Some(octets) => written.octets.extend(octets),
            None => break,
        }
        at += length;
    }
    written.place.end = at;
    (!written.octets.is_empty() || written.sound).then_some(written)
}

/// `begin 644 name`: the mode in three to five digits, the name up to the line's end.
fn begin(line: &[u8]) -> Option<(Form, &[u8])> {
    let space = line.iter().position(u8::is_ascii_whitespace)?;
    let (word, rest) = line.split_at(space);
    let form = match word.to_ascii_lowercase().as_slice() {
        b"begin" => Form::Uuencode,
        word if word.starts_with(b"begin-base64") => Form::Base64,
        _ => return None,
    };
    let rest = rest.trim_ascii_start();
    let (mode, name) = rest.split_at(rest.iter().position(u8::is_ascii_whitespace)?);
    let is_mode = (3..=5).contains(&mode.len()) && mode.iter().all(u8::is_ascii_digit);
    is_mode.then_some((form, name.trim_ascii()))
}

/// How four characters make three octets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Uu,
    Xx,
}

impl Alphabet {
    fn value(self, octet: u8) -> Option<u8> {
        match self {
            Self::Uu => (b' '..=b'`').contains(&octet).then(|| (octet - b' ') & 0x3f),
            Self::Xx => XX.iter().position(|known| *known == octet).map(|value| value as u8),
        }
    }

    /// A line: how many octets, then those. Spaces that were lost at its end are zeros; one character more is a checksum.
    fn line(self, line: &[u8]) -> Option<Vec<u8>> {
        let (first, rest) = line.split_first()?;
        let octets = usize::from(self.value(*first)?);
        let characters = octets.div_ceil(3) * 4;
        if rest.len() > characters + 1 {
            return None;
        }
        let mut values = Vec::with_capacity(characters);
        for octet in rest.iter().take(characters) {
            values.push(self.value(*octet)?);
        }
        values.resize(characters, 0);
        let mut decoded: Vec<u8> = values
            .chunks_exact(4)
            .flat_map(|v| [v[0] << 2 | v[1] >> 4, v[1] << 4 | v[2] >> 2, v[2] << 6 | v[3]])
            .collect();
        decoded.truncate(octets);
        Some(decoded)
    }
}

/// The octets of a line of data; the first one settles the alphabet. Empty lines are passed over.
fn data(line: &[u8], alphabet: &mut Option<Alphabet>) -> Option<Vec<u8>> {
    if line.is_empty() {
        return Some(Vec::new());
    }
    let chosen = alphabet.unwrap_or_else(|| {
        let full = |known: Alphabet| known.value(line[0]).map(|octets| usize::from(octets).div_ceil(3) * 4 + 1);
        let is_xx = full(Alphabet::Xx) == Some(line.len()) && Alphabet::Xx.line(line).is_some();
        if is_xx && full(Alphabet::Uu) != Some(line.len()) { Alphabet::Xx } else { Alphabet::Uu }
    });
    let decoded = chosen.line(line)?;
    *alphabet = Some(chosen);
    Some(decoded)
}

fn base64(line: &[u8]) -> Option<Vec<u8>> {
    data_encoding::BASE64.decode(line).ok()
}
