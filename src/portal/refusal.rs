//! Errors as pages: one table from what happened to status, words and the next step. Nobody is left without one.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::AccessCheck;
use crate::gateway::visits::VisitError;
use crate::id::{GrantId, RequestId};
use crate::portal::app::App;
use crate::portal::page::{Page, rendered};
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;
use crate::store;
use crate::time::Timestamp;

/// Why a request is not answered as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is there for this visitor: unknown, foreign, taken back, over.
    NotFound,
    /// A link of a mail that was used, or whose time is over.
    LinkUsed,
    /// Signing in comes first. A redirect.
    SignIn(Destination),
    /// A check comes first. A redirect.
    Show(AccessCheck, Option<GrantId>),
    /// Locked until this moment.
    LockedUntil(Timestamp),
    /// Too many wrong codes: the page of the link mails a fresh one.
    CodesClosed,
    /// Too many at once.
    Busy,
    /// No space on the disk.
    Full,
    /// Something of ours does not work.
    Unavailable,
    /// A page of another site asked.
    Foreign,
    /// The form is too old, or none that we gave.
    StaleForm,
    /// What was sent cannot be read.
    Malformed,
    /// What was sent is too large.
    TooLarge,
    /// What was sent came too slowly.
    TooSlow,
    /// Another host was asked for.
    WrongHost,
    /// The address exists and takes other methods.
    Method,
    /// The range lies outside the document of this many octets.
    Range(u64),
}

impl From<VisitError> for Refusal {
    fn from(error: VisitError) -> Self {
        match error {
            VisitError::NotFound => Self::NotFound,
            VisitError::Show(check) => Self::Show(check, None),
            VisitError::LockedUntil(until) => Self::LockedUntil(until),
            VisitError::CodesClosed => Self::CodesClosed,
            VisitError::Busy => Self::Busy,
            VisitError::Full => Self::Full,
            VisitError::Unavailable => Self::Unavailable,
        }
    }
}

impl Refusal {
    /// What the gateway said about this right.
    pub fn about(grant: GrantId) -> impl Fn(VisitError) -> Self {
        move |error| match error {
            VisitError::Show(check) => Self::Show(check, Some(grant)),
            other => other.into(),
        }
    }

    /// The status (RFC 9110, section 15; 421 in section 15.5.20, 429 in RFC 6585).
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::LinkUsed => StatusCode::GONE,
            Self::SignIn(_) | Self::Show(..) => StatusCode::SEE_OTHER,
            Self::LockedUntil(_) | Self::CodesClosed => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Foreign | Self::StaleForm => StatusCode::FORBIDDEN,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// The word in the log, and in the names of its texts: `error-WORD-title`, `-text`, `-next`.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotFound | Self::SignIn(_) | Self::Show(..) => "not-found",
            Self::LinkUsed => "link-used",
            Self::LockedUntil(_) => "locked",
            Self::CodesClosed => "codes-closed",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Unavailable => "unavailable",
            Self::Foreign => "foreign",
            Self::StaleForm => "stale-form",
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::WrongHost => "wrong-host",
            Self::Method => "method",
            Self::Range(_) => "range",
        }
    }

    /// Where its button leads.
    fn next<'a>(self, app: &'a App, visitor: &'a Visitor) -> &'a str {
        match self {
            Self::LinkUsed => "/forgot",
            Self::WrongHost => app.settings().origin.url(),
            Self::NotFound | Self::SignIn(_) | Self::Show(..) | Self::Foreign | Self::Method => "/",
            Self::Malformed | Self::LockedUntil(_) | Self::CodesClosed | Self::Full => "/help",
            Self::Busy | Self::Unavailable | Self::StaleForm | Self::TooLarge | Self::TooSlow | Self::Range(_) => {
                visitor.here()
            }
        }
    }
}

/// A bare answer that `door` makes a page of; redirects are whole.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(going_to) => return steps::see(&going_to.sign_in()),
            Self::Show(check, grant) => return steps::see(&steps::check(check, grant)),
            _ => {}
        }
        let mut answer = self.status().into_response();
        if let Self::Range(octets) = self
            && let Ok(range) = HeaderValue::try_from(format!("bytes */{octets}"))
        {
            answer.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        answer.extensions_mut().insert(self);
        answer
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page,
    title: &'a str,
    text: String,
    next: &'a str,
    label: &'a str,
    request: RequestId,
}

/// The page of an error.
pub fn page(app: &App, visitor: &Visitor, refusal: Refusal, request: RequestId) -> Response {
    let page = visitor.page(app, None);
    let language = std::sync::Arc::clone(visitor.language());
    let (title, text, label) = ["title", "text", "next"].map(|part| format!("error-{}-{part}", refusal.word())).into();
    let text = match refusal {
        Refusal::LockedUntil(until) => page.with(&text, "time", page.moment(&until)),
        Refusal::WrongHost => page.with(&text, "address", app.settings().origin.url()),
        _ => language.say(&text).to_owned(),
    };
    let next = refusal.next(app, visitor);
    let (title, label) = (language.say(&title), language.say(&label));
    let mut answer = rendered(refusal.status(), &ErrorPage { page, title, text, next, label, request });
    let retry = match refusal {
        Refusal::LockedUntil(until) => Some(until.since(store::now()).as_secs().max(1)),
        Refusal::Busy | Refusal::Unavailable => Some(5),
        _ => None,
    };
    if let Some(seconds) = retry {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
