//! The outline: which entities a message has and where they lie. Strict: what it does not understand it refuses.
//!
//! A push parser over lines. Of a body it keeps nothing but a line that may be a boundary; the entity tree is built from
//! a stack of open multiparts, so nothing recurses. `message/rfc822` is a leaf: a forwarded message is one document.

use crate::mime::boundary::BoundaryLine;
use crate::mime::header::EntityFacts;
use crate::mime::section::SectionReader;
use crate::mime::{Content, Defect, Entity, Flaw, Limits, Outline};

use open::{Multipart, Started};

mod open;

/// Depth that no limit exceeds: an outline is dropped by recursion, which must fit any stack.
const DEEPEST: usize = 100;

/// Octets kept of a body line that begins with `--`. A boundary line has at most 74 and white space.
const BOUNDARY_LINE: usize = 1024;

/// What the next line belongs to.
enum State {
    /// A header section.
    Header(SectionReader),
    /// The body of a leaf.
    Leaf(Box<Started>),
    /// Before the first delimiter of the innermost multipart, or behind its close delimiter.
    Between,
}

/// Reads a message that is fed in pieces; keeps header sections, never bodies. Memory is bounded by [`Limits`].
pub struct Outliner {
    limits: Limits,
    state: State,
    /// Open multiparts, outermost first.
    open: Vec<Multipart>,
    /// The line being read, as far as it is kept.
    line: Vec<u8>,
    /// Octets of it so far, its line end included.
    line_octets: u64,
    /// Where it starts.
    line_start: u64,
    /// The last octet fed.
    last: u8,
    entities: usize,
    header_octets: usize,
    header_end: Option<u64>,
    root: Option<Entity>,
    mended: Option<Flaw>,
    failed: Option<Defect>,
}

impl Outliner {
    /// A reader at the start of a message.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Header(SectionReader::new(true)),
            open: Vec::new(),
            line: Vec::new(),
            line_octets: 0,
            line_start: 0,
            last: 0,
            entities: 1,
            header_octets: 0,
            header_end: None,
            root: None,
            mended: None,
            failed: None,
        }
    }

    /// A reader of a message that begins at this octet of another: every place in the outline is one in that.
    pub fn within(limits: Limits, start: u64) -> Self {
        Self { line_start: start, ..Self::new(limits) }
    }

    /// The next octets (CRLF line ends, already checked), in any pieces.
    ///
    /// # Errors
    /// The first [`Defect`]; it is given again for whatever is fed after it.
    pub fn feed(&mut self, octets: &[u8]) -> Result<(), Defect> {
        if let Some(defect) = &self.failed {
            return Err(defect.clone());
        }
        self.lines(octets).map_err(|flaw| {
            let defect = Defect::from(flaw);
            self.failed = Some(defect.clone());
            defect
        })
    }

    /// The outline, once every octet was fed.
    ///
    /// # Errors
    /// As [`Outliner::feed`]. A multipart that is not closed is no defect; one without any part is a document.
    pub fn finish(mut self) -> Result<Outline, Defect> {
        if let Some(defect) = self.failed {
            return Err(defect);
        }
        if self.line_octets > 0 {
            self.end_of_line(0)?;
        }
        if matches!(self.state, State::Header(_)) {
            self.header_ends(self.line_start)?;
        }
        let end = self.line_start;
        self.end_entity(end, false);
        while !self.open.is_empty() {
            self.close_innermost(end);
        }
        let root = self.root.ok_or(Flaw::NoParts)?;
        let mended = self.mended.map(Defect::from);
        Ok(Outline { root, header_end: self.header_end.unwrap_or(end), octets: end, mended })
    }

    fn lines(&mut self, octets: &[u8]) -> Result<(), Flaw> {
        let mut rest = self.leaf_lines(octets)?;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(at + 1);
            let before = if at > 0 { line[at - 1] } else { self.last };
            if before != b'\r' {
                return Err(Flaw::BareLineFeed);
            }
            self.piece(line)?;
            self.end_of_line(2)?;
            rest = self.leaf_lines(behind)?;
        }
        self.piece(rest)
    }

    /// Takes the lines off the front that can be nothing but a leaf's: whole ones, up to one that begins with a hyphen. They are
    /// nearly all of a large message, so they are counted and no more. The rest.
    fn leaf_lines<'a>(&mut self, octets: &'a [u8]) -> Result<&'a [u8], Flaw> {
        let State::Leaf(leaf) = &mut self.state else { return Ok(octets) };
        if self.line_octets > 0 || octets.first() == Some(&b'-') {
            return Ok(octets);
        }
        let mut end = 0;
        for at in memchr::memchr_iter(b'\n', octets) {
            if at == 0 || octets[at - 1] != b'\r' {
                return Err(Flaw::BareLineFeed);
            }
            leaf.lines += 1;
            end = at + 1;
            if octets.get(end) == Some(&b'-') {
                break;
            }
        }
        if end > 0 {
            self.last = b'\n';
            self.line_start += end as u64;
        }
        Ok(&octets[end..])
    }

    /// A piece of a line: all of it is kept in a header; in a body only while it may be a boundary.
    fn piece(&mut self, piece: &[u8]) -> Result<(), Flaw> {
        let Some(last) = piece.last() else { return Ok(()) };
        self.last = *last;
        self.line_octets += piece.len() as u64;
        if matches!(self.state, State::Header(_)) {
            if self.line.len() + piece.len() > self.limits.header_line + 2 {
                return Err(Flaw::HeaderLineLimit);
            }
            self.line.extend_from_slice(piece);
            return Ok(());
        }
        let mut rest = piece;
        if self.line.len() < 2 {
            let (dashes, behind) = rest.split_at(rest.len().min(2 - self.line.len()));
            self.line.extend_from_slice(dashes);
            rest = behind;
        }
        if self.line.starts_with(b"--") {
            let room = BOUNDARY_LINE - self.line.len();
            self.line.extend_from_slice(&rest[..rest.len().min(room)]);
        }
        Ok(())
    }

    /// The line is whole; `ending` is the length of its line end.
    fn end_of_line(&mut self, ending: usize) -> Result<(), Flaw> {
        let line = std::mem::take(&mut self.line);
        let start = self.line_start;
        let end = start + self.line_octets;
        let cut = line.len() as u64 == self.line_octets;
        let text = if cut { &line[..line.len() - ending] } else { &line[..] };
        self.line_start = end;
        self.line_octets = 0;
        let result = self.line_is(text, start, end, cut);
        self.line = line;
        self.line.clear();
        result
    }

    fn line_is(&mut self, line: &[u8], start: u64, end: u64, whole: bool) -> Result<(), Flaw> {
        if line.starts_with(b"--")
            && let Some((depth, kind)) = self.boundary(line)
        {
            return self.boundary_line(depth, if whole { kind } else { BoundaryLine::Unclear }, start);
        }
        match &mut self.state {
            State::Header(_) if line.is_empty() && whole => self.header_ends(end),
            State::Header(reader) => reader.line(line, &self.limits),
            State::Leaf(leaf) => {
                leaf.lines += u64::from(self.last == b'\n');
                Ok(())
            }
            State::Between => {
                if let Some(multipart) = self.open.last_mut() {
                    multipart.filled |= !(line.is_empty() && whole);
                }
                Ok(())
            }
        }
    }

    /// The open multipart whose boundary this line bears. No two boundaries that are open begin with one another.
    fn boundary(&self, line: &[u8]) -> Option<(usize, BoundaryLine)> {
        let mut open = self.open.iter().enumerate().rev();
        open.find_map(|(depth, multipart)| multipart.boundary.line(line).map(|kind| (depth, kind)))
    }

    fn boundary_line(&mut self, depth: usize, kind: BoundaryLine, start: u64) -> Result<(), Flaw> {
        if matches!(self.state, State::Header(_)) {
            self.header_ends(start)?;
        }
        self.end_entity(start, true);
        while self.open.len() > depth + 1 {
            self.close_innermost(start);
        }
        let Some(multipart) = self.open.last_mut() else { return Ok(()) };
        // What a reader that stops at the end never sees is a part for one that goes on.
        if std::mem::take(&mut multipart.closed) {
            self.mended.get_or_insert(Flaw::BoundaryAfterClose);
        }
        match kind {
            BoundaryLine::Unclear => return Err(Flaw::BoundaryLine),
            BoundaryLine::Close => {
                multipart.closed = true;
                self.state = State::Between;
            }
            BoundaryLine::Delimiter => {
                self.entities += 1;
                if self.entities > self.limits.entities {
                    return Err(Flaw::EntitiesLimit);
                }
                self.state = State::Header(SectionReader::new(false));
            }
        }
        Ok(())
    }

    /// The header section is whole, the body starts at `body`.
    fn header_ends(&mut self, body: u64) -> Result<(), Flaw> {
        let State::Header(reader) = std::mem::replace(&mut self.state, State::Between) else { return Ok(()) };
        self.header_end.get_or_insert(body);
        self.header_octets += reader.octets();
        if self.header_octets > self.limits.header_section.saturating_mul(2) {
            return Err(Flaw::HeaderSectionLimit);
        }
        let (header, mended) = reader.finish();
        self.mended = self.mended.or(mended);
        let digest = self.open.last().is_some_and(|multipart| multipart.entity.facts.media_type.subtype == "digest");
        let mut facts = EntityFacts::of(&header, digest)?;
        self.mended = self.mended.or(facts.mended);
        let boundary = facts.boundary.take();
        let started = Started { header, facts, body, lines: 0 };
        let Some(boundary) = boundary else {
            self.state = State::Leaf(Box::new(started));
            return Ok(());
        };
        if self.open.len() >= self.limits.depth.min(DEEPEST) {
            return Err(Flaw::DepthLimit);
        }
        if self.open.iter().any(|outer| outer.boundary.clashes_with(&boundary)) {
            return Err(Flaw::BoundaryClash);
        }
        self.open.push(Multipart { entity: started, boundary, children: Vec::new(), closed: false, filled: false });
        Ok(())
    }

    /// The leaf being read, if one is, ends at `end`: before a boundary, whose CRLF is not the leaf's, or with the message.
    fn end_entity(&mut self, end: u64, at_boundary: bool) {
        let State::Leaf(leaf) = std::mem::replace(&mut self.state, State::Between) else { return };
        let entity = leaf.end(end, at_boundary, Content::Leaf);
        self.keep(entity);
    }

    fn close_innermost(&mut self, end: u64) {
        let Some(multipart) = self.open.pop() else { return };
        if multipart.children.is_empty() {
            self.mended.get_or_insert(Flaw::NoParts);
        }
        let entity = multipart.end(end, !self.open.is_empty());
        self.keep(entity);
    }

    fn keep(&mut self, entity: Entity) {
        match self.open.last_mut() {
            Some(multipart) => multipart.children.push(entity),
            None => self.root = Some(entity),
        }
    }
}

#[cfg(test)]
mod tests;
