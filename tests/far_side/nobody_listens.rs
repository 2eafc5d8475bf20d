//! Nobody listens on that port.

use tokio::net::TcpListener;

use super::CALM;
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(hand_over(port, "none", CALM).await, "later - 4.4.1 connect");
}
