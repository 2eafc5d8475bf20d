//! What every page has: its language, the practice's face, the form token; and moments, sizes and counts in words.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::event::Event;
use crate::gateway::Snapshot;
use crate::portal::assets;
use crate::policy::Practice;
use crate::texts::{Language, Value};
use crate::time::Timestamp;

/// It caches the zones it has read.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// What every page has.
pub struct Page {
    snapshot: Arc<Snapshot>,
    language: Arc<Language>,
    practice: Option<String>,
    token: String,
    here: String,
    signed_in: bool,
}

impl Page {
    /// A page in this language, with the face of this practice, for a browser whose forms carry this token.
    pub fn new(
        snapshot: Arc<Snapshot>,
        language: Arc<Language>,
        practice: Option<String>,
        token: String,
        here: String,
        signed_in: bool,
    ) -> Self {
        Self { snapshot, language, practice, token, here, signed_in }
    }

    /// The form token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Its address, for the language switch.
    pub fn here(&self) -> &str {
        &self.here
    }

    /// Whether the visitor has signed in.
    pub fn signed_in(&self) -> bool {
        self.signed_in
    }

    /// The language's tag.
    pub fn lang(&self) -> &str {
        self.language.tag()
    }

    /// The other languages: tag and name.
    pub fn other_languages(&self) -> Vec<(&str, &str)> {
        let others = self.snapshot.texts.languages().filter(|language| language.tag() != self.lang());
        others.map(|language| (language.tag(), language.say("language-name"))).collect()
    }

    /// The practice whose face the page wears.
    pub fn practice(&self) -> Option<&Practice> {
        self.practice.as_deref().and_then(|id| self.snapshot.policy.practice(id))
    }

    /// The practice's name, or what we call ourselves.
    pub fn name(&self) -> &str {
        self.practice().map_or_else(|| self.say("service-name"), |practice| practice.name.as_str())
    }

    /// The name of any practice.
    pub fn name_of(&self, practice: &str) -> &str {
        self.snapshot.policy.practice(practice).map_or("", |practice| practice.name.as_str())
    }

    /// The address of the practice's logo, where it has one.
    pub fn logo(&self) -> Option<String> {
        let practice = self.practice()?;
        assets::logo_of(&self.snapshot, &practice.id).map(|_| format!("/logo/{}", practice.id))
    }

    /// A kind of document, in words.
    pub fn kind(&self, kind: &str) -> String {
        self.language.say(&format!("kind-{kind}")).to_owned()
    }

    /// A phone number as a link dials it (RFC 3966).
    pub fn dial(&self, phone: &str) -> String {
        phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }

    /// The address of a style sheet or script.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::path(name)
    }

    /// The address of the style sheet with the practice's colours.
    pub fn paint(&self) -> String {
        assets::paint_path(self.practice().map_or("", |practice| practice.colour.as_str()))
    }

    /// A text that names nothing.
    pub fn say<'a>(&'a self, id: &'a str) -> &'a str {
        self.language.say(id)
    }

    /// A text that only some have: help beside a field.
    pub fn say_if_any<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        self.language.has(id).then(|| self.language.say(id))
    }

    /// A text that names one thing.
    pub fn with<'a>(&self, id: &str, name: &str, value: impl Into<Value<'a>>) -> String {
        self.language.fill(id, &[(name, value.into())])
    }

    /// A text that names two things.
    pub fn with_two<'a>(
        &self,
        id: &str,
        name: &str,
        value: impl Into<Value<'a>>,
        second: &str,
        other: impl Into<Value<'a>>,
    ) -> String {
        self.language.fill(id, &[(name, value.into()), (second, other.into())])
    }

    /// A text with a count.
    pub fn count<'a>(&self, id: &str, count: impl Into<Value<'a>>) -> String {
        self.with(id, "count", count)
    }

    /// A day in the practice's time zone: `29 November 2026`.
    pub fn date(&self, at: &Timestamp) -> String {
        self.calendar("date", at)
    }

    /// A day and time in the practice's time zone: `29 November 2026, 14:05`.
    pub fn moment(&self, at: &Timestamp) -> String {
        self.calendar("moment", at)
    }

    fn calendar(&self, id: &str, at: &Timestamp) -> String {
        let practice = self.practice().unwrap_or_else(|| self.snapshot.policy.first_practice());
        let zone = ZONES.get(&practice.time_zone).unwrap_or(TimeZone::UTC);
        let zoned = at.to_jiff().to_zoned(zone);
        let values = [
            ("day", Value::from(zoned.day())),
            ("month", Value::from(zoned.month())),
            ("year", Value::from(zoned.year().to_string())),
            ("time", Value::from(format!("{:02}:{:02}", zoned.hour(), zoned.minute()))),
        ];
        self.language.fill(id, if id == "date" { &values[..3] } else { &values })
    }

    /// A number of octets as people read it: `1.4 MB`.
    pub fn size(&self, octets: &u64) -> String {
        let (unit, size) = match octets {
            0..1_000 => ("size-bytes", octets.to_string()),
            1_000..1_000_000 => ("size-kilobytes", octets.div_ceil(1_000).to_string()),
            _ => {
                let tenths = octets.div_ceil(100_000);
                let rest = if tenths % 10 == 0 { String::new() } else { format!("{}{}", self.say("decimal-point"), tenths % 10) };
                ("size-megabytes", format!("{}{rest}", tenths / 10))
            }
        };
        self.with(unit, "size", size)
    }
}

/// A page as an answer.
pub fn rendered(status: StatusCode, page: &impl Template) -> Response {
    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    match page.render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, HTML)], html).into_response(),
        Err(error) => {
            Event::Trouble { place: "page", cause: error.to_string() }.log();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that was asked for.
pub fn shown(page: &impl Template) -> Response {
    rendered(StatusCode::OK, page)
}

/// A page with a form that has faults.
pub fn with_faults(page: &impl Template) -> Response {
    rendered(StatusCode::UNPROCESSABLE_ENTITY, page)
}
