//! A submission client for benches/run: TLS, AUTH, many sessions, one attachment a message.
//!
//! `submit plain|starttls|tls ADDRESS CA HOST USER PASSWORD SIZE COUNT SESSIONS EACH` sends COUNT messages of SIZE octets over
//! SESSIONS connections at a time, EACH to a connection, and prints the rate and the time from final dot to 250 as JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends where anything goes wrong")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

struct Task {
    how: String,
    address: String,
    host: String,
    user: String,
    password: String,
    tls: Arc<ClientConfig>,
    message: Vec<u8>,
    count: usize,
    each: usize,
    next: AtomicUsize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [how, address, ca, host, user, password, size, count, sessions, each] = arguments.as_slice() else {
        // `cargo bench` runs every bench without arguments; benches/run is the way in.
        println!("submit: started by benches/run");
        return;
    };
    let task = Task {
        how: how.clone(),
        address: address.clone(),
        host: host.clone(),
        user: user.clone(),
        password: password.clone(),
        tls: trusting(ca),
        message: message(user, size.parse().unwrap()),
        count: count.parse().unwrap(),
        each: each.parse().unwrap(),
        next: AtomicUsize::new(0),
    };
    let begun = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions.parse().unwrap()).map(|_| scope.spawn(|| task.work())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
    println!("{{\"rate\": {}, \"median_ms\": {}, \"p99_ms\": {}}}", times.len() as f64 / seconds, at(0.5), at(0.99));
}

impl Task {
    /// Takes numbers until none is left; the times from final dot to 250.
    fn work(&self) -> Vec<Duration> {
        let mut times = Vec::new();
        loop {
            let mut connection: Option<Connection> = None;
            for _ in 0..self.each {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                if number >= self.count {
                    return times;
                }
                let connection = connection.get_or_insert_with(|| self.connect());
                times.push(self.send(connection, number));
            }
        }
    }

    fn connect(&self) -> Connection {
        let socket = TcpStream::connect(&self.address).unwrap();
        socket.set_nodelay(true).unwrap();
        if self.how == "starttls" {
            let mut clear = Connection::over(Box::new(socket.try_clone().unwrap()));
            clear.expect(220);
            clear.say("EHLO bench.clinic.example", 250);
            clear.say("STARTTLS", 220);
        }
        let mut connection = match self.how.as_str() {
            "plain" => Connection::over(Box::new(socket)),
            _ => Connection::over(self.secure(socket)),
        };
        if self.how != "starttls" {
            connection.expect(220);
        }
        connection.say("EHLO bench.clinic.example", 250);
        if self.how != "plain" {
            let secret = BASE64.encode(format!("\0{}\0{}", self.user, self.password).as_bytes());
            connection.say(&format!("AUTH PLAIN {secret}"), 235);
        }
        connection
    }

    fn secure(&self, socket: TcpStream) -> Box<dyn Stream> {
        let name = ServerName::try_from(self.host.clone()).unwrap();
        Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name).unwrap(), socket))
    }

    fn send(&self, connection: &mut Connection, number: usize) -> Duration {
        connection.say(&format!("MAIL FROM:<{}>", self.user), 250);
        connection.say(&format!("RCPT TO:<patient{number}@elsewhere.example>"), 250);
        connection.say("DATA", 354);
        connection.write(&self.message);
        let begun = Instant::now();
        connection.write(b".\r\n");
        connection.expect(250);
        begun.elapsed()
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Connection(BufReader<Box<dyn Stream>>);

impl Connection {
    fn over(stream: Box<dyn Stream>) -> Self {
        Self(BufReader::new(stream))
    }

    fn say(&mut self, line: &str, code: u16) {
        self.write(format!("{line}\r\n").as_bytes());
        self.expect(code);
    }

    fn write(&mut self, octets: &[u8]) {
        let stream = self.0.get_mut();
        stream.write_all(octets).and_then(|()| stream.flush()).expect("the server takes what is sent");
    }

    fn expect(&mut self, code: u16) {
        loop {
            let mut line = String::new();
            let read: io::Result<usize> = self.0.read_line(&mut line);
            assert!(matches!(read, Ok(1..)), "the server is gone: {read:?}");
            assert!(line.starts_with(&code.to_string()), "{code} was expected, not {line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        }
    }
}

fn trusting(ca: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// A message of about this size: a text and a PDF in base64.
fn message(from: &str, size: usize) -> Vec<u8> {
    let mut message = format!(
        "From: {from}\r\nTo: patient@elsewhere.example\r\nSubject: Results\r\nDate: Sat, 21 Nov 2026 10:00:00 +1100\r\n\
         Message-ID: <bench@clinic.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_bench\"\r\n\r\n\
         --=_bench\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe results are attached.\r\n\
         --=_bench\r\nContent-Type: application/pdf; name=\"results.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"results.pdf\"\r\n\r\n"
    )
    .into_bytes();
    // 57 octets make a line of 76 characters (RFC 2045, section 6.8).
    let first = BASE64.encode(&[&b"%PDF-1.4\n"[..], &[b'x'; 48]].concat());
    let line = BASE64.encode(&[b'x'; 57]);
    message.extend_from_slice(format!("{first}\r\n").as_bytes());
    while message.len() + line.len() + 16 < size {
        message.extend_from_slice(format!("{line}\r\n").as_bytes());
    }
    message.extend_from_slice(b"--=_bench--\r\n");
    message
}
