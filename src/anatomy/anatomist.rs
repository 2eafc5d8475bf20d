//! Takes a message apart as it streams by.
//!
//! A push parser over lines. Of a body it keeps a line that may be a boundary, and the beginning of the first text; what
//! is open is a stack, so nothing recurses.

use crate::anatomy::envelope::Envelope;
use crate::anatomy::preview::preview;
use crate::anatomy::{Anatomy, DEEPEST, LONGEST_HEADER, MOST_PARTS, Part, PartContent, field};

/// Octets kept of a body line that begins with `-`: a boundary has at most 70.
const BOUNDARY_LINE: usize = 300;
/// Octets of the message's header section that are given out; a longer one is read where it is.
const KEPT_HEADER: usize = 16 * 1024;
/// Octets of what header sections say that are kept in all: with [`MOST_PARTS`] parts it fits in a record, whatever a
/// message says. What comes behind is told of without its parameters and words.
const MOST_SAID: usize = 64 * 1024;
/// Octets, as encoded, of the first text.
const BEGINNING: usize = 4096;

/// A message, seen whole.
pub struct Seen {
    /// What it is made of.
    pub anatomy: Anatomy,
    /// Its header section with the empty line; nothing where it is longer than 16 KiB.
    pub header: Vec<u8>,
    /// The beginning of its text.
    pub preview: String,
    /// The Message-ID that its thread begins with, as far as it says: the first of References, else In-Reply-To, else its own.
    pub thread: Option<String>,
}

crate::secret::silent_debug!(Seen, Anatomist);

/// Takes a message apart that is fed in pieces of any size.
pub struct Anatomist {
    /// Parts that are open, outermost first.
    open: Vec<Open>,
    /// The header section being read.
    heading: Option<Heading>,
    root: Option<Part>,
    header: Vec<u8>,
    parts: usize,
    /// Octets of what header sections say that may still be kept.
    room: usize,
    line: Line,
    /// Line ends so far.
    lines: u64,
    /// The beginnings of the first plain text and of the first HTML.
    texts: [Option<Beginning>; 2],
}

struct Heading {
    start: u64,
    octets: Vec<u8>,
    /// Whether it stands in a `multipart/digest`.
    digest: bool,
    /// Whether it is that of a message within a message.
    of_message: bool,
}

impl Heading {
    fn new(start: u64) -> Self {
        Self { start, octets: Vec::new(), digest: false, of_message: false }
    }
}

/// A part whose end has not been seen.
struct Open {
    part: Part,
    /// Line ends before its body.
    lines: u64,
    boundary: Option<Vec<u8>>,
    /// Where it is a message within a message: what that one's header section says.
    envelope: Option<Box<Envelope>>,
    /// Whether its close delimiter was seen.
    closed: bool,
    /// Which of the beginnings it is.
    text: Option<usize>,
}

/// The line being read.
#[derive(Default)]
struct Line {
    kept: Vec<u8>,
    start: u64,
    octets: u64,
    /// The last two octets fed.
    last: [u8; 2],
    /// Octets of the last line's end.
    ending: u64,
}

/// The beginning of a text.
struct Beginning {
    part: Part,
    octets: Vec<u8>,
    open: bool,
    /// How much there was of it before the line being read.
    before_line: usize,
}

impl Default for Anatomist {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            heading: Some(Heading::new(0)),
            root: None,
            header: Vec::new(),
            parts: 1,
            room: MOST_SAID,
            line: Line::default(),
            lines: 0,
            texts: [None, None],
        }
    }
}

impl Anatomist {
    /// The next octets.
    pub fn feed(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(at + 1);
            self.piece(line);
            self.end_of_line();
            rest = behind;
        }
        self.piece(rest);
    }

    fn piece(&mut self, piece: &[u8]) {
        let Some(last) = piece.last() else { return };
        let first_of_line = self.line.octets == 0;
        self.line.octets += piece.len() as u64;
        let before = piece.len().checked_sub(2).map_or(self.line.last[1], |at| piece[at]);
        self.line.last = [before, *last];
        let room = match &self.heading {
            Some(_) => LONGEST_HEADER,
            None if first_of_line && piece[0] == b'-' || !self.line.kept.is_empty() => BOUNDARY_LINE,
            None => 0,
        };
        let room = room.saturating_sub(self.line.kept.len());
        self.line.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        for text in self.texts.iter_mut().flatten().filter(|text| text.open) {
            let room = BEGINNING.saturating_sub(text.octets.len());
            text.octets.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    /// The line is whole, its line end fed.
    fn end_of_line(&mut self) {
        let ending = if self.line.last == *b"\r\n" { 2 } else { 1 };
        let mut kept = std::mem::take(&mut self.line.kept);
        let start = self.line.start;
        let end = start + self.line.octets;
        let whole = kept.len() as u64 == self.line.octets;
        let text = if whole { &kept[..kept.len().saturating_sub(ending as usize)] } else { &kept[..] };
        self.line_is(text, whole, (start, end), &kept);
        kept.clear();
        self.lines += 1;
        self.line = Line { kept, start: end, octets: 0, last: self.line.last, ending };
        for text in self.texts.iter_mut().flatten() {
            text.before_line = text.octets.len();
        }
    }

    fn line_is(&mut self, text: &[u8], whole: bool, (start, end): (u64, u64), raw: &[u8]) {
        if text.starts_with(b"--")
            && let Some((depth, closes)) = self.boundary(text)
        {
            return self.boundary_line(depth, closes, (start, end));
        }
        let Some(heading) = &mut self.heading else { return };
        let room = (LONGEST_HEADER + 2).saturating_sub(heading.octets.len());
        heading.octets.extend_from_slice(&raw[..raw.len().min(room)]);
        if text.is_empty() && whole {
            self.header_ends(end, self.lines + 1);
        }
    }

    /// The innermost open multipart whose boundary this line is, and whether it closes it (RFC 2046, section 5.1.1).
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let matches = |open: &Open| {
            let rest = line.get(2..)?.strip_prefix(open.boundary.as_deref()?)?;
            match rest.strip_prefix(b"--") {
                Some(_) => Some(true),
                None => rest.trim_ascii().is_empty().then_some(false),
            }
        };
        self.open.iter().enumerate().rev().find_map(|(depth, open)| matches(open).map(|closes| (depth, closes)))
    }

    fn boundary_line(&mut self, depth: usize, closes: bool, (start, end): (u64, u64)) {
        while self.heading.is_some() {
            self.header_ends(start, self.lines);
        }
        if !closes && self.parts >= MOST_PARTS {
            return;
        }
        for text in self.texts.iter_mut().flatten().filter(|text| text.open) {
            text.octets.truncate(text.before_line);
        }
        // The line end before it belongs to the boundary.
        let body_end = start.saturating_sub(self.line.ending);
        while self.open.len() > depth + 1 {
            self.close(body_end, self.lines.saturating_sub(1));
        }
        let Some(multipart) = self.open.last_mut() else { return };
        if closes || multipart.closed {
            multipart.closed = true;
            return;
        }
        self.parts += 1;
        let digest = multipart.part.subtype.eq_ignore_ascii_case("digest");
        self.heading = Some(Heading { digest, ..Heading::new(end) });
    }

    /// The header section is whole, and the body starts at `body`, behind so many line ends.
    fn header_ends(&mut self, body: u64, lines: u64) {
        let Some(heading) = self.heading.take() else { return };
        let mut part = Part::of_header(&heading.octets, heading.start..body, heading.digest);
        let is_root = self.open.is_empty() && self.root.is_none();
        let boundary = boundary_of(&part);
        let shallow = self.open.len() < DEEPEST;
        let message = part.is("message", "rfc822") || part.is("message", "global");
        if boundary.is_some() && shallow {
            part.content = PartContent::Multipart(Vec::new());
        } else if part.kind.eq_ignore_ascii_case("multipart") {
            part.make_leaf("text", "plain");
        } else if message && part.is_plain() && shallow {
            self.heading = Some(Heading { of_message: true, ..Heading::new(body) });
        } else if message {
            part.make_leaf("application", "octet-stream");
        }
        let is_multipart = matches!(part.content, PartContent::Multipart(_));
        let text = if is_multipart || self.heading.is_some() { None } else { self.begin_text(&part) };
        if !self.has_room(part.weight()) {
            part.say_little();
        }
        let boundary = boundary.filter(|_| is_multipart);
        let envelope = heading.of_message.then(|| Envelope::of(&heading.octets));
        let envelope = envelope
            .map(|envelope| Box::new(if self.has_room(envelope.weight()) { envelope } else { Envelope::default() }));
        self.open.push(Open { part, lines, boundary, envelope, closed: false, text });
        if is_root {
            self.header = heading.octets;
        }
    }

    /// Whether so much may still be kept; it is counted then.
    fn has_room(&mut self, octets: usize) -> bool {
        let left = self.room.checked_sub(octets);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }

    /// Begins to keep the beginning of a text, where it is the first of its kind.
    fn begin_text(&mut self, part: &Part) -> Option<usize> {
        let which = if part.is("text", "plain") { 0 } else { 1 };
        let wanted = (which == 0 || part.is("text", "html")) && !part.is_attachment();
        if !wanted || self.texts[which].is_some() {
            return None;
        }
        self.texts[which] = Some(Beginning { part: part.clone(), octets: Vec::new(), open: true, before_line: 0 });
        Some(which)
    }

    /// The innermost open part ends at `end`, behind so many line ends.
    fn close(&mut self, end: u64, lines: u64) {
        let Some(Open { mut part, lines: before, envelope, text, .. }) = self.open.pop() else { return };
        part.body.end = end.max(part.body.start);
        part.lines = lines.saturating_sub(before);
        if let Some(text) = text.and_then(|which| self.texts[which].as_mut()) {
            text.open = false;
        }
        if let PartContent::Multipart(children) = &mut part.content
            && children.is_empty()
        {
            let at = part.body.end;
            children.push(Part::of_header(&[], at..at, false));
        }
        match self.open.last_mut() {
            Some(Open { part: Part { content: PartContent::Multipart(children), .. }, .. }) => children.push(part),
            Some(Open { part: holder, .. }) => {
                holder.content = PartContent::Message(envelope.unwrap_or_default(), Box::new(part));
            }
            None => self.root = Some(part),
        }
    }

    /// The message, once every octet was fed.
    pub fn finish(mut self) -> Seen {
        if self.line.octets > 0 {
            let kept = std::mem::take(&mut self.line.kept);
            let (start, end) = (self.line.start, self.line.start + self.line.octets);
            self.line_is(&kept, true, (start, end), &kept);
            self.line.start = end;
        }
        let octets = self.line.start;
        while self.heading.is_some() {
            self.header_ends(octets, self.lines);
        }
        while !self.open.is_empty() {
            self.close(octets, self.lines);
        }
        let root = self.root.unwrap_or_else(|| Part::of_header(&[], 0..octets, false));
        let thread = thread_root(&self.header);
        let header = if root.header.end <= KEPT_HEADER as u64 { self.header } else { Vec::new() };
        let texts = self.texts.iter().flatten();
        let shown = texts.map(|text| preview(&text.part, &text.octets)).find(|shown| !shown.is_empty());
        Seen { anatomy: Anatomy { octets, root }, header, preview: shown.unwrap_or_default(), thread }
    }
}

/// The boundary of a multipart; none where it has none of a length that boundaries have.
fn boundary_of(part: &Part) -> Option<Vec<u8>> {
    let boundary = part.parameter("boundary").filter(|_| part.kind.eq_ignore_ascii_case("multipart"))?;
    let boundary = boundary.trim_end();
    (!boundary.is_empty() && boundary.len() <= BOUNDARY_LINE - 10).then(|| boundary.as_bytes().to_vec())
}

fn thread_root(header: &[u8]) -> Option<String> {
    let first_of = |name| {
        let ids = super::order::message_ids(&field::first(header, name)?);
        ids.into_iter().next()
    };
    first_of("References").or_else(|| first_of("In-Reply-To")).or_else(|| first_of("Message-ID"))
}
