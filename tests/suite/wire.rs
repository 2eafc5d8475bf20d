//! What dialogs of every protocol share: the other end of a connection, its certificates, and octets written in a line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::tls::{self, Certificates};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The other end of what is tested.
pub trait Wire {
    async fn send(&mut self, octets: &[u8]);
    /// More octets; `None` when the connection is closed, `Err` if nothing comes.
    async fn more(&mut self) -> Result<Option<Vec<u8>>, String>;
    async fn tls(&mut self) -> Result<(), String>;
}

/// A server's certificates, and what trusts them.
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

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

pub struct Client {
    pub stream: Stream,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Without TLS yet.
    pub async fn connect(address: SocketAddr, tls: Arc<ClientConfig>) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        Ok(Self { stream: Stream::Plain(stream), tls })
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

/// `\r \n \t \0 \\ \xNN`, and `{text*3}` for `texttexttext`.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '{' => {
                let (inside, behind) = rest.split_at(closing_brace(rest));
                let (piece, times) = inside.rsplit_once('*').expect("* between { and }");
                octets.extend(unescape(piece).repeat(times.parse().unwrap()));
                rest = &behind[1..];
            }
            '\\' => {
                let (octet, used) = match rest.as_bytes()[0] {
                    b'r' => (b'\r', 1),
                    b'n' => (b'\n', 1),
                    b't' => (b'\t', 1),
                    b'0' => (0, 1),
                    b'\\' => (b'\\', 1),
                    b'x' => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
                    // A backslash of an IMAP flag stands for itself.
                    b'A'..=b'Z' | b'*' => (b'\\', 0),
                    other => panic!("\\{}", char::from(other)),
                };
                octets.push(octet);
                rest = &rest[used..];
            }
            _ => octets.extend(c.to_string().bytes()),
        }
    }
    octets
}

fn closing_brace(text: &str) -> usize {
    let mut open = 1;
    let closes = |(_, c): &(usize, char)| {
        open += i32::from(*c == '{') - i32::from(*c == '}');
        open == 0
    };
    text.char_indices().find(closes).expect("} after {").0
}
