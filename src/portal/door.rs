//! The door: every request passes it on its way in and every answer on its way out.
//!
//! In: the host must be ours, and what changes something must come from a page of ours. Out: an error gets its page, and
//! every answer its headers.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::event::Event;
use crate::id::RequestId;
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::refusal::{self, Refusal};
use crate::portal::settings::Origin;
use crate::portal::visitor::Visitor;
use crate::portal::headers;
use crate::random;

/// The middleware around every route.
pub async fn door(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let visitor = Visitor::of(&app, &request);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = match admit(&app, &request) {
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
    bind_forms(&app, &visitor, &mut answer);
    headers::secure(answer.headers_mut(), &app.settings().origin);
    answer
}

fn admit(app: &App, request: &Request) -> Result<(), Refusal> {
    let origin = &app.settings().origin;
    let host = request.headers().get(header::HOST).and_then(|field| field.to_str().ok());
    // HTTP/2 names it in `:authority`, which hyper puts into the address; where both are, both must be ours.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let mut names = host.into_iter().chain(named).peekable();
    if names.peek().is_none() || !names.all(|name| origin.is_authority(name)) {
        return Err(Refusal::WrongHost);
    }
    if *request.method() != Method::GET && *request.method() != Method::HEAD && is_foreign(request.headers(), origin) {
        return Err(Refusal::Foreign);
    }
    Ok(())
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
    for name in [header::ALLOW, header::SET_COOKIE, header::CONTENT_RANGE, header::CONNECTION] {
        if let Some(value) = bare.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

/// A browser that is shown a page is told what forms are bound to.
fn bind_forms(app: &App, visitor: &Visitor, answer: &mut Response) {
    let is_page = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if let (true, Some(cookie)) = (is_page, visitor.new_form_cookie()) {
        answer.headers_mut().append(header::SET_COOKIE, Cookie::Form.set(cookie, &app.settings().origin));
    }
}
