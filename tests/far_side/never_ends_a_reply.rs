//! Sends continuation lines without end, and a line without end, as fast as it can.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::CALM;
use crate::relay::live::hand_over;

#[tokio::test]
async fn it_is_left_after_a_bounded_number_of_octets() {
    for piece in ["220-more\r\n", "2", "220"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            while tcp.write_all(piece.repeat(100).as_bytes()).await.is_ok() {}
        });
        assert_eq!(hand_over(port, "none", CALM).await, "later - 4.5.0 protocol", "{piece:?}");
        server.await.unwrap();
    }
}
