//! Takes its leave (421) at every step, one after the other.

use super::{CALM, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_tried_again_whatever_the_step() {
    let steps = [
        ("C: EHLO gateway.clinic.example\n", "S: 250 mx.example\n", "hello"),
        ("C: MAIL FROM:<staff@clinic.example>\n", "S: 250 ok\n", "sender"),
        ("C: RCPT TO:<jane@there.example>\n", "S: 250 ok\n", "recipient"),
        ("C: DATA\n", "S: 354 go\n", "data"),
        ("C: \nC: hello\nC: .\n", "S: 250 queued\n", "message"),
    ];
    for failing in 0..steps.len() {
        let mut lines = "S: 220 mx.example\n".to_owned();
        steps[..failing].iter().for_each(|(heard, said, _)| lines += &format!("{heard}{said}"));
        let (heard, _, word) = steps[failing];
        let (port, server) = scripted(&format!("{lines}{heard}S: 421 4.3.2 bye\nHANGUP")).await;
        assert_eq!(hand_over(port, "none", CALM).await, format!("later 421 4.3.2 {word}"));
        server.await.unwrap();
    }
}
