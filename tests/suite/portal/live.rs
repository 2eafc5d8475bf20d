//! What only a socket shows: slow, silent, oversized and too many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::net::{Gate, GateLimits, Stopper, run};
use postern::portal::{Deadlines, Origin, Server, Settings, app};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::fake::{Clinic, Desk};

struct Portal {
    address: SocketAddr,
    stopper: Stopper,
    running: JoinHandle<()>,
}

async fn portal(deadlines: Deadlines, limits: GateLimits) -> Portal {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = Origin::of(&format!("http://{address}"));
    let settings =
        Settings { origin, trusted_proxies: Vec::new(), max_upload: 1 << 20, deadlines, mail: Default::default() };
    let app = app(Arc::new(Desk(Arc::new(Clinic::default()))), settings);
    let (stopper, stop) = Stopper::new();
    let server = Server::new(app, None, deadlines);
    let running = tokio::spawn(run(listener, server, Gate::new(limits), stop, Duration::from_secs(5)));
    Portal { address, stopper, running }
}

fn short() -> Deadlines {
    let length = Duration::from_millis(400);
    Deadlines { handshake: length, header: length, form: length, upload: length, idle: Duration::from_millis(1200) }
}

/// Everything the other side says until it closes, and how long that took.
async fn hear(stream: &mut TcpStream) -> (String, Duration) {
    let (begun, mut heard) = (Instant::now(), Vec::new());
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut heard)).await.expect("the connection is closed");
    (String::from_utf8_lossy(&heard).into_owned(), begun.elapsed())
}

async fn say(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.replace("HOST", &address.to_string()).as_bytes()).await.unwrap();
    stream
}

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = say(address, &format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")).await;
    hear(&mut stream).await.0
}

/// Row 34.
#[tokio::test]
async fn who_is_silent_or_slow_is_let_go_and_others_are_served() {
    let portal = portal(short(), GateLimits::default()).await;
    let mut silent = say(portal.address, "").await;
    let mut half = say(portal.address, "GET / HTTP/1.1\r\nHost: HOST\r\nX-Slow").await;
    let begin = "POST /sign-in HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let mut slow = say(portal.address, &format!("{begin}Content-Length: 100\r\n\r\na=")).await;
    let mut idle = say(portal.address, "GET /help HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert!(ask(portal.address, "/p/living").await.starts_with("HTTP/1.1 200"));
    let (heard, _) = hear(&mut slow).await;
    assert!(heard.starts_with("HTTP/1.1 408") && heard.contains("This took too long"), "{heard}");
    for stream in [&mut silent, &mut half, &mut idle] {
        let (_, took) = hear(stream).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

/// Row 34: what is not HTTP, or could be read in two ways, is not answered as a page.
#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused() {
    let portal = portal(short(), GateLimits::default()).await;
    let begin = "POST /sign-in HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let smuggled = "GET /help HTTP/1.1\r\nHost: HOST\r\n\r\n";
    for (text, status) in [
        (format!("{begin}Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b{smuggled}"), "400"),
        (format!("{begin}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        (format!("{begin}Transfer-Encoding: gzip, chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        (format!("{begin}Transfer-Encoding: chunked\r\n\r\nzz\r\n{smuggled}"), "400"),
        (format!("GET /help HTTP/1.1\r\nHost: HOST\r\nX: {}\r\n\r\n", "x".repeat(100_000)), "431"),
        (format!("GET /help HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "X: y\r\n".repeat(100)), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "x".repeat(100_000)), "4"),
        ("GET /help HTTP/1.1\r\n\r\n".to_owned(), "421"),
        ("GET /help HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(), "421"),
        ("\u{16}\u{3}\u{1} nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let mut stream = say(portal.address, &text).await;
        let (heard, _) = hear(&mut stream).await;
        assert!(heard.starts_with(&format!("HTTP/1.1 {status}")), "{text:.200}\n{heard:.200}");
        assert!(!heard.contains("How to check that"), "what was smuggled is not answered: {text:.200}");
    }
    assert!(ask(portal.address, "/help").await.starts_with("HTTP/1.1 200"));
}

/// Row 34: more connections than there are places are told so, and places are given back.
#[tokio::test]
async fn a_flood_of_connections_is_turned_away_and_passes() {
    let portal = portal(short(), GateLimits { connections: 40, per_address: 20 }).await;
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(say(portal.address, "").await);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut one_more = TcpStream::connect(portal.address).await.unwrap();
    let (heard, _) = hear(&mut one_more).await;
    assert!(heard.starts_with("HTTP/1.1 503") && heard.contains("Retry-After"), "{heard}");
    for stream in &mut flood {
        hear(stream).await;
    }
    assert!(ask(portal.address, "/help").await.starts_with("HTTP/1.1 200"), "places are given back");
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_closes_what_is_idle() {
    let portal = portal(Deadlines::default(), GateLimits::default()).await;
    let mut idle = say(portal.address, "GET /help HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    portal.stopper.request();
    let (_, took) = hear(&mut idle).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    timeout(Duration::from_secs(5), portal.running).await.unwrap().unwrap();
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Sends frames until they end or the other side will have no more: how many went, and why the other side said goodbye.
async fn flood(address: SocketAddr, frames: impl Iterator<Item = Vec<u8>>) -> (usize, Option<u32>) {
    let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
    let begin = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, b"")].concat();
    to.write_all(&begin).await.unwrap();
    let listening = tokio::spawn(async move {
        let mut heard = Vec::new();
        let _ = timeout(Duration::from_secs(20), from.read_to_end(&mut heard)).await.expect("the connection is closed");
        heard
    });
    let mut sent = 0;
    for frame in frames {
        if to.write_all(&frame).await.is_err() {
            break;
        }
        sent += 1;
    }
    let heard = listening.await.unwrap();
    let mut rest = heard.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if head[3] == GOAWAY {
            return (sent, after.get(4..8).map(|code| u32::from_be_bytes(code.try_into().unwrap())));
        }
        rest = after.get(length..).unwrap_or_default();
    }
    (sent, None)
}

/// Row 34: streams that are begun and given up again at once (CVE-2023-44487), and a header section without end in
/// CONTINUATION frames (CVE-2024-27316), end their own connection after a few, and nobody else's.
#[tokio::test]
async fn floods_of_http_2_end_their_connection_and_others_are_served() {
    let portal = portal(Deadlines::default(), GateLimits::default()).await;
    let authority = portal.address.to_string();
    // GET, http, / (RFC 7541, appendix A), and the authority.
    let length = u8::try_from(authority.len()).unwrap();
    let request = [&[0x82, 0x86, 0x84, 0x41, length], authority.as_bytes()].concat();
    let resets = (0..20_000_u32).map(|number| {
        let stream = 2 * number + 1;
        [frame(HEADERS, 0x5, stream, &request), frame(RESET, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let (sent, why) = flood(portal.address, resets).await;
    assert_eq!(why, Some(ENHANCE_YOUR_CALM), "after {sent} of 20,000");
    let field = [&[0x00, 1, b'x', 0x7f, 0x81, 0x1f][..], &[b'y'; 4_096]].concat();
    let begun = std::iter::once(frame(HEADERS, 0x1, 1, &request));
    let endless = begun.chain((0..10_000).map(|_| frame(CONTINUATION, 0, 1, &field)));
    let (sent, why) = flood(portal.address, endless).await;
    assert_eq!(why, Some(ENHANCE_YOUR_CALM), "after {sent} of 10,000 frames");
    assert!(sent < 5_000, "the rest is not read: {sent} of 10,000 frames");
    assert!(ask(portal.address, "/help").await.starts_with("HTTP/1.1 200"));
}
