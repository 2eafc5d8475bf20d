//! What was seen of a message beside its text: what was mended, what its sender's program says of it, and its documents.

use serde::Serialize;

use super::super::Plan;
use crate::mime::assess::{Assessment, Attachment};
use crate::time::format_length;

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// What: `mended`, `sensitivity`, `document` …
    pub what: String,
    /// What it says, for a person.
    pub value: String,
}

/// All of it, in order; documents only where something is told of one beside its name.
pub(super) fn seen(message: &Assessment, plan: &Plan) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut see = |what: &str, value: Option<String>| {
        all.extend(value.map(|value| Seen { what: what.to_owned(), value }));
    };
    see("mended", message.mended.as_ref().map(|defect| format!("{} It is built anew.", defect.words)));
    see("protection", message.protection.map(|protection| protection.name().to_owned()));
    let signals = &message.signals;
    see("sensitivity", signals.sensitivity.map(|it| it.name().to_owned()));
    see("importance", signals.importance.map(|it| it.name().to_owned()));
    see("read receipt", signals.read_receipt.then(|| "asked for".to_owned()));
    see("reply by", signals.reply_by.map(|by| by.to_string()));
    see("flag", signals.flagged.then(|| "for the recipients".to_owned()));
    see("expires", signals.expires_after.map(|after| format!("{} after it was written", format_length(after))));
    let recall = "calls an earlier message back: its documents are taken back, and it goes to nobody";
    see("recall", signals.recall.as_ref().map(|_| recall.to_owned()));
    for (name, value) in &signals.fields {
        let stricter = ["secure", "body"].contains(&name.as_str());
        let heard = if stricter { "" } else { " (passed over from a listener with identity = \"any\")" };
        see("field", Some(format!("X-Postern-{name}: {value}{heard}")));
    }
    see("from", plan.speaks_as.as_ref().map(|from| format!("{from}, where the sender may send as it")));
    for (document, kind) in message.attachments.iter().zip(&plan.types) {
        see("document", told(document, kind.as_deref()));
    }
    all
}

fn told(document: &Attachment, kind: Option<&str>) -> Option<String> {
    let kind = kind.map(|kind| format!(", of the type {kind}"));
    let title = document.inside.title.as_ref().map(|title| format!(", titled {title:?}"));
    (kind.is_some() || title.is_some())
        .then(|| format!("{}{}{}", document.name, kind.unwrap_or_default(), title.unwrap_or_default()))
}
