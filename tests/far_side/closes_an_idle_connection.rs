//! Closes the connection between two messages, as it may: the second goes over a new one, and nothing is deferred.

use postern::queue::TlsDemand;
use postern::relay::errand::Errand;

use super::{CALM, scripted};
use crate::relay::bare::words;
use crate::relay::live::{Pieces, plain_delivery, smarthost};

const ONE_MESSAGE: &str = "S: 220 mx.example
C: EHLO gateway.clinic.example
S: 250 mx.example
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<jane@there.example>
S: 250 ok
C: DATA
S: 354 go
C: hello
C: .
S: 250 queued
";

#[tokio::test]
async fn the_second_message_goes_over_a_new_connection() {
    let (port, server) = scripted(&format!("{ONE_MESSAGE}HANGUP\nCONNECT\n{ONE_MESSAGE}C: QUIT\n")).await;
    let mut line = smarthost(port, "none", None, CALM).line();
    let delivery = plain_delivery();
    let errand = Errand { delivery: &delivery, tls: TlsDemand::AsConfigured, size: 7 };
    for _ in 0..2 {
        assert_eq!(words(&line.deliver(&errand, &mut Pieces::of(b"hello\r\n")).await), "delivered");
    }
    line.close().await;
    server.await.unwrap();
}
