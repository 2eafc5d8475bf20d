//! Closes the connection without a word, or with one.

use super::{CALM, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_tried_again() {
    for (lines, outcome) in [
        ("HANGUP", "later - 4.4.2 lost"),
        ("S: 421 4.3.2 too busy\nHANGUP", "later 421 4.3.2 greeting"),
        ("S: 554 5.7.1 your address is on a list\nHANGUP", "later 554 4.7.1 greeting alarm"),
    ] {
        let (port, server) = scripted(lines).await;
        assert_eq!(hand_over(port, "none", CALM).await, outcome, "{lines}");
        server.await.unwrap();
    }
}
