//! Looking inside a received document: its octets are decoded where they lie in the sealed spool, as far as they are asked
//! for.
//!
//! The look itself is pure and waits for octets, so it runs on a thread of its own. How many run at once is bounded, and
//! with that the memory of all.

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::blob::RawMessage;
use crate::gateway::read::{DecodedLeaf, spool};
use crate::gateway::{Refusal, unavailable};
use crate::mime::assess::{self, Attachment, Packed};
use crate::mime::decode::Decoder;
use crate::mime::inside::{self, Inside, Limits, Octets, Unavailable};

/// Looks at once; each unpacks at most [`Limits::unpacked`]. A look is work for a processor, and all share this memory:
/// many connections with large documents need little more than a few.
const AT_ONCE: usize = 2;

static LOOKS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Decoded octets between two places from which decoding can go on, and that are kept of what was decoded last.
const STRIDE: u64 = 256 * 1024;

/// What an attachment holds; nothing where its start, decoded, shows that it is of no kind that holds anything.
///
/// # Errors
/// [`Refusal::NotUnderstood`] for a defect in the encoding, [`Refusal::Unavailable`] where the spool cannot be read.
pub(super) async fn look_inside(
    message: &RawMessage,
    attachment: &Attachment,
    start: &[u8],
) -> Result<Inside, Refusal> {
    if !inside::may_hold(attachment.name_to_look_by(), &start[..start.len().min(inside::START)]) {
        return Ok(Inside::default());
    }
    let _permit = LOOKS.acquire().await.map_err(|error| unavailable("look", &error))?;
    let (message, attachment, handle) = (message.clone(), attachment.clone(), Handle::current());
    let look = move || {
        let mut octets = Decoded::open(message, &attachment, handle)?;
        let looked = inside::look(attachment.name_to_look_by(), &mut octets, &Limits::default());
        looked.map_err(|Unavailable| octets.trouble.take().unwrap_or_else(|| unavailable("look", &Unavailable)))
    };
    tokio::task::spawn_blocking(look).await.map_err(|error| unavailable("look", &error))?
}

/// What an Outlook attachment (`winmail.dat`) holds as documents; `None` where it is none, or too long to be taken apart.
///
/// # Errors
/// As [`look_inside`].
pub(super) async fn unpack(
    message: &RawMessage,
    attachment: &Attachment,
    start: &[u8],
) -> Result<Option<Packed>, Refusal> {
    if !assess::is_packed(start) || attachment.octets > assess::LONGEST_PACKED {
        return Ok(None);
    }
    let _permit = LOOKS.acquire().await.map_err(|error| unavailable("look", &error))?;
    let (mut leaf, mut octets) = (DecodedLeaf::new(message, attachment), Vec::new());
    while let Some(piece) = leaf.next().await? {
        octets.extend_from_slice(piece);
    }
    let attachment = attachment.clone();
    let taken = tokio::task::spawn_blocking(move || assess::unpack(&attachment, &octets)).await;
    taken.map_err(|error| unavailable("look", &error))
}

/// A place from which decoding can go on.
struct Mark {
    decoded: u64,
    encoded: u64,
    decoder: Decoder,
}

/// A document in the spool, decoded as it is read.
struct Decoded {
    message: RawMessage,
    handle: Handle,
    end: u64,
    length: u64,
    /// By place; the first is the start.
    marks: Vec<Mark>,
    /// What was decoded last, and where it stands.
    window: Vec<u8>,
    window_at: u64,
    trouble: Option<Refusal>,
}

impl Decoded {
    /// Decodes the document once, to learn its length and where decoding can go on.
    fn open(message: RawMessage, attachment: &Attachment, handle: Handle) -> Result<Self, Refusal> {
        let body = attachment.body.clone();
        let start = Mark { decoded: 0, encoded: body.start, decoder: attachment.decoder() };
        let mut decoder = start.decoder.clone();
        let mut decoded = Self {
            message,
            handle,
            end: body.end,
            length: 0,
            marks: vec![start],
            window: Vec::new(),
            window_at: 0,
            trouble: None,
        };
        let (mut encoded, mut clear) = (body.start, Vec::new());
        let mut octets = decoded.message.range(body);
        while let Some(piece) = decoded.handle.block_on(octets.next()).map_err(spool)? {
            clear.clear();
            decoder.feed(&piece, &mut clear).map_err(Refusal::NotUnderstood)?;
            encoded += piece.len() as u64;
            decoded.length += clear.len() as u64;
            if decoded.marks.last().is_some_and(|mark| decoded.length - mark.decoded >= STRIDE) {
                decoded.marks.push(Mark { decoded: decoded.length, encoded, decoder: decoder.clone() });
            }
        }
        clear.clear();
        decoder.finish(&mut clear).map_err(Refusal::NotUnderstood)?;
        decoded.length += clear.len() as u64;
        Ok(decoded)
    }

    /// Decodes the window that holds this place.
    fn decode_around(&mut self, at: u64) -> Result<(), Refusal> {
        let behind = self.marks.partition_point(|mark| mark.decoded <= at);
        let mark = &self.marks[behind - 1];
        let until = self.marks.get(behind).map_or(self.end, |next| next.encoded);
        let mut decoder = mark.decoder.clone();
        self.window.clear();
        self.window_at = mark.decoded;
        let mut octets = self.message.range(mark.encoded..until);
        while let Some(piece) = self.handle.block_on(octets.next()).map_err(spool)? {
            decoder.feed(&piece, &mut self.window).map_err(Refusal::NotUnderstood)?;
        }
        if until == self.end {
            decoder.finish(&mut self.window).map_err(Refusal::NotUnderstood)?;
        }
        Ok(())
    }
}

impl Octets for Decoded {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, Unavailable> {
        let mut filled = 0;
        while filled < buffer.len() {
            let place = at.saturating_add(filled as u64);
            if place >= self.length {
                break;
            }
            let within =
                |decoded: &Self| place.checked_sub(decoded.window_at).filter(|at| *at < decoded.window.len() as u64);
            if within(self).is_none()
                && let Err(refusal) = self.decode_around(place)
            {
                self.trouble = Some(refusal);
                return Err(Unavailable);
            }
            let Some(start) = within(self) else { break };
            let there = &self.window[usize::try_from(start).unwrap_or(usize::MAX)..];
            let taken = there.len().min(buffer.len() - filled);
            buffer[filled..filled + taken].copy_from_slice(&there[..taken]);
            filled += taken;
        }
        Ok(filled)
    }
}
