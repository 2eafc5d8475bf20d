//! Forms with files (`multipart/form-data`, RFC 7578), read as they arrive: what is held is one piece, whatever a file's
//! size, and header sections are bounded.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

use crate::portal::body::Incoming;
use crate::portal::refusal::Refusal;

/// Octets of a part's header section at most.
const HEADER: usize = 8 * 1024;
/// Parts at most.
const PARTS: usize = 64;
/// Characters of a boundary at most (RFC 2046, section 5.1.1).
const BOUNDARY: usize = 70;

/// A form with files, being read.
pub struct Multipart {
    incoming: Incoming,
    /// CR LF `--` boundary. The first one is found because a CR LF is put before the body.
    delimiter: Vec<u8>,
    held: BytesMut,
    at: At,
    parts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first delimiter, or inside a part's content.
    Content,
    /// Behind a delimiter.
    Delimiter,
    /// Behind the last one.
    End,
}

/// A part's name and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// A file's name; none for a field.
    pub file: Option<String>,
    /// A file's type, as the browser declares it.
    pub media_type: String,
}

impl Multipart {
    /// A body of this `Content-Type`.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] where that is not `multipart/form-data` with a boundary.
    pub fn new(content_type: &str, incoming: Incoming) -> Result<Self, Refusal> {
        let (essence, parameters) = content_type.split_once(';').ok_or(Refusal::Malformed)?;
        let boundary = parameter(parameters, "boundary").ok_or(Refusal::Malformed)?;
        let sound = (1..=BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if !essence.trim().eq_ignore_ascii_case("multipart/form-data") || !sound {
            return Err(Refusal::Malformed);
        }
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        Ok(Self { incoming, delimiter, held: BytesMut::from(&b"\r\n"[..]), at: At::Content, parts: 0 })
    }

    /// The next part; what was not read of the one before is left out. `None` at the end.
    ///
    /// # Errors
    /// [`Refusal`]: too large, too slow, malformed.
    pub async fn next_part(&mut self) -> Result<Option<Part>, Refusal> {
        while self.at == At::Content {
            self.piece().await?;
        }
        if self.at == At::End || self.ends_here().await? {
            self.at = At::End;
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > PARTS {
            return Err(Refusal::TooLarge);
        }
        let header = self.header().await?;
        self.at = At::Content;
        read_header(&header).map(Some)
    }

    /// The next octets of the part; `None` at its end.
    ///
    /// # Errors
    /// As [`Multipart::next_part`].
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        while self.at == At::Content {
            if let Some(found) = memmem::find(&self.held, &self.delimiter) {
                let content = self.held.split_to(found).freeze();
                self.held.advance(self.delimiter.len());
                self.at = At::Delimiter;
                return Ok((!content.is_empty()).then_some(content));
            }
            // All but what may be the beginning of a delimiter.
            let sure = self.held.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.held.split_to(sure).freeze()));
            }
            self.read_more().await?;
        }
        Ok(None)
    }

    /// Whether the delimiter just passed was the last one: `--` stands behind it.
    async fn ends_here(&mut self) -> Result<bool, Refusal> {
        while self.held.len() < 2 {
            self.read_more().await?;
        }
        Ok(self.held.starts_with(b"--"))
    }

    /// The header section, without the empty line that ends it; what stands behind the delimiter on its line is padding.
    async fn header(&mut self) -> Result<Bytes, Refusal> {
        loop {
            if let Some(end) = memmem::find(&self.held, b"\r\n\r\n") {
                let header = self.held.split_to(end).freeze();
                self.held.advance(4);
                return Ok(header);
            }
            if self.held.len() > HEADER {
                return Err(Refusal::Malformed);
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<(), Refusal> {
        // A body that ends before its last delimiter was cut off.
        let piece = self.incoming.next().await?.ok_or(Refusal::Malformed)?;
        self.held.extend_from_slice(&piece);
        Ok(())
    }
}

fn read_header(section: &[u8]) -> Result<Part, Refusal> {
    let text = std::str::from_utf8(section).map_err(|_| Refusal::Malformed)?;
    let mut part = Part { name: String::new(), file: None, media_type: "application/octet-stream".into() };
    for line in text.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-disposition") {
            let parameters = value.split_once(';').map_or("", |(_, parameters)| parameters);
            part.name = parameter(parameters, "name").ok_or(Refusal::Malformed)?;
            part.file = parameter(parameters, "filename");
        } else if name.eq_ignore_ascii_case("content-type") {
            part.media_type = value.trim().to_ascii_lowercase();
        }
    }
    if part.name.is_empty() { Err(Refusal::Malformed) } else { Ok(part) }
}

/// A parameter's value, as browsers write it: quoted, with `%22`, `%0D` and `%0A` for what cannot stand in quotes
/// (HTML, section "multipart form data"), or `\"` as older ones do.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = value(after.trim_start());
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value.replace("%22", "\"").replace("%0D", " ").replace("%0A", " "));
        }
        rest = next;
    }
}

/// A value, and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped && quoted[at + 1..].starts_with(['"', '\\']) => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::HeaderMap;

    use super::*;
    use crate::portal::body::Patience;

    async fn read(body: &[u8], pieces: usize) -> Result<Vec<(Part, Vec<u8>)>, Refusal> {
        let pieces: Vec<_> = body.chunks(pieces).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let incoming = Incoming::new(&HeaderMap::new(), body, 1 << 20, Patience::Next(Duration::from_secs(5)))?;
        let mut multipart = Multipart::new("multipart/form-data; boundary=\"b 1\"", incoming)?;
        let mut parts = Vec::new();
        while let Some(part) = multipart.next_part().await? {
            let mut content = Vec::new();
            while let Some(piece) = multipart.piece().await? {
                content.extend_from_slice(&piece);
            }
            parts.push((part, content));
        }
        Ok(parts)
    }

    const BODY: &[u8] = b"preamble\r\n--b 1\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nHello\r\n--b\r\n--b 1\r\n\
        content-disposition: form-data; filename=\"a%22b\\\"; name=x.pdf\"; name=\"files\"\r\nContent-Type: Application/PDF\r\n\r\n\
        \r\n--b 1 \r\nContent-Disposition: form-data; name=empty; filename=\"\"\r\n\r\n\r\n--b 1--\r\nepilogue";

    #[tokio::test]
    async fn parts_are_the_same_however_they_arrive() {
        for size in [1, 2, 7, 64, 4096] {
            let parts = read(BODY, size).await.unwrap();
            let told: Vec<_> = parts.iter().map(|(part, content)| (part.name.as_str(), part.file.as_deref(), content.as_slice())).collect();
            assert_eq!(
                told,
                [
                    ("text", None, &b"Hello\r\n--b"[..]),
                    ("files", Some("a\"b\"; name=x.pdf"), b""),
                    ("empty", Some(""), b""),
                ],
                "{size}"
            );
            assert_eq!(parts[1].0.media_type, "application/pdf");
        }
    }

    #[tokio::test]
    async fn what_is_cut_off_endless_or_nameless_is_refused() {
        let part = |header: &str| format!("--b 1\r\n{header}\r\n\r\nx\r\n");
        let named = part("Content-Disposition: form-data; name=\"a\"");
        for (body, refusal) in [
            (BODY[..BODY.len() - 20].to_vec(), Refusal::Malformed),
            (b"".to_vec(), Refusal::Malformed),
            (format!("{}--b 1--", part("Content-Disposition: form-data")).into_bytes(), Refusal::Malformed),
            (format!("--b 1\r\nX: {}", "x".repeat(2 * HEADER)).into_bytes(), Refusal::Malformed),
            (format!("{}--b 1--", named.repeat(PARTS + 1)).into_bytes(), Refusal::TooLarge),
            (vec![b'x'; (1 << 20) + 1], Refusal::TooLarge),
        ] {
            assert_eq!(read(&body, 1000).await.unwrap_err(), refusal, "{}", String::from_utf8_lossy(&body[..body.len().min(60)]));
        }
    }
}
