//! Writes terminal sequences, line ends and the recipient's name into a reply. None of it leaves the client: an
//! outcome has codes and a word of ours.

use postern::queue::TlsDemand;
use postern::relay::errand::Errand;

use super::{CALM, scripted};
use crate::relay::live::{Pieces, plain_delivery, smarthost};

#[tokio::test]
async fn nothing_of_a_reply_but_its_codes_is_kept() {
    let (port, server) = scripted(
        "S: 220 \\e[2J
C: EHLO gateway.clinic.example
S: 250 mx.example
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<jane@there.example>
S: 550-5.1.1 \\e]0;pwned
S: 550 5.1.1 \\rjane@there.example MARKER\\0
C: QUIT",
    )
    .await;
    let mut line = smarthost(port, "none", None, CALM).line();
    let delivery = plain_delivery();
    let errand = Errand { delivery: &delivery, tls: TlsDemand::AsConfigured, size: 7 };
    let outcome = line.deliver(&errand, &mut Pieces::of(b"hello\r\n")).await;
    assert_eq!(
        format!("{outcome:?}"),
        "Permanent(Cause { code: Some(550), enhanced: Enhanced { class: 5, subject: 1, detail: 1 }, step: Recipient })"
    );
    line.close().await;
    server.await.unwrap();
}
