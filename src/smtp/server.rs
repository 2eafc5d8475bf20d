//! SMTP sessions over sockets: what [`Session`] asks for is done here, with deadlines.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::event::Event;
use crate::gateway::{Refusal, SignInError};
use crate::id::{SessionId, TransactionId};
use crate::mail::{Origin, ReceivedTrace};
use crate::net::{self, Connection, Guesses, HandshakeError, Service, Stop};
use crate::secret::Secret;

use crate::smtp::mailroom::{Incoming, Mailroom, Spool};
use crate::smtp::reply::{Limit, Reply};
use crate::smtp::session::{Answer, Question, Session, Step, Submitted, Waiting};
use crate::smtp::settings::{Purpose, Settings};
use crate::time::Timestamp;
use crate::{random, store};

/// Octets read at once, and so held per connection beside the spool.
const READ: usize = 16 * 1024;
/// Replies are sent when this many octets wait, at the latest.
const WRITE: usize = 8 * 1024;
/// After the last reply the other side may finish its sentence, so that a reset does not destroy the reply.
const LINGER: Duration = Duration::from_secs(1);

/// One kind of listener.
pub struct Server<M> {
    mailroom: M,
    settings: Arc<Settings>,
    purpose: Purpose,
    tls: Option<TlsAcceptor>,
    guesses: Arc<Guesses>,
}

impl<M: Mailroom> Server<M> {
    /// A service for [`crate::net::run`]. Without `tls` STARTTLS is not offered, and [`Purpose::Submissions`] serves nobody.
    /// Every listener of a gateway gets the same `guesses`.
    pub fn new(
        mailroom: M,
        settings: Arc<Settings>,
        purpose: Purpose,
        tls: Option<TlsAcceptor>,
        guesses: Arc<Guesses>,
    ) -> Arc<Self> {
        Arc::new(Self { mailroom, settings, purpose, tls, guesses })
    }

    fn session(&self, id: SessionId, peer: IpAddr) -> Session {
        let (settings, purpose) = (Arc::clone(&self.settings), self.purpose.clone());
        if self.purpose.admits(peer) {
            Session::open(id, settings, purpose, self.tls.is_some())
        } else {
            Session::turned_away(id, settings, purpose, Limit::Untrusted)
        }
    }

    async fn handshake(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Ended> {
        let acceptor = self.tls.as_ref().ok_or(Ended("no-certificate"))?;
        let deadline = self.settings.deadlines.handshake;
        net::handshake(acceptor, stream, deadline).await.map_err(|error| match error {
            HandshakeError::Timeout => Ended("handshake-timeout"),
            HandshakeError::Failed => Ended("handshake-failed"),
        })
    }
}

impl<M: Mailroom> Service for Server<M> {
    async fn serve(self: Arc<Self>, connection: Connection, stop: Stop) {
        let Connection { session: id, stream, peer } = connection;
        Event::SessionOpened { session: id, peer, listener: self.purpose.name() }.log();
        let session = self.session(id, peer);
        let opened = Instant::now();
        let mut visit =
            Visit { server: &self, session, id, peer, stop, opened, out: Vec::new(), pass: None, message: None };
        let Ended(reason) = visit.run(stream).await;
        Event::SessionClosed { session: id, messages: visit.session.messages(), reason }.log();
    }

    fn busy(&self) -> Vec<u8> {
        match self.purpose {
            Purpose::Submissions => Vec::new(),
            Purpose::Submission | Purpose::Relay(_) => Reply::from(Limit::Connections).octets(),
        }
    }
}

/// Why a session is over; a word for the log.
struct Ended(&'static str);

/// What ends one stretch of a session.
enum Turn {
    StartTls,
    Over(Ended),
}

/// A message on its way in.
struct Message<S> {
    transaction: TransactionId,
    begun: Timestamp,
    /// Its spool, or why there is none any more.
    spool: Result<S, Refusal>,
}

/// One connection being served.
struct Visit<'a, M: Mailroom> {
    server: &'a Server<M>,
    session: Session,
    id: SessionId,
    peer: IpAddr,
    stop: Stop,
    opened: Instant,
    out: Vec<u8>,
    pass: Option<M::Pass>,
    message: Option<Message<M::Spool>>,
}

impl<M: Mailroom> Visit<'_, M> {
    async fn run(&mut self, mut stream: TcpStream) -> Ended {
        if !matches!(self.server.purpose, Purpose::Submissions) {
            match self.converse(&mut stream).await {
                Turn::Over(ended) => return ended,
                Turn::StartTls => {}
            }
        }
        let mut stream = match self.server.handshake(stream).await {
            Ok(stream) => stream,
            Err(ended) => return ended,
        };
        if !matches!(self.server.purpose, Purpose::Submissions) {
            self.session.secured();
        }
        match self.converse(&mut stream).await {
            Turn::Over(ended) => ended,
            Turn::StartTls => Ended("second-starttls"),
        }
    }

    /// Does what the session asks for until it closes or wants TLS.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Turn {
        let mut buffer = vec![0; READ];
        loop {
            let done = match self.session.next() {
                Step::Send(reply) => self.send(&reply, stream).await,
                Step::Ask(question) => {
                    self.respond(question).await;
                    Ok(())
                }
                Step::Begin => {
                    self.begin();
                    Ok(())
                }
                Step::Store(octets) => {
                    self.store(&octets).await;
                    Ok(())
                }
                Step::Discard => {
                    self.message = None;
                    Ok(())
                }
                Step::EndOfMessage(submitted) => {
                    self.end_message(submitted).await;
                    Ok(())
                }
                Step::NeedInput(waiting) => self.hear(waiting, stream, &mut buffer).await,
                Step::StartTls => match self.flush(stream).await {
                    Ok(()) => return Turn::StartTls,
                    gone => gone,
                },
                Step::Close(reason) => return Turn::Over(self.close(reason, stream, &mut buffer).await),
            };
            if let Err(ended) = done {
                return Turn::Over(ended);
            }
        }
    }

    async fn send<S: AsyncWrite + Unpin>(&mut self, reply: &Reply, stream: &mut S) -> Result<(), Ended> {
        if reply.is_refusal() {
            let (code, enhanced, reason) = (reply.code(), reply.enhanced(), reply.word());
            Event::Refused { session: self.id, code, enhanced, reason }.log();
        }
        self.out.extend(reply.octets());
        if self.out.len() >= WRITE { self.flush(stream).await } else { Ok(()) }
    }

    async fn flush<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Result<(), Ended> {
        if self.out.is_empty() {
            return Ok(());
        }
        let writing = async {
            stream.write_all(&self.out).await?;
            stream.flush().await
        };
        let written = timeout(self.server.settings.deadlines.command, writing).await;
        self.out.clear();
        written.map_err(|_| Ended("does-not-read"))?.map_err(|_| Ended("connection-lost"))
    }

    /// Waits for input, until the deadline, or until Postern stops and nothing is under way.
    async fn hear<S>(&mut self, waiting: Waiting, stream: &mut S, buffer: &mut [u8]) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.flush(stream).await?;
        let (deadline, limit) = self.deadline(waiting);
        let idle = self.session.is_idle();
        let read = tokio::select! {
            read = timeout_at(deadline, stream.read(buffer)) => read,
            () = self.stop.requested(), if idle => {
                self.session.leave(Limit::Stopping);
                return Ok(());
            }
        };
        match read {
            Err(_) => self.session.leave(limit),
            Ok(Ok(count)) if count > 0 => self.session.receive(&buffer[..count]),
            Ok(_) => return Err(Ended("connection-lost")),
        }
        Ok(())
    }

    fn deadline(&self, waiting: Waiting) -> (Instant, Limit) {
        let deadlines = &self.server.settings.deadlines;
        let patience = if waiting == Waiting::Data { deadlines.data } else { deadlines.command };
        let mut idle = Instant::now() + patience;
        if self.session.origin().is_none() {
            idle = idle.min(self.opened + deadlines.before_sign_in);
        }
        let session = self.opened + deadlines.session;
        if session < idle { (session, Limit::SessionTime) } else { (idle, Limit::Idle) }
    }

    async fn close<S>(&mut self, reason: &'static str, stream: &mut S, buffer: &mut [u8]) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if let Err(ended) = self.flush(stream).await {
            return ended;
        }
        let _ = timeout(LINGER, async {
            stream.shutdown().await?;
            while stream.read(buffer).await? > 0 {}
            Ok::<(), std::io::Error>(())
        })
        .await;
        Ended(reason)
    }

    /// Whether the sign-in still stands: a session does not outlive its password. `None` where it does not, and has left.
    async fn standing(&mut self) -> Option<Result<(), Refusal>> {
        let Some(pass) = &self.pass else { return Some(Ok(())) };
        match self.server.mailroom.stands(pass).await {
            Ok(true) => Some(Ok(())),
            Ok(false) => {
                self.session.leave(Limit::AccountChanged);
                None
            }
            Err(_) => Some(Err(Refusal::Unavailable)),
        }
    }

    async fn respond(&mut self, question: Question) {
        let mailroom = &self.server.mailroom;
        let answer = match question {
            Question::SignIn { name, password } => self.sign_in(&name, &password).await,
            Question::MaySendAs { origin, address } => match self.standing().await {
                Some(Ok(())) => Answer::MaySendAs(mailroom.may_send_as(&origin, &address).await),
                Some(Err(refusal)) => Answer::MaySendAs(Err(refusal)),
                None => return,
            },
            Question::CheckRecipient { origin, address } => {
                Answer::CheckRecipient(mailroom.check_recipient(&origin, &address).await)
            }
        };
        self.session.answer(answer);
    }

    /// Who has guessed too often is not even checked: that would tell when a guess is right, and costs an Argon2 run.
    async fn sign_in(&mut self, name: &str, password: &Secret<String>) -> Answer {
        let guesses = &self.server.guesses;
        if guesses.exhausted(self.peer, Instant::now().into_std()) {
            return Answer::TooManyGuesses;
        }
        let result = self.server.mailroom.sign_in(name, password).await;
        match &result {
            Ok((Origin::Staff { id, .. }, _)) => Event::SignedIn { session: self.id, staff: *id }.log(),
            Ok((Origin::Relay { .. }, _)) => {}
            Err(SignInError::Rejected) => {
                guesses.count(self.peer, Instant::now().into_std());
                Event::SignInFailed { session: self.id, peer: self.peer }.log();
            }
            Err(SignInError::Busy | SignInError::Unavailable) => {}
        }
        Answer::SignIn(result.map(|(origin, pass)| {
            self.pass = Some(pass);
            origin
        }))
    }

    fn begin(&mut self) {
        let spool = Ok(self.server.mailroom.spool());
        self.message = Some(Message { transaction: random::id(), begun: store::now(), spool });
    }

    /// A spool that fails is dropped; the client learns why when its message ends.
    async fn store(&mut self, octets: &[u8]) {
        if let Some(Message { spool, .. }) = &mut self.message
            && let Ok(writer) = spool
            && let Err(refusal) = writer.write(octets).await
        {
            *spool = Err(refusal);
        }
    }

    /// Asked again at the end, since a message may be long on its way, and one with an empty return path was not asked about.
    async fn end_message(&mut self, submitted: Submitted) {
        let answer = match self.standing().await {
            Some(Ok(())) => self.accept(submitted).await,
            Some(Err(refusal)) => Answer::Message(Err(refusal)),
            None => return self.message = None,
        };
        self.session.answer(answer);
    }

    async fn accept(&mut self, submitted: Submitted) -> Answer {
        let Some(Message { transaction, begun, spool }) = self.message.take() else {
            return Answer::Message(Err(Refusal::Unavailable));
        };
        let Submitted { origin, envelope, helo, protocol } = submitted;
        let trace = ReceivedTrace { helo, peer: self.peer, protocol: protocol.into(), at: begun };
        let incoming = Incoming { transaction, session: self.id, origin, envelope, trace };
        Answer::Message(match spool {
            Ok(spool) => self.server.mailroom.accept(incoming, spool).await,
            Err(refusal) => Err(refusal),
        })
    }
}
