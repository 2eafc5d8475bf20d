//! Documents: opened or downloaded, whole or in a range, one or all.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::gateway::visits::Taking;
use crate::id::DepositId;
use crate::portal::app::App;
use crate::portal::headers;
use crate::portal::message::grant;
use crate::portal::range::{self, Wanted};
use crate::portal::reception::{Pieces, Served};
use crate::portal::refusal::Refusal;
use crate::portal::steps::Destination;
use crate::portal::visitor::Visitor;

/// What a browser may be shown, exactly; anything else is octets to be saved. HTML, SVG and XML never are.
const SHOWN: [&str; 6] = ["application/pdf", "text/plain", "image/png", "image/jpeg", "image/gif", "image/webp"];

/// `GET /m/{grant}/d/{deposit}`, with `?open` to be shown instead of saved.
pub async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, deposit)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let deposit: DepositId = deposit.parse().map_err(|_| Refusal::NotFound)?;
    let (visit, _) = visitor.living_visit(&app, Destination::Parcel(grant)).await?;
    let tag = format!("\"{deposit}\"");
    let is_current = is_current(&headers, &tag);
    let taking = match headers.get(header::RANGE) {
        _ if method == Method::HEAD || is_current => Taking::Looking,
        // A range that does not begin at the beginning goes on with what was counted.
        Some(range) if !range.as_bytes().starts_with(b"bytes=0-") => Taking::GoingOn,
        _ => Taking::Beginning,
    };
    let served = app.reception().document(&visit, grant, deposit, taking).await.map_err(Refusal::about(grant))?;
    let opens = query.as_deref() == Some("open") && served.opens;
    if is_current {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    // Ranges are a matter of GET alone (RFC 9110, section 14.2).
    let asked = if method == Method::HEAD { Wanted::Whole } else { range::wanted(&headers, served.octets, &tag) };
    let (status, range) = match asked {
        Wanted::Whole => (StatusCode::OK, 0..served.octets),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Outside => return Err(Refusal::Range(served.octets)),
    };
    let pieces = served.source.read(range.clone()).await.map_err(Refusal::about(grant))?;
    let mut answer = stream(pieces, range.end - range.start);
    *answer.status_mut() = status;
    describe(answer.headers_mut(), &served, opens, &tag, range, status);
    Ok(answer)
}

/// Whether the browser holds this very document (RFC 9110, section 13.1.2).
fn is_current(headers: &HeaderMap, tag: &str) -> bool {
    let held = headers.get(header::IF_NONE_MATCH).and_then(|field| field.to_str().ok()).unwrap_or_default();
    held.split(',').any(|held| held.trim().trim_start_matches("W/") == tag)
}

fn describe(headers: &mut HeaderMap, served: &Served, opens: bool, tag: &str, range: Range<u64>, status: StatusCode) {
    let shown = SHOWN.iter().find(|kind| served.media_type.eq_ignore_ascii_case(kind)).copied();
    let (inline, kind) = match shown.filter(|_| opens) {
        // Without a charset browsers guess; what staff send as text is UTF-8 or near it.
        Some("text/plain") => (true, "text/plain; charset=utf-8"),
        Some(kind) => (true, kind),
        None => (false, shown.unwrap_or("application/octet-stream")),
    };
    // Chrome's PDF viewer is a page of its own that a sandbox forbids; it runs apart from ours, and what it shows has no
    // right to anything.
    let policy = if inline && kind == "application/pdf" { headers::PDF } else { headers::DOCUMENT };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let texts = [
        (header::CONTENT_DISPOSITION, disposition(inline, &served.name)),
        (header::ETAG, tag.to_owned()),
        (header::CONTENT_RANGE, format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), served.octets)),
    ];
    for (name, text) in texts {
        let needed = name != header::CONTENT_RANGE || status == StatusCode::PARTIAL_CONTENT;
        if let (true, Ok(value)) = (needed, HeaderValue::try_from(text)) {
            headers.insert(name, value);
        }
    }
}

/// `Content-Disposition` (RFC 6266): the name in ASCII for what is old, and exactly (RFC 8187) for everything else.
fn disposition(inline: bool, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut exact = String::with_capacity(name.len() * 3);
    for octet in name.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => exact.push(char::from(octet)),
            _ => exact.push_str(&format!("%{octet:02X}")),
        }
    }
    let kind = if inline { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

/// `GET /m/{grant}/all.zip`
pub async fn all(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    method: Method,
) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let (visit, _) = visitor.living_visit(&app, Destination::Parcel(grant)).await?;
    let taking = if method == Method::HEAD { Taking::Looking } else { Taking::Beginning };
    let (octets, pieces) = app.reception().archive(&visit, grant, taking).await.map_err(Refusal::about(grant))?;
    let mut answer = stream(pieces, octets);
    let fields = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"documents.zip\""),
        (header::CONTENT_SECURITY_POLICY, headers::DOCUMENT),
    ];
    for (name, value) in fields {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// Octets as they come, of a length that is said before: what is broken off is known to be.
fn stream(pieces: Pieces, octets: u64) -> Response {
    let frames = StreamBody::new(pieces.map(|piece| piece.map(Frame::data)));
    let mut answer = Body::new(frames).into_response();
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(octets));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_place_in_the_header() {
        for (name, written) in [
            ("Befund.pdf", "attachment; filename=\"Befund.pdf\"; filename*=UTF-8''Befund.pdf"),
            (
                "a\"; x=\"\r\nSet-Cookie: a.pdf",
                "attachment; filename=\"a__ x____Set-Cookie_ a.pdf\"; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20a.pdf",
            ),
            ("Müller.pdf", "attachment; filename=\"M_ller.pdf\"; filename*=UTF-8''M%C3%BCller.pdf"),
        ] {
            assert_eq!(disposition(false, name), written);
        }
    }
}
