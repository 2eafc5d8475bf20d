//! A connection on which nothing moves ends: no silent first octet, no reader who stopped reading holds a place for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream that fails with `TimedOut` once it waited this long for an octet to come or go.
pub struct Idle<S> {
    stream: S,
    length: Duration,
    deadline: Pin<Box<Sleep>>,
    /// When something moved last; the deadline is set anew only when it is reached.
    moved: Instant,
}

impl<S> Idle<S> {
    /// Watches a stream.
    pub fn new(stream: S, length: Duration) -> Self {
        let moved = Instant::now();
        Self { stream, length, deadline: Box::pin(tokio::time::sleep_until(moved + length)), moved }
    }

    fn note<T>(&mut self, polled: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        while self.deadline.as_mut().poll(context).is_ready() {
            let until = self.moved + self.length;
            if until <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.deadline.as_mut().reset(until);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.note(polled, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, octets);
        self.note(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, octets);
        self.note(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.note(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_connection_and_an_octet_prolongs_it() {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let mut idle = Idle::new(ours, Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(8)).await;
        theirs.write_all(b"a").await.unwrap();
        assert_eq!(idle.read_u8().await.unwrap(), b'a');
        let begun = Instant::now();
        assert_eq!(idle.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(idle.write_all(b"12345").await.unwrap_err().kind(), io::ErrorKind::TimedOut, "nobody reads");
    }
}
