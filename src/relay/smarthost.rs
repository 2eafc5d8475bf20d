//! Delivery to a smarthost: sockets, deadlines and TLS around [`Client`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;

use super::client::{Client, ClientSettings, Credentials, Need, Protection, Wait};
use super::errand::{Content, Errand};
use super::protection::{Protections, TrustError};
use crate::delivery::{Cause, Outcome, Step};
use crate::queue::TlsDemand;

/// Most messages over one connection.
const MESSAGES_PER_CONNECTION: u32 = 100;
/// How long a connection may wait for its next message.
pub(super) const IDLE: Duration = Duration::from_secs(5);
/// How long a smarthost that would not have us is left alone, so that a queue of five hundred does not try a wrong
/// password five hundred times. Shorter than the first pause of the schedule: no letter waits longer for it.
const LEFT_ALONE: Duration = Duration::from_secs(20);
/// Octets that are collected before they are written.
const WRITE: usize = 32 * 1024;

/// What TLS is asked of the smarthost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmarthostTls {
    /// TLS from the first octet, verified (port 465; RFC 8314).
    Immediate,
    /// STARTTLS, verified, or no mail.
    Required,
    /// STARTTLS where it is offered, with any certificate; plain where it is not, or fails (RFC 7435).
    Opportunistic,
    /// Plain.
    None,
}

/// How long each answer is waited for (RFC 5321, section 4.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A TCP connection, for each address of the host.
    pub connect: Duration,
    /// The greeting; also the TLS handshake.
    pub greeting: Duration,
    /// The reply to a command.
    pub command: Duration,
    /// The reply to DATA.
    pub data_start: Duration,
    /// Octets of ours being taken.
    pub block: Duration,
    /// The reply to the message.
    pub data_end: Duration,
    /// The reply to QUIT, and what is left to be heard when a connection breaks.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data_start: minutes(2),
            block: minutes(3),
            data_end: minutes(10),
            farewell: Duration::from_secs(2),
        }
    }
}

impl Patience {
    fn with(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Greeting => self.greeting,
            Wait::Command => self.command,
            Wait::DataStart => self.data_start,
            Wait::DataEnd => self.data_end,
            Wait::Farewell => self.farewell,
        }
    }
}

/// Where mail is handed on, and how.
#[derive(Debug, Clone)]
pub struct SmarthostSettings {
    /// Its name or address; the certificate is verified for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS. With credentials anything below `Required` counts as `Required`: a password goes to nobody unknown.
    pub tls: SmarthostTls,
    /// The name and password for AUTH.
    pub credentials: Option<Credentials>,
    /// A PEM file of certificate authorities beside the system's.
    pub extra_ca: Option<PathBuf>,
    /// What EHLO says: the gateway's host name.
    pub hello: String,
    /// Deadlines.
    pub patience: Patience,
}

/// When connecting failed, and why.
type Refused = (Instant, Cause);

/// The smarthost, ready to be connected to. Cheap to clone.
#[derive(Clone)]
pub struct Smarthost {
    settings: Arc<SmarthostSettings>,
    name: ServerName<'static>,
    protections: Protections,
    /// The last refusal of a connection without and with verified TLS.
    refusals: Arc<Mutex<[Option<Refused>; 2]>>,
}

/// Why a smarthost cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum SmarthostError {
    /// Not a host name or IP address.
    #[error("[relay] host is neither a host name nor an IP address")]
    Host,
    /// Certificate authorities.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Smarthost {
    /// Reads the certificate authorities; connects to nobody yet.
    ///
    /// # Errors
    /// [`SmarthostError`].
    pub fn new(settings: SmarthostSettings) -> Result<Self, SmarthostError> {
        let name = ServerName::try_from(settings.host.clone()).map_err(|_| SmarthostError::Host)?;
        let protections = Protections::load(settings.extra_ca.as_deref())?;
        Ok(Self { settings: Arc::new(settings), name, protections, refusals: Arc::default() })
    }

    /// A line of connections, one after the other, for one worker.
    pub fn line(&self) -> Line {
        Line { smarthost: self.clone(), connection: None }
    }

    /// Whether a message with this demand goes only over verified TLS.
    fn is_strict(&self, demand: TlsDemand) -> bool {
        let by_settings = matches!(self.settings.tls, SmarthostTls::Immediate | SmarthostTls::Required);
        demand == TlsDemand::Required || by_settings || self.settings.credentials.is_some()
    }

    /// A connection that is ready for mail; where the smarthost would not have us a moment ago, that refusal again.
    async fn connect(&self, strict: bool) -> Result<Connection, Cause> {
        let slot = usize::from(strict);
        let known = self.refusals.lock().unwrap_or_else(PoisonError::into_inner)[slot];
        if let Some((_, cause)) = known.filter(|(since, _)| since.elapsed() < LEFT_ALONE) {
            return Err(cause);
        }
        let result = self.try_connect(strict).await;
        let refusal = result.as_ref().err().map(|cause| (Instant::now(), *cause));
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)[slot] = refusal;
        result
    }

    async fn try_connect(&self, strict: bool) -> Result<Connection, Cause> {
        let protection = match self.settings.tls {
            SmarthostTls::Immediate => Protection::Present { trusted: true },
            _ if strict => Protection::Required,
            SmarthostTls::Opportunistic => Protection::Opportunistic,
            SmarthostTls::Required => Protection::Required,
            SmarthostTls::None => Protection::None,
        };
        match self.open(protection, strict).await {
            Err(cause) if cause.step == Step::Tls && protection == Protection::Opportunistic => {
                self.open(Protection::None, strict).await
            }
            result => result,
        }
    }

    async fn open(&self, protection: Protection, strict: bool) -> Result<Connection, Cause> {
        let patience = &self.settings.patience;
        let mut client = Client::new(ClientSettings {
            hello: self.settings.hello.clone(),
            protection,
            credentials: self.settings.credentials.clone(),
        });
        let mut tcp = self.dial().await?;
        let mut stream: Box<dyn Stream> = if matches!(protection, Protection::Present { .. }) {
            Box::new(self.handshake(tcp, strict).await?)
        } else {
            match drive(&mut client, &mut tcp, patience).await {
                Need::Tls => {
                    let tls = self.handshake(tcp, strict).await?;
                    client.secured(strict);
                    Box::new(tls)
                }
                Need::Closed(cause) => return Err(cause.unwrap_or(Cause::silent(Step::Lost))),
                _ => Box::new(tcp),
            }
        };
        match drive(&mut client, &mut stream, patience).await {
            Need::Transaction => Ok(Connection { client, stream, strict, sent: 0, since: Instant::now() }),
            Need::Closed(Some(cause)) => Err(cause),
            _ => Err(Cause::silent(Step::Protocol)),
        }
    }

    /// The first of the host's addresses that answers.
    async fn dial(&self) -> Result<TcpStream, Cause> {
        let patience = self.settings.patience.connect;
        let host = (self.settings.host.trim_matches(['[', ']']), self.settings.port);
        let addresses = match timeout(patience, tokio::net::lookup_host(host)).await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(_)) | Err(_) => return Err(Cause::silent(Step::Connect)),
        };
        for address in addresses {
            if let Ok(Ok(tcp)) = timeout(patience, TcpStream::connect(address)).await {
                // Commands are short and each waits for its reply; a failure only costs time.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
        }
        Err(Cause::silent(Step::Connect))
    }

    async fn handshake(&self, tcp: TcpStream, strict: bool) -> Result<TlsStream<TcpStream>, Cause> {
        let connector = if strict { &self.protections.verified } else { &self.protections.unverified };
        match timeout(self.settings.patience.greeting, connector.connect(self.name.clone(), tcp)).await {
            Ok(Ok(tls)) => Ok(tls),
            Ok(Err(_)) | Err(_) => Err(Cause::silent(Step::Tls)),
        }
    }
}

/// Writes what the client says and feeds it what it waits for, until it needs something else. Each reply has
/// its time as a whole, so that a far side that drips octets gains nothing.
async fn drive<S: Stream>(client: &mut Client, stream: &mut S, patience: &Patience) -> Need {
    let mut asked = Instant::now();
    loop {
        let need = client.advance();
        let output = client.output();
        if !output.is_empty() {
            if !write(stream, &output, patience).await {
                client.fail(Step::Lost);
                continue;
            }
            asked = Instant::now();
        }
        let Need::Input(wait) = need else { return need };
        hear(client, stream, asked + patience.with(wait)).await;
    }
}

async fn write<S: Stream>(stream: &mut S, octets: &[u8], patience: &Patience) -> bool {
    let written = async {
        stream.write_all(octets).await?;
        stream.flush().await
    };
    matches!(timeout(patience.block, written).await, Ok(Ok(())))
}

async fn hear<S: Stream>(client: &mut Client, stream: &mut S, deadline: Instant) {
    let mut octets = [0; 4096];
    match timeout_at(deadline, stream.read(&mut octets)).await {
        Ok(Ok(count)) if count > 0 => client.receive(&octets[..count]),
        Ok(_) => client.fail(Step::Lost),
        Err(_) => client.fail(Step::Timeout),
    }
}

struct Connection {
    client: Client,
    stream: Box<dyn Stream>,
    strict: bool,
    sent: u32,
    since: Instant,
}

/// How far a transaction came.
enum Attempt {
    Over(Outcome),
    /// The far side had closed the connection while it waited for us; nothing was tried.
    Stale,
}

impl Connection {
    async fn transact(&mut self, errand: &Errand<'_>, content: &mut dyn Content, patience: &Patience) -> Attempt {
        let mut message_asked = false;
        self.client.begin(errand.delivery, errand.size);
        loop {
            match drive(&mut self.client, &mut self.stream, patience).await {
                Need::Message => {
                    message_asked = true;
                    self.send(content, patience).await;
                }
                Need::Settled(outcome) if self.sent > 0 && !message_asked && is_farewell(&outcome) => {
                    return Attempt::Stale;
                }
                Need::Settled(outcome) => {
                    self.sent += 1;
                    self.since = Instant::now();
                    return Attempt::Over(outcome);
                }
                Need::Closed(_) if self.sent > 0 => return Attempt::Stale,
                Need::Closed(cause) => {
                    return Attempt::Over(Outcome::Transient(cause.unwrap_or(Cause::silent(Step::Lost))));
                }
                Need::Input(_) | Need::Tls | Need::Transaction => {
                    return Attempt::Over(Outcome::transient(Step::Protocol));
                }
            }
        }
    }

    /// Sends the message and its end; what goes wrong, the client knows afterwards.
    async fn send(&mut self, content: &mut dyn Content, patience: &Patience) {
        let mut wire = Vec::with_capacity(2 * WRITE);
        loop {
            match content.next_piece().await {
                Ok(Some(octets)) => {
                    self.client.message(&octets, &mut wire);
                    if self.client.has_refused_content() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => return self.client.fail(Step::Storage),
            }
            if wire.len() >= WRITE {
                if !write(&mut self.stream, &wire, patience).await {
                    return self.hear_refusal(patience).await;
                }
                wire.clear();
            }
        }
        self.client.end_of_message(&mut wire);
        if !self.client.has_refused_content() && !write(&mut self.stream, &wire, patience).await {
            self.hear_refusal(patience).await;
        }
    }

    /// The far side takes no more; perhaps it said why before it closed.
    async fn hear_refusal(&mut self, patience: &Patience) {
        self.client.break_off_message();
        hear(&mut self.client, &mut self.stream, Instant::now() + patience.farewell).await;
    }

    async fn quit(mut self, patience: &Patience) {
        self.client.quit();
        drive(&mut self.client, &mut self.stream, patience).await;
    }
}

fn is_farewell(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Transient(cause) if cause.step == Step::Lost || cause.code == Some(421))
}

/// One worker's connections to the smarthost; the last one is kept for the next message.
pub struct Line {
    smarthost: Smarthost,
    connection: Option<Connection>,
}

impl Line {
    /// Hands one message on. At most one attempt reaches the far side's DATA.
    pub async fn deliver(&mut self, errand: &Errand<'_>, content: &mut dyn Content) -> Outcome {
        let strict = self.smarthost.is_strict(errand.tls);
        let patience = self.smarthost.settings.patience;
        if let Some(mut connection) = self.reusable(strict).await
            && let Attempt::Over(outcome) = connection.transact(errand, content, &patience).await
        {
            self.connection = Some(connection);
            return outcome;
        }
        let mut connection = match self.smarthost.connect(strict).await {
            Ok(connection) => connection,
            Err(cause) => return Outcome::Transient(cause),
        };
        match connection.transact(errand, content, &patience).await {
            Attempt::Over(outcome) => {
                self.connection = Some(connection);
                outcome
            }
            Attempt::Stale => Outcome::transient(Step::Lost),
        }
    }

    /// When the connection that waits here has waited long enough.
    pub fn idle_until(&self) -> Option<Instant> {
        self.connection.as_ref().map(|connection| connection.since + IDLE)
    }

    /// Takes leave of the far side.
    pub async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.quit(&self.smarthost.settings.patience).await;
        }
    }

    async fn reusable(&mut self, strict: bool) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        let usable = connection.client.advance() == Need::Transaction;
        if usable
            && connection.strict == strict
            && connection.sent < MESSAGES_PER_CONNECTION
            && connection.since.elapsed() < IDLE
        {
            return Some(connection);
        }
        connection.quit(&self.smarthost.settings.patience).await;
        None
    }
}
