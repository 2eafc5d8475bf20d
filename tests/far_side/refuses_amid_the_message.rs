//! Stops reading in the middle of a large message, says why, and closes.

use postern::queue::TlsDemand;
use postern::relay::errand::Errand;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::CALM;
use crate::relay::bare::words;
use crate::relay::live::{Pieces, plain_delivery, smarthost};

async fn refuse(listener: TcpListener, verdict: &str) {
    let (tcp, _) = listener.accept().await.unwrap();
    let mut tcp = BufReader::new(tcp);
    tcp.write_all(b"220 mx.example\r\n").await.unwrap();
    for reply in ["250 mx.example\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
        tcp.read_until(b'\n', &mut Vec::new()).await.unwrap();
        tcp.write_all(reply.as_bytes()).await.unwrap();
    }
    tcp.read_exact(&mut [0; 100_000]).await.unwrap();
    tcp.write_all(verdict.as_bytes()).await.unwrap();
    // What is still on its way is read, so that the verdict is not lost with the connection.
    tcp.shutdown().await.unwrap();
    while tcp.read(&mut [0; 65536]).await.unwrap_or(0) > 0 {}
}

#[tokio::test]
async fn its_word_counts_if_it_is_a_refusal() {
    for (verdict, outcome) in
        [("552 5.3.4 too large\r\n", "never 552 5.3.4 message"), ("451 4.3.1 disk full\r\n", "later 451 4.3.1 message")]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(refuse(listener, verdict));
        let message = "x".repeat(70).into_bytes().repeat(8000);
        let delivery = plain_delivery();
        let errand = Errand { delivery: &delivery, tls: TlsDemand::AsConfigured, size: message.len() as u64 };
        let mut line = smarthost(port, "none", None, CALM).line();
        assert_eq!(words(&line.deliver(&errand, &mut Pieces::of(&message)).await), outcome);
        drop(line);
        server.await.unwrap();
    }
}
