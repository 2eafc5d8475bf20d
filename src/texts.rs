//! The sentences of pages: Fluent files, one a language, complete or refused when they are read.
//!
//! ```text
//! templates/en/portal.ftl   the shipped one says which texts there are and what each may name
//! templates/fr/portal.ftl   a language is a folder; every text must be there, and none that nobody reads
//! ```
//!
//! Texts that name nothing are put together once, when the files are read, and borrowed from then on.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};
use unic_langid::LanguageIdentifier;

use crate::fault::{Fault, Sources, nearest};
use crate::policy::SourceFile;

pub use fluent_bundle::FluentValue as Value;

const FOLDER: &str = "templates/";
const FILE: &str = "portal.ftl";
/// The language read where nothing else fits.
const FALLBACK: &str = "en";
/// What the program was built with: the texts that every language must have.
const REFERENCE: &str = include_str!("../policies/templates/en/portal.ftl");
/// Beginnings of texts for the fields of role files, which a clinic may add to: the label must be there, help may be.
const LABEL: &str = "field-";
const HELP: &str = "help-";

/// The texts of pages in every language there is.
#[derive(Debug)]
pub struct Texts {
    /// In order of their tags.
    languages: Vec<Arc<Language>>,
}

/// The texts of pages in one language.
pub struct Language {
    tag: String,
    bundle: FluentBundle<FluentResource>,
    /// Texts that name nothing, ready.
    ready: HashMap<String, String>,
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.tag)
    }
}

impl Texts {
    /// Reads the files. `fields` are the fields of all role files, whose labels must be among the texts; `None` where those
    /// files are unsound, so that nothing can be said about labels.
    ///
    /// # Errors
    /// All faults at once: what does not parse, what is missing or superfluous, what names something it is not told.
    pub fn load(files: &[SourceFile], fields: Option<&BTreeSet<String>>) -> Result<Self, (Vec<Fault>, Sources)> {
        let (mut faults, mut sources, mut languages) = (Vec::new(), Sources::new(), Vec::new());
        let wanted = Wanted::of(fields);
        for file in files {
            let Some(tag) = language_of(file) else { continue };
            sources.insert(file.path.clone(), file.text.clone());
            match read(file, tag, &wanted) {
                Ok(language) => languages.push(Arc::new(language)),
                Err(found) => faults.extend(found),
            }
        }
        let english = |file: &SourceFile| language_of(file).is_some_and(|tag| tag == FALLBACK);
        if !files.iter().any(english) {
            let fault = Fault::new(format!("{FOLDER}{FALLBACK}/{FILE}"), 0..0, "the English texts of pages are missing");
            faults.push(fault.hint("copy the file that Postern is delivered with"));
        }
        if faults.is_empty() { Ok(Self { languages }) } else { Err((faults, sources)) }
    }

    /// The first of the wanted languages that there is, by its tag or without its region (`fr` for `fr-CH`); else
    /// English.
    pub fn choose<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> &Arc<Language> {
        let mut wanted = wanted.into_iter();
        let found = wanted.find_map(|tag| self.language(tag).or_else(|| self.language(tag.split('-').next()?)));
        found.or_else(|| self.language(FALLBACK)).unwrap_or(&self.languages[0])
    }

    /// Every language.
    pub fn languages(&self) -> impl Iterator<Item = &Arc<Language>> {
        self.languages.iter()
    }

    fn language(&self, tag: &str) -> Option<&Arc<Language>> {
        self.languages.iter().find(|language| language.tag.eq_ignore_ascii_case(tag))
    }
}

impl Language {
    /// Its BCP 47 tag, for `lang`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// A text that names nothing. A text that is not there reads as its id; tests see to it that none is.
    pub fn say<'a>(&'a self, id: &'a str) -> &'a str {
        self.ready.get(id).map_or(id, String::as_str)
    }

    /// Whether there is such a text.
    pub fn has(&self, id: &str) -> bool {
        self.bundle.has_message(id)
    }

    /// A text with what it names. Nothing that is put in is markup or Fluent.
    pub fn fill(&self, id: &str, values: &[(&str, Value<'_>)]) -> String {
        let args: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
        format(&self.bundle, id, &args).map_or_else(|_| id.to_owned(), Cow::into_owned)
    }
}

fn format<'a>(bundle: &'a FluentBundle<FluentResource>, id: &str, args: &'a FluentArgs<'_>) -> Result<Cow<'a, str>, String> {
    let pattern = bundle.get_message(id).and_then(|message| message.value()).ok_or("it has no text")?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    errors.first().map_or(Ok(text), |error| Err(error.to_string()))
}

/// The language a file is for, if it holds texts of pages.
fn language_of(file: &SourceFile) -> Option<&str> {
    file.name.strip_prefix(FOLDER)?.strip_suffix(FILE)?.strip_suffix('/').filter(|tag| !tag.contains('/'))
}

/// Which texts there must be, and what each may name; and which there may be.
struct Wanted {
    required: BTreeMap<String, BTreeSet<String>>,
    /// Help for fields; `None`: any label and any help.
    possible: Option<BTreeSet<String>>,
}

impl Wanted {
    fn of(fields: Option<&BTreeSet<String>>) -> Self {
        let (reference, _) = parse(REFERENCE);
        let mut required = texts_of(&reference);
        for field in fields.into_iter().flatten() {
            required.entry(format!("{LABEL}{field}")).or_default();
        }
        let possible = fields.map(|fields| fields.iter().map(|field| format!("{HELP}{field}")).collect());
        Self { required, possible }
    }

    fn allows(&self, id: &str) -> bool {
        match &self.possible {
            Some(possible) => possible.contains(id),
            None => id.starts_with(LABEL) || id.starts_with(HELP),
        }
    }
}

/// What parses of a file, and its faults as spans and sentences.
fn parse(text: &str) -> (FluentResource, Vec<(std::ops::Range<usize>, String)>) {
    match FluentResource::try_new(text.to_owned()) {
        Ok(resource) => (resource, Vec::new()),
        Err((resource, errors)) => {
            (resource, errors.into_iter().map(|error| (error.pos, error.kind.to_string())).collect())
        }
    }
}

/// What a text names: values it is told, and other texts.
#[derive(Default)]
struct Named {
    values: BTreeSet<String>,
    texts: BTreeSet<String>,
}

/// The texts of a file, and the values that each names, itself or by another text.
fn texts_of(resource: &FluentResource) -> BTreeMap<String, BTreeSet<String>> {
    let messages = resource.entries().filter_map(|entry| match entry {
        Entry::Message(message) => Some(message),
        _ => None,
    });
    let named: BTreeMap<String, Named> = messages
        .map(|message| {
            let mut named = Named::default();
            message.value.iter().for_each(|pattern| in_pattern(pattern, &mut named));
            (message.id.name.to_owned(), named)
        })
        .collect();
    // One step is enough for texts that are put together of parts; Fluent itself refuses circles.
    let by_texts = |texts: &BTreeSet<String>| -> BTreeSet<String> {
        texts.iter().filter_map(|text| named.get(text)).flat_map(|part| part.values.clone()).collect()
    };
    named.iter().map(|(id, it)| (id.clone(), it.values.union(&by_texts(&it.texts)).cloned().collect())).collect()
}

fn in_pattern(pattern: &Pattern<&str>, named: &mut Named) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            in_expression(expression, named);
        }
    }
}

fn in_expression(expression: &Expression<&str>, named: &mut Named) {
    match expression {
        Expression::Inline(inline) => in_inline(inline, named),
        Expression::Select { selector, variants } => {
            in_inline(selector, named);
            variants.iter().for_each(|variant| in_pattern(&variant.value, named));
        }
    }
}

fn in_inline(inline: &InlineExpression<&str>, named: &mut Named) {
    match inline {
        InlineExpression::VariableReference { id } => {
            named.values.insert(id.name.to_owned());
        }
        InlineExpression::MessageReference { id, .. } => {
            named.texts.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => in_expression(expression, named),
        InlineExpression::FunctionReference { arguments, .. } => in_arguments(arguments, named),
        InlineExpression::TermReference { arguments: Some(arguments), .. } => in_arguments(arguments, named),
        _ => {}
    }
}

fn in_arguments(arguments: &CallArguments<&str>, named: &mut Named) {
    arguments.positional.iter().for_each(|value| in_inline(value, named));
    arguments.named.iter().for_each(|argument| in_inline(&argument.value, named));
}

fn read(file: &SourceFile, tag: &str, wanted: &Wanted) -> Result<Language, Vec<Fault>> {
    let fault = |span, message: String| Fault::new(&file.path, span, message);
    let Ok(identifier) = tag.parse::<LanguageIdentifier>() else {
        let fault = fault(0..0, format!("\"{tag}\" is no language"));
        return Err(vec![fault.hint("name the folder as BCP 47 writes the language: \"en\", \"fr\", \"de-CH\"")]);
    };
    let (resource, broken) = parse(&file.text);
    if !broken.is_empty() {
        let faults = broken.into_iter().map(|(span, what)| fault(span, format!("this is no Fluent text: {what}")));
        return Err(faults.map(|fault| fault.hint("each text is written as: name = words")).collect());
    }
    let faults = compare(file, &texts_of(&resource), wanted);
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    bundle.set_use_isolating(false);
    let texts = texts_of(&resource);
    if bundle.add_resource(resource).is_err() {
        return Err(vec![fault(0..0, "a text is there twice".into()).hint("remove one of the two")]);
    }
    prepare(file, tag, bundle, &texts)
}

/// Puts every text together once: those that name nothing are ready then, and none can fail later.
fn prepare(
    file: &SourceFile,
    tag: &str,
    bundle: FluentBundle<FluentResource>,
    texts: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Language, Vec<Fault>> {
    let (mut ready, mut faults) = (HashMap::new(), Vec::new());
    for (id, named) in texts {
        let args: FluentArgs<'_> = named.iter().map(|name| (name.as_str(), Value::from(2))).collect();
        match format(&bundle, id, &args) {
            Ok(text) if named.is_empty() => {
                ready.insert(id.clone(), text.into_owned());
            }
            Ok(_) => {}
            Err(cause) => faults.push(Fault::new(&file.path, place(&file.text, id), format!("\"{id}\" fails: {cause}"))),
        }
    }
    if faults.is_empty() { Ok(Language { tag: tag.to_owned(), bundle, ready }) } else { Err(faults) }
}

fn compare(file: &SourceFile, texts: &BTreeMap<String, BTreeSet<String>>, wanted: &Wanted) -> Vec<Fault> {
    let mut faults = Vec::new();
    for id in wanted.required.keys().filter(|id| !texts.contains_key(*id)) {
        let fault = Fault::new(&file.path, 0..0, format!("the text \"{id}\" is missing"));
        faults.push(fault.hint(format!("write a line \"{id} = …\"; the English file has the words")));
    }
    for (id, named) in texts {
        let at = place(&file.text, id);
        let Some(may_name) = wanted.required.get(id) else {
            if !wanted.allows(id) {
                let fault = Fault::new(&file.path, at, format!("nobody reads a text named \"{id}\""));
                let near = nearest(id, wanted.required.keys().map(String::as_str));
                faults.push(fault.hint(near.map_or("remove it".into(), |it| format!("did you mean \"{it}\"?"))));
            }
            continue;
        };
        for name in named.difference(may_name) {
            let fault = Fault::new(&file.path, at.clone(), format!("\"{id}\" is not told any \"${name}\""));
            let known: Vec<_> = may_name.iter().map(|name| format!("${name}")).collect();
            faults.push(fault.hint(match known.is_empty() {
                true => "this text can name nothing".to_owned(),
                false => format!("it can name {}", known.join(", ")),
            }));
        }
    }
    faults
}

/// Where a text begins.
fn place(text: &str, id: &str) -> std::ops::Range<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return at..at + id.len();
        }
        at += line.len();
    }
    0..0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::render;

    fn file(tag: &str, text: &str) -> SourceFile {
        let name = format!("templates/{tag}/portal.ftl");
        SourceFile { path: format!("policies/{name}"), name, text: text.to_owned() }
    }

    fn load(files: &[SourceFile], fields: &[&str]) -> Result<Texts, String> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Texts::load(files, Some(&fields)).map_err(|(faults, sources)| render(&faults, &sources))
    }

    #[test]
    fn the_shipped_languages_are_complete_and_chosen_by_what_is_wanted() {
        let french = include_str!("../policies/templates/fr/portal.ftl");
        let texts = load(&[file("en", REFERENCE), file("fr", french)], &[]).unwrap_or_else(|faults| panic!("{faults}"));
        for (wanted, chosen) in [("fr-CH", "fr"), ("FR", "fr"), ("de", "en"), ("en-AU", "en")] {
            assert_eq!(texts.choose([wanted]).tag(), chosen, "{wanted}");
        }
        assert_eq!(texts.choose(["de", "fr"]).tag(), "fr");
        let counted = |tag, count: u32| texts.choose([tag]).fill("documents", &[("count", count.into())]);
        assert_eq!((counted("en", 1), counted("en", 2)), ("1 document".into(), "2 documents".into()));
        assert_eq!((counted("fr", 0), counted("fr", 2)), ("0 document".into(), "2 documents".into()));
    }

    #[test]
    fn what_is_missing_superfluous_or_not_told_is_shown_at_its_line() {
        let changed = REFERENCE.replacen("send =", "snd =", 1);
        let faults = load(&[file("en", &changed)], &[]).unwrap_err();
        for piece in ["the text \"send\" is missing", "nobody reads a text named \"snd\"", "did you mean \"send\"?"] {
            assert!(faults.contains(piece), "{piece} in\n{faults}");
        }
        let changed = REFERENCE.replacen("{ $count ->", "{ $cuont ->", 1);
        let faults = load(&[file("en", &changed)], &[]).unwrap_err();
        assert!(faults.contains("is not told any \"$cuont\"") && faults.contains("it can name $"), "{faults}");
        let faults = load(&[file("en", &format!("{REFERENCE}\n= broken\n"))], &[]).unwrap_err();
        assert!(faults.contains("this is no Fluent text") && faults.contains("portal.ftl:"), "{faults}");
        let faults = load(&[file("fr", REFERENCE)], &[]).unwrap_err();
        assert!(faults.contains("the English texts of pages are missing"), "{faults}");
    }

    #[test]
    fn a_field_of_a_role_file_needs_its_label_and_may_have_help() {
        let faults = load(&[file("en", REFERENCE)], &["fax"]).unwrap_err();
        assert!(faults.contains("the text \"field-fax\" is missing"), "{faults}");
        let more = format!("{REFERENCE}\nfield-fax = Fax\nhelp-fax = If you still have one\n");
        assert_eq!(load(&[file("en", &more)], &["fax"]).unwrap().choose([]).say("field-fax"), "Fax");
        assert!(load(&[file("en", &more)], &[]).is_err(), "superfluous without the field");
    }

    #[test]
    fn what_is_put_in_stays_what_it_is() {
        let texts = load(&[file("en", REFERENCE)], &[]).unwrap();
        let told = texts.choose(["en"]).fill("patient-of", &[("name", "{ $x } <b>\u{202e}".into())]);
        assert!(told.contains("{ $x } <b>"), "{told}");
    }
}
