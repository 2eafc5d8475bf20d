//! Codes, birthdates and single-use links: what else is shown before documents open.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::gateway::visits::{BirthdateAnswer, CodeAnswer, Entered, VisitError};
use crate::id::GrantId;
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::{FieldFaults, Fields, Form};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::refusal::Refusal;
use crate::portal::sign_in::with_cookies;
use crate::portal::steps;
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    page: Page,
    address: String,
    sent: bool,
    to: String,
    faults: FieldFaults,
}

#[derive(Template)]
#[template(path = "birthdate.html")]
struct BirthdatePage {
    page: Page,
    to: String,
    typed: Fields,
    faults: FieldFaults,
}

#[derive(Template)]
#[template(path = "magic.html")]
struct MagicPage {
    page: Page,
    address: String,
    sent: bool,
    to: String,
}

#[derive(Template)]
#[template(path = "magic-link.html")]
struct MagicLinkPage {
    page: Page,
    token: String,
}

/// What the address of such a page may say.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(rename = "for")]
    grant: Option<String>,
    sent: Option<String>,
}

impl Asked {
    fn grant(&self) -> Option<GrantId> {
        self.grant.as_deref().and_then(|text| text.parse().ok())
    }
}

/// The right that a form is about: named in it, or the one whose link the visit came by.
fn named(fields: &Fields) -> Option<GrantId> {
    fields.get("for").parse().ok()
}

fn on_the_way(grant: GrantId) -> String {
    grant.to_string()
}

/// A step up: the cookie changes.
fn step_up(app: &App, entered: &Entered) -> Response {
    let cookie = Cookie::Visit.set(entered.cookie.expose(), &app.settings().origin);
    with_cookies(steps::see(&steps::path(entered.next)), [cookie])
}

/// `GET /code`
pub async fn code(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (visit, _, grant) = visitor.visit_for(&app, asked.grant()).await?;
    let address = app.reception().masked_address(&visit).await?;
    let (page, sent) = (visitor.page_of(&app, &visit, None), asked.sent.is_some());
    Ok(shown(&CodePage { page, address, sent, to: on_the_way(grant), faults: FieldFaults::default() }))
}

/// `POST /code/mail`
pub async fn mail_code(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _, grant) = visitor.visit_for(&app, named(&form.0)).await?;
    form.given_to(&app, &visitor, Some(&visit))?;
    app.reception().mail_code(&visit, grant, visitor.from()).await.map_err(Refusal::about(grant))?;
    Ok(steps::see(&format!("/code?sent&for={grant}")))
}

/// `POST /code`
pub async fn check_code(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, cookie, grant) = visitor.visit_for(&app, named(&form.0)).await?;
    let fields = form.given_to(&app, &visitor, Some(&visit))?;
    let answer = app.reception().check_code((&visit, cookie), grant, fields.get("code")).await;
    let left = match answer.map_err(Refusal::about(grant))? {
        CodeAnswer::Right(entered) => return Ok(step_up(&app, &entered)),
        CodeAnswer::Wrong { left } => left,
    };
    let address = app.reception().masked_address(&visit).await?;
    let page = visitor.page_of(&app, &visit, None);
    let faults = FieldFaults::one("code", page.with("fault-code", "count", left));
    Ok(with_faults(&CodePage { page, address, sent: true, to: on_the_way(grant), faults }))
}

/// `GET /birthdate`
pub async fn birthdate(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let (visit, _, grant) = visitor.visit_for(&app, asked.grant()).await?;
    let page = visitor.page_of(&app, &visit, None);
    let (typed, faults) = (Fields::default(), FieldFaults::default());
    Ok(shown(&BirthdatePage { page, to: on_the_way(grant), typed, faults }))
}

/// `POST /birthdate`
pub async fn check_birthdate(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, cookie, grant) = visitor.visit_for(&app, named(&form.0)).await?;
    let typed = form.given_to(&app, &visitor, Some(&visit))?;
    let birthdate = typed.date("birthdate");
    let answer = app.reception().check_birthdate((&visit, cookie), grant, &birthdate, visitor.from()).await;
    let page = visitor.page_of(&app, &visit, None);
    let fault = match answer.map_err(Refusal::about(grant))? {
        BirthdateAnswer::Right(entered) => return Ok(step_up(&app, &entered)),
        BirthdateAnswer::NoDate => page.say("fault-not-a-date").to_owned(),
        BirthdateAnswer::Wrong { left } => page.with("fault-birthdate", "count", left),
    };
    let faults = FieldFaults::one("birthdate", fault);
    Ok(with_faults(&BirthdatePage { page, to: on_the_way(grant), typed, faults }))
}

/// `GET /magic`
pub async fn magic(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (visit, _, grant) = visitor.visit_for(&app, asked.grant()).await?;
    let address = app.reception().masked_address(&visit).await?;
    let (page, sent) = (visitor.page_of(&app, &visit, None), asked.sent.is_some());
    Ok(shown(&MagicPage { page, address, sent, to: on_the_way(grant) }))
}

/// `POST /magic`
pub async fn mail_magic(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _, grant) = visitor.visit_for(&app, named(&form.0)).await?;
    form.given_to(&app, &visitor, Some(&visit))?;
    app.reception().mail_magic(&visit, grant).await.map_err(Refusal::about(grant))?;
    Ok(steps::see(&format!("/magic?sent&for={grant}")))
}

/// `GET /magic/{token}`: the same page whatever the token, so that looking tells nothing and uses nothing up.
pub async fn magic_link(State(app): State<App>, visitor: Visitor, Path(token): Path<String>) -> Response {
    shown(&MagicLinkPage { page: visitor.page(&app, None), token })
}

/// `POST /magic/{token}`
pub async fn use_magic(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    form.given_to(&app, &visitor, None)?;
    let used = app.reception().use_magic(&token, visitor.cookie()).await.map_err(|error| match error {
        VisitError::NotFound => Refusal::LinkUsed,
        error => error.into(),
    })?;
    Ok(step_up(&app, &used.ok_or(Refusal::LinkUsed)?))
}
