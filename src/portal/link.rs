//! The link page: who sent it, when, until when, what comes next. Looking changes nothing; a press goes in.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::access::AccessCheck;
use crate::gateway::visits::{LinkFacts, LinkView, NextStep, VisitError};
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::Form;
use crate::portal::page::{Page, rendered};
use crate::portal::refusal::Refusal;
use crate::portal::sign_in::with_cookies;
use crate::portal::steps;
use crate::portal::visitor::Visitor;

/// What a link leads to, as a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Living,
    Over,
    Mailed,
    Withdrawn,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    page: Page,
    facts: LinkFacts,
    state: Condition,
    token: String,
    origin: String,
}

#[derive(Template)]
#[template(path = "link-unknown.html")]
struct UnknownPage {
    page: Page,
}

/// `GET /p/{token}`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let (facts, state) = match app.reception().link(&token).await? {
        LinkView::Living(facts) => (facts, Condition::Living),
        LinkView::LinkOver(facts) if query.as_deref() == Some("mailed") => (facts, Condition::Mailed),
        LinkView::LinkOver(facts) => (facts, Condition::Over),
        LinkView::Withdrawn(facts) => (facts, Condition::Withdrawn),
        LinkView::Unknown => {
            return Ok(rendered(StatusCode::NOT_FOUND, &UnknownPage { page: visitor.page(&app, None) }));
        }
    };
    let page = visitor.page(&app, Some(&facts.practice));
    let status = if state == Condition::Withdrawn { StatusCode::GONE } else { StatusCode::OK };
    let origin = app.settings().origin.authority().to_owned();
    Ok(rendered(status, &LinkPage { page, facts, state, token, origin }))
}

/// `POST /p/{token}`: a person pressed the button. Where a code comes next, it is mailed by the same press.
pub async fn enter(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    form.given_to(&app, &visitor, None)?;
    let (LinkView::Living(facts) | LinkView::LinkOver(facts) | LinkView::Withdrawn(facts)) =
        app.reception().link(&token).await?
    else {
        return Ok(steps::see(&format!("/p/{token}")));
    };
    let entered = match app.reception().enter(&token, visitor.cookie(), visitor.from()).await {
        Ok(entered) => entered,
        // The page itself says what became of it.
        Err(VisitError::NotFound) => return Ok(steps::see(&format!("/p/{token}"))),
        Err(error) => return Err(error.into()),
    };
    let mut next = steps::path(entered.next);
    if entered.next == NextStep::Code && mail_first_code(&app, &visitor, entered.cookie.expose()).await {
        next = "/code?sent".into();
    }
    let origin = &app.settings().origin;
    let cookies = [Cookie::Visit.set(entered.cookie.expose(), origin), Cookie::Face.set(&facts.practice, origin)];
    Ok(with_cookies(steps::see(&next), cookies))
}

/// Whether a code is on its way. Where it cannot be mailed now, the page of the code says why when it is asked for.
async fn mail_first_code(app: &App, visitor: &Visitor, cookie: &str) -> bool {
    let Ok(Some(visit)) = app.reception().visit(cookie).await else { return false };
    let Some(grant) = visit.by else { return false };
    app.reception().mail_code(&visit, grant, visitor.from()).await.is_ok()
}

/// `GET /p/{token}/fresh`: the page with the form.
pub async fn back(Path(token): Path<String>) -> Response {
    steps::see(&format!("/p/{token}"))
}

/// `POST /p/{token}/fresh`
pub async fn fresh(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    form.given_to(&app, &visitor, None)?;
    match app.reception().mail_fresh_link(&token).await {
        Ok(()) => Ok(steps::see(&format!("/p/{token}?mailed"))),
        Err(VisitError::NotFound) => Ok(steps::see(&format!("/p/{token}"))),
        Err(error) => Err(error.into()),
    }
}
