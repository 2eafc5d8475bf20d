//! The sender's mail program: SMTP with TLS from the first octet and a sign-in (RFC 8314, RFC 4954).

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::secret::Secret;

/// How long a whole message may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where and as whom mail is handed in.
pub struct Submission {
    address: SocketAddr,
    host: ServerName<'static>,
    tls: TlsConnector,
    user: &'static str,
    password: Secret<String>,
}

/// What the gateway answered to a message.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Three digits.
    pub code: u16,
    /// The whole reply, its lines joined by spaces.
    pub text: String,
    /// The version of TLS, such as `TLS 1.3`.
    pub tls: &'static str,
}

impl Submission {
    /// A mail program that trusts this certificate authority only.
    pub fn new(
        address: SocketAddr,
        host: &str,
        ca: &Path,
        user: &'static str,
        password: Secret<String>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(ca).map_err(|error| format!("{}: {error}", ca.display()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| format!("{}: {error}", ca.display()))?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = versions.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        let host = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        Ok(Self { address, host, tls: TlsConnector::from(Arc::new(config)), user, password })
    }

    /// Hands one message in; the reply that ended it, a refusal too.
    pub async fn send(&self, recipients: &[&str], message: &[u8]) -> Result<Answer, String> {
        let sent = tokio::time::timeout(PATIENCE, self.transact(recipients, message)).await;
        let sent = sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut)).and_then(|sent| sent);
        sent.map_err(|error| format!("the message could not be handed in at {}: {error}", self.address))
    }

    async fn transact(&self, recipients: &[&str], message: &[u8]) -> std::io::Result<Answer> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let mut dialog = Dialog { stream: BufReader::new(self.tls.connect(self.host.clone(), tcp).await?) };
        dialog.hear().await?;
        let secret = BASE64.encode(format!("\0{}\0{}", self.user, self.password.expose()).as_bytes());
        let mut lines = vec![
            String::from("EHLO outlook.clinic.example"),
            format!("AUTH PLAIN {secret}"),
            format!("MAIL FROM:<{}>", self.user),
        ];
        lines.extend(recipients.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
        lines.push(String::from("DATA"));
        for line in lines {
            let answer = dialog.ask(&line).await?;
            if answer.code >= 400 {
                return Ok(answer);
            }
        }
        dialog.say(&stuffed(message)).await?;
        let answer = dialog.hear().await?;
        // The message is settled; whether the farewell is heard changes nothing.
        let _ = dialog.ask("QUIT").await;
        Ok(answer)
    }
}

struct Dialog {
    stream: BufReader<TlsStream<TcpStream>>,
}

impl Dialog {
    async fn ask(&mut self, line: &str) -> std::io::Result<Answer> {
        self.say(format!("{line}\r\n").as_bytes()).await?;
        self.hear().await
    }

    async fn say(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
    }

    async fn hear(&mut self) -> std::io::Result<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if !more {
                return Ok(Answer { code, text: format!("{code} {}", lines.join(" ")), tls: self.tls() });
            }
        }
    }

    fn tls(&self) -> &'static str {
        match self.stream.get_ref().get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS 1.3",
        }
    }
}

/// Dots doubled at the beginnings of lines, and the final dot (RFC 5321, section 4.5.2). The message has CRLF line ends.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            octets.push(b'.');
        }
        octets.extend_from_slice(line);
    }
    if !message.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b".\r\n");
    octets
}

#[cfg(test)]
mod tests {
    #[test]
    fn dots_are_doubled_and_the_end_is_marked() {
        assert_eq!(super::stuffed(b"a\r\n.\r\n.b"), b"a\r\n..\r\n..b\r\n.\r\n");
    }
}
