//! Reading one header section line by line (RFC 5322, section 2.2).

use crate::mime::{Flaw, HeaderField, HeaderSection, Limits};

/// Fields of one header section; no mail in use comes near.
const FIELDS: usize = 1000;

/// A header section being read.
#[derive(Default)]
pub(in crate::mime) struct SectionReader {
    section: HeaderSection,
    octets: usize,
    outermost: bool,
    mended: Option<Flaw>,
}

impl SectionReader {
    /// A reader at the start of a header section: the message's own, or that of a part.
    pub fn new(outermost: bool) -> Self {
        Self { outermost, ..Self::default() }
    }

    /// Takes a line without its CRLF; the empty line, which ends the section, is not given to it.
    pub fn line(&mut self, line: &[u8], limits: &Limits) -> Result<(), Flaw> {
        let first = self.octets == 0;
        self.octets += line.len() + 2;
        if self.octets > limits.header_section {
            return Err(Flaw::HeaderSectionLimit);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return self.fold(line, first && self.outermost);
        }
        // An mbox file's separator, which some tools leave before or, quoted, within the header; it is no field and is
        // dropped.
        if self.outermost && (first && line.starts_with(b"From ") || line.starts_with(b">From ")) {
            return Ok(());
        }
        let colon = memchr::memchr(b':', line).ok_or(Flaw::NoColon)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| Flaw::FieldName)?;
        // White space before the colon was allowed once (RFC 5322, section 4.5), and not all readers pass over it.
        let (name, written) = (name.trim_end_matches([' ', '\t']), name);
        if name.len() < written.len() {
            self.mended.get_or_insert(Flaw::FieldName);
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Flaw::FieldName);
        }
        if self.section.fields.len() == FIELDS {
            return Err(Flaw::HeaderFieldsLimit);
        }
        self.section.fields.push(HeaderField { name: name.to_owned(), value: line[colon + 1..].to_vec() });
        Ok(())
    }

    /// Takes a continued line. One of white space alone continues the field for one reader and ends the header for another:
    /// here it continues it, so that whatever the next lines say of parts is heard.
    fn fold(&mut self, line: &[u8], first: bool) -> Result<(), Flaw> {
        let blank = line.trim_ascii().is_empty();
        if blank && (first || !self.section.fields.is_empty()) {
            self.mended.get_or_insert(Flaw::BlankFold);
            return Ok(());
        }
        let field = self.section.fields.last_mut().ok_or(Flaw::LeadingFold)?;
        field.value.extend_from_slice(b"\r\n");
        field.value.extend_from_slice(line);
        Ok(())
    }

    /// Octets so far, line ends included.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// The section, and what was mended in it.
    pub fn finish(self) -> (HeaderSection, Option<Flaw>) {
        (self.section, self.mended)
    }
}
