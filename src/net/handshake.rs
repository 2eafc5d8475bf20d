//! TLS on an accepted connection.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Why there is no TLS. The other side learns it by TLS alert, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeError {
    /// It took longer than the deadline.
    Timeout,
    /// No TLS, no common version or cipher, or a client certificate that is missing or not trusted.
    Failed,
}

/// Does the server's side of the handshake within `deadline`.
///
/// # Errors
/// The connection is closed then.
pub async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    deadline: Duration,
) -> Result<TlsStream<TcpStream>, HandshakeError> {
    match timeout(deadline, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(_)) => Err(HandshakeError::Failed),
        Err(_) => Err(HandshakeError::Timeout),
    }
}
