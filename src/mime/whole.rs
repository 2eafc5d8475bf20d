//! The whole way for a message that is in memory, as `postern explain` and tests go it.

use crate::mime::assess::{Assessment, LeafPlan, Reading, assess, leaves};
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

/// What a message in memory is: outlined, seen by a second reader, its leaves read, assessed.
///
/// # Errors
/// The first [`Defect`].
pub fn assess_octets(octets: &[u8], limits: &Limits) -> Result<(Outline, Assessment), Defect> {
    let outline = outline_of(octets, limits.clone())?;
    second_opinion(&outline, octets)?;
    let readings: Vec<Reading> =
        leaves(&outline, limits.text).iter().map(|plan| read(octets, plan)).collect::<Result<_, _>>()?;
    let assessment = assess(&outline, &readings, limits.text)?;
    Ok((outline, assessment))
}
