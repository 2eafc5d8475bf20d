//! What taking a large message apart costs beside what cannot be left out: `cargo bench --bench mime` prints one JSON object.
//!
//! `benches/mime` runs it on one processor. Each figure is what all threads used of it, the best of several rounds: what else
//! the machine does can only make a round slower. Both sides decode by the same decoder and seal by the same AES-256-GCM; Postern's also finds the
//! structure, digests what it seals (SHA-256) and writes it to a file in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends where anything goes wrong")]

use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use data_encoding::BASE64;
use postern::blob::BlobStore;
use postern::id::{BlobId, Id};
use postern::keyring::DataKey;
use postern::mime::decode::Decoder;
use postern::mime::outline::Outliner;
use postern::mime::{Limits, Outline, TransferEncoding};

/// Octets of the message.
const SIZE: usize = 25_000_000;
/// Octets fed at once: what a spool gives.
const PIECE: usize = 64 * 1024;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 5 } else { 40 };
    let message = message();
    let body = body_of(&outline(&message));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let (blobs, id) = (BlobStore::open(folder.path()).unwrap(), BlobId::from_octets([1; 16]));

    // In turn, so that what disturbs one disturbs the others.
    let steps: [&dyn Fn(); 4] = [
        &|| drop(outline(&message)),
        &|| decode(&message[body.clone()], |_| ()),
        &|| seal_alone(&message[body.clone()]),
        &|| runtime.block_on(take(&blobs, id, &message)),
    ];
    let mut best = [Duration::MAX; 4];
    for _ in 0..rounds {
        for (best, step) in best.iter_mut().zip(steps) {
            let begun = used();
            step();
            *best = (*best).min(used() - begun);
        }
        runtime.block_on(blobs.remove(id)).unwrap();
    }
    let [outlining, decoding, alone, whole] = best.map(|time| time.as_secs_f64() * 1e3);
    println!(
        "{{\"octets\": {}, \"decoded\": {}, \"outline_ms\": {outlining:.2}, \"decode_ms\": {decoding:.2}, \"alone_ms\": {alone:.2}, \"whole_ms\": {whole:.2}}}",
        message.len(),
        decoded(&message[body]),
    );
}

/// What all threads have used of the processor.
fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap()
}

/// A text, and a document in base64, in lines of 76 characters.
fn message() -> Vec<u8> {
    let mut message = b"From: <jane@clinic.example>\r\nTo: <patient@elsewhere.example>\r\nSubject: Scan\r\n\
        Date: Sat, 21 Nov 2026 10:00:00 +1100\r\nMessage-Id: <0001@bench.example>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"=_bench_boundary\"\r\n\r\n--=_bench_boundary\r\n\
        Content-Type: text/plain\r\n\r\nPlease find the scan attached.\r\n--=_bench_boundary\r\n\
        Content-Type: application/octet-stream; name=\"scan.dcm\"\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"scan.dcm\"\r\n\r\n"
        .to_vec();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    while message.len() < SIZE {
        let line: [u8; 57] = std::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        });
        message.extend_from_slice(BASE64.encode(&line).as_bytes());
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"--=_bench_boundary--\r\n");
    message
}

fn outline(message: &[u8]) -> Outline {
    let mut outliner = Outliner::new(Limits::default());
    message.chunks(PIECE).for_each(|piece| outliner.feed(piece).unwrap());
    outliner.finish().unwrap()
}

/// Where the document stands.
fn body_of(outline: &Outline) -> std::ops::Range<usize> {
    let body = &outline.root.leaves().last().unwrap().body;
    usize::try_from(body.start).unwrap()..usize::try_from(body.end).unwrap()
}

/// Decodes piece by piece, into memory that is at hand.
fn decode(body: &[u8], mut with: impl FnMut(&mut [u8])) {
    let (mut decoder, mut clear) = (Decoder::new(TransferEncoding::Base64), Vec::new());
    for piece in body.chunks(PIECE) {
        clear.clear();
        decoder.feed(piece, &mut clear).unwrap();
        with(std::hint::black_box(&mut clear));
    }
    clear.clear();
    decoder.finish(&mut clear).unwrap();
    with(std::hint::black_box(&mut clear));
}

/// Octets that come out.
fn decoded(body: &[u8]) -> usize {
    let mut octets = 0;
    decode(body, |piece| octets += piece.len());
    octets
}

/// Decodes, and AES-256-GCM in place over it: nothing else.
fn seal_alone(body: &[u8]) {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let mut number = 0_u64;
    decode(body, |piece| {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        number += 1;
        let sealed = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), piece);
        drop(std::hint::black_box(sealed.unwrap()));
    });
}

/// Outline, decode and seal, as Postern does it: the document becomes a blob.
async fn take(blobs: &BlobStore, id: BlobId, message: &[u8]) {
    let body = body_of(&outline(message));
    let mut writer = blobs.create(id, DataKey::fresh()).await.unwrap();
    let (mut decoder, mut clear) = (Decoder::new(TransferEncoding::Base64), Vec::new());
    for piece in message[body].chunks(PIECE) {
        clear.clear();
        decoder.feed(piece, &mut clear).unwrap();
        writer.write(&clear).await.unwrap();
    }
    clear.clear();
    decoder.finish(&mut clear).unwrap();
    writer.write(&clear).await.unwrap();
    writer.finish().await.unwrap();
}
