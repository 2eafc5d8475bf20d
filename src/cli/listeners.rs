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
use crate::imap;
use crate::net::{self, Gate, Guesses, Stop};
use crate::portal;
use crate::smtp::Server;
use crate::smtp::settings::Purpose;
use crate::tls::Certificates;

/// How long sessions may take to finish once the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(30);
/// What browsers may speak (RFC 7301), the better one first.
const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A port that is bound and serves nobody yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    speaks: Speaks,
}

/// What is spoken on a port.
enum Speaks {
    Smtp(Purpose, TlsAcceptor),
    Imap(imap::Purpose, TlsAcceptor),
    /// The portal, without TLS behind a proxy.
    Portal(Option<TlsAcceptor>),
}

impl Speaks {
    fn name(&self) -> &'static str {
        match self {
            Self::Smtp(purpose, _) => purpose.name(),
            Self::Imap(purpose, _) => purpose.name(),
            Self::Portal(_) => "portal",
        }
    }
}

impl Listener {
    /// What it is, in words for the start's report.
    pub fn words(&self) -> String {
        let what = match &self.speaks {
            Speaks::Smtp(Purpose::Submission, _) => "mail programs, STARTTLS",
            Speaks::Smtp(Purpose::Submissions, _) => "mail programs, TLS from the first byte",
            Speaks::Smtp(Purpose::Relay(trust), _) if trust.any_sender => "trusted servers, any sender",
            Speaks::Smtp(Purpose::Relay(_), _) => "trusted servers, senders of your practices",
            Speaks::Imap(imap::Purpose::Imap, _) => "staff's mailboxes, STARTTLS",
            Speaks::Imap(imap::Purpose::Imaps, _) => "staff's mailboxes, TLS from the first byte",
            Speaks::Portal(Some(_)) => "recipients' browsers, TLS",
            Speaks::Portal(None) => "recipients' browsers, no TLS",
        };
        format!("{:21} {what}", self.address)
    }
}

/// Binds every port of mail and portal.
///
/// # Errors
/// The first that cannot be bound, with the remedy.
pub async fn bind_all(config: &Config, certificates: &Certificates) -> Result<Vec<Listener>, String> {
    let mail = smtp(config, certificates)?.into_iter().chain(mailboxes(config, certificates)?);
    let wanted = mail.chain(browsers(config, certificates)?);
    let mut bound = Vec::new();
    for (at, speaks) in wanted {
        let socket = net::bind(speaks.name(), at).await.map_err(|error| error.to_string())?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        bound.push(Listener { socket, address, speaks });
    }
    Ok(bound)
}

fn smtp(config: &Config, certificates: &Certificates) -> Result<Vec<(SocketAddr, Speaks)>, String> {
    let plain = TlsAcceptor::from(certificates.server_config().map_err(|error| error.to_string())?);
    let smtp = |at: &SocketAddr, purpose| (*at, Speaks::Smtp(purpose, plain.clone()));
    let mut wanted: Vec<_> = config.smtp.submission.iter().map(|at| smtp(at, Purpose::Submission)).collect();
    wanted.extend(config.smtp.submissions.iter().map(|at| smtp(at, Purpose::Submissions)));
    for relay in &config.smtp.relay {
        let acceptor = match &relay.client_ca {
            Some(ca) => {
                let config = certificates.server_config_for_clients_of(ca).map_err(|error| error.to_string())?;
                TlsAcceptor::from(config)
            }
            None => plain.clone(),
        };
        wanted.push((relay.listen, Speaks::Smtp(Purpose::Relay(settings::trust(relay)), acceptor)));
    }
    Ok(wanted)
}

fn mailboxes(config: &Config, certificates: &Certificates) -> Result<Vec<(SocketAddr, Speaks)>, String> {
    let acceptor = TlsAcceptor::from(certificates.server_config().map_err(|error| error.to_string())?);
    let listener = |at: &SocketAddr, purpose| (*at, Speaks::Imap(purpose, acceptor.clone()));
    let imaps = config.imap.imaps.iter().map(|at| listener(at, imap::Purpose::Imaps));
    Ok(imaps.chain(config.imap.imap.iter().map(|at| listener(at, imap::Purpose::Imap))).collect())
}

fn browsers(config: &Config, certificates: &Certificates) -> Result<Vec<(SocketAddr, Speaks)>, String> {
    let mut tls = (*certificates.server_config().map_err(|error| error.to_string())?).clone();
    tls.alpn_protocols = HTTP.map(<[u8]>::to_vec).into();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let portal = |tls: bool| Speaks::Portal(tls.then(|| acceptor.clone()));
    Ok(config.portal.listen.iter().map(|listener| (listener.address, portal(listener.tls))).collect())
}

/// Serves every bound port until `stop`. Mail, mailboxes and browsers are counted apart, so that none shuts another out.
pub fn serve_all(working: &mut JoinSet<()>, bound: Vec<Listener>, config: &Config, gateway: &Gateway, stop: &Stop) {
    let settings = settings::smtp(config);
    let guesses = Arc::new(Guesses::new(settings.limits.guesses, settings.deadlines.guesses));
    let portal = settings::portal(config);
    let (deadlines, app) = (portal.deadlines, portal::app(Arc::new(gateway.clone()), portal));
    let (mail, browsers) = (Gate::new(settings::gate(config)), Gate::new(settings::gate(config)));
    let proxies = Gate::new(settings::proxied_gate(config));
    let (staff, imap_settings) = (Gate::new(settings::imap_gate(config)), settings::imap(config));
    let places = imap::Places::new(imap_settings.limits.per_account);
    for Listener { socket, speaks, .. } in bound {
        match speaks {
            Speaks::Smtp(purpose, tls) => {
                let guesses = Arc::clone(&guesses);
                let server = Server::new(gateway.clone(), Arc::clone(&settings), purpose, Some(tls), guesses);
                working.spawn(net::run(socket, server, mail.clone(), stop.clone(), DRAIN));
            }
            Speaks::Imap(purpose, tls) => {
                let (guesses, settings) = (Arc::clone(&guesses), Arc::clone(&imap_settings));
                let server = imap::Server::new(gateway.clone(), settings, purpose, tls, guesses, places.clone());
                working.spawn(net::run(socket, server, staff.clone(), stop.clone(), DRAIN));
            }
            Speaks::Portal(tls) => {
                let gate = if tls.is_some() { browsers.clone() } else { proxies.clone() };
                let server = portal::Server::new(app.clone(), tls, deadlines);
                working.spawn(net::run(socket, server, gate, stop.clone(), DRAIN));
            }
        }
    }
}
