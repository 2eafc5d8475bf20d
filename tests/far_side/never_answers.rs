//! Takes the connection and says nothing: at the greeting, at a command, after the message.

use super::{HURRY, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn patience_ends() {
    let before = "S: 220 mx.example\nC: EHLO gateway.clinic.example\n";
    let message = "S: 250 mx.example\nC: MAIL FROM:<staff@clinic.example>\nS: 250 ok\nC: RCPT TO:<jane@there.example>
S: 250 ok\nC: DATA\nS: 354 go\nC: \nC: hello\nC: .\n";
    for lines in ["HUSH".to_owned(), format!("{before}HUSH"), format!("{before}{message}HUSH")] {
        let (port, server) = scripted(&lines).await;
        assert_eq!(hand_over(port, "none", HURRY).await, "later - 4.4.2 timeout", "{lines}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn patience_ends_in_a_handshake_too() {
    let (port, server) = scripted("HUSH").await;
    assert_eq!(hand_over(port, "immediate", HURRY).await, "later - 4.7.5 tls alarm");
    server.await.unwrap();
}
