//! Forms as browsers send them (`application/x-www-form-urlencoded`), and the faults beside their fields.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use tokio::time::Instant;

use crate::gateway::visits::Visit;
use crate::portal::app::App;
use crate::portal::body::{Incoming, Patience};
use crate::portal::refusal::Refusal;
use crate::portal::visitor::Visitor;
use crate::secret::{Secret, silent_debug};

/// Octets of a form at most. The longest has a few lines of text.
const MOST: u64 = 64 * 1024;
/// The field of the form token.
pub const TOKEN: &str = "form";

/// The fields of a form, in their order.
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, String)>);

silent_debug!(Fields);

impl Fields {
    /// Reads `a=b&c=d`.
    pub fn read(octets: &[u8]) -> Self {
        Self(form_urlencoded::parse(octets).into_owned().collect())
    }

    /// What was typed into a field, without white space around it; empty where it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// A password, as typed.
    pub fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.0.iter().find(|(field, _)| field == name).map_or_else(String::new, |(_, value)| value.clone()))
    }

    /// All values of a field that can be sent more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether it was sent at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// A date of three fields, `NAME-day`, `NAME-month`, `NAME-year`, as `YYYY-MM-DD` where it looks like one; as it was
    /// typed else, which is no date.
    pub fn date(&self, name: &str) -> String {
        let part = |part: &str| self.get(&format!("{name}-{part}")).to_owned();
        let (day, month, year) = (part("day"), part("month"), part("year"));
        match (day.parse::<u8>(), month.parse::<u8>(), year.parse::<u16>()) {
            (Ok(day), Ok(month), Ok(year)) => format!("{year:04}-{month:02}-{day:02}"),
            _ if [&day, &month, &year].iter().all(|part| part.is_empty()) => String::new(),
            _ => format!("{year}-{month}-{day}"),
        }
    }
}

/// A form, whole; its token is not judged yet.
pub struct Form(pub Fields);

impl FromRequest<App> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        read(app, &parts.headers, body).await.map(Self)
    }
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Fields, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::Malformed);
    }
    let patience = Patience::Whole(Instant::now() + app.settings().deadlines.form);
    let mut incoming = Incoming::new(headers, body, MOST, patience)?;
    let mut octets = Vec::new();
    while let Some(piece) = incoming.next().await? {
        octets.extend_from_slice(&piece);
    }
    Ok(Fields::read(&octets))
}

impl Form {
    /// The fields, if the form is one that we gave to this browser.
    ///
    /// # Errors
    /// [`Refusal::StaleForm`].
    pub fn given_to(self, app: &App, visitor: &Visitor, visit: Option<&Visit>) -> Result<Fields, Refusal> {
        let sound = app.tokens().is_sound(self.0.get(TOKEN), visitor.form_cookie(), visit);
        if sound { Ok(self.0) } else { Err(Refusal::StaleForm) }
    }
}

/// What is wrong with a field, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field.
    pub field: String,
    /// The sentence.
    pub text: String,
}

/// The faults of a form, for the summary at its top and beside each field.
#[derive(Debug, Clone, Default)]
pub struct FieldFaults(pub Vec<FieldFault>);

impl FieldFaults {
    /// One fault.
    pub fn one(field: &str, text: String) -> Self {
        Self(vec![FieldFault { field: field.to_owned(), text }])
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault of a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|fault| fault.field == field).map(|fault| fault.text.as_str())
    }

    /// All of them.
    pub fn all(&self) -> &[FieldFault] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_put_together_and_what_is_none_stays_none() {
        for (typed, date) in [
            ("b-day=4&b-month=3&b-year=1980", "1980-03-04"),
            ("b-day=04&b-month=+03&b-year=1980+", "1980-03-04"),
            ("b-day=&b-month=&b-year=", ""),
            ("b-day=4th&b-month=3&b-year=1980", "1980-3-4th"),
            ("b-day=4&b-month=3", "-3-4"),
        ] {
            assert_eq!(Fields::read(typed.as_bytes()).date("b"), date, "{typed}");
        }
    }

    #[test]
    fn fields_that_are_sent_twice_are_all_there() {
        let fields = Fields::read(b"p=a+b&p=c%26d&q=%F0%28");
        assert_eq!(fields.all("p").collect::<Vec<_>>(), ["a b", "c&d"]);
        assert!(fields.get("q").contains('\u{fffd}') && fields.get("none").is_empty() && !fields.has("none"));
    }
}
