//! How people at the practice set up their mail program: a page for whoever has an address, a password and two minutes.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::portal::app::App;
use crate::portal::page::{Page, shown};
use crate::portal::refusal::Refusal;
use crate::portal::setup::{MailServer, MailServers, offered};
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "guide.html")]
struct GuidePage<'a> {
    page: Page,
    host: &'a str,
    imap: MailServer,
    submission: Option<MailServer>,
}

/// `GET /setup`
pub async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Refusal> {
    let MailServers { host, imap, submission } = offered(&app)?;
    let imap = imap.ok_or(Refusal::NotFound)?;
    Ok(shown(&GuidePage { page: visitor.page(&app, None), host, imap, submission: *submission }))
}
