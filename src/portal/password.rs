//! Passwords that a mailed link sets, and asking for such a mail.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use crate::gateway::visits::{NewPassword, PasswordView};
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::{FieldFaults, Form};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::refusal::Refusal;
use crate::portal::sign_in::with_cookies;
use crate::portal::steps;
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    page: Page,
    view: PasswordView,
    faults: FieldFaults,
    token: String,
}

#[derive(Template)]
#[template(path = "forgot.html")]
struct ForgotPage {
    page: Page,
    mailed: bool,
    faults: FieldFaults,
}

/// The text of what is wrong with a new password.
pub fn fault(fault: NewPassword) -> &'static str {
    match fault {
        NewPassword::TooShort => "fault-too-short",
        NewPassword::TooLong => "fault-too-long-password",
        NewPassword::Known => "fault-known",
        NewPassword::WrongPresent => "fault-wrong-present",
    }
}

/// `GET /password/{token}`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let view = app.reception().password_link(&token).await?.ok_or(Refusal::LinkUsed)?;
    let page = visitor.page(&app, Some(&view.practice));
    Ok(shown(&PasswordPage { page, view, faults: FieldFaults::default(), token }))
}

/// `POST /password/{token}`
pub async fn set(
    State(app): State<App>,
    visitor: Visitor,
    Path(token): Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    let fields = form.given_to(&app, &visitor, None)?;
    let view = app.reception().password_link(&token).await?.ok_or(Refusal::LinkUsed)?;
    match app.reception().set_password(&token, &fields.secret("password")).await {
        Ok(Ok(_)) => {
            let face = Cookie::Face.set(&view.practice, &app.settings().origin);
            Ok(with_cookies(steps::see("/sign-in?after=password"), [face]))
        }
        Ok(Err(wrong)) => {
            let page = visitor.page(&app, Some(&view.practice));
            let faults = FieldFaults::one("password", page.say(fault(wrong)).to_owned());
            Ok(with_faults(&PasswordPage { page, view, faults, token }))
        }
        Err(crate::gateway::visits::VisitError::NotFound) => Err(Refusal::LinkUsed),
        Err(error) => Err(error.into()),
    }
}

/// `GET /forgot`
pub async fn forgot(State(app): State<App>, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let mailed = query.as_deref() == Some("mailed");
    shown(&ForgotPage { page: visitor.page(&app, None), mailed, faults: FieldFaults::default() })
}

/// `POST /forgot`: the same answer whether there is such an account or not.
pub async fn mail(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let fields = form.given_to(&app, &visitor, None)?;
    let address = fields.get("address");
    if address.is_empty() {
        let page = visitor.page(&app, None);
        let faults = FieldFaults::one("address", page.say("fault-missing").to_owned());
        return Ok(with_faults(&ForgotPage { page, mailed: false, faults }));
    }
    app.reception().forgot_password(address, visitor.from()).await?;
    Ok(steps::see("/forgot?mailed"))
}
