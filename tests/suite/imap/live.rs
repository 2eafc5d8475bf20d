//! Dialogs on a server that listens on loopback, with a client that trusts the generated authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use postern::imap::{Places, Purpose, Server, Settings};
use postern::net::{self, Gate, GateLimits, Guesses, Stopper};
use rustls::ClientConfig;
use tokio_rustls::TlsAcceptor;

use super::dialog::{Dialog, Exchange};
use super::house::House;
use crate::wire::{Client, House as Certificates, Wire};

pub struct Live {
    address: SocketAddr,
    client: Arc<ClientConfig>,
    purpose: Purpose,
    _stopper: Stopper,
}

pub async fn run(house: &House, dialog: &Dialog) -> Result<(), String> {
    let live = start(house, &dialog.settings, dialog.purpose).await;
    dialog.play(&live, &house.person_for(dialog).await).await
}

/// A server over this house.
pub async fn start(house: &House, settings: &Settings, purpose: Purpose) -> Live {
    let certificates = Certificates::new();
    let acceptor = TlsAcceptor::from(certificates.certificates.server_config().unwrap());
    let guesses = Arc::new(Guesses::new(100, Duration::from_secs(60)));
    let places = Places::new(settings.limits.per_account);
    let server = Server::new(house.gateway().clone(), Arc::new(settings.clone()), purpose, acceptor, guesses, places);
    let listener = net::bind("imap", "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopper, stop) = Stopper::new();
    tokio::spawn(net::run(listener, server, Gate::new(GateLimits::default()), stop, Duration::from_secs(5)));
    Live { address, client: certificates.client(), purpose, _stopper: stopper }
}

impl Exchange for Live {
    type Wire = Client;

    async fn connect(&self) -> Result<Client, String> {
        let mut client = Client::connect(self.address, Arc::clone(&self.client)).await?;
        if self.purpose == Purpose::Imaps {
            client.tls().await?;
        }
        Ok(client)
    }
}
