//! Plays a script on a loopback server, against the client with sockets, TLS and deadlines.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use postern::blob::BlobError;
use postern::delivery::Outcome;
use postern::mail::{Delivery, Recipient, ReversePath};
use postern::queue::TlsDemand;
use postern::relay::client::Credentials;
use postern::relay::errand::{Content, Errand};
use postern::relay::smarthost::{Patience, Smarthost, SmarthostSettings, SmarthostTls};
use postern::secret::Secret;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::bare::words;
use super::script::{Script, Step};

/// A message in memory, in pieces of seven octets.
pub struct Pieces(Vec<Bytes>);

impl Pieces {
    pub fn of(octets: &[u8]) -> Self {
        Self(octets.chunks(7).rev().map(Bytes::copy_from_slice).collect())
    }
}

#[async_trait]
impl Content for Pieces {
    async fn next_piece(&mut self) -> Result<Option<Bytes>, BlobError> {
        Ok(self.0.pop())
    }
}

/// Certificates of the scripted server: one by an authority that the client is told of, one by nobody.
pub struct Certificates {
    trusted: TlsAcceptor,
    untrusted: TlsAcceptor,
    pub authority: PathBuf,
    _folder: tempfile::TempDir,
}

pub static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let leaf =
        || (rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap(), rcgen::KeyPair::generate().unwrap());
    let (params, key) = leaf();
    let trusted = acceptor(params.signed_by(&key, &authority).unwrap().der(), &key);
    let (params, key) = leaf();
    let untrusted = acceptor(params.self_signed(&key).unwrap().der(), &key);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    Certificates { trusted, untrusted, authority: path, _folder: folder }
});

fn acceptor(certificate: &CertificateDer<'static>, key: &rcgen::KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A client for a server on this port of the loopback, in a hurry.
pub fn smarthost(port: u16, tls: &str, auth: Option<(String, String)>, patience: Duration) -> Smarthost {
    Smarthost::new(SmarthostSettings {
        host: "localhost".into(),
        port,
        tls: match tls {
            "immediate" => SmarthostTls::Immediate,
            "required" => SmarthostTls::Required,
            "opportunistic" => SmarthostTls::Opportunistic,
            _ => SmarthostTls::None,
        },
        credentials: auth.map(|(username, password)| Credentials { username, password: Secret::new(password) }),
        extra_ca: Some(CERTIFICATES.authority.clone()),
        hello: "gateway.clinic.example".into(),
        patience: Patience {
            connect: patience,
            greeting: patience,
            command: patience,
            data_start: patience,
            block: patience,
            data_end: patience,
            farewell: patience,
        },
    })
    .unwrap()
}

/// A delivery of a plain message.
pub fn plain_delivery() -> Delivery {
    Delivery {
        reverse_path: ReversePath::Address("staff@clinic.example".parse().unwrap()),
        recipient: Recipient::plain("jane@there.example".parse().unwrap()),
        ret: None,
        envid: None,
    }
}

/// Hands one plain message to a server on this port, within a second of patience, and says what came of it.
pub async fn hand_over(port: u16, tls: &str, patience: Duration) -> String {
    let delivery = plain_delivery();
    let errand = Errand { delivery: &delivery, tls: TlsDemand::AsConfigured, size: 10 };
    let mut line = smarthost(port, tls, None, patience).line();
    words(&line.deliver(&errand, &mut Pieces::of(b"\r\nhello\r\n")).await)
}

pub async fn play(script: Script) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let patience = Duration::from_millis(if script.steps.contains(&Step::Hush) { 100 } else { 10_000 });
    let mut line = smarthost(port, &script.tls, script.auth.clone(), patience).line();
    let server = tokio::spawn(serve(listener, script.clone()));
    for task in &script.tasks {
        let errand = Errand { delivery: &task.delivery, tls: task.demand, size: task.message.len() as u64 };
        let outcome: Outcome = line.deliver(&errand, &mut Pieces::of(&task.message)).await;
        assert_eq!(words(&outcome), task.expected, "{} (live)", script.name);
    }
    line.close().await;
    drop(line);
    server.await.unwrap();
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Plays the far side of the script, one connection after the other.
pub async fn serve(listener: TcpListener, script: Script) {
    for steps in script.steps.split(|step| *step == Step::Connect) {
        let (tcp, _) = listener.accept().await.unwrap();
        connection(&script.name, tcp, steps).await;
    }
}

async fn connection(name: &str, tcp: TcpStream, steps: &[Step]) {
    let (before, after) = match steps.iter().position(|step| matches!(step, Step::Tls(_))) {
        Some(place) => (&steps[..place], &steps[place..]),
        None => (steps, &[] as &[Step]),
    };
    let mut plain = BufReader::new(tcp);
    talk(name, &mut plain, before).await;
    let Some((Step::Tls(kind), after)) = after.split_first() else { return };
    match kind.as_str() {
        "failed" => plain.into_inner().shutdown().await.unwrap(),
        kind => {
            let acceptor = if kind == "trusted" { &CERTIFICATES.trusted } else { &CERTIFICATES.untrusted };
            match acceptor.accept(plain.into_inner()).await {
                Ok(tls) => talk(name, &mut BufReader::new(tls), after).await,
                Err(_) => assert_eq!(after, &[], "{name}: the client refused the certificate"),
            }
        }
    }
}

async fn talk<S: Stream>(name: &str, stream: &mut BufReader<S>, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Say(octets) => stream.write_all(octets).await.unwrap(),
            Step::Hear(expected) => {
                let mut line = Vec::new();
                stream.read_until(b'\n', &mut line).await.unwrap();
                let line = String::from_utf8_lossy(&line);
                assert_eq!(line, format!("{expected}\r\n"), "{name} (live)");
            }
            Step::HangUp => return stream.shutdown().await.unwrap(),
            Step::Hush => while stream.read_until(b'\n', &mut Vec::new()).await.unwrap_or(0) > 0 {},
            Step::Tls(_) | Step::Connect => unreachable!("split off"),
        }
    }
}
