//! What a parcel holds: documents in the order of their types, then the texts.

use super::typed::{rank, title};
use super::{DepositKind, Matter, PlannedDeposit, PlannedGrant, Source};
use crate::id::DepositId;
use crate::mime::assess::{Assessment, Given};
use crate::pack::documents::only_pictures;
use crate::policy::BodyPlace;

/// The deposits of a parcel that these rights open; `ids` are their names, at least as many.
pub(super) fn deposits(matter: &Matter<'_>, ids: &[DepositId], grants: &[PlannedGrant]) -> Vec<PlannedDeposit> {
    let only_pictures = only_pictures(&matter.facts.attachments);
    let given = matter.facts.attachments.iter().enumerate();
    // Where the text is read in the portal alone, the pictures of its signature stand nowhere else.
    let private = grants.iter().any(|grant| grant.decision.settings.body == BodyPlace::Vault);
    let given = given.filter(|(_, attachment)| match attachment.given {
        Given::AsDocument => true,
        Given::InText(_) => private,
        Given::Nowhere => false,
    });
    let mut given: Vec<_> = given.collect();
    given.sort_by_key(|(index, _)| rank(matter, *index));
    let documents = given.into_iter().map(|(index, attachment)| {
        let of_text = matches!(attachment.given, Given::InText(_)) || attachment.inline && !only_pictures;
        let kind = if of_text { DepositKind::Picture } else { DepositKind::Document };
        let media_type = attachment.content_type.as_ref().unwrap_or(&attachment.declared_type).clone();
        (kind, attachment.name.clone(), media_type, Source::Attachment(index))
    });
    documents
        .chain(texts(matter.facts))
        .zip(ids)
        .map(|((kind, name, media_type, source), id)| {
            let title = match source {
                Source::Attachment(index) => title(matter, index),
                Source::Octets(_) => String::new(),
            };
            PlannedDeposit { id: *id, kind, name, media_type, title, source }
        })
        .collect()
}

type DepositParts = (DepositKind, String, String, Source);

fn texts(facts: &Assessment) -> impl Iterator<Item = DepositParts> + '_ {
    let part = |kind, name: &str, media_type: &str, octets: Vec<u8>| {
        (kind, name.to_owned(), media_type.to_owned(), Source::Octets(octets))
    };
    let text = facts
        .text
        .as_ref()
        .map(move |text| part(DepositKind::Text, "message.txt", "text/plain", text.clone().into_bytes()));
    let html = facts
        .html
        .as_ref()
        .map(move |html| part(DepositKind::Html, "message.html", "text/html", html.clone().into_bytes()));
    text.into_iter().chain(html)
}
