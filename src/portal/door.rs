//! The door: every request passes it on its way in and every answer on its way out.
//!
//! In: the host must be ours, and what changes something must come from a page of ours. Out: an error gets its page, and
//! every answer its headers.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::event::Event;
use crate::id::RequestId;
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::headers;
use crate::portal::refusal::{self, Refusal};
use crate::portal::settings::Origin;
use crate::portal::setup;
use crate::portal::visitor::Visitor;
use crate::random;

/// The middleware around every route.
pub async fn door(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let visitor = Visitor::of(&app, &request);
    let chunked = is_chunked(&request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = match admit(&app, &visitor, &request) {
        Ok(()) => {
            request.extensions_mut().insert(visitor.clone());
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    let mut answer = match refused(&answer) {
        Some(refusal) => explain(&app, &visitor, refusal, route.as_ref().map_or("-", MatchedPath::as_str), answer),
        None => answer,
    };
    if chunked {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    bind_forms(&app, &visitor, &mut answer);
    headers::secure(answer.headers_mut(), &app.settings().origin);
    answer
}

fn admit(app: &App, visitor: &Visitor, request: &Request) -> Result<(), Refusal> {
    let origin = &app.settings().origin;
    let hosts = request.headers().get_all(header::HOST).into_iter().map(|field| field.to_str().unwrap_or("?"));
    // HTTP/2 names it in `:authority`, which hyper puts into the address; where several are, all must be ours.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let mut names = hosts.chain(named).peekable();
    let is_ours =
        |name: &str| origin.is_authority(name) || setup::is_asked_at(visitor.snapshot(), name, request.uri().path());
    if names.peek().is_none() || !names.all(is_ours) {
        return Err(Refusal::WrongHost);
    }
    if is_chunked(request) {
        return Err(Refusal::Malformed);
    }
    if *request.method() != Method::GET && *request.method() != Method::HEAD && is_foreign(request.headers(), origin) {
        return Err(Refusal::Foreign);
    }
    Ok(())
}

/// Whether the length of what is sent is not said. Browsers say it in HTTP/1.1, and proxies too; who does not may mean two
/// readings of one request (RFC 9112, section 11.2), which is refused and the connection closed.
fn is_chunked(request: &Request) -> bool {
    request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// Whether a browser says that a page of another site asks. (`Origin: null` is what browsers send for a form of a page
/// with `Referrer-Policy: no-referrer`; then `Sec-Fetch-Site` decides, and without that the form token.)
fn is_foreign(headers: &HeaderMap, origin: &Origin) -> bool {
    let field = |name: &str| headers.get(name).map(|field| field.to_str().unwrap_or("?"));
    let foreign_origin = field("origin").is_some_and(|named| named != "null" && named != origin.url());
    let foreign_site = field("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    foreign_origin || foreign_site
}

/// Why an answer is an error, where it is one of ours or of the router's.
fn refused(answer: &Response) -> Option<Refusal> {
    if let Some(refusal) = answer.extensions().get::<Refusal>() {
        return Some(*refusal);
    }
    if is_page(answer) {
        return None;
    }
    match answer.status() {
        StatusCode::NOT_FOUND => Some(Refusal::NotFound),
        StatusCode::METHOD_NOT_ALLOWED => Some(Refusal::Method),
        StatusCode::BAD_REQUEST => Some(Refusal::Malformed),
        _ => None,
    }
}

fn explain(app: &App, visitor: &Visitor, refusal: Refusal, route: &str, bare: Response) -> Response {
    let request: RequestId = random::id();
    let (status, word) = (refusal.status(), refusal.word());
    Event::PageRefused { request, status: status.as_u16(), reason: word, route: route.to_owned() }.log();
    let mut page = refusal::page(app, visitor, refusal, request);
    for name in [header::ALLOW, header::CONTENT_RANGE] {
        if let Some(value) = bare.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn is_page(answer: &Response) -> bool {
    answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// A browser that is shown a page is told what forms are bound to.
fn bind_forms(app: &App, visitor: &Visitor, answer: &mut Response) {
    if let (true, Some(cookie)) = (is_page(answer), visitor.new_form_cookie()) {
        answer.headers_mut().append(header::SET_COOKIE, Cookie::Form.set(cookie, &app.settings().origin));
    }
}
