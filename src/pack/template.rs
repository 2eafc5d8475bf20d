//! The mail templates: MJML to HTML once, at load; then MiniJinja. A template that fails, fails at load.
//!
//! ```text
//! templates/notice.mjml  notice.txt      a message to a recipient     layouts, without a word in them
//!           report.mjml  report.txt      the report of a failure
//!           to-guest.mjml  to-guest.txt     mails of our own to guests
//!           to-staff.mjml  to-staff.txt     mails of our own to staff
//! templates/en/words.txt                 every sentence, as macros: `words.…` in the layouts
//!           en/guests.txt  en/staff.txt  those of mails of our own: `guests.…`, `staff.…`
//! templates/fr/…                         a language is a folder; a layout in it wins
//! ```

use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Captured, Environment, ErrorKind, UndefinedBehavior};

use crate::fault::{Fault, Sources};
use crate::pack::PackError;
use crate::policy::SourceFile;

mod loading;

/// What a layout can say: words common to all mails.
const WORDS: &str = "words.txt";
/// Words of mails of our own to guests, also of what a notice says to somebody who is to register.
pub(crate) const GUESTS: &str = "guests.txt";
/// Words of mails of our own to staff.
pub(crate) const STAFF: &str = "staff.txt";
/// The language spoken where a practice's own has no folder.
const FALLBACK: &str = "en";

/// The mail templates of `policies/templates`, compiled.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    languages: BTreeSet<String>,
}

/// A template that fails: which, and why.
#[derive(Debug)]
pub(crate) struct Failed {
    /// `en/words.txt`
    template: String,
    error: minijinja::Error,
}

impl Failed {
    fn new(template: &str, error: minijinja::Error) -> Self {
        Self { template: error.name().unwrap_or(template).to_owned(), error }
    }
}

/// MiniJinja may quote a value in its errors; ours name the place only.
impl From<Failed> for PackError {
    fn from(failed: Failed) -> Self {
        let Failed { template, error } = failed;
        Self::Template(format!("template {template}, line {}: {}", error.line().unwrap_or(0), error.kind()))
    }
}

impl Templates {
    /// Compiles the files below `templates/`, and renders each with sample values, so that what is wrong with one is
    /// known now and not when the first mail goes out.
    ///
    /// # Errors
    /// All faults at once, with the texts of the files concerned.
    pub fn load(files: &[SourceFile]) -> Result<Self, (Vec<Fault>, Sources)> {
        loading::load(files)
    }

    /// The language of ours that serves a practice's: itself, the same without its region (`fr` for `fr-CH`), or `en`.
    pub(crate) fn language(&self, wanted: &str) -> &str {
        let wanted = wanted.to_ascii_lowercase();
        let primary = wanted.split('-').next().unwrap_or_default();
        let found = self.languages.get(&wanted).or_else(|| self.languages.get(primary));
        found.map_or(FALLBACK, String::as_str)
    }

    /// A layout, rendered with these values.
    pub(crate) fn render(&self, language: &str, layout: &str, values: &Value) -> Result<String, Failed> {
        let name = format!("{}/{layout}", self.language(language));
        let rendered = self.environment.get_template(&name).and_then(|template| template.render(values.clone()));
        rendered.map_err(|error| Failed::new(&name, error))
    }

    /// The sentences of one file in a language, to be said one after the other.
    pub(crate) fn words(&self, language: &str, file: &str) -> Result<Words<'_>, Failed> {
        let name = format!("{}/{file}", self.language(language));
        let captured = self.environment.get_template(&name).and_then(|template| template.render_captured(()));
        match captured {
            Ok(captured) => Ok(Words { captured, name }),
            Err(error) => Err(Failed::new(&name, error)),
        }
    }

    /// One sentence of the common words.
    pub(crate) fn say(&self, language: &str, sentence: &str, values: &[Value]) -> Result<String, Failed> {
        self.words(language, WORDS)?.say(sentence, values)
    }
}

/// The sentences of one file. What is said is text: nothing in it is escaped.
pub(crate) struct Words<'t> {
    captured: Captured<'t>,
    name: String,
}

impl Words<'_> {
    /// A sentence with its arguments.
    pub fn say(&mut self, sentence: &str, values: &[Value]) -> Result<String, Failed> {
        let said = if self.captured.state().exports().contains(&sentence) {
            self.captured.with_state_mut(|state| state.call_macro(sentence, values))
        } else {
            Err(minijinja::Error::new(ErrorKind::UnknownFunction, format!("there is no sentence \"{sentence}\"")))
        };
        said.map(|said| said.trim().to_owned()).map_err(|error| Failed::new(&self.name, error))
    }

    /// A sentence's paragraphs: an empty line stands between two.
    pub fn paragraphs(&mut self, sentence: &str, values: &[Value]) -> Result<Vec<String>, Failed> {
        let said = self.say(sentence, values)?;
        let paragraphs = said.split("\n\n").map(str::trim).filter(|it| !it.is_empty());
        Ok(paragraphs.map(str::to_owned).collect())
    }
}

fn empty_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    #[allow(clippy::expect_used, reason = "the delimiters are MiniJinja's own, which are valid")]
    environment.set_syntax(syntax.expect("MiniJinja's own delimiters"));
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".mjml") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    environment.set_path_join_callback(|name, parent| match parent.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}").into(),
        None => name.into(),
    });
    environment.set_formatter(escape_as_little_as_is_safe);
    environment
}

/// MiniJinja's own escaping turns `/` into `&#x2f;`, which mail clients' link finders and people reading the source
/// stumble over; the five characters that matter in HTML text and quoted attributes are enough.
fn escape_as_little_as_is_safe(
    out: &mut minijinja::Output<'_>,
    state: &mut minijinja::State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if *state.auto_escape() != AutoEscape::Html || value.is_safe() {
        return minijinja::escape_formatter(out, state, value);
    }
    let plain = minijinja::Value::from_safe_string(crate::pack::letter::escape(&value.to_string()));
    minijinja::escape_formatter(out, state, &plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::render;

    const SHIPPED: [(&str, &str); 14] = [
        ("templates/notice.mjml", include_str!("../../policies/templates/notice.mjml")),
        ("templates/notice.txt", include_str!("../../policies/templates/notice.txt")),
        ("templates/report.mjml", include_str!("../../policies/templates/report.mjml")),
        ("templates/report.txt", include_str!("../../policies/templates/report.txt")),
        ("templates/to-guest.mjml", include_str!("../../policies/templates/to-guest.mjml")),
        ("templates/to-guest.txt", include_str!("../../policies/templates/to-guest.txt")),
        ("templates/to-staff.mjml", include_str!("../../policies/templates/to-staff.mjml")),
        ("templates/to-staff.txt", include_str!("../../policies/templates/to-staff.txt")),
        ("templates/en/words.txt", include_str!("../../policies/templates/en/words.txt")),
        ("templates/en/guests.txt", include_str!("../../policies/templates/en/guests.txt")),
        ("templates/en/staff.txt", include_str!("../../policies/templates/en/staff.txt")),
        ("templates/fr/words.txt", include_str!("../../policies/templates/fr/words.txt")),
        ("templates/fr/guests.txt", include_str!("../../policies/templates/fr/guests.txt")),
        ("templates/fr/staff.txt", include_str!("../../policies/templates/fr/staff.txt")),
    ];

    fn load(change: impl Fn(&str, String) -> Option<String>, more: &[(&str, &str)]) -> Result<Templates, String> {
        let shipped = SHIPPED.iter().filter_map(|(name, text)| Some((*name, change(name, (*text).to_owned())?)));
        let more = more.iter().map(|(name, text)| (*name, (*text).to_owned()));
        let files: Vec<_> = shipped
            .chain(more)
            .map(|(name, text)| SourceFile { path: format!("policies/{name}"), name: name.to_owned(), text })
            .collect();
        Templates::load(&files).map_err(|(faults, sources)| render(&faults, &sources))
    }

    /// What `check` prints after this text of this file was replaced.
    fn mistake(file: &str, find: &str, put: &str) -> String {
        let changed = |name: &str, text: String| {
            assert!(name != file || text.contains(find), "{find}");
            Some(if name == file { text.replacen(find, put, 1) } else { text })
        };
        load(changed, &[]).expect_err("a fault")
    }

    #[test]
    fn a_mistake_is_shown_at_its_line() {
        let notice = "templates/notice.mjml";
        let words = "templates/en/words.txt";
        for (file, find, put, shown) in [
            (notice, "{{ practice.name }}</mj-title>", "{{ practise.name }}</mj-title>", "notice.mjml:3:18"),
            (notice, "{{ practice.name }}</mj-title>", "{{ practise.name }}</mj-title>", "did you mean \"practice\"?"),
            (notice, "words.headline(documents)", "words.headlin(documents)", "did you mean \"headline\"?"),
            (notice, "{% endif %}</mj-raw>", "{% endfi %}</mj-raw>", "notice.mjml:"),
            (notice, "<mj-column>", "<mj-colum>", "did you mean \"mj-column\"?"),
            ("templates/notice.txt", "{{ link }}", "{{ lnk }}", "notice.txt:16:4"),
            (words, "{% macro kind(", "{% macro knd(", "words.txt:"),
            (
                notice,
                "guests.register_why(",
                "guests.register_wy(",
                "\"en/guests.txt\" has no sentence \"register_wy\"",
            ),
            (notice, "guests.register_why(", "guests.register_wy(", "did you mean \"register_why\"?"),
            ("templates/to-guest.mjml", "{{ button }}", "{{ buton }}", "to-guest.mjml:"),
            ("templates/to-staff.txt", "staff.reply_with()", "staff.reply()", "\"en/staff.txt\" has no sentence"),
            (
                "templates/en/guests.txt",
                "{% macro code_title(mail) %}",
                "{% macro cod_title(mail) %}",
                "no sentence \"code_title\"",
            ),
            ("templates/fr/staff.txt", "{% macro outcome(", "{% macro outcme(", "no sentence \"outcome\""),
            ("templates/fr/staff.txt", "mail.not_understood }}", "mail.not_undrstood }}", "fr/staff.txt:"),
            ("templates/report.txt", "words.report_next()", "words.report_nxt()", "report.txt:"),
            (words, "each.count", "each.cuont", "words.txt:"),
            (words, "\"birthdate\": ", "\"birthdat\": ", "words.txt:"),
            (
                words,
                "{% macro report_subject(accepted) %}",
                "{% macro report_sbject(accepted) %}",
                "no sentence \"report_subject\"",
            ),
        ] {
            let printed = mistake(file, find, put);
            assert!(printed.contains(shown), "{put}: {shown} in\n{printed}");
            assert!(printed.contains("help:"), "{printed}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once_and_a_shared_one_once() {
        let changed = |name: &str, text: String| match name {
            "templates/notice.txt" => Some(text.replace("{{ link }}", "{{ lnk }}")),
            "templates/report.mjml" => Some(text.replace("{{ recipient }}", "{{ recipent }}")),
            "templates/report.txt" => None,
            _ => Some(text),
        };
        let printed = load(changed, &[("templates/notise.mjml", "")]).expect_err("faults");
        for part in ["lnk", "recipent", "report.txt", "notise.mjml", "did you mean \"notice.mjml\"?"] {
            assert!(printed.contains(part), "{part} in\n{printed}");
        }
        assert_eq!(printed.matches("error:").count(), 4, "{printed}");
    }

    #[test]
    fn without_english_nothing_starts() {
        let printed = load(|name, text| (name != "templates/en/words.txt").then_some(text), &[]).expect_err("a fault");
        assert!(printed.contains("the English words are missing"), "{printed}");
    }

    #[test]
    fn a_practices_language_is_found_by_its_tag_its_primary_tag_or_is_english() {
        let own = ("templates/fr/report.txt", "Bonjour {{ recipient }}");
        let templates = load(|_, text| Some(text), &[own]).unwrap();
        for (wanted, spoken) in [("fr", "fr"), ("fr-CH", "fr"), ("FR", "fr"), ("de", "en"), ("", "en")] {
            assert_eq!(templates.language(wanted), spoken, "{wanted}");
        }
        let values = minijinja::context! { recipient => "a@b.example" };
        assert_eq!(templates.render("fr-CH", "report.txt", &values).unwrap(), "Bonjour a@b.example");
        let error = templates.render("de", "report.txt", &values).unwrap_err();
        let error = crate::pack::PackError::from(error).to_string();
        assert!(error.contains("template en/") && !error.contains("b.example"), "{error}");
    }
}
