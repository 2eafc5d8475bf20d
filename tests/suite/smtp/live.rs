//! Dialogs on a server that listens on loopback, with a client that trusts the generated authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::net::{self, Gate, GateLimits, Stop, Stopper};
use postern::smtp::{Guesses, Purpose, Server, Settings};
use postern::tls::{self, Certificates};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::dialog::{Dialog, Wire};
use super::fake::Fake;

/// A server, and all that a client needs to speak to it.
pub struct Live {
    pub address: SocketAddr,
    pub fake: Fake,
    pub client: Arc<ClientConfig>,
    pub stopper: Option<Stopper>,
    pub done: JoinHandle<()>,
}

pub struct House {
    pub folder: TempDir,
    pub certificates: Certificates,
}

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificates, _) = tls::prepare(folder.path(), &["mail.clinic.example".into()]).unwrap();
        Self { folder, certificates }
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("ca.pem")).unwrap()).unwrap();
        roots
    }

    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::new(client_builder().with_root_certificates(self.roots()).with_no_client_auth())
    }
}

pub fn client_builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

pub struct Plan {
    pub settings: Settings,
    pub purpose: Purpose,
    pub gate: GateLimits,
    pub drain: Duration,
}

impl Live {
    pub async fn start(plan: Plan) -> Self {
        let house = House::new();
        Self::start_with(plan, house.certificates.server_config().unwrap(), house.client()).await
    }

    pub async fn start_with(plan: Plan, config: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Self {
        let guesses = Guesses::new(plan.settings.limits.guesses, plan.settings.deadlines.guesses);
        Self::start_sharing(Arc::new(guesses), plan, config, client).await
    }

    /// A listener that is one of several.
    pub async fn start_sharing(
        guesses: Arc<Guesses>,
        plan: Plan,
        config: Arc<ServerConfig>,
        client: Arc<ClientConfig>,
    ) -> Self {
        let fake = Fake::default();
        let acceptor = Some(TlsAcceptor::from(config));
        let server = Server::new(fake.clone(), Arc::new(plan.settings), plan.purpose, acceptor, guesses);
        let listener = net::bind("smtp", "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, stop): (Stopper, Stop) = Stopper::new();
        let done = tokio::spawn(net::run(listener, server, Gate::new(plan.gate), stop, plan.drain));
        Self { address, fake, client, stopper: Some(stopper), done }
    }

    pub async fn connect(&self) -> Client {
        self.connect_as(Arc::clone(&self.client)).await
    }

    pub async fn connect_as(&self, tls: Arc<ClientConfig>) -> Client {
        Client { stream: Stream::Plain(TcpStream::connect(self.address).await.unwrap()), tls }
    }
}

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

pub struct Client {
    pub stream: Stream,
    tls: Arc<ClientConfig>,
}

impl Wire for Client {
    async fn send(&mut self, octets: &[u8]) {
        // A server that has closed is seen by the next read.
        let _ = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(octets).await,
            Stream::Tls(stream) => stream.write_all(octets).await,
            Stream::Gone => Ok(()),
        };
    }

    async fn more(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut buffer = vec![0; 4096];
        let reading = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut buffer).await,
                Stream::Tls(stream) => stream.read(&mut buffer).await,
                Stream::Gone => Ok(0),
            }
        };
        match timeout(Duration::from_secs(10), reading).await {
            Err(_) => Err("nothing came".into()),
            Ok(Ok(0)) => Ok(None),
            Ok(Ok(count)) => Ok(Some(buffer[..count].to_vec())),
            Ok(Err(error)) => Err(format!("the connection broke: {error}")),
        }
    }

    async fn tls(&mut self) -> Result<(), String> {
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err("TLS over TLS".into());
        };
        let name = ServerName::try_from("mail.clinic.example").unwrap();
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = timeout(Duration::from_secs(10), handshake).await.map_err(|_| "no handshake")?;
        self.stream = Stream::Tls(Box::new(stream.map_err(|error| error.to_string())?));
        Ok(())
    }
}

pub async fn run(dialog: &Dialog) -> Result<(), String> {
    let live = Live::start(Plan {
        settings: (*dialog.settings).clone(),
        purpose: dialog.purpose.clone(),
        gate: GateLimits::default(),
        drain: Duration::from_secs(5),
    })
    .await;
    let mut client = live.connect().await;
    if matches!(dialog.purpose, Purpose::Submissions) {
        client.tls().await.map_err(|error| format!("{}: {error}", dialog.name))?;
    }
    dialog.play(&mut client, &live.fake).await
}
