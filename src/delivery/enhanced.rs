//! Enhanced mail system status codes (RFC 3463): `class.subject.detail`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `class.subject.detail`. The class is 2, 4 or 5; the others have one to three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enhanced {
    class: u8,
    subject: u16,
    detail: u16,
}

impl Enhanced {
    /// A code of our own for a failure that may pass: class 4.
    pub const fn transient(subject: u16, detail: u16) -> Self {
        Self { class: 4, subject, detail }
    }

    /// A code of our own for a failure that will not pass: class 5.
    pub const fn permanent(subject: u16, detail: u16) -> Self {
        Self { class: 5, subject, detail }
    }

    /// Reads the code at the head of a reply's text (RFC 2034, section 4), ended by a space or the text's end.
    /// `None` where there is none, or where its class contradicts the reply's code: the code is then what counts.
    pub fn parse(code: u16, text: &[u8]) -> Option<Self> {
        let word = text.split(|b| *b == b' ').next()?;
        let mut pieces = word.split(|b| *b == b'.');
        let (class, subject, detail) = (number(pieces.next()?)?, number(pieces.next()?)?, number(pieces.next()?)?);
        let sound = pieces.next().is_none() && matches!(class, 2 | 4 | 5) && class == code / 100;
        sound.then_some(Self { class: u8::try_from(class).ok()?, subject, detail })
    }

    /// Subject and detail, the part that says what was wrong.
    pub const fn meaning(self) -> (u16, u16) {
        (self.subject, self.detail)
    }

    /// The same meaning, as something that may pass.
    #[must_use]
    pub const fn as_transient(self) -> Self {
        Self { class: 4, ..self }
    }

    /// The same meaning, as something that will not pass.
    #[must_use]
    pub const fn as_permanent(self) -> Self {
        Self { class: 5, ..self }
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_nothing_like_them() {
        for (code, text, expected) in [
            (550, "5.1.1 no such user", Some("5.1.1")),
            (250, "2.1.5", Some("2.1.5")),
            (452, "4.2.2  full", Some("4.2.2")),
            (550, "5.1.1: no such user", None),
            (450, "5.4.4 class contradicts the code", None),
            (550, "5.1 short", None),
            (550, "5.1.1.1 long", None),
            (550, "5.1.1234 wide", None),
            (550, "5..1 empty", None),
            (354, "3.0.0 no such class", None),
            (550, "", None),
        ] {
            let read = Enhanced::parse(code, text.as_bytes()).map(|enhanced| enhanced.to_string());
            assert_eq!(read.as_deref(), expected, "{code} {text}");
        }
    }
}
