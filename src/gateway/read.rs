//! Reading a received message for the rules: octets stream by, only what is asked for stays.

use crate::blob::{BlobError, OctetStream, RawMessage};
use crate::gateway::inside::look_inside;
use crate::gateway::{Refusal, unavailable};
use crate::mime::assess::{Assessment, Attachment, LeafPlan, Reading};
use crate::mime::decode::Decoder;
use crate::mime::outline::Outliner;
use crate::mime::{self, Limits, Outline};

/// Above this a second opinion would need the whole message in memory.
const SECOND_OPINION: u64 = 1024 * 1024;

/// The outline of a message.
///
/// # Errors
/// [`Refusal::NotUnderstood`], or [`Refusal::Unavailable`] where the spool cannot be read.
pub async fn outline(message: &RawMessage) -> Result<Outline, Refusal> {
    let mut outliner = Outliner::new(Limits::default());
    let mut octets = message.range(0..message.len());
    while let Some(piece) = octets.next().await.map_err(spool)? {
        outliner.feed(&piece).map_err(Refusal::NotUnderstood)?;
    }
    let outline = outliner.finish().map_err(Refusal::NotUnderstood)?;
    second_opinion(message, &outline).await?;
    Ok(outline)
}

async fn second_opinion(message: &RawMessage, outline: &Outline) -> Result<(), Refusal> {
    if message.len() > SECOND_OPINION {
        return Ok(());
    }
    let mut whole = Vec::with_capacity(usize::try_from(message.len()).unwrap_or(0));
    let mut octets = message.range(0..message.len());
    while let Some(piece) = octets.next().await.map_err(spool)? {
        whole.extend_from_slice(&piece);
    }
    mime::second::second_opinion(outline, &whole).map_err(Refusal::NotUnderstood)
}

/// The facts of a message, its documents looked into.
///
/// # Errors
/// [`Refusal::NotUnderstood`], or [`Refusal::Unavailable`] where the spool cannot be read.
pub async fn assess(message: &RawMessage, outline: &Outline) -> Result<Assessment, Refusal> {
    let text_limit = Limits::default().text;
    let leaves = mime::assess::leaves(outline, text_limit);
    let mut readings = Vec::with_capacity(leaves.len());
    for leaf in &leaves {
        readings.push(read_leaf(message, leaf).await?);
    }
    let mut facts = mime::assess::assess(outline, &readings, text_limit).map_err(Refusal::NotUnderstood)?;
    for attachment in &mut facts.attachments {
        let read = leaves.iter().zip(&readings).find(|(leaf, _)| leaf.body == attachment.body);
        attachment.inside = look_inside(message, attachment, read.map_or(&[], |(_, reading)| &reading.octets)).await?;
    }
    Ok(facts)
}

/// Reads no further than what is wanted: an attachment is decoded to its end when it is looked into, and when it is sealed,
/// before 250 is said.
async fn read_leaf(message: &RawMessage, leaf: &LeafPlan) -> Result<Reading, Refusal> {
    let wanted = leaf.wanted;
    let mut decoder = leaf.decoder();
    let mut reading = Reading::default();
    let mut octets = message.range(leaf.body.clone());
    while let Some(piece) = octets.next().await.map_err(spool)? {
        decoder.feed(&piece, &mut reading.octets).map_err(Refusal::NotUnderstood)?;
        if reading.octets.len() > wanted {
            reading.octets.truncate(wanted);
            return Ok(reading);
        }
    }
    decoder.finish(&mut reading.octets).map_err(Refusal::NotUnderstood)?;
    reading.whole = reading.octets.len() <= wanted;
    reading.octets.truncate(wanted);
    Ok(reading)
}

/// The body of a leaf, decoded piece by piece; holds one piece.
pub struct DecodedLeaf {
    octets: OctetStream,
    decoder: Option<Decoder>,
    clear: Vec<u8>,
}

impl DecodedLeaf {
    /// A leaf of this message.
    pub fn new(message: &RawMessage, leaf: &Attachment) -> Self {
        Self { octets: message.range(leaf.body.clone()), decoder: Some(leaf.decoder()), clear: Vec::new() }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// A defect in the encoding, or a spool that cannot be read.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Refusal> {
        self.clear.clear();
        let Some(decoder) = &mut self.decoder else { return Ok(None) };
        match self.octets.next().await.map_err(spool)? {
            Some(piece) => decoder.feed(&piece, &mut self.clear).map_err(Refusal::NotUnderstood)?,
            None => {
                let ended = self.decoder.take().map(|decoder| decoder.finish(&mut self.clear));
                ended.unwrap_or(Ok(())).map_err(Refusal::NotUnderstood)?;
            }
        }
        Ok(Some(&self.clear))
    }
}

pub(super) fn spool(error: BlobError) -> Refusal {
    match error {
        BlobError::Full => Refusal::Full,
        other => unavailable("spool", &other),
    }
}
