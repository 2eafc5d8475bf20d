//! What single steps cost, without disk and sockets: `cargo bench --bench micro` prints one JSON object.
//!
//! Each figure is the best of several rounds: what else the machine does can only make a round slower.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends where anything goes wrong")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::path::Path;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use postern::blob::BlobStore;
use postern::gateway::Policies;
use postern::id::Id;
use postern::keyring::DataKey;
use postern::mail::Address;
use postern::mime::decode::Decoder;
use postern::mime::{Limits, TransferEncoding, assess_octets};
use postern::pack::{NoticeParts, notice};
use postern::time::Timestamp;

const ROUNDS: usize = 20;
const NOW: Timestamp = Timestamp::from_secs(1_795_266_300);

fn main() {
    let message = letter(4_096);
    println!(
        "{{\"assess_us\": {:.1}, \"notice_us\": {:.1}, \"notice_octets\": {}, \"base64_mb_s\": {:.0}, \"sealing_mb_s\": {:.0}}}",
        micros(best(200, || drop(assess_octets(&message, &Limits::default()).unwrap()))),
        micros(composing(&message)),
        compose_once(&message),
        base64(),
        sealing(),
    );
}

/// The shortest time of one call, over rounds of `calls`.
fn best(calls: u32, mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        (0..calls).for_each(|_| work());
        begun.elapsed() / calls
    };
    (0..ROUNDS).map(round).min().unwrap()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A plain letter of about this many octets, as Postfix's smtp-source sends it.
fn letter(size: usize) -> Vec<u8> {
    let mut message = b"From: <jane@clinic.example>\r\nTo: <patient@elsewhere.example>\r\n\
        Date: Sat, 21 Nov 2026 10:00:00 +1100\r\nMessage-Id: <0001@bench.example>\r\n\r\n"
        .to_vec();
    while message.len() < size {
        message.extend_from_slice(&[b'X'; 78]);
        message.extend_from_slice(b"\r\n");
    }
    message
}

fn composing(message: &[u8]) -> Duration {
    with_notice(message, |compose| best(100, || drop(compose())))
}

fn compose_once(message: &[u8]) -> usize {
    with_notice(message, |compose| compose().len())
}

/// A notice for one recipient, by the policies that Postern is delivered with.
fn with_notice<T>(message: &[u8], measure: impl FnOnce(&dyn Fn() -> Vec<u8>) -> T) -> T {
    let snapshot = Policies::open(Path::new("policies")).unwrap().snapshot();
    let (outline, facts) = assess_octets(message, &Limits::default()).unwrap();
    let sender = Address::parse("jane@clinic.example").unwrap();
    let parts = NoticeParts {
        practice: snapshot.policy.first_practice(),
        sender: &sender,
        speaks_as: None,
        message: &facts,
        outline: &outline,
        subject: "",
        private: false,
        link: None,
        access: &[],
        registers: false,
        role: None,
        link_until: NOW,
        keep_until: NOW,
        hostname: "mail.clinic.example",
        unique: "000000000000000000000000aa",
        now: NOW,
    };
    measure(&|| notice(&snapshot.templates, &parts).unwrap())
}

/// MB of decoded octets a second, in lines of 76 characters.
fn base64() -> f64 {
    let clear = vec![0x5a; 57 * 16_384];
    let lines: Vec<u8> = clear.chunks(57).flat_map(|line| (BASE64.encode(line) + "\r\n").into_bytes()).collect();
    let mut out = Vec::new();
    let time = best(5, || {
        let mut decoder = Decoder::new(TransferEncoding::Base64);
        for piece in lines.chunks(64 * 1024) {
            out.clear();
            decoder.feed(piece, &mut out).unwrap();
        }
        decoder.finish(&mut out).unwrap();
    });
    clear.len() as f64 / 1e6 / time.as_secs_f64()
}

/// MB a second into a blob in memory: copied, digested, sealed, written.
fn sealing() -> f64 {
    const SIZE: usize = 32 << 20;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let blobs = BlobStore::open(folder.path()).unwrap();
    let piece = vec![0x5a; 48 * 1024];
    let mut number = 0_u8;
    let time = best(1, || {
        number += 1;
        let id = Id::from_octets([number; 16]);
        runtime.block_on(async {
            let mut writer = blobs.create(id, DataKey::fresh()).await.unwrap();
            for _ in 0..SIZE / piece.len() {
                writer.write(&piece).await.unwrap();
            }
            writer.finish().await.unwrap();
            blobs.remove(id).await.unwrap();
        });
    });
    SIZE as f64 / 1e6 / time.as_secs_f64()
}
