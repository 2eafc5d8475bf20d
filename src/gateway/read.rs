//! Reading a received message for the rules: octets stream by, only what is asked for stays.

use std::ops::Range;

use crate::blob::{BlobError, OctetStream, RawMessage};
use crate::gateway::inside::{look_inside, unpack};
use crate::gateway::{Refusal, unavailable};
use crate::mime::assess::{Assessment, Attachment, LeafPlan, Reading, Unpacking};
use crate::mime::decode::Decoder;
use crate::mime::outline::Outliner;
use crate::mime::{self, Defect, Limits, Outline, WholeSearch};

/// Above this a second opinion would need the whole message in memory.
const SECOND_OPINION: u64 = 1024 * 1024;

/// The outline of a message.
///
/// # Errors
/// [`Refusal::NotUnderstood`], or [`Refusal::Unavailable`] where the spool cannot be read.
pub async fn outline(message: &RawMessage) -> Result<Outline, Refusal> {
    let outline = outline_within(message, 0..message.len()).await?;
    second_opinion(message, &outline).await?;
    Ok(outline)
}

/// The outline of a message that stands here in another.
///
/// # Errors
/// As [`outline`].
pub async fn outline_within(message: &RawMessage, place: Range<u64>) -> Result<Outline, Refusal> {
    let mut outliner = Outliner::within(Limits::default(), place.start);
    let mut octets = message.range(place);
    while let Some(piece) = octets.next().await.map_err(spool)? {
        outliner.feed(&piece).map_err(Refusal::NotUnderstood)?;
    }
    outliner.finish().map_err(Refusal::NotUnderstood)
}

/// A message that is not understood, as one document, looked into as far as a lenient reader sees.
///
/// # Errors
/// [`Refusal::NotUnderstood`] as [`mime::as_written_octets`]; [`Refusal::Unavailable`].
pub async fn as_written(message: &RawMessage, defect: Defect) -> Result<(Outline, Assessment), Refusal> {
    let limit = Limits::default().header_section;
    let (mut header, mut ended, mut search) = (Vec::new(), false, WholeSearch::default());
    let mut octets = message.range(0..message.len());
    while let Some(piece) = octets.next().await.map_err(spool)? {
        search.feed(&piece);
        if !ended {
            header.extend_from_slice(&piece);
            let end = memchr::memmem::find(&header, b"\r\n\r\n").map(|end| end + 4);
            ended = end.is_some();
            header.truncate(end.unwrap_or(header.len()));
        }
        if search.found() || header.len() > limit {
            return Err(Refusal::NotUnderstood(defect));
        }
    }
    let (outline, mut facts) = mime::as_written(&header, message.len(), defect).map_err(Refusal::NotUnderstood)?;
    for document in &mut facts.attachments {
        let whole = Attachment { body: 0..message.len(), front: bytes::Bytes::new(), ..document.clone() };
        document.inside = look_inside(message, &whole, &header).await?;
    }
    Ok((outline, facts))
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

/// The outline and the facts of a message: of one that is not understood, which was found out before, as it was written.
///
/// # Errors
/// As [`outline`], [`assess`] and [`as_written`].
pub async fn facts(message: &RawMessage, unclear: Option<Defect>) -> Result<(Outline, Assessment), Refusal> {
    if let Some(defect) = unclear {
        return as_written(message, defect).await;
    }
    let outline = outline(message).await?;
    let facts = assess(message, &outline).await?;
    Ok((outline, facts))
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
    refuse_marks_in_documents(message, &facts).await?;
    let mut unpacking = Unpacking::default();
    for at in 0..facts.attachments.len() {
        let attachment = &facts.attachments[at];
        if !attachment.front.is_empty() {
            continue;
        }
        let read = leaves.iter().zip(&readings).find(|(leaf, _)| leaf.body == attachment.body);
        let start = read.map_or(&[][..], |(_, reading)| &reading.octets);
        facts.attachments[at].inside = look_inside(message, attachment, start).await?;
        if let Some(packed) = unpack(message, &facts.attachments[at], start).await? {
            unpacking.take(&mut facts, &outline.root, at, packed).map_err(Refusal::NotUnderstood)?;
        }
    }
    unpacking.finish(&mut facts);
    Ok(facts)
}

/// See [`Assessment::texts_beside`].
async fn refuse_marks_in_documents(message: &RawMessage, facts: &Assessment) -> Result<(), Refusal> {
    for (text, mut search) in facts.texts_beside() {
        let mut leaf = DecodedLeaf::new(message, text);
        while let Some(octets) = leaf.next().await? {
            search.feed(octets).map_err(Refusal::NotUnderstood)?;
        }
        search.finish().map_err(Refusal::NotUnderstood)?;
    }
    Ok(())
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
    /// Given first, whole.
    front: bytes::Bytes,
    given: bytes::Bytes,
    octets: OctetStream,
    decoder: Option<Decoder>,
    clear: Vec<u8>,
    /// Where the piece in `clear` starts, and which octets are wanted.
    at: u64,
    wanted: Range<u64>,
}

impl DecodedLeaf {
    /// A leaf of this message.
    pub fn new(message: &RawMessage, leaf: &Attachment) -> Self {
        let wanted = leaf.within.clone().unwrap_or(0..u64::MAX);
        let octets = message.range(leaf.body.clone());
        Self {
            front: leaf.front.clone(),
            given: bytes::Bytes::new(),
            octets,
            decoder: Some(leaf.decoder()),
            clear: Vec::new(),
            at: 0,
            wanted,
        }
    }

    /// What of the last piece is wanted.
    fn piece(&self) -> &[u8] {
        let place = |at: u64| {
            usize::try_from(at.saturating_sub(self.at)).map_or(self.clear.len(), |at| at.min(self.clear.len()))
        };
        &self.clear[place(self.wanted.start)..place(self.wanted.end)]
    }

    /// The next piece, which may be empty; `None` at the end.
    ///
    /// # Errors
    /// A defect in the encoding, or a spool that cannot be read.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Refusal> {
        if !self.front.is_empty() {
            self.given = std::mem::take(&mut self.front);
            return Ok(Some(&self.given));
        }
        self.at += self.clear.len() as u64;
        self.clear.clear();
        let Some(decoder) = &mut self.decoder else { return Ok(None) };
        match self.octets.next().await.map_err(spool)? {
            Some(piece) => decoder.feed(&piece, &mut self.clear).map_err(Refusal::NotUnderstood)?,
            None => {
                let ended = self.decoder.take().map(|decoder| decoder.finish(&mut self.clear));
                ended.unwrap_or(Ok(())).map_err(Refusal::NotUnderstood)?;
            }
        }
        Ok(Some(self.piece()))
    }
}

pub(super) fn spool(error: BlobError) -> Refusal {
    match error {
        BlobError::Full => Refusal::Full,
        other => unavailable("spool", &other),
    }
}
