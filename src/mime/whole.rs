//! The whole way for a message that is in memory, as `postern explain` and tests go it.

use crate::mime::assess::{
    Assessment, Attachment, LONGEST_PACKED, LeafPlan, Reading, Unpacking, assess, is_packed, leaves, unpack,
};
use crate::mime::inside::{self, Inside};
use crate::mime::outline::Outliner;
use crate::mime::second::second_opinion;
use crate::mime::{Defect, Limits, Outline, WholeSearch, as_written};

/// The outline of a message in memory.
///
/// # Errors
/// As [`Outliner::feed`] and [`Outliner::finish`].
pub fn outline_of(octets: &[u8], limits: Limits) -> Result<Outline, Defect> {
    let mut outliner = Outliner::new(limits);
    outliner.feed(octets)?;
    outliner.finish()
}

/// Reads a leaf of a message in memory: all of it is decoded, so that a defect in it is found; what is wanted is kept.
///
/// # Errors
/// A [`Defect`] in the encoding.
pub fn read(octets: &[u8], plan: &LeafPlan) -> Result<Reading, Defect> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(octets.len());
    let body = &octets[place(plan.body.start)..place(plan.body.end)];
    let mut decoder = plan.decoder();
    let mut decoded = Vec::new();
    decoder.feed(body, &mut decoded)?;
    decoder.finish(&mut decoded)?;
    let whole = decoded.len() <= plan.wanted;
    decoded.truncate(plan.wanted);
    Ok(Reading { octets: decoded, whole })
}

/// An attachment of a message in memory.
fn decoded(octets: &[u8], attachment: &Attachment) -> Result<Vec<u8>, Defect> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(octets.len());
    let body = &octets[place(attachment.body.start)..place(attachment.body.end)];
    let (mut decoder, mut decoded) = (attachment.decoder(), Vec::new());
    decoder.feed(body, &mut decoded)?;
    decoder.finish(&mut decoded)?;
    Ok(decoded)
}

fn look_inside(attachment: &Attachment, mut decoded: &[u8]) -> Inside {
    if !inside::may_hold(attachment.name_to_look_by(), &decoded[..decoded.len().min(inside::START)]) {
        return Inside::default();
    }
    // Octets in memory are always there.
    inside::look(attachment.name_to_look_by(), &mut decoded, &inside::Limits::default()).unwrap_or_default()
}

/// A message in memory that is not understood, as one document.
///
/// # Errors
/// The defect where the message mentions the marks of parts, which may not leave with the rest, or its header section is too
/// long; else as [`as_written`].
pub fn as_written_octets(octets: &[u8], defect: Defect) -> Result<(Outline, Assessment), Defect> {
    let header = memchr::memmem::find(octets, b"\r\n\r\n").map_or(octets, |end| &octets[..end + 4]);
    let mut search = WholeSearch::default();
    search.feed(octets);
    if search.found() || header.len() > Limits::default().header_section {
        return Err(defect);
    }
    let (outline, mut facts) = as_written(header, octets.len() as u64, defect)?;
    facts.attachments.iter_mut().for_each(|document| document.inside = look_inside(document, octets));
    Ok((outline, facts))
}

/// What a message in memory is: outlined, seen by a second reader, its leaves read, assessed, its documents looked into.
///
/// # Errors
/// The first [`Defect`].
pub fn assess_octets(octets: &[u8], limits: &Limits) -> Result<(Outline, Assessment), Defect> {
    let outline = outline_of(octets, limits.clone())?;
    second_opinion(&outline, octets)?;
    let readings: Vec<Reading> =
        leaves(&outline, limits.text).iter().map(|plan| read(octets, plan)).collect::<Result<_, _>>()?;
    let mut assessment = assess(&outline, &readings, limits.text)?;
    for (text, mut search) in assessment.texts_beside() {
        search.feed(&decoded(octets, text)?)?;
        search.finish()?;
    }
    let mut unpacking = Unpacking::default();
    for at in 0..assessment.attachments.len() {
        if !assessment.attachments[at].front.is_empty() {
            continue;
        }
        let decoded = decoded(octets, &assessment.attachments[at])?;
        assessment.attachments[at].inside = look_inside(&assessment.attachments[at], &decoded);
        let packed = is_packed(&decoded) && decoded.len() as u64 <= LONGEST_PACKED;
        if let Some(packed) = packed.then(|| unpack(&assessment.attachments[at], &decoded)).flatten() {
            unpacking.take(&mut assessment, &outline.root, at, packed)?;
        }
    }
    unpacking.finish(&mut assessment);
    Ok((outline, assessment))
}
