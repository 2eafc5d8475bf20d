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
    left: u64,
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
    /// A body of at most `most` octets; one that declares more is refused before an octet is read.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`].
    pub fn new(headers: &HeaderMap, body: Body, most: u64, patience: Patience) -> Result<Self, Refusal> {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|field| field.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|octets| octets > most) {
            return Err(Refusal::TooLarge);
        }
        Ok(Self { body, left: most, patience })
    }

    /// The next octets; `None` at the end.
    ///
    /// # Errors
    /// [`Refusal::TooSlow`], [`Refusal::TooLarge`]; [`Refusal::Malformed`] where the connection broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let deadline = match self.patience {
                Patience::Whole(deadline) => deadline,
                Patience::Next(length) => Instant::now() + length,
            };
            let frame = timeout_at(deadline, self.body.frame()).await.map_err(|_| Refusal::TooSlow)?;
            let Some(frame) = frame else { return Ok(None) };
            // What is no data is a trailer, which nobody reads.
            let Ok(octets) = frame.map_err(|_| Refusal::Malformed)?.into_data() else { continue };
            self.left = self.left.checked_sub(octets.len() as u64).ok_or(Refusal::TooLarge)?;
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
    }
}
