//! Dialogs on a server that listens on loopback, with a client that trusts the generated authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::imap::{Places, Purpose, Server, Settings};
use postern::net::{self, Gate, GateLimits, Guesses, Stopper};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::dialog::{Dialog, Exchange, Wire};
use super::house::House;
use crate::smtp::live::House as Certificates;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Live {
    address: SocketAddr,
    client: Arc<ClientConfig>,
    purpose: Purpose,
    _stopper: Stopper,
}

pub async fn run(house: &House, dialog: &Dialog) -> Result<(), String> {
    let live = start(house, &dialog.settings, dialog.purpose).await;
    dialog.play(&live, &house.person_for(dialog).await).await
}

/// A server over this house.
pub async fn start(house: &House, settings: &Settings, purpose: Purpose) -> Live {
    let certificates = Certificates::new();
    let acceptor = TlsAcceptor::from(certificates.certificates.server_config().unwrap());
    let guesses = Arc::new(Guesses::new(100, Duration::from_secs(60)));
    let places = Places::new(settings.limits.per_account);
    let server = Server::new(house.gateway().clone(), Arc::new(settings.clone()), purpose, acceptor, guesses, places);
    let listener = net::bind("imap", "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopper, stop) = Stopper::new();
    tokio::spawn(net::run(listener, server, Gate::new(GateLimits::default()), stop, Duration::from_secs(5)));
    Live { address, client: certificates.client(), purpose, _stopper: stopper }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

pub struct Client {
    stream: Stream,
    tls: Arc<ClientConfig>,
}

impl Exchange for Live {
    type Wire = Client;

    async fn connect(&self) -> Result<Client, String> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let mut client = Client { stream: Stream::Plain(stream), tls: Arc::clone(&self.client) };
        if self.purpose == Purpose::Imaps {
            client.tls().await?;
        }
        Ok(client)
    }
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
        match timeout(PATIENCE, reading).await {
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
        let stream = timeout(PATIENCE, handshake).await.map_err(|_| "no handshake")?;
        self.stream = Stream::Tls(Box::new(stream.map_err(|error| error.to_string())?));
        Ok(())
    }
}
