//! What the types of documents change: their order, and the subject where policy lets it say no more than that.

use super::{Matter, practice};
use crate::pack::PackError;
use crate::pack::documents::summary;

/// Where a document stands among the others: in the order of the types, and behind them if it is of none.
pub(super) fn rank(matter: &Matter<'_>, attachment: usize) -> usize {
    let (types, name) = (matter.policy.document_types(), type_name(matter, attachment));
    types.iter().position(|kind| Some(kind.name.as_str()) == name).unwrap_or(types.len())
}

fn type_name<'a>(matter: &Matter<'a>, attachment: usize) -> Option<&'a str> {
    matter.plan.types.get(attachment)?.as_deref()
}

/// What a document is called where recipients read it: the title of its type, nothing where it is of none.
pub(super) fn title(matter: &Matter<'_>, attachment: usize) -> String {
    titled(matter, type_name(matter, attachment)).unwrap_or_default().to_owned()
}

fn titled<'a>(matter: &Matter<'a>, name: Option<&str>) -> Option<&'a str> {
    let kind = matter.policy.document_types().iter().find(|kind| Some(kind.name.as_str()) == name)?;
    Some(kind.title.as_str())
}

/// A subject that says what the documents are and nothing else: the title of their type, else how many there are.
pub(super) fn type_subject(matter: &Matter<'_>) -> Result<String, PackError> {
    match titled(matter, matter.plan.document_type.as_deref()) {
        Some(title) => Ok(title.to_owned()),
        None => {
            let documents = summary(&matter.facts.attachments);
            Ok(matter.templates.say(&practice(matter).language, "headline", &[documents])?)
        }
    }
}
