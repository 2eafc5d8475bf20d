//! The list of a visitor's messages: search, filter, order.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::gateway::visits::{ParcelQuery, ParcelRow, Sorted};
use crate::pack::stored::KINDS;
use crate::portal::app::App;
use crate::portal::fields::Form;
use crate::portal::page::{Page, shown};
use crate::portal::refusal::Refusal;
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;

/// Characters of a search at most; what is longer is cut.
const SEARCH: usize = 200;
/// The order where none is asked for.
const NEWEST: &str = "newest";
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

/// What the address of the list may say: no words of anybody's.
#[derive(Deserialize)]
pub struct Asked {
    /// The name of a search, see [`crate::portal::searches`].
    #[serde(default)]
    found: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    sort: String,
}

/// `GET /`
pub async fn show(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::List).await?;
    let search = app.searches().words(visit.id, &asked.found).unwrap_or_default();
    let (kind, (sorted, sort)) = (kind(&asked.kind), order(&asked.sort));
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

/// `POST /`: what is searched for goes neither into an address nor into a log; the list is then asked for by GET, so that
/// it can be loaded again and gone back to.
pub async fn search(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::List).await?;
    let fields = form.given_to(&app, &visitor, Some(&visit))?;
    let words: String = fields.get("q").chars().take(SEARCH).collect();
    let found = if words.is_empty() { String::new() } else { app.searches().hold(visit.id, words) };
    let asked = [("found", found.as_str()), ("kind", kind(fields.get("kind"))), ("sort", order(fields.get("sort")).1)];
    let said = asked.into_iter().filter(|(_, value)| !value.is_empty() && *value != NEWEST);
    let said: Vec<_> = said.map(|(name, value)| format!("{name}={value}")).collect();
    Ok(steps::see(&if said.is_empty() { "/".to_owned() } else { format!("/?{}", said.join("&")) }))
}

/// A kind that there is, or none.
fn kind(word: &str) -> &'static str {
    KINDS.into_iter().find(|kind| *kind == word).unwrap_or_default()
}

fn order(word: &str) -> (Sorted, &'static str) {
    match word {
        "kind" => (Sorted::Kind, "kind"),
        "sender" => (Sorted::Sender, "sender"),
        _ => (Sorted::Newest, NEWEST),
    }
}
