//! Sends one octet at a time, each within our patience, and never comes to the end of a line.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::HURRY;
use crate::relay::live::hand_over;

#[tokio::test]
async fn a_reply_has_its_time_as_a_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut dripped = 0;
        while tcp.write_all(b"2").await.is_ok() {
            dripped += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        dripped
    });
    assert_eq!(hand_over(port, "none", HURRY).await, "later - 4.4.2 timeout");
    assert!(server.await.unwrap() >= 2, "it did drip");
}
