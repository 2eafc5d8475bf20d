//! A plain SMTP client that says exactly what a test wants said.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::clinic::HOST;

/// A reply: code, enhanced code if there is one, and all its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// `5.7.1` and the like.
    pub enhanced: String,
    /// Its text lines, joined.
    pub text: String,
}

impl Reply {
    /// `550 5.7.1`, for comparing.
    pub fn codes(&self) -> String {
        format!("{} {}", self.code, self.enhanced).trim_end().to_owned()
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection.
pub struct Client {
    stream: BufReader<Box<dyn Stream>>,
}

impl Client {
    /// Connects in the clear and reads the greeting.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut client = Self::over(Box::new(socket(address)?));
        client.expect_greeting()?;
        Ok(client)
    }

    /// Connects with TLS from the first octet, trusting this CA only, and reads the greeting.
    pub fn connect_tls(address: SocketAddr, ca: &Path) -> io::Result<Self> {
        let session = ClientConnection::new(tls(ca), ServerName::try_from(HOST).unwrap()).map_err(io::Error::other)?;
        let mut client = Self::over(Box::new(StreamOwned::new(session, socket(address)?)));
        client.expect_greeting()?;
        Ok(client)
    }

    /// EHLO; the reply lists the extensions.
    pub fn hello(&mut self) -> io::Result<Reply> {
        self.command("EHLO tester.clinic.example")
    }

    /// AUTH PLAIN.
    pub fn sign_in(&mut self, name: &str, password: &str) -> io::Result<Reply> {
        self.command(&format!("AUTH PLAIN {}", BASE64.encode(format!("\0{name}\0{password}").as_bytes())))
    }

    /// Sends a line, reads its reply.
    pub fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Sends octets as they are.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(octets)?;
        stream.flush()
    }

    /// A whole transaction; the reply that ended it: the first that is no success, or that to the message.
    pub fn send(&mut self, from: &str, to: &[&str], message: &[u8]) -> io::Result<Reply> {
        let mut lines = vec![format!("MAIL FROM:<{from}>")];
        lines.extend(to.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
        for line in &lines {
            let reply = self.command(line)?;
            if reply.code != 250 {
                self.command("RSET")?;
                return Ok(reply);
            }
        }
        let reply = self.command("DATA")?;
        if reply.code != 354 {
            return Ok(reply);
        }
        self.write(&stuffed(message))?;
        self.reply()
    }

    /// Reads one reply, all its lines.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut reply = Reply { code: 0, enhanced: String::new(), text: String::new() };
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let (code, rest) = line.split_at_checked(3).ok_or(io::ErrorKind::InvalidData)?;
            reply.code = code.parse().map_err(|_| io::ErrorKind::InvalidData)?;
            let text = rest.get(1..).unwrap_or_default();
            let enhanced = text.split(' ').next().unwrap_or_default();
            if reply.enhanced.is_empty() && enhanced.split('.').filter(|part| part.parse::<u16>().is_ok()).count() == 3
            {
                reply.enhanced = enhanced.to_owned();
            }
            reply.text += text;
            reply.text.push('\n');
            if !rest.starts_with('-') {
                return Ok(reply);
            }
        }
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    fn expect_greeting(&mut self) -> io::Result<()> {
        match self.reply()?.code {
            220 => Ok(()),
            _ => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    socket.set_write_timeout(Some(Duration::from_secs(60)))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn tls(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// Line ends made CRLF, dots stuffed, the final dot added (RFC 5321 §4.5.2). A bare CR stays as it is.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            octets.push(b'.');
        }
        let ended = line.ends_with(b"\n");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        octets.extend_from_slice(line.strip_suffix(b"\r").filter(|_| ended).unwrap_or(line));
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b".\r\n");
    octets
}
