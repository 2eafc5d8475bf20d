//! Binding every port before anything is served, so that one that is taken is named at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::cli::settings;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::net::{self, Gate, Stop};
use crate::smtp::settings::{Purpose, Settings};
use crate::smtp::{Guesses, Server};
use crate::tls::Certificates;

/// How long sessions may take to finish once the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// A port that is bound and serves nobody yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    purpose: Purpose,
    tls: TlsAcceptor,
}

impl Listener {
    /// What it is, in words for the start's report.
    pub fn words(&self) -> String {
        let what = match &self.purpose {
            Purpose::Submission => "mail programs, STARTTLS",
            Purpose::Submissions => "mail programs, TLS from the first byte",
            Purpose::Relay(trust) if trust.any_sender => "trusted servers, any sender",
            Purpose::Relay(_) => "trusted servers, senders of your practices",
        };
        format!("{:21} {what}", self.address)
    }
}

/// Binds every SMTP port.
///
/// # Errors
/// The first that cannot be bound, with the remedy.
pub async fn bind_all(config: &Config, certificates: &Certificates) -> Result<Vec<Listener>, String> {
    let plain = TlsAcceptor::from(certificates.server_config().map_err(|error| error.to_string())?);
    let mut wanted: Vec<(SocketAddr, Purpose, TlsAcceptor)> = Vec::new();
    wanted.extend(config.smtp.submission.iter().map(|at| (*at, Purpose::Submission, plain.clone())));
    wanted.extend(config.smtp.submissions.iter().map(|at| (*at, Purpose::Submissions, plain.clone())));
    for relay in &config.smtp.relay {
        let acceptor = match &relay.client_ca {
            Some(ca) => {
                let config = certificates.server_config_for_clients_of(ca).map_err(|error| error.to_string())?;
                TlsAcceptor::from(config)
            }
            None => plain.clone(),
        };
        wanted.push((relay.listen, Purpose::Relay(settings::trust(relay)), acceptor));
    }
    let mut bound = Vec::with_capacity(wanted.len());
    for (at, purpose, tls) in wanted {
        let socket = net::bind(purpose.name(), at).await.map_err(|error| error.to_string())?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        bound.push(Listener { socket, address, purpose, tls });
    }
    Ok(bound)
}

/// Serves every bound port until `stop`.
pub fn serve_all(
    working: &mut JoinSet<()>,
    bound: Vec<Listener>,
    settings: &Arc<Settings>,
    gate: &Gate,
    gateway: &Gateway,
    stop: &Stop,
) {
    let guesses = Arc::new(Guesses::new(settings.limits.guesses, settings.deadlines.guesses));
    for Listener { socket, purpose, tls, .. } in bound {
        let server = Server::new(gateway.clone(), Arc::clone(settings), purpose, Some(tls), Arc::clone(&guesses));
        working.spawn(net::run(socket, server, gate.clone(), stop.clone(), DRAIN));
    }
}
