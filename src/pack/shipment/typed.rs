//! What the types of documents change: their order, and the subject where policy lets it say no more than that.

use super::{Matter, practice};
use crate::mime::assess::Given;
use crate::pack::PackError;
use crate::pack::documents::{only_pictures, summary};

/// Where a document stands among the others: in the order of the types, and behind them if it is of none.
pub(super) fn rank(matter: &Matter<'_>, attachment: usize) -> usize {
    let (types, name) = (matter.policy.document_types(), type_name(matter, attachment));
    types.iter().position(|kind| Some(kind.name.as_str()) == name).unwrap_or(types.len())
}

fn type_name<'a>(matter: &Matter<'a>, attachment: usize) -> Option<&'a str> {
    matter.plan.types.get(attachment)?.as_deref()
}

/// The title of the type that all documents have, pictures of the text apart.
fn common_title<'a>(matter: &Matter<'a>) -> Option<&'a str> {
    let all = &matter.facts.attachments;
    let only_pictures = only_pictures(all);
    let given = all.iter().enumerate().filter(|(_, document)| document.given == Given::AsDocument);
    let documents = given.filter(|(_, document)| only_pictures || !document.inline);
    let mut names = documents.map(|(index, _)| type_name(matter, index));
    let first = names.next()??;
    let kind = matter.policy.document_types().iter().find(|kind| kind.name == first)?;
    names.all(|name| name == Some(first)).then_some(kind.title.as_str())
}

/// A subject that says what the documents are and nothing else: the title of their type, else how many there are.
pub(super) fn type_subject(matter: &Matter<'_>) -> Result<String, PackError> {
    match common_title(matter) {
        Some(title) => Ok(title.to_owned()),
        None => {
            let documents = summary(&matter.facts.attachments);
            Ok(matter.templates.say(&practice(matter).language, "headline", &[documents])?)
        }
    }
}
