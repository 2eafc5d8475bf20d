//! `postern serve`: opens the house, binds every port, says what it made, and works until it is told to stop.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::blob::Objects;
use crate::cli::house::{self, House};
use crate::cli::listeners::{Listener, bind_all, serve_all};
use crate::cli::{Done, print, settings};
use crate::config::{Config, OutgoingMode};
use crate::event::Event;
use crate::gateway::{Deliveries, Gateway};
use crate::net::{Stop, Stopper};
use crate::relay::Relay;
use crate::tls::Certificates;
use crate::{admin, log, tls};

/// Runs until SIGTERM or SIGINT.
pub async fn serve(path: &Path) -> Done {
    log::begin();
    let config = house::read_config(path)?;
    let running = Running::start(&config).await?;
    print_start(&config, &running);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    wait_for_signal().await?;
    Event::Stopping.log();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A gateway at work: everything is open, every port is served.
pub struct Running {
    house: House,
    listening: Vec<String>,
    stopper: Stopper,
    working: JoinSet<()>,
}

impl Running {
    /// Opens the house, binds every port, and serves.
    ///
    /// # Errors
    /// What cannot be opened or bound, with the remedy.
    pub async fn start(config: &Config) -> Result<Self, String> {
        let relay = Relay::new(settings::relay(config)?).map_err(|error| error.to_string())?;
        let names = settings::host_names(config);
        let (certificates, made) = tls::prepare(&config.gateway.certs, &names).map_err(|error| error.to_string())?;
        // Before the house is made: what can fail must fail while no password was made that nobody has seen.
        let bound = bind_all(config, &certificates).await?;
        let mut house = house::open_or_make(config).await?;
        house.made.extend(made.iter().map(|path| format!("certificate     {}", path.display())));

        let (stopper, stop) = Stopper::new();
        let mut working = JoinSet::new();
        let admin = admin::serve(house::socket_path(config), house.desk.clone())
            .map_err(|error| format!("the socket for commands cannot be made in the data folder: {error}"))?;
        working.spawn(until(stop.clone(), admin));
        let listening = bound.iter().map(Listener::words).collect();
        serve_all(&mut working, bound, config, &house.desk.gateway, &stop);
        spawn_background(&mut working, &house, certificates, relay, &stop);
        Ok(Self { house, listening, stopper, working })
    }

    /// The use cases it serves.
    pub fn gateway(&self) -> &Gateway {
        &self.house.desk.gateway
    }

    /// Lets what is under way finish, and closes the house.
    ///
    /// # Errors
    /// Where the store cannot write down what is not written down yet.
    pub async fn stop(mut self) -> Result<(), String> {
        self.stopper.request();
        while self.working.join_next().await.is_some() {}
        self.house.close().await
    }
}

fn spawn_background(working: &mut JoinSet<()>, house: &House, certificates: Certificates, relay: Relay, stop: &Stop) {
    let gateway = &house.desk.gateway;
    let (agenda, guard) = (house.desk.agenda.clone(), house.desk.agenda.clone());
    let believed: Arc<dyn Fn() -> bool + Send + Sync> = Arc::new(move || !guard.is_halted());
    let deliveries =
        Deliveries::new(gateway.stations().queue.clone(), gateway.failure_reports()).while_believed(believed.clone());
    working.spawn(gateway.clone().keep_due(believed, stop.receiver()));
    working.spawn(relay.run(deliveries, stop.receiver()));
    working.spawn(until(stop.clone(), certificates.watch()));
    working.spawn(until(stop.clone(), gateway.stations().policies.clone().watch()));
    let agenda_stop = stop.receiver();
    working.spawn(async move { agenda.keep(agenda_stop).await });
    working.spawn(until(stop.clone(), sweep(gateway.stations().objects.clone())));
}

/// Removes what a crash left between a blob's making and its commit.
async fn sweep(objects: Objects) {
    if let Err(error) = objects.sweep().await {
        Event::Trouble { place: "sweep", cause: error.to_string() }.log();
    }
}

/// Works until it is told to stop, or has ended by itself.
async fn until(stop: Stop, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.requested() => {}
        () = work => {}
    }
}

/// What was made, where it listens, what to do next, and last the line `Ready`.
fn print_start(config: &Config, running: &Running) {
    let made = &running.house.made;
    if !made.is_empty() {
        print::line("Made for this first start:");
        for line in made {
            print::line(&format!("  {line}"));
        }
    }
    for notice in &config.notices {
        print::line(&format!("Note: {notice}"));
    }
    print::line("Listening:");
    for listener in &running.listening {
        print::line(&format!("  {listener}"));
    }
    if !config.portal.listen.is_empty() {
        print::line(&format!("Recipients read at {}.", config.gateway.public_url));
    }
    if let Some(page) = settings::setup_page(config) {
        print::line(&format!("Staff read how to set up a mail program at {page}."));
    }
    print::line(&format!("Mail goes out {}.", outgoing(config)));
    if !made.is_empty() {
        print_next_steps(config);
    }
    print::line("Ready.");
}

fn outgoing(config: &Config) -> String {
    match &config.outgoing.mode {
        OutgoingMode::Folder(path) => format!("into the folder {}, one .eml file a delivery", path.display()),
        OutgoingMode::Smarthost(smarthost) => format!("through {} port {}", smarthost.host, smarthost.port),
    }
}

fn print_next_steps(config: &Config) {
    let ca = config.gateway.certs.join("ca.pem");
    print::line("Next:");
    print::line("  1. postern staff add you@your-practice   makes an account for a mail program");
    print::line(&format!("  2. trust {} on the computers that send (README, five-minute set-up)", ca.display()));
    print::line(&format!(
        "  3. copy {} to a safe place, apart from backups: without it nothing opens",
        config.gateway.keyring.display()
    ));
}

async fn wait_for_signal() -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
