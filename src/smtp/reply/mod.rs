//! What Postern says: replies, and the one table from meaning to code, enhanced code and words.
//!
//! A [`Reply`] is made of one [`Severity`], so that `450 5.1.1` cannot be written. The words are for
//! the person whose mail program shows them; scripts read the codes (RFC 5321, section 4.2; RFC 3463;
//! RFC 2034).

mod outcome;
mod protocol;

pub use outcome::accepted;
pub use protocol::{Done, Flaw, Limit, Misuse};

/// The longest text of one reply line: 512 octets (RFC 5321, section 4.5.3.1.5) less codes, an id and CRLF.
const TEXT: usize = 460;

/// The first digit of both codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// 2yz, 2.y.z
    Success = 2,
    /// 4yz, 4.y.z: the same may succeed later.
    Transient = 4,
    /// 5yz, 5.y.z: the same fails again.
    Permanent = 5,
}

/// One reply, of one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<(u8, u8, u8)>,
    word: &'static str,
    lines: Vec<String>,
}

impl Reply {
    /// A reply with both codes: `reply(Permanent, 50, (7, 1), …)` is `550 5.7.1 …`. `word` names it in the log.
    fn new(severity: Severity, tail: u8, status: (u8, u8), word: &'static str, text: impl AsRef<str>) -> Self {
        let code = severity as u16 * 100 + u16::from(tail);
        Self { code, enhanced: Some((severity as u8, status.0, status.1)), word, lines: wrap(text.as_ref()) }
    }

    /// A reply that RFC 2034 leaves without an enhanced code: greeting, EHLO, 334, 354.
    pub fn bare(code: u16, lines: Vec<String>) -> Self {
        Self { code, enhanced: None, word: "-", lines }
    }

    /// The same reply, ending in the id under which the log knows the cause.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        if let Some(last) = self.lines.last_mut() {
            last.push_str(&format!(" (id {id})"));
        }
        self
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code as written, empty if it has none.
    pub fn enhanced(&self) -> String {
        self.enhanced.map_or_else(String::new, |(class, subject, detail)| format!("{class}.{subject}.{detail}"))
    }

    /// Its name in the log, from a closed list.
    pub fn word(&self) -> &'static str {
        self.word
    }

    /// Whether something was refused or failed.
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// The octets to send.
    pub fn octets(&self) -> Vec<u8> {
        let status = if self.enhanced.is_some() { self.enhanced() + " " } else { String::new() };
        let last = self.lines.len().saturating_sub(1);
        let line = |(at, text): (usize, &String)| {
            let mark = if at == last { ' ' } else { '-' };
            format!("{}{mark}{status}{text}\r\n", self.code)
        };
        self.lines.iter().enumerate().map(line).collect::<String>().into_bytes()
    }
}

/// Breaks a text into lines of at most [`TEXT`] octets of printable ASCII. What policy files or
/// defects say passes here, so no CR or LF can come through.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word.chars().take(TEXT).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.len() + 1 + word.len() <= TEXT => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Refusal;
    use crate::mime::Defect;

    fn text(reply: &Reply) -> String {
        String::from_utf8(reply.octets()).unwrap()
    }

    #[test]
    fn every_line_of_a_long_reply_has_both_codes_and_stays_under_512_octets() {
        let reply = Reply::from(&Refusal::Policy("secure word ".repeat(120))).with_id(&"x".repeat(26));
        let text = text(&reply);
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| line.len() <= 510));
        let (last, rest) = lines.split_last().unwrap();
        assert!(rest.iter().all(|line| line.starts_with("550-5.7.1 ")) && last.starts_with("550 5.7.1 "));
    }

    #[test]
    fn words_from_policy_files_cannot_end_a_reply_line() {
        let reply = Reply::from(&Refusal::Policy("no\r\n250 2.0.0 yes\u{2028}\0é".into()));
        assert_eq!(text(&reply), "550 5.7.1 no 250 2.0.0 yes ??\r\n");
    }

    #[test]
    fn a_limit_of_mime_is_a_matter_of_size() {
        let defect = |limit| Refusal::NotUnderstood(Defect { word: "x", words: "y".into(), limit });
        assert_eq!(text(&Reply::from(&defect(true))), "552 5.3.4 y\r\n");
        assert_eq!(text(&Reply::from(&defect(false))), "550 5.6.0 y\r\n");
    }

    #[test]
    fn the_id_stands_at_the_end() {
        assert!(text(&Reply::from(&Refusal::Unavailable).with_id("abc")).ends_with("later (id abc)\r\n"));
    }
}
