//! Commands out of octets (RFC 9051, section 2.2.1; RFC 7888): lines and the literals they announce.
//!
//! What is refused is read to its real end first, so that the next octets are taken for what they are: the literals of a
//! refused command are data, never commands.

use zeroize::{Zeroize, Zeroizing};

/// Octets that are read over at most behind a refused command; beyond that the session cannot stay in step.
const FLOOD: u64 = 64 * 1024 * 1024;
/// The same before sign-in.
const FLOOD_BEFORE_SIGN_IN: u64 = 64 * 1024;
/// Octets of a line that is read over that are kept, so that a literal announced at its end is seen.
const TAIL: usize = 32;
/// The longest tag that is repeated in the refusal of a command that is not read.
const TAG: usize = 50;

/// Bounds of what is taken.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Octets of a line.
    pub line: usize,
    /// Octets of one literal that is no message.
    pub literal: u64,
    /// Octets of a command with its literals, without a message.
    pub command: usize,
    /// Octets of a message to APPEND; `None` where nobody may.
    pub message: Option<u64>,
    /// Whether somebody has signed in.
    pub signed_in: bool,
}

/// Why a command is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// A line is too long.
    Line,
    /// A literal is too large.
    Literal,
    /// The command is too large in all.
    Command,
    /// The message is larger than any that is taken.
    Message,
    /// The size of a literal is no number that can be meant: RFC 9051 has 32 bits.
    Number,
    /// Something else, which whoever read the command's beginning knows.
    Other,
}

/// What came of the octets so far.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub enum Framed {
    /// More octets are needed.
    NeedInput,
    /// A literal is announced and the other side waits: say `+`.
    Continue,
    /// A whole command: its lines and literals as they came, without the last line end.
    Command(Vec<u8>),
    /// A line with a message's literal at its end: the line without the announcement, and the size. Answer by
    /// [`Fragments::take_message`] or [`Fragments::refuse_message`].
    Message(Vec<u8>, Announced),
    /// Octets of that message.
    Octets(Vec<u8>),
    /// The message is whole. What stood behind it on its line, without the line end.
    Rest(Vec<u8>),
    /// A command was refused and read to its end. Its tag, as far as one was seen.
    Refused(Vec<u8>, Excess),
    /// There is no end in sight.
    Flood,
}

/// A literal's announcement: `{size}`, `{size+}`, `~{size}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Its octets.
    pub size: u64,
    /// Whether the other side waits for a `+`.
    pub waits: bool,
    /// Whether it is a literal8.
    pub binary: bool,
}

enum State {
    /// A line of a command.
    Line,
    /// A literal that belongs to the command.
    Literal(u64),
    /// A message was announced, nobody has said yet what to do with it.
    Announced(Announced),
    /// A message.
    Message(u64),
    /// The line behind a message.
    Rest,
    /// A literal that is read over.
    SkipLiteral(u64, Excess),
    /// A line that is read over.
    SkipLine(Excess),
    /// The end of a refused command is reached.
    Refuse(Excess),
}

/// What stands at the end of a line.
enum Ending {
    /// No literal is announced.
    Plain,
    /// This one, from this octet of the line on.
    Literal(Announced, usize),
    /// One of a size that nobody means; whether its sender waits.
    Absurd(bool),
}

/// Octets that arrived, cut into commands.
pub struct Fragments {
    octets: Vec<u8>,
    at: usize,
    /// How far `octets` is known to hold no line end.
    searched: usize,
    command: Vec<u8>,
    tag: Vec<u8>,
    skipped: u64,
    state: State,
}

impl Default for Fragments {
    fn default() -> Self {
        Self {
            octets: Vec::new(),
            at: 0,
            searched: 0,
            command: Vec::new(),
            tag: Vec::new(),
            skipped: 0,
            state: State::Line,
        }
    }
}

impl Drop for Fragments {
    fn drop(&mut self) {
        self.octets.zeroize();
        self.command.zeroize();
    }
}

impl Fragments {
    /// Takes octets in.
    pub fn push(&mut self, octets: &[u8]) {
        if self.at > 0 {
            let left = self.octets.split_off(self.at);
            self.octets.zeroize();
            self.octets = left;
            self.searched -= self.at;
            self.at = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// Forgets everything that came, also half a command.
    pub fn clear(&mut self) {
        self.octets.zeroize();
        self.command.zeroize();
        *self = Self::default();
    }

    /// Whether nothing of a command has come.
    pub fn is_idle(&self) -> bool {
        self.at == self.octets.len() && self.command.is_empty() && matches!(self.state, State::Line)
    }

    /// Whether octets wait that were not looked at.
    pub fn has_more(&self) -> bool {
        self.at < self.octets.len()
    }

    /// A line that is no command (what AUTHENTICATE and IDLE wait for), without its end; `None` if there is no whole
    /// one yet. One over `limit` is [`Excess::Line`].
    ///
    /// # Errors
    /// [`Framed::Flood`] is what [`Self::next`] would say; here a line over `limit` without end.
    pub fn line(&mut self, limit: usize) -> Option<Result<Vec<u8>, Excess>> {
        match self.take_line() {
            Some(line) if line.len() > limit => Some(Err(Excess::Line)),
            Some(line) => Some(Ok(line)),
            None if self.octets.len() - self.at > limit => Some(Err(Excess::Line)),
            None => None,
        }
    }

    /// The next piece.
    pub fn next(&mut self, bounds: &Bounds) -> Framed {
        loop {
            let framed = match self.state {
                State::Line => self.read_line(bounds),
                State::Literal(left) => self.read_literal(left),
                State::Announced(_) => Some(Framed::NeedInput),
                State::Message(left) => self.read_message(left),
                State::Rest => self.read_rest(bounds),
                State::SkipLiteral(left, excess) => self.skip_literal(left, excess, bounds),
                State::SkipLine(excess) => self.skip_line(excess, bounds),
                State::Refuse(excess) => Some(self.refused(excess)),
            };
            if let Some(framed) = framed {
                return framed;
            }
        }
    }

    /// Takes the announced message: its octets come as [`Framed::Octets`]. True if `+` is to be said.
    pub fn take_message(&mut self) -> bool {
        match self.state {
            State::Announced(announced) => {
                self.state = State::Message(announced.size);
                announced.waits
            }
            _ => false,
        }
    }

    /// Refuses the announced message: what comes of it is read over, and [`Framed::Refused`] stands at its end, at once
    /// where the other side waits.
    pub fn refuse_message(&mut self, excess: Excess) {
        if let State::Announced(announced) = self.state {
            self.state = match announced.waits {
                true => State::Refuse(excess),
                false => State::SkipLiteral(announced.size, excess),
            };
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let from = self.searched.max(self.at);
        let Some(found) = memchr::memchr(b'\n', &self.octets[from..]) else {
            self.searched = self.octets.len();
            return None;
        };
        let end = from + found;
        let mut line = self.octets[self.at..end].to_vec();
        self.octets[self.at..end].zeroize();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.consume_to(end + 1);
        Some(line)
    }

    fn consume_to(&mut self, at: usize) {
        self.at = at;
        self.searched = at;
        if self.at == self.octets.len() {
            // An idle session holds nothing.
            self.octets = Vec::new();
            (self.at, self.searched) = (0, 0);
        }
    }

    fn read_line(&mut self, bounds: &Bounds) -> Option<Framed> {
        let Some(line) = self.take_line().map(Zeroizing::new) else {
            let waiting = &self.octets[self.at..];
            // One more for the CR of its end.
            if waiting.len() <= bounds.line + 1 {
                return Some(Framed::NeedInput);
            }
            if self.command.is_empty() {
                self.tag = tag_of(waiting);
            }
            self.state = State::SkipLine(Excess::Line);
            return None;
        };
        if self.command.is_empty() {
            self.tag = tag_of(&line);
        }
        let ending = ending(&line);
        if line.len() > bounds.line {
            return self.refuse(&ending, Excess::Line);
        }
        if self.command.len() + line.len() > bounds.command {
            return self.refuse(&ending, Excess::Command);
        }
        match ending {
            Ending::Plain => {
                self.command.extend_from_slice(&line);
                Some(Framed::Command(std::mem::take(&mut self.command)))
            }
            Ending::Absurd(_) => self.refuse(&ending, Excess::Number),
            Ending::Literal(announced, at) => {
                self.command.extend_from_slice(&line[..at]);
                self.begin_literal(announced, bounds)
            }
        }
    }

    /// A literal joins the command in one of the forms `{size}` and `~{size}`; a message does not.
    fn begin_literal(&mut self, announced: Announced, bounds: &Bounds) -> Option<Framed> {
        if bounds.message.is_some() && awaits_message(&self.command) {
            self.state = State::Announced(announced);
            return Some(Framed::Message(std::mem::take(&mut self.command), announced));
        }
        let whole = self.command.len() as u64 + announced.size;
        let excess = match announced.size {
            size if size > bounds.literal => Some(Excess::Literal),
            _ if whole > bounds.command as u64 => Some(Excess::Command),
            _ => None,
        };
        if let Some(excess) = excess {
            return self.refuse(&Ending::Literal(announced, 0), excess);
        }
        let sign = if announced.binary { "~" } else { "" };
        self.command.extend_from_slice(format!("{sign}{{{}}}\r\n", announced.size).as_bytes());
        self.state = State::Literal(announced.size);
        announced.waits.then_some(Framed::Continue)
    }

    fn read_literal(&mut self, left: u64) -> Option<Framed> {
        let piece = Zeroizing::new(self.take_octets(left));
        self.command.extend_from_slice(&piece);
        let left = left - piece.len() as u64;
        self.state = if left == 0 { State::Line } else { State::Literal(left) };
        (left > 0).then_some(Framed::NeedInput)
    }

    fn read_message(&mut self, left: u64) -> Option<Framed> {
        if left == 0 {
            self.state = State::Rest;
            return None;
        }
        let piece = self.take_octets(left);
        if piece.is_empty() {
            return Some(Framed::NeedInput);
        }
        self.state = State::Message(left - piece.len() as u64);
        Some(Framed::Octets(piece))
    }

    fn read_rest(&mut self, bounds: &Bounds) -> Option<Framed> {
        let Some(line) = self.take_line() else {
            if self.octets.len() - self.at <= bounds.line + 1 {
                return Some(Framed::NeedInput);
            }
            self.state = State::SkipLine(Excess::Line);
            return None;
        };
        match ending(&line) {
            ending if line.len() > bounds.line => self.refuse(&ending, Excess::Line),
            Ending::Plain => {
                self.state = State::Line;
                Some(Framed::Rest(line))
            }
            // A second message: MULTIAPPEND is not offered.
            ending => self.refuse(&ending, Excess::Other),
        }
    }

    fn take_octets(&mut self, most: u64) -> Vec<u8> {
        let there = self.octets.len() - self.at;
        let count = usize::try_from(most).map_or(there, |most| most.min(there));
        let piece = self.octets[self.at..self.at + count].to_vec();
        self.octets[self.at..self.at + count].zeroize();
        self.consume_to(self.at + count);
        piece
    }

    /// A line of a refused command has ended: the command too, unless its end announces octets that come unasked.
    /// Whoever waits for a `+` reads the refusal instead.
    fn refuse(&mut self, ending: &Ending, excess: Excess) -> Option<Framed> {
        self.command.zeroize();
        match ending {
            Ending::Literal(announced, _) if !announced.waits => {
                self.state = State::SkipLiteral(announced.size, excess);
                None
            }
            Ending::Absurd(false) => Some(Framed::Flood),
            Ending::Plain | Ending::Literal(..) | Ending::Absurd(true) => Some(self.refused(excess)),
        }
    }

    fn refused(&mut self, excess: Excess) -> Framed {
        self.command = Vec::new();
        self.state = State::Line;
        self.skipped = 0;
        Framed::Refused(std::mem::take(&mut self.tag), excess)
    }

    fn skip_literal(&mut self, left: u64, excess: Excess, bounds: &Bounds) -> Option<Framed> {
        let count = Zeroizing::new(self.take_octets(left)).len() as u64;
        if let Some(flood) = self.skipped(count, bounds) {
            return Some(flood);
        }
        let left = left - count;
        self.state = if left == 0 { State::SkipLine(excess) } else { State::SkipLiteral(left, excess) };
        (left > 0).then_some(Framed::NeedInput)
    }

    fn skip_line(&mut self, excess: Excess, bounds: &Bounds) -> Option<Framed> {
        match self.take_line().map(Zeroizing::new) {
            Some(line) => self.refuse(&ending(&line), excess),
            None => {
                let surplus = (self.octets.len() - self.at).saturating_sub(TAIL);
                let count = Zeroizing::new(self.take_octets(surplus as u64)).len() as u64;
                self.searched = self.octets.len();
                Some(self.skipped(count, bounds).unwrap_or(Framed::NeedInput))
            }
        }
    }

    /// Counts what was read over; too much of it ends the session.
    fn skipped(&mut self, count: u64, bounds: &Bounds) -> Option<Framed> {
        self.skipped += count;
        let most = if bounds.signed_in { FLOOD } else { FLOOD_BEFORE_SIGN_IN };
        (self.skipped > most).then_some(Framed::Flood)
    }
}

fn tag_of(line: &[u8]) -> Vec<u8> {
    let tag = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    if tag.len() <= TAG { tag.to_vec() } else { Vec::new() }
}

/// Whether the next literal of this command is a message: APPEND with a mailbox behind it.
fn awaits_message(command: &[u8]) -> bool {
    let mut words = command.splitn(3, |octet| *octet == b' ');
    let verb = words.nth(1).unwrap_or_default();
    let arguments = words.next().unwrap_or_default();
    verb.eq_ignore_ascii_case(b"APPEND") && !arguments.is_empty()
}

/// `{size}`, `{size+}`, `~{size}` at the end of a line.
fn ending(line: &[u8]) -> Ending {
    let Some(inside) = line.strip_suffix(b"}") else { return Ending::Plain };
    let Some(open) = inside.iter().rposition(|octet| *octet == b'{') else { return Ending::Plain };
    let number = &inside[open + 1..];
    let (digits, waits) = match number.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (number, true),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ending::Plain;
    }
    let size = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok());
    let binary = open > 0 && line[open - 1] == b'~';
    match size {
        Some(size) => {
            let announced = Announced { size: size.into(), waits, binary };
            Ending::Literal(announced, open - usize::from(binary))
        }
        None => Ending::Absurd(waits),
    }
}

#[cfg(test)]
#[path = "fragment_tests.rs"]
mod tests;
