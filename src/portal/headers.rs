//! What every answer carries: nothing from elsewhere is loaded, nothing is framed, kept, sniffed or told on.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::portal::settings::Origin;

/// The policy of pages: styles, script and pictures of ours, a frame for the text of a message, nothing else.
const PAGE: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The policy of the frame that shows a sender's HTML: no script whatever, styles and pictures that came with it. It has
/// our origin, so that its pictures may be fetched and the page around it can give it its height.
pub const BODY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'; \
    sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";

/// The policy of documents, should a browser show one after all.
pub const DOCUMENT: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// The policy of a PDF that is shown: nothing but the browser's own viewer, which a sandbox would forbid.
pub const PDF: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The policy of pictures that may be SVG (a practice's logo): its own styles, no script.
pub const PICTURE: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The headers, where the answer has none of its own.
pub fn secure(headers: &mut HeaderMap, origin: &Origin) {
    for (name, value) in &ALWAYS {
        headers.entry(name.clone()).or_insert(HeaderValue::from_static(value));
    }
    if origin.secure() && !is_loopback(origin.authority()) {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

static ALWAYS: [(HeaderName, &str); 9] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, PAGE),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// On this machine browsers are not told to insist on TLS: they would for every other program on it.
fn is_loopback(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let inner = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || inner.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
