//! Reading what a browser sends: never more than asked for, never slower than is waited.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::portal::refusal::Refusal;

/// A body being read.
pub struct Incoming {
    body: Body,
    most: u64,
    left: u64,
    declared: u64,
    patience: Patience,
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// For all of it.
    Whole(Instant),
    /// For the next octets.
    Next(Duration),
}

impl Incoming {
    /// A body of at most `most` octets; one that declares more is refused before an octet of it is taken.
    pub fn new(headers: &HeaderMap, body: Body, most: u64, patience: Patience) -> Self {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|field| field.to_str().ok()?.parse::<u64>().ok());
        Self { body, most, left: most, declared: declared.unwrap_or(0), patience }
    }

    /// The next octets; `None` at the end.
    ///
    /// # Errors
    /// [`Refusal::TooSlow`], [`Refusal::TooLarge`]; [`Refusal::Malformed`] where the connection broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.declared > self.most {
            return Err(Refusal::TooLarge);
        }
        let piece = self.piece().await?;
        let octets = piece.as_ref().map_or(0, Bytes::len) as u64;
        self.left = self.left.checked_sub(octets).ok_or(Refusal::TooLarge)?;
        Ok(piece)
    }

    /// Reads what is left, as much again as is taken at most, and forgets it: a browser reads its answer only once it has
    /// sent all, and one that is cut off shows none.
    pub async fn discard(&mut self) {
        let mut octets = 0;
        while octets < self.most
            && let Ok(Some(piece)) = self.piece().await
        {
            octets += piece.len() as u64;
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let deadline = match self.patience {
                Patience::Whole(deadline) => deadline,
                Patience::Next(length) => Instant::now() + length,
            };
            let frame = timeout_at(deadline, self.body.frame()).await.map_err(|_| Refusal::TooSlow)?;
            let Some(frame) = frame else { return Ok(None) };
            // What is no data is a trailer, which nobody reads.
            let Ok(octets) = frame.map_err(|_| Refusal::Malformed)?.into_data() else { continue };
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
    }
}
