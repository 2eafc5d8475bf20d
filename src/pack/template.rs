//! The mail templates: MJML to HTML once, at load; then MiniJinja. A template that fails, fails at load.
//!
//! ```text
//! templates/notice.mjml  notice.txt  report.mjml  report.txt     layouts, without a word in them
//! templates/en/words.txt                                         every sentence, as macros: `words.…` in the layouts
//! templates/fr/words.txt  fr/notice.mjml                         a language is a folder; its own layout wins
//! ```

use std::collections::{BTreeMap, BTreeSet};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::fault::{Fault, Sources, nearest};
use crate::pack::{PackError, sample};
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
        let checked = loading.compile(Compiled::Source);
        loading.try_samples(&checked);
        if loading.faults.is_empty() {
            let environment = loading.compile(Compiled::Html);
            loading.try_samples(&environment);
            if loading.faults.is_empty() {
                return Ok(Self { environment, languages: loading.languages });
            }
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
    captured.with_state_mut(|state| state.call_macro(sentence, values)).map(|said| said.trim().to_owned())
}

/// MiniJinja may quote a value in its errors; ours name the place only.
fn without_values(name: &str, error: &minijinja::Error) -> PackError {
    PackError(format!(
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
            if let Some(name) = file.name.strip_prefix(FOLDER) {
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
            Compiled::Html if name.ends_with(".mjml") => match html(file) {
                Ok(html) => html,
                Err(fault) => return self.fault(fault),
            },
            _ => file.text.clone(),
        };
        let text = if name.ends_with(WORDS) { text } else { format!("{IMPORT}{text}") };
        if let Err(error) = environment.add_template_owned(name, text) {
            let fault = self.fault_of(&error, file);
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
                let fault = self.fault_of(&error, file);
                self.fault(fault);
            }
        }
    }

    /// The fault that an error of MiniJinja tells of, at its place in the file as written.
    fn fault_of(&self, error: &minijinja::Error, file: &SourceFile) -> Fault {
        let shift = if file.name.ends_with(WORDS) { 0 } else { IMPORT.len() };
        let span = error.range().map_or(0..0, |range| {
            range.start.saturating_sub(shift)..range.end.saturating_sub(shift).min(file.text.len())
        });
        let message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Fault::new(&file.path, span, message).hint("docs/mail.md lists what a template can say")
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

/// A layout's MJML as HTML; `{{ … }}` and `{% … %}` pass through.
fn html(file: &SourceFile) -> Result<String, Fault> {
    let parsed = mrml::parse(&file.text).map_err(|error| mjml_fault(file, &error))?;
    let rendered = parsed.element.render(&mrml::prelude::render::RenderOptions::default());
    rendered.map_err(|error| Fault::new(&file.path, 0..0, format!("cannot be made HTML: {error}")))
}

fn mjml_fault(file: &SourceFile, error: &mrml::prelude::parser::Error) -> Fault {
    use mrml::prelude::parser::Error;
    let (message, span) = match error {
        Error::UnexpectedElement { position, .. } => ("an element that does not belong here", Some(position)),
        Error::UnexpectedToken { position, .. } => ("something that does not belong here", Some(position)),
        Error::MissingAttribute { position, .. } => ("an attribute is missing", Some(position)),
        Error::InvalidAttribute { position, .. } => ("an attribute that MJML does not know", Some(position)),
        Error::InvalidFormat { position, .. } => ("this is not written as MJML wants it", Some(position)),
        Error::EndOfStream { .. } => ("an element is not closed", None),
        Error::IncludeLoaderError { position, .. } => ("mj-include is not available", Some(position)),
        _ => ("this is not MJML", None),
    };
    let span = span.map_or(0..0, |at| at.start.min(file.text.len())..at.end.min(file.text.len()));
    Fault::new(&file.path, span, message).hint("MJML's elements: https://documentation.mjml.io")
}
