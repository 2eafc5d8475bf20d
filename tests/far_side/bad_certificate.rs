//! Shows a certificate that nobody vouches for, from the first octet (port 465).

use super::{CALM, scripted};
use crate::relay::live::hand_over;

#[tokio::test]
async fn mail_is_kept_and_an_admin_hears_of_it() {
    let (port, server) = scripted("TLS untrusted").await;
    assert_eq!(hand_over(port, "immediate", CALM).await, "later - 4.7.5 tls alarm");
    server.await.unwrap();
}
