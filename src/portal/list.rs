//! The list of a visitor's messages: search, filter, order.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::gateway::visits::{ParcelQuery, ParcelRow, Sorted};
use crate::portal::app::App;
use crate::portal::page::{Page, shown};
use crate::portal::refusal::Refusal;
use crate::portal::steps::Destination;
use crate::portal::visitor::Visitor;

/// The kinds of documents, in the order of the filter; each has texts `kind-WORD`.
const KINDS: [&str; 12] = [
    "pdf", "word", "spreadsheet", "presentation", "image", "dicom", "text", "audio", "video", "archive", "message", "other",
];
/// Characters of a search at most; what is longer is cut.
const SEARCH: usize = 200;
/// Rows on a page at most; a search finds what is older.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    page: Page,
    rows: Vec<ParcelRow>,
    more: usize,
    search: String,
    kind: String,
    sort: String,
    kinds: [&'static str; 12],
}

impl ListPage {
    /// Whether something was searched or filtered.
    fn narrowed(&self) -> bool {
        !self.search.is_empty() || !self.kind.is_empty()
    }
}

/// What the address of the list may say.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    sort: String,
}

/// `GET /`
pub async fn show(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::List).await?;
    let search: String = asked.q.trim().chars().take(SEARCH).collect();
    let kind = KINDS.into_iter().find(|kind| *kind == asked.kind).unwrap_or_default();
    let (sorted, sort) = match asked.sort.as_str() {
        "kind" => (Sorted::Kind, "kind"),
        "sender" => (Sorted::Sender, "sender"),
        _ => (Sorted::Newest, "newest"),
    };
    let query = ParcelQuery { search: search.clone(), kind: (!kind.is_empty()).then(|| kind.to_owned()), sorted };
    let mut rows = app.reception().parcels(&visit, &query).await.map_err(|error| match error {
        crate::gateway::visits::VisitError::Show(check) => Refusal::Show(check, visit.by),
        error => error.into(),
    })?;
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let practice = rows.first().map(|row| row.practice.clone());
    let page = visitor.page_of(&app, &visit, practice.as_deref());
    Ok(shown(&ListPage { page, rows, more, search, kind: kind.to_owned(), sort: sort.to_owned(), kinds: KINDS }))
}
