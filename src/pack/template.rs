//! The mail templates: MJML to HTML once, at load; then MiniJinja. A template that fails, fails at load.
//!
//! ```text
//! templates/notice.mjml  notice.txt  report.mjml  report.txt     layouts, without a word in them
//! templates/en/words.txt                                         every sentence, as macros: `words.…` in the layouts
//! templates/fr/words.txt  fr/notice.mjml                         a language is a folder; its own layout wins
//! ```

use std::collections::{BTreeMap, BTreeSet};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

use crate::fault::{Fault, Sources, nearest};
use crate::pack::{PackError, mjml, sample};
use crate::policy::SourceFile;

const FOLDER: &str = "templates/";
const WORDS: &str = "words.txt";
const LAYOUTS: [&str; 4] = ["notice.mjml", "notice.txt", "report.mjml", "report.txt"];
/// The language spoken where a practice's own has no folder.
const FALLBACK: &str = "en";
/// Puts the language's sentences into every layout. No line end: lines keep their numbers.
const IMPORT: &str = r#"{% import "words.txt" as words %}"#;

/// The mail templates of `policies/templates`, compiled.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    languages: BTreeSet<String>,
}

impl Templates {
    /// Compiles the files below `templates/`, and renders each with sample values, so that what is wrong with one is
    /// known now and not when the first mail goes out.
    ///
    /// # Errors
    /// All faults at once, with the texts of the files concerned.
    pub fn load(files: &[SourceFile]) -> Result<Self, (Vec<Fault>, Sources)> {
        let mut loading = Loading::sort(files);
        let as_written = loading.compile(Compiled::Source);
        loading.try_samples(&as_written);
        let well_written = loading.faults.is_empty();
        let environment = loading.compile(Compiled::Html);
        if well_written {
            loading.try_samples(&environment);
        }
        if loading.faults.is_empty() {
            return Ok(Self { environment, languages: loading.languages });
        }
        Err((loading.faults, loading.sources))
    }

    /// The language of ours that serves a practice's: itself, the same without its region (`fr` for `fr-CH`), or `en`.
    pub(crate) fn language(&self, wanted: &str) -> &str {
        let wanted = wanted.to_ascii_lowercase();
        let primary = wanted.split('-').next().unwrap_or_default();
        let found = self.languages.get(&wanted).or_else(|| self.languages.get(primary));
        found.map_or(FALLBACK, String::as_str)
    }

    /// A layout, rendered with these values.
    pub(crate) fn render(&self, language: &str, layout: &str, values: &Value) -> Result<String, PackError> {
        let name = format!("{}/{layout}", self.language(language));
        let rendered = self.environment.get_template(&name).and_then(|template| template.render(values.clone()));
        rendered.map_err(|error| without_values(&name, &error))
    }

    /// One sentence of a language's words.
    pub(crate) fn say(&self, language: &str, sentence: &str, values: &[Value]) -> Result<String, PackError> {
        let name = format!("{}/{WORDS}", self.language(language));
        say(&self.environment, &name, sentence, values).map_err(|error| without_values(&name, &error))
    }
}

fn say(env: &Environment<'_>, words: &str, sentence: &str, values: &[Value]) -> Result<String, minijinja::Error> {
    let mut captured = env.get_template(words)?.render_captured(())?;
    if !captured.state().exports().contains(&sentence) {
        return Err(minijinja::Error::new(ErrorKind::UnknownFunction, format!("there is no sentence \"{sentence}\"")));
    }
    captured.with_state_mut(|state| state.call_macro(sentence, values)).map(|said| said.trim().to_owned())
}

/// MiniJinja may quote a value in its errors; ours name the place only.
fn without_values(name: &str, error: &minijinja::Error) -> PackError {
    PackError::Template(format!(
        "template {}, line {}: {}",
        error.name().unwrap_or(name),
        error.line().unwrap_or(0),
        error.kind()
    ))
}

/// Which text of a layout is compiled: as written, so that faults have their lines, or as sent.
#[derive(Clone, Copy, PartialEq)]
enum Compiled {
    Source,
    Html,
}

#[derive(Default)]
struct Loading<'a> {
    /// By name below `templates/`.
    files: BTreeMap<&'a str, &'a SourceFile>,
    languages: BTreeSet<String>,
    faults: Vec<Fault>,
    sources: Sources,
}

impl<'a> Loading<'a> {
    fn sort(files: &'a [SourceFile]) -> Self {
        let mut loading = Self::default();
        for file in files {
            // The words of pages are read by `texts`.
            if let Some(name) = file.name.strip_prefix(FOLDER).filter(|name| !name.ends_with("/portal.ftl")) {
                loading.sources.insert(file.path.clone(), file.text.clone());
                loading.take(name, file);
            }
        }
        if !loading.languages.contains(FALLBACK) {
            let fault = Fault::new(loading.path_of("en/words.txt"), 0..0, "the English words are missing");
            loading.fault(fault.hint("copy the file that Postern is delivered with"));
        }
        loading
    }

    fn take(&mut self, name: &'a str, file: &'a SourceFile) {
        let (language, base) = name.split_once('/').map_or((None, name), |(language, base)| (Some(language), base));
        let known = LAYOUTS.contains(&base) || (language.is_some() && base == WORDS);
        if !known {
            let fault = Fault::new(&file.path, 0..0, format!("no mail is made of a template named \"{base}\""));
            let hint = nearest(base, LAYOUTS.into_iter().chain([WORDS]));
            let hint = hint.map_or_else(
                || format!("templates are {}", LAYOUTS.join(", ")),
                |it| format!("did you mean \"{it}\"?"),
            );
            return self.fault(fault.hint(hint));
        }
        self.files.insert(name, file);
        if let (Some(language), true) = (language, base == WORDS) {
            self.languages.insert(language.to_ascii_lowercase());
        }
    }

    /// One environment with every layout in every language; what does not compile is a fault and left out.
    fn compile(&mut self, compiled: Compiled) -> Environment<'static> {
        let mut environment = empty_environment();
        for language in self.languages.clone() {
            for base in LAYOUTS.into_iter().chain([WORDS]) {
                let own = format!("{language}/{base}");
                let Some(file) = self.files.get(own.as_str()).or_else(|| self.files.get(base)).copied() else {
                    let fault = Fault::new(self.path_of(base), 0..0, "this template is missing");
                    self.fault(fault.hint("copy the file that Postern is delivered with"));
                    continue;
                };
                self.add(&mut environment, own, file, compiled);
            }
        }
        environment
    }

    fn add(&mut self, environment: &mut Environment<'static>, name: String, file: &SourceFile, compiled: Compiled) {
        let text = match compiled {
            Compiled::Html if name.ends_with(".mjml") => match mjml::to_html(file) {
                Ok(html) => html,
                Err(faults) => return faults.into_iter().for_each(|fault| self.fault(fault)),
            },
            _ => file.text.clone(),
        };
        let text = if name.ends_with(WORDS) { text } else { format!("{IMPORT}{text}") };
        let added = name.clone();
        if let Err(error) = environment.add_template_owned(name, text) {
            let fault = self.fault_of(&error, &added, file);
            self.fault(fault);
        }
    }

    fn try_samples(&mut self, environment: &Environment<'_>) {
        for language in self.languages.clone() {
            for (layout, values) in sample::renderings(&language) {
                self.try_one(environment, &format!("{language}/{layout}"), |template| {
                    template.render(values.clone()).map(drop)
                });
            }
            let words = format!("{language}/{WORDS}");
            for (sentence, values) in sample::sentences() {
                self.try_one(environment, &words, |_| say(environment, &words, sentence, &values).map(drop));
            }
        }
    }

    fn try_one<'e>(
        &mut self,
        environment: &'e Environment<'e>,
        name: &str,
        attempt: impl Fn(&minijinja::Template<'e, 'e>) -> Result<(), minijinja::Error>,
    ) {
        // A template that did not compile is absent, and its fault is known.
        let Ok(template) = environment.get_template(name) else { return };
        if let Err(error) = attempt(&template) {
            let at = error.name().unwrap_or(name).to_owned();
            let base = at.rsplit('/').next().unwrap_or_default();
            if let Some(file) = self.files.get(at.as_str()).or_else(|| self.files.get(base)).copied() {
                let fault = self.fault_of(&error, &at, file);
                self.fault(fault);
            }
        }
    }

    /// The fault that an error of MiniJinja tells of, at its place in the file as written. `template` is the compiled
    /// template's name, which says the language.
    fn fault_of(&self, error: &minijinja::Error, template: &str, file: &SourceFile) -> Fault {
        let shift = if file.name.ends_with(WORDS) { 0 } else { IMPORT.len() };
        let span = error.range().map_or(0..0, |range| {
            range.start.saturating_sub(shift)..range.end.saturating_sub(shift).min(file.text.len())
        });
        let there = file.text.get(span.clone()).unwrap_or_default().trim_start_matches(['.', ' ']);
        let written = there.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::UnknownMethod, _) => {
                let words =
                    template.rsplit_once('/').map_or(WORDS.to_owned(), |(folder, _)| format!("{folder}/{WORDS}"));
                format!("\"{words}\" has no sentence \"{written}\"")
            }
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        let meant = match error.kind() {
            ErrorKind::UnknownMethod => nearest(written, self.sentences(template)),
            ErrorKind::UndefinedError => nearest(written, sample::NAMES),
            _ => None,
        };
        let hint = meant.map(|name| format!("did you mean \"{name}\"?"));
        Fault::new(&file.path, span, message).hint(hint.unwrap_or("docs/mail.md lists what a template can say".into()))
    }

    /// The sentences that a template's language has.
    fn sentences(&self, template: &str) -> impl Iterator<Item = &'a str> {
        let folder = template.split('/').next().unwrap_or_default();
        let words = self.files.get(format!("{folder}/{WORDS}").as_str()).map_or("", |file| file.text.as_str());
        words.split("{% macro ").skip(1).filter_map(|rest| rest.split('(').next())
    }

    fn path_of(&self, name: &str) -> String {
        format!("policies/{FOLDER}{name}")
    }

    /// A layout that several languages share has each fault once.
    fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
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
    let plain = minijinja::Value::from_safe_string(super::letter::escape(&value.to_string()));
    minijinja::escape_formatter(out, state, &plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::render;

    const SHIPPED: [(&str, &str); 6] = [
        ("templates/notice.mjml", include_str!("../../policies/templates/notice.mjml")),
        ("templates/notice.txt", include_str!("../../policies/templates/notice.txt")),
        ("templates/report.mjml", include_str!("../../policies/templates/report.mjml")),
        ("templates/report.txt", include_str!("../../policies/templates/report.txt")),
        ("templates/en/words.txt", include_str!("../../policies/templates/en/words.txt")),
        ("templates/fr/words.txt", include_str!("../../policies/templates/fr/words.txt")),
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
            ("templates/notice.txt", "{{ link }}", "{{ lnk }}", "notice.txt:7:4"),
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
        let error = templates.render("de", "report.txt", &values).unwrap_err().to_string();
        assert!(error.contains("template en/") && !error.contains("b.example"), "{error}");
    }
}
