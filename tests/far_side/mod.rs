//! Far sides that misbehave, one file each.

mod bad_certificate;
mod closes_an_idle_connection;
mod closes_at_the_greeting;
mod drips;
mod drops_before_the_last_reply;
mod never_answers;
mod never_ends_a_reply;
mod nobody_listens;
mod offers_no_starttls;
mod refuses_amid_the_message;
mod refuses_the_password;
mod says_421_at_every_step;
mod writes_control_characters;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::live::serve;
use super::script::Script;

/// Enough for a loopback, and soon over.
pub const HURRY: Duration = Duration::from_millis(200);
/// Longer than any of these tests takes.
pub const CALM: Duration = Duration::from_secs(10);

/// A server that plays these lines (`tests/dialogs/relay/README.md`); its port.
pub async fn scripted(lines: &str) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, tokio::spawn(serve(listener, Script::parse("far side", lines))))
}
