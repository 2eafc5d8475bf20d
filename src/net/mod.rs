//! Accept loops, deadlines and limits; knows no protocol.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::event::Event;
use crate::id::SessionId;
use crate::random;

pub mod bind;
pub mod gate;
pub mod guesses;
pub mod handshake;
pub mod panics;
pub mod stop;

pub use bind::{BindError, bind};
pub use gate::{Gate, GateLimits};
pub use guesses::Guesses;
pub use handshake::{HandshakeError, handshake};
pub use panics::install_panic_hook;
pub use stop::{Stop, Stopper};

/// How long running sessions may go on after the request to stop.
pub const DRAIN: Duration = Duration::from_secs(30);

/// A connection that was let in. It counts against the [`Gate`] until its session ends.
#[derive(Debug)]
pub struct Connection {
    /// Its name in the log.
    pub session: SessionId,
    /// The socket.
    pub stream: TcpStream,
    /// The other side; an IPv4 address in IPv6 clothes is undressed.
    pub peer: IpAddr,
}

/// What speaks on a listener's connections.
pub trait Service: Send + Sync + 'static {
    /// Serves one connection to its end. When [`Stop`] is requested it ends at the next moment at which nothing is lost.
    fn serve(self: Arc<Self>, connection: Connection, stop: Stop) -> impl Future<Output = ()> + Send + 'static;

    /// What one reads who is turned away because there are too many connections; empty for nothing.
    fn busy(&self) -> Vec<u8>;
}

/// Accepts until `stop`, each connection in a task of its own; then lets what runs finish, for `drain` at most
/// ([`DRAIN`] is the shipped length).
///
/// A panic in a session ends that session only.
pub async fn run<S: Service>(listener: TcpListener, service: Arc<S>, gate: Gate, stop: Stop, drain: Duration) {
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.requested() => break,
            accepted = listener.accept() => accepted,
        };
        while sessions.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &service, &gate, &stop, &mut sessions),
            Err(error) => rest_after(&error).await,
        }
    }
    drop(listener);
    let finished = tokio::time::timeout(drain, async { while sessions.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        sessions.shutdown().await;
    }
}

fn admit<S: Service>(
    stream: TcpStream,
    peer: SocketAddr,
    service: &Arc<S>,
    gate: &Gate,
    stop: &Stop,
    sessions: &mut JoinSet<()>,
) {
    let peer = peer.ip().to_canonical();
    let Some(slot) = gate.admit(peer) else {
        // One line into an empty socket buffer never blocks; who does not read it learns nothing, and costs nothing.
        let _ = stream.try_write(&service.busy());
        return;
    };
    // Replies are written whole; waiting to join them with later ones only costs time.
    let _ = stream.set_nodelay(true);
    let session: SessionId = random::id();
    let serving = Arc::clone(service).serve(Connection { session, stream, peer }, stop.clone());
    sessions.spawn(async move {
        let _slot = slot;
        if let Err(place) = panics::isolate(serving).await {
            Event::SessionPanicked { session, place }.log();
        }
    });
}

/// Out of file descriptors, mostly: without a rest the loop would spin until one is given back.
async fn rest_after(error: &std::io::Error) {
    Event::Trouble { place: "accept", cause: error.kind().to_string() }.log();
    tokio::time::sleep(Duration::from_millis(100)).await;
}
