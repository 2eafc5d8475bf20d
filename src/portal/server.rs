//! The portal over sockets: TLS, HTTP/1.1 and HTTP/2, deadlines and limits.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use crate::net::{self, Connection, Service, Stop};
use crate::portal::idle::Idle;
use crate::portal::settings::Deadlines;
use crate::portal::visitor::Peer;

/// Header fields of a request at most, and octets of them.
const HEADERS: usize = 64;
const HEADER_OCTETS: u32 = 16 * 1024;
/// Octets of HTTP/1 that are read and not yet taken; a request's header section fits into it.
const READ_BUFFER: usize = 64 * 1024;
/// Requests of one HTTP/2 connection at the same time.
const STREAMS: u32 = 64;
/// HTTP/2 streams that are begun and given up again before they are served (CVE-2023-44487).
const RESETS: usize = 20;
/// Octets that wait to be sent, per HTTP/2 stream.
const SEND_BUFFER: usize = 128 * 1024;
/// Octets an HTTP/2 stream, and its connection, may send before we read them.
const WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// A listener of the portal.
pub struct Server {
    app: Router,
    tls: Option<TlsAcceptor>,
    deadlines: Deadlines,
    builder: Builder<TokioExecutor>,
}

impl Server {
    /// A service for [`crate::net::run`]; without `tls` for a proxy in front, or this machine.
    pub fn new(app: Router, tls: Option<TlsAcceptor>, deadlines: Deadlines) -> Arc<Self> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(deadlines.header)
            .max_headers(HEADERS)
            .max_buf_size(READ_BUFFER)
            .half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(deadlines.idle / 2)
            .keep_alive_timeout(deadlines.header)
            .max_concurrent_streams(STREAMS)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .max_header_list_size(HEADER_OCTETS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER);
        Arc::new(Self { app, tls, deadlines, builder })
    }

    /// Answers one connection's requests, until it ends or, once Postern stops, the one under way is answered.
    async fn converse<S>(&self, stream: S, peer: IpAddr, stop: Stop)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let app = self.app.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            app.clone().call(request)
        });
        let stream = TokioIo::new(Idle::new(stream, self.deadlines.idle));
        let mut connection = std::pin::pin!(self.builder.serve_connection(stream, service));
        let mut stopping = false;
        loop {
            // An error is the other side's: it went away, was silent, or did not speak HTTP. Each has had its answer.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.requested(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

impl Service for Server {
    async fn serve(self: Arc<Self>, connection: Connection, stop: Stop) {
        let Connection { stream, peer, .. } = connection;
        match &self.tls {
            None => self.converse(stream, peer, stop).await,
            Some(acceptor) => {
                if let Ok(stream) = net::handshake(acceptor, stream, self.deadlines.handshake).await {
                    self.converse(stream, peer, stop).await;
                }
            }
        }
    }

    fn busy(&self) -> Vec<u8> {
        match self.tls {
            None => b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
            Some(_) => Vec::new(),
        }
    }
}
