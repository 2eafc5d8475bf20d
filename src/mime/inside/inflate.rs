//! Unpacking what is packed with DEFLATE (RFC 1951), never more than asked for.

use flate2::{Decompress, FlushDecompress, Status};

use super::octets::{Octets, Unavailable};

/// How DEFLATE is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// Not at all (zip, gzip behind its header).
    Raw,
    /// As RFC 1950 says (PDF).
    Zlib,
}

/// What came of unpacking.
pub(super) struct Unpacked {
    pub octets: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
    /// Whether it is broken behind what was unpacked.
    pub broken: bool,
}

/// Unpacks from a place on until its end, or until `limit` octets are unpacked.
pub(super) fn inflate(
    packed: &mut dyn Octets,
    start: u64,
    wrapping: Wrapping,
    limit: usize,
) -> Result<Unpacked, Unavailable> {
    const PIECE: usize = 16 * 1024;
    let mut state = Decompress::new(wrapping == Wrapping::Zlib);
    let mut unpacked = Unpacked { octets: Vec::new(), whole: false, broken: false };
    let (mut input, mut output) = (vec![0; PIECE.min(limit.max(512))], vec![0; PIECE.min(limit.max(1))]);
    let mut at = start;
    loop {
        let filled = packed.read_at(at, &mut input)?;
        let (before_in, before_out) = (state.total_in(), state.total_out());
        let room = output.len().min(limit - unpacked.octets.len());
        let status = state.decompress(&input[..filled], &mut output[..room], FlushDecompress::None);
        at += state.total_in() - before_in;
        let made = usize::try_from(state.total_out() - before_out).unwrap_or(room);
        unpacked.octets.extend_from_slice(&output[..made]);
        match status {
            Ok(Status::StreamEnd) => unpacked.whole = true,
            Ok(_) if unpacked.octets.len() >= limit => {}
            Ok(_) if made > 0 || state.total_in() > before_in => continue,
            _ => unpacked.broken = true,
        }
        return Ok(unpacked);
    }
}
