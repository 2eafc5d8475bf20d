//! Offers no STARTTLS where it is required, or refuses it. Nothing but EHLO and STARTTLS is ever said in the clear:
//! the script would break at any other line.

use super::{CALM, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_kept_and_never_sent_in_the_clear() {
    let hello = "S: 220 mx.example\nC: EHLO gateway.clinic.example\n";
    for (lines, outcome) in [
        ("S: 250-mx.example\nS: 250 AUTH PLAIN", "later - 4.7.10 no-tls alarm"),
        ("S: 250-mx.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 not now", "later 454 4.7.0 starttls"),
        ("S: 250-mx.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 502 never", "later 502 4.5.0 starttls alarm"),
        ("S: 250-mx.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS failed", "later - 4.7.5 tls alarm"),
        ("S: 502 no EHLO\nC: HELO gateway.clinic.example\nS: 250 mx.example", "later - 4.7.10 no-tls alarm"),
    ] {
        let (port, server) = scripted(&format!("{hello}{lines}")).await;
        assert_eq!(hand_over(port, "required", CALM).await, outcome, "{lines}");
        server.await.unwrap();
    }
}
