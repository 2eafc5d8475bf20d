//! Dialogs on a server that listens on loopback, with a client that trusts the generated authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::net::{self, Gate, GateLimits, Stop, Stopper};
use postern::smtp::{Guesses, Purpose, Server, Settings};
use rustls::{ClientConfig, ServerConfig};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::dialog::Dialog;
use super::fake::Fake;
use crate::wire::{Client, House, Wire};

/// A server, and all that a client needs to speak to it.
pub struct Live {
    pub address: SocketAddr,
    pub fake: Fake,
    pub client: Arc<ClientConfig>,
    pub stopper: Option<Stopper>,
    pub done: JoinHandle<()>,
}

pub struct Plan {
    pub settings: Settings,
    pub purpose: Purpose,
    pub gate: GateLimits,
    pub drain: Duration,
}

impl Live {
    pub async fn start(plan: Plan) -> Self {
        let house = House::new();
        Self::start_with(plan, house.certificates.server_config().unwrap(), house.client()).await
    }

    pub async fn start_with(plan: Plan, config: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Self {
        let guesses = Guesses::new(plan.settings.limits.guesses, plan.settings.deadlines.guesses);
        Self::start_sharing(Arc::new(guesses), plan, config, client).await
    }

    /// A listener that is one of several.
    pub async fn start_sharing(
        guesses: Arc<Guesses>,
        plan: Plan,
        config: Arc<ServerConfig>,
        client: Arc<ClientConfig>,
    ) -> Self {
        let fake = Fake::default();
        let acceptor = Some(TlsAcceptor::from(config));
        let server = Server::new(fake.clone(), Arc::new(plan.settings), plan.purpose, acceptor, guesses);
        let listener = net::bind("smtp", "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, stop): (Stopper, Stop) = Stopper::new();
        let done = tokio::spawn(net::run(listener, server, Gate::new(plan.gate), stop, plan.drain));
        Self { address, fake, client, stopper: Some(stopper), done }
    }

    pub async fn connect(&self) -> Client {
        self.connect_as(Arc::clone(&self.client)).await
    }

    pub async fn connect_as(&self, tls: Arc<ClientConfig>) -> Client {
        Client::connect(self.address, tls).await.unwrap()
    }
}

pub async fn run(dialog: &Dialog) -> Result<(), String> {
    let live = Live::start(Plan {
        settings: (*dialog.settings).clone(),
        purpose: dialog.purpose.clone(),
        gate: GateLimits::default(),
        drain: Duration::from_secs(5),
    })
    .await;
    let mut client = live.connect().await;
    if matches!(dialog.purpose, Purpose::Submissions) {
        client.tls().await.map_err(|error| format!("{}: {error}", dialog.name))?;
    }
    dialog.play(&mut client, &live.fake).await
}
