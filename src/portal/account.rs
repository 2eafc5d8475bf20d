//! The account: the password, other visits, closing it.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::access::AccessCheck;
use crate::gateway::visits::{AccountView, VisitError};
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::{FieldFaults, Form};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::password::fault;
use crate::portal::refusal::Refusal;
use crate::portal::sign_in::with_cookies;
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    view: AccountView,
    role: Option<String>,
    /// What just happened, as the id of a text.
    notice: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "account-password.html")]
struct ChangePage {
    page: Page,
    address: String,
    faults: FieldFaults,
}

#[derive(Template)]
#[template(path = "account-close.html")]
struct ClosePage {
    page: Page,
    address: String,
    faults: FieldFaults,
}

/// Who is not signed in is on the way to the account.
fn refused(error: VisitError) -> Refusal {
    match error {
        VisitError::Show(AccessCheck::Account) => Refusal::SignIn(Destination::Account),
        error => error.into(),
    }
}

/// `GET /account`
pub async fn show(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::Account).await?;
    let view = app.reception().account(&visit).await.map_err(refused)?;
    let page = visitor.page_of(&app, &visit, Some(&view.practice));
    let notice = match query.as_deref() {
        Some("password") => Some("account-password-changed"),
        Some("visits") => Some("account-visits-ended"),
        _ => None,
    };
    let role = view.role.map(|role| page.say(&format!("role-{}", role.name())).to_owned());
    Ok(shown(&AccountPage { page, view, role, notice }))
}

/// `GET /account/password`
pub async fn password(State(app): State<App>, visitor: Visitor) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::Account).await?;
    let view = app.reception().account(&visit).await.map_err(refused)?;
    let page = visitor.page_of(&app, &visit, Some(&view.practice));
    Ok(shown(&ChangePage { page, address: view.address.to_string(), faults: FieldFaults::default() }))
}

/// `POST /account/password`
pub async fn change_password(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, cookie) = visitor.living_visit(&app, Destination::Account).await?;
    let fields = form.given_to(&app, &visitor, Some(&visit))?;
    let (present, new) = (fields.secret("present"), fields.secret("password"));
    match app.reception().change_password((&visit, cookie), &present, &new).await.map_err(refused)? {
        Ok(entered) => {
            let cookie = Cookie::Visit.set(entered.cookie.expose(), &app.settings().origin);
            Ok(with_cookies(steps::see("/account?password"), [cookie]))
        }
        Err(wrong) => {
            let view = app.reception().account(&visit).await.map_err(refused)?;
            let page = visitor.page_of(&app, &visit, Some(&view.practice));
            let field = if wrong == crate::gateway::visits::NewPassword::WrongPresent { "present" } else { "password" };
            let faults = FieldFaults::one(field, page.say(fault(wrong)).to_owned());
            Ok(with_faults(&ChangePage { page, address: view.address.to_string(), faults }))
        }
    }
}

/// `POST /account/visits`
pub async fn end_visits(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::Account).await?;
    form.given_to(&app, &visitor, Some(&visit))?;
    app.reception().end_other_visits(&visit).await.map_err(refused)?;
    Ok(steps::see("/account?visits"))
}

/// `GET /account/close`
pub async fn closing(State(app): State<App>, visitor: Visitor) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::Account).await?;
    let view = app.reception().account(&visit).await.map_err(refused)?;
    let page = visitor.page_of(&app, &visit, Some(&view.practice));
    Ok(shown(&ClosePage { page, address: view.address.to_string(), faults: FieldFaults::default() }))
}

/// `POST /account/close`
pub async fn close(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::Account).await?;
    let fields = form.given_to(&app, &visitor, Some(&visit))?;
    match app.reception().close_account(&visit, &fields.secret("password")).await.map_err(refused)? {
        Ok(()) => {
            let gone = Cookie::Visit.remove(&app.settings().origin);
            Ok(with_cookies(steps::see("/sign-in?after=closed"), [gone]))
        }
        Err(wrong) => {
            let view = app.reception().account(&visit).await.map_err(refused)?;
            let page = visitor.page_of(&app, &visit, Some(&view.practice));
            let faults = FieldFaults::one("password", page.say(fault(wrong)).to_owned());
            Ok(with_faults(&ClosePage { page, address: view.address.to_string(), faults }))
        }
    }
}
