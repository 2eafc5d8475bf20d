//! IMAP sessions over sockets: TLS, deadlines, and the news for who idles.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::event::Event;
use crate::gateway::Gateway;
use crate::imap::pace::Pace;
use crate::imap::places::Places;
use crate::imap::session::{Door, Gone, Outlet, Pause, Session, Tls, Waiting};
use crate::imap::settings::{Purpose, Settings};
use crate::net::{self, Connection, Guesses, HandshakeError, Service, Stop};

/// Octets read at once, and so held by each connection: small, as most of them idle.
const READ: usize = 4 * 1024;
/// After the last response the other side may finish its sentence, so that a reset does not destroy the response.
const LINGER: Duration = Duration::from_secs(1);

/// One kind of listener.
pub struct Server {
    gateway: Gateway,
    settings: Arc<Settings>,
    purpose: Purpose,
    tls: TlsAcceptor,
    guesses: Arc<Guesses>,
    places: Places,
}

impl Server {
    /// A service for [`crate::net::run`]. Every listener of a gateway gets the same `guesses` and `places`.
    pub fn new(
        gateway: Gateway,
        settings: Arc<Settings>,
        purpose: Purpose,
        tls: TlsAcceptor,
        guesses: Arc<Guesses>,
        places: Places,
    ) -> Arc<Self> {
        Arc::new(Self { gateway, settings, purpose, tls, guesses, places })
    }

    async fn handshake(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Gone> {
        let deadline = self.settings.deadlines.handshake;
        net::handshake(&self.tls, stream, deadline).await.map_err(|error| match error {
            HandshakeError::Timeout => Gone("handshake-timeout"),
            HandshakeError::Failed => Gone("handshake-failed"),
        })
    }
}

impl Service for Server {
    async fn serve(self: Arc<Self>, connection: Connection, stop: Stop) {
        let Connection { session: id, stream, peer } = connection;
        Event::SessionOpened { session: id, peer, listener: self.purpose.name() }.log();
        let tls = match self.purpose {
            Purpose::Imaps => Tls::Active,
            Purpose::Imap => Tls::Offered,
        };
        let door = Door { peer, guesses: Arc::clone(&self.guesses), places: self.places.clone() };
        let session = Session::open(id, self.gateway.clone(), Arc::clone(&self.settings), door, tls);
        let now = Instant::now();
        let mut visit = Visit { server: &self, session, stop, opened: now, heard: now, pace: Pace::default() };
        let Gone(reason) = visit.run(stream).await;
        Event::SessionClosed { session: id, messages: visit.session.appended(), reason }.log();
    }

    fn busy(&self) -> Vec<u8> {
        match self.purpose {
            Purpose::Imaps => Vec::new(),
            Purpose::Imap => b"* BYE [UNAVAILABLE] Too many connections; try again later\r\n".to_vec(),
        }
    }
}

/// One connection being served.
struct Visit<'a> {
    server: &'a Server,
    session: Session,
    stop: Stop,
    opened: Instant,
    /// When octets came last.
    heard: Instant,
    /// How what is under way comes.
    pace: Pace,
}

/// What ends one stretch of a session.
enum Turn {
    StartTls,
    Over(Gone),
}

/// The writing half of a connection. A client that does not read is left.
struct Wire<S> {
    half: WriteHalf<S>,
    patience: Duration,
}

impl<S: AsyncRead + AsyncWrite + Send> Outlet for Wire<S> {
    async fn send(&mut self, octets: &[u8]) -> Result<(), Gone> {
        let writing = async {
            self.half.write_all(octets).await?;
            self.half.flush().await
        };
        let written = timeout(self.patience, writing).await;
        written.map_err(|_| Gone("does-not-read"))?.map_err(|_| Gone("connection-lost"))
    }
}

impl Visit<'_> {
    async fn run(&mut self, mut stream: TcpStream) -> Gone {
        if self.server.purpose == Purpose::Imap {
            match self.converse(stream).await {
                (Turn::Over(gone), _) => return gone,
                (Turn::StartTls, back) => stream = back,
            }
        }
        let stream = match self.server.handshake(stream).await {
            Ok(stream) => stream,
            Err(gone) => return gone,
        };
        if self.server.purpose == Purpose::Imap {
            self.session.secured();
        }
        match self.converse(stream).await.0 {
            Turn::Over(gone) => gone,
            Turn::StartTls => Gone("second-starttls"),
        }
    }

    /// Does what the session asks for until it closes or wants TLS.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, stream: S) -> (Turn, S) {
        let (mut input, half) = split(stream);
        let mut wire = Wire { half, patience: self.server.settings.deadlines.writing };
        let turn = loop {
            // Apart, so that who idles does not hold the room that a FETCH takes.
            let paused = match Box::pin(self.session.advance(&mut wire)).await {
                Ok(Pause::NeedInput(waiting)) => self.hear(waiting, &mut input).await,
                Ok(Pause::StartTls) => break Turn::StartTls,
                Ok(Pause::Close(reason)) => {
                    linger(&mut wire.half, &mut input).await;
                    break Turn::Over(Gone(reason));
                }
                Err(gone) => Err(gone),
            };
            if let Err(gone) = paused {
                break Turn::Over(gone);
            }
        };
        (turn, input.unsplit(wire.half))
    }

    /// Waits for input, until the deadline, until Postern stops, and for who idles until there is news.
    async fn hear<S: AsyncRead>(&mut self, waiting: Waiting, input: &mut ReadHalf<S>) -> Result<(), Gone> {
        let (may_stop, idling, since) = (self.session.is_idle(), waiting == Waiting::Idle, Instant::now());
        if waiting != Waiting::Data {
            self.pace = Pace::default();
        }
        let deadline = self.deadline(waiting, since);
        let still_here = since + self.server.settings.deadlines.still_here;
        let wake = if idling { deadline.min(still_here) } else { deadline };
        let mut buffer = [0; READ];
        let read = tokio::select! {
            read = timeout_at(wake, input.read(&mut buffer)) => read,
            () = self.session.news(), if idling => {
                self.session.tell_in_idle().await;
                return Ok(());
            }
            () = self.stop.requested(), if may_stop => {
                self.session.leave("stopping", "The server is restarted; come back in a moment");
                return Ok(());
            }
        };
        match read {
            Ok(Ok(count)) if count > 0 => {
                self.heard = Instant::now();
                self.pace.came(self.heard - since, count);
                self.session.receive(&buffer[..count]);
            }
            Ok(_) => return Err(Gone("connection-lost")),
            Err(_) if idling && wake < deadline => self.session.still_here(),
            Err(_) => self.session.leave("too-slow", "Nothing came for too long"),
        }
        Ok(())
    }

    fn deadline(&self, waiting: Waiting, now: Instant) -> Instant {
        let deadlines = &self.server.settings.deadlines;
        match waiting {
            Waiting::SignIn => self.opened + deadlines.before_sign_in,
            Waiting::Command => now + deadlines.command,
            Waiting::Idle => self.heard + deadlines.command,
            Waiting::Data => now + self.pace.left(deadlines.data),
        }
    }
}

async fn linger<S: AsyncRead + AsyncWrite>(output: &mut WriteHalf<S>, input: &mut ReadHalf<S>) {
    let mut buffer = [0; READ];
    // Whatever it says now is not heard.
    let _ = timeout(LINGER, async {
        output.shutdown().await?;
        while input.read(&mut buffer).await? > 0 {}
        Ok::<(), std::io::Error>(())
    })
    .await;
}
