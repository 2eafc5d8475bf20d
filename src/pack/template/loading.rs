//! Loading: all faults of all templates at once, each at its place in the file as written.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, ErrorKind};

use super::{FALLBACK, Failed, GUESTS, STAFF, Templates, WORDS, empty_environment};
use crate::fault::{Fault, Sources, nearest};
use crate::pack::{mjml, own, sample};
use crate::policy::SourceFile;

const FOLDER: &str = "templates/";
const LAYOUTS: [&str; 8] = [
    "notice.mjml",
    "notice.txt",
    "report.mjml",
    "report.txt",
    "to-guest.mjml",
    "to-guest.txt",
    "to-staff.mjml",
    "to-staff.txt",
];
const SENTENCES: [&str; 3] = [WORDS, GUESTS, STAFF];

/// See [`Templates::load`].
pub(super) fn load(files: &[SourceFile]) -> Result<Templates, (Vec<Fault>, Sources)> {
    let mut loading = Loading::sort(files);
    let as_written = loading.compile(Compiled::Source);
    loading.try_samples(&as_written, true);
    let well_written = loading.faults.is_empty();
    let templates = loading.compile(Compiled::Html);
    if well_written {
        loading.try_samples(&templates, false);
    }
    if loading.faults.is_empty() { Ok(templates) } else { Err((loading.faults, loading.sources)) }
}

/// Puts the language's sentences into a template. No line end: lines keep their numbers.
fn imports(base: &str) -> &'static str {
    match base {
        WORDS => "",
        "notice.mjml" | "notice.txt" => r#"{% import "words.txt" as words %}{% import "guests.txt" as guests %}"#,
        "to-staff.mjml" | "to-staff.txt" => r#"{% import "words.txt" as words %}{% import "staff.txt" as staff %}"#,
        _ => r#"{% import "words.txt" as words %}"#,
    }
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
        // The texts of pages, which the portal reads.
        if base.ends_with(".ftl") {
            return;
        }
        let known = LAYOUTS.contains(&base) || (language.is_some() && SENTENCES.contains(&base));
        if !known {
            let fault = Fault::new(&file.path, 0..0, format!("no mail is made of a template named \"{base}\""));
            let hint = nearest(base, LAYOUTS.into_iter().chain(SENTENCES));
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

    /// Every layout in every language; what does not compile is a fault and left out.
    fn compile(&mut self, compiled: Compiled) -> Templates {
        let mut environment = empty_environment();
        for language in self.languages.clone() {
            for base in LAYOUTS.into_iter().chain(SENTENCES) {
                let own = format!("{language}/{base}");
                let Some(file) = self.file(&own) else {
                    let missing = if SENTENCES.contains(&base) { own.as_str() } else { base };
                    let fault = Fault::new(self.path_of(missing), 0..0, "this template is missing");
                    self.fault(fault.hint("copy the file that Postern is delivered with"));
                    continue;
                };
                self.add(&mut environment, own, file, compiled);
            }
        }
        Templates { environment, languages: self.languages.clone() }
    }

    /// The file that a compiled template was made of: the language's own, or the one for all.
    fn file(&self, template: &str) -> Option<&'a SourceFile> {
        self.files.get(template).or_else(|| self.files.get(base(template))).copied()
    }

    fn add(&mut self, environment: &mut Environment<'static>, name: String, file: &SourceFile, compiled: Compiled) {
        let text = match compiled {
            Compiled::Html if name.ends_with(".mjml") => match mjml::to_html(file) {
                Ok(html) => html,
                Err(faults) => return faults.into_iter().for_each(|fault| self.fault(fault)),
            },
            _ => file.text.clone(),
        };
        let text = format!("{}{text}", imports(base(&name)));
        let added = name.clone();
        if let Err(error) = environment.add_template_owned(name, text) {
            let fault = self.fault_of(&error, &added, file);
            self.fault(fault);
        }
    }

    /// Renders every layout in every language, and says every sentence in every way or some.
    fn try_samples(&mut self, templates: &Templates, every_branch: bool) {
        for language in self.languages.clone() {
            for (layout, values) in sample::renderings(&language) {
                self.note(templates, templates.render(&language, layout, &values).map(drop));
            }
            for (sentence, values) in sample::sentences() {
                self.note(templates, templates.say(&language, sentence, &values).map(drop));
            }
            sample::own_mails(&language, every_branch, |parts| {
                self.note(templates, own::texts(templates, parts).map(drop))
            });
        }
    }

    fn note(&mut self, templates: &Templates, tried: Result<(), Failed>) {
        let Err(failed) = tried else { return };
        // A template that did not compile is absent, and its fault is known.
        if templates.environment.get_template(&failed.template).is_err() {
            return;
        }
        if let Some(file) = self.file(&failed.template) {
            let fault = self.fault_of(&failed.error, &failed.template, file);
            self.fault(fault);
        }
    }

    /// The fault that an error of MiniJinja tells of, at its place in the file as written. `template` is the compiled
    /// template's name, which says the language.
    fn fault_of(&self, error: &minijinja::Error, template: &str, file: &SourceFile) -> Fault {
        let shift = imports(base(template)).len();
        let span = error.range().map_or(0..0, |range| {
            range.start.saturating_sub(shift)..range.end.saturating_sub(shift).min(file.text.len())
        });
        let there = file.text.get(span.clone()).unwrap_or_default().trim_start_matches(['.', ' ']);
        let written = there.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::UnknownMethod, _) => {
                format!("\"{}\" has no sentence \"{written}\"", sentences_named(template, file, span.start))
            }
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        let meant = match error.kind() {
            ErrorKind::UnknownMethod => nearest(written, self.sentences(&sentences_named(template, file, span.start))),
            ErrorKind::UndefinedError => nearest(written, sample::NAMES),
            _ => None,
        };
        let hint = meant.map(|name| format!("did you mean \"{name}\"?"));
        Fault::new(&file.path, span, message).hint(hint.unwrap_or("docs/mail.md lists what a template can say".into()))
    }

    /// The sentences that a file has.
    fn sentences(&self, file: &str) -> impl Iterator<Item = &'a str> {
        let words = self.files.get(file).map_or("", |file| file.text.as_str());
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

/// The file's name in a compiled template's, `LANGUAGE/FILE`.
fn base(template: &str) -> &str {
    template.rsplit('/').next().unwrap_or_default()
}

/// The file of sentences that is named before this place: `words` in `words.headlin()`.
fn sentences_named(template: &str, file: &SourceFile, at: usize) -> String {
    let before = file.text.get(..at).unwrap_or_default();
    let named = SENTENCES.into_iter().find(|it| it.strip_suffix(".txt").is_some_and(|stem| before.ends_with(stem)));
    let folder = template.split('/').next().unwrap_or_default();
    format!("{folder}/{}", named.unwrap_or(WORDS))
}
