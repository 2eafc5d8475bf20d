//! How to check that it is genuine; and the choice of a language.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::fields::Form;
use crate::portal::page::{Page, shown};
use crate::portal::refusal::Refusal;
use crate::portal::setup;
use crate::portal::sign_in::with_cookies;
use crate::portal::steps;
use crate::portal::visitor::Visitor;

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    origin: String,
    /// Whether staff read their mail here.
    mail: bool,
}

/// `GET /help`
pub async fn show(State(app): State<App>, visitor: Visitor) -> Response {
    let origin = app.settings().origin.authority().to_owned();
    let mail = setup::offered(&app).is_ok();
    shown(&HelpPage { page: visitor.page(&app, None), origin, mail })
}

/// `POST /language`
pub async fn language(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let visit = visitor.visit(&app).await?;
    let fields = form.given_to(&app, &visitor, visit.as_ref())?;
    let texts = &visitor.snapshot().texts;
    let chosen = texts.languages().find(|language| language.tag() == fields.get("language"));
    let chosen = chosen.ok_or(Refusal::Malformed)?;
    let cookie = Cookie::Language.set(chosen.tag(), &app.settings().origin);
    Ok(with_cookies(steps::see(back(fields.get("back"))), [cookie]))
}

/// A path of ours, or the list: `//host`, `/\host` and whole addresses lead elsewhere.
fn back(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        for (path, leads) in [
            ("/m/abc?replied", "/m/abc?replied"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(back(path), leads, "{path:?}");
        }
    }
}
