//! Refuses the password: it is tried once, and not once for every letter that waits.

use postern::queue::TlsDemand;
use postern::relay::errand::Errand;

use super::{CALM, scripted};
use crate::relay::bare::words;
use crate::relay::live::{Pieces, plain_delivery, smarthost};

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_at_once() {
    // The server plays one connection only; a second would find nobody listening and come to "connect".
    let (port, server) = scripted(
        "TLS trusted
S: 220 mx.example
C: EHLO gateway.clinic.example
S: 250-mx.example
S: 250 AUTH PLAIN
C: AUTH PLAIN AGNsaW5pYwBzZWNyZXQ=
S: 535 5.7.8 no",
    )
    .await;
    let smarthost = smarthost(port, "immediate", Some(("clinic".into(), "secret".into())), CALM);
    let delivery = plain_delivery();
    let errand = Errand { delivery: &delivery, tls: TlsDemand::AsConfigured, size: 7 };
    for mut line in [smarthost.line(), smarthost.line()] {
        let outcome = line.deliver(&errand, &mut Pieces::of(b"hello\r\n")).await;
        assert_eq!(words(&outcome), "later 535 4.7.8 auth alarm");
    }
    server.await.unwrap();
}
