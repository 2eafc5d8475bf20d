//! Takes the message, and is gone before it says so. It may have it or not: it gets it again.

use super::{CALM, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_tried_again_rather_than_lost() {
    let (port, server) = scripted(
        "S: 220 mx.example
C: EHLO gateway.clinic.example
S: 250 PIPELINING
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<jane@there.example>
S: 250 ok
C: DATA
S: 354 go
C: 
C: hello
C: .
HANGUP",
    )
    .await;
    assert_eq!(hand_over(port, "none", CALM).await, "later - 4.4.2 lost");
    server.await.unwrap();
}
