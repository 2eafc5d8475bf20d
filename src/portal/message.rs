//! One message: its documents, its text, what was replied.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::gateway::visits::{ParcelView, ShownDocument};
use crate::id::GrantId;
use crate::portal::app::App;
use crate::portal::headers;
use crate::portal::page::{Page, shown};
use crate::portal::refusal::Refusal;
use crate::portal::steps::Destination;
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    page: Page,
    view: ParcelView,
    replied: bool,
}

#[derive(Template)]
#[template(path = "body.html")]
struct BodyPage {
    page: Page,
    html: String,
}

impl MessagePage {
    /// Its documents, or the pictures of its text.
    fn files(&self, in_text: bool) -> Vec<&ShownDocument> {
        self.view.documents.iter().filter(|document| document.in_text == in_text).collect()
    }
}

/// The right that an address names.
///
/// # Errors
/// [`Refusal::NotFound`] for what is no id.
pub fn grant(text: &str) -> Result<GrantId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}

/// `GET /m/{grant}`
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let (visit, _) = visitor.living_visit(&app, Destination::Parcel(grant)).await?;
    let view = app.reception().parcel(&visit, grant).await.map_err(Refusal::about(grant))?;
    let page = visitor.page_of(&app, &visit, Some(&view.row.practice));
    Ok(shown(&MessagePage { page, view, replied: query.as_deref() == Some("replied") }))
}

/// `GET /m/{grant}/body`: the sender's HTML, sanitised, for a frame in which no script runs.
pub async fn body(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let (visit, _) = visitor.living_visit(&app, Destination::Parcel(grant)).await?;
    let view = app.reception().parcel(&visit, grant).await.map_err(Refusal::about(grant))?;
    let html = view.html.ok_or(Refusal::NotFound)?;
    let page = BodyPage { page: visitor.page_of(&app, &visit, Some(&view.row.practice)), html };
    let Ok(html) = page.render() else { return Err(Refusal::Unavailable) };
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(headers::BODY)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((StatusCode::OK, fields, html).into_response())
}
