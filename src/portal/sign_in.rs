//! Signing in and out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::gateway::visits::GuestSignIn;
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::{FieldFaults, Form};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::refusal::Refusal;
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    page: Page,
    faults: FieldFaults,
    address: String,
    to: String,
    /// What just happened, as the id of a text.
    notice: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOutPage {
    page: Page,
}

/// What the address of the sign-in page may say.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    to: String,
    #[serde(default)]
    after: String,
}

/// `GET /sign-in`
pub async fn show(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let to = Destination::read(&asked.to).word();
    let notice = match asked.after.as_str() {
        "password" => Some("sign-in-after-password"),
        "draft" => Some("sign-in-after-draft"),
        "closed" => Some("sign-in-after-closed"),
        _ => None,
    };
    let page = visitor.page(&app, None);
    shown(&SignInPage { page, faults: FieldFaults::default(), address: String::new(), to, notice })
}

/// `POST /sign-in`
pub async fn enter(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let fields = form.given_to(&app, &visitor, None)?;
    let (address, going_to) = (fields.get("address").to_owned(), Destination::read(fields.get("to")));
    let password = fields.secret("password");
    match app.reception().guest_sign_in(&address, &password, visitor.from(), visitor.cookie()).await? {
        GuestSignIn::Welcome(entered) => {
            let next = if going_to == Destination::List { steps::path(entered.next) } else { going_to.path() };
            let cookie = Cookie::Visit.set(entered.cookie.expose(), &app.settings().origin);
            Ok(with_cookies(steps::see(&next), [cookie]))
        }
        GuestSignIn::Rejected => {
            let page = visitor.page(&app, None);
            let faults = FieldFaults::one("address", page.say("fault-sign-in").to_owned());
            Ok(with_faults(&SignInPage { page, faults, address, to: going_to.word(), notice: None }))
        }
    }
}

/// `POST /sign-out`
pub async fn leave(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let visit = visitor.visit(&app).await?;
    // Whose visit is over already is signed out: no old form keeps anybody in.
    if let Some(visit) = &visit {
        form.given_to(&app, &visitor, Some(visit))?;
        app.searches().forget(visit.id);
    }
    if let Some(cookie) = visitor.cookie() {
        app.reception().sign_out(cookie).await?;
    }
    let mut answer = with_cookies(steps::see("/signed-out"), [Cookie::Visit.remove(&app.settings().origin)]);
    // What the browser still holds of pages goes too (Clear Site Data, section 3.1).
    let all = HeaderValue::from_static("\"cache\"");
    answer.headers_mut().insert(HeaderName::from_static("clear-site-data"), all);
    Ok(answer)
}

/// `GET /signed-out`
pub async fn left(State(app): State<App>, visitor: Visitor) -> Response {
    shown(&SignedOutPage { page: visitor.page(&app, None) })
}

/// An answer that sets cookies.
pub fn with_cookies(answer: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let mut answer = answer.into_response();
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
