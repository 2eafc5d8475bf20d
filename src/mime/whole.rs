//! The whole way for a message that is in memory, as `postern explain` and tests go it.

use crate::mime::assess::{Assessment, Attachment, LeafPlan, Reading, assess, leaves};
use crate::mime::inside::{self, Inside};
use crate::mime::outline::Outliner;
use crate::mime::second::second_opinion;
use crate::mime::{Defect, Limits, Outline};

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

/// What an attachment of a message in memory holds.
fn look_inside(octets: &[u8], attachment: &Attachment) -> Result<Inside, Defect> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(octets.len());
    let body = &octets[place(attachment.body.start)..place(attachment.body.end)];
    let (mut decoder, mut decoded) = (attachment.decoder(), Vec::new());
    decoder.feed(body, &mut decoded)?;
    decoder.finish(&mut decoded)?;
    if !inside::may_hold(attachment.name_to_look_by(), &decoded[..decoded.len().min(inside::START)]) {
        return Ok(Inside::default());
    }
    // Octets in memory are always there.
    Ok(inside::look(attachment.name_to_look_by(), &mut decoded.as_slice(), &inside::Limits::default())
        .unwrap_or_default())
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
    for attachment in &mut assessment.attachments {
        attachment.inside = look_inside(octets, attachment)?;
    }
    Ok((outline, assessment))
}
