//! Mail out: to a smarthost by SMTP, or into a folder.
//!
//! `client` speaks SMTP without sockets, `smarthost` gives it sockets, TLS and deadlines, `folder` writes files,
//! `work` takes what is due from the queue. Delivery straight to the recipients' MX hosts will stand beside
//! `smarthost`, over the same client.

use std::path::PathBuf;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::event::Event;
use crate::gateway::deliver::Deliveries;

pub mod client;
pub mod errand;
pub mod folder;
pub mod protection;
pub mod smarthost;
mod work;

use folder::Folder;
use smarthost::{Smarthost, SmarthostError, SmarthostSettings};
use work::{Stop, Transport, work};

/// Deliveries at once to a smarthost.
pub const WORKERS: usize = 8;
/// Deliveries at once into a folder. Each ends with a commit, and commits are synced in groups: with fewer than there are
/// sessions, mail comes faster than it goes. Nobody at the other side has to be spared; Postfix does as many.
pub const FOLDER_WORKERS: usize = 20;

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum RelayMode {
    /// To one server that sends it on.
    Smarthost(Box<SmarthostSettings>),
    /// Into this folder, one `.eml` file a delivery.
    Folder(PathBuf),
}

/// How mail goes out.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Where.
    pub mode: RelayMode,
    /// Deliveries at once; at least one.
    pub workers: usize,
}

/// Why mail cannot go out as configured; words for the admin.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The smarthost.
    #[error(transparent)]
    Smarthost(#[from] SmarthostError),
    /// The folder.
    #[error("cannot make the folder {} of [relay] path: {cause}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

enum Way {
    Smarthost(Box<Smarthost>),
    Folder(Folder),
}

/// The relay, ready to run.
pub struct Relay {
    way: Way,
    workers: usize,
}

impl Relay {
    /// Reads certificate authorities, or makes the folder; connects to nobody yet.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn new(settings: RelaySettings) -> Result<Self, RelayError> {
        let way = match settings.mode {
            RelayMode::Smarthost(smarthost) => Way::Smarthost(Box::new(Smarthost::new(*smarthost)?)),
            RelayMode::Folder(path) => match Folder::open(&path) {
                Ok(folder) => Way::Folder(folder),
                Err(cause) => return Err(RelayError::Folder { path, cause }),
            },
        };
        Ok(Self { way, workers: settings.workers.max(1) })
    }

    /// Delivers until `stop` turns true (or its sender is gone): attempts that are under way then have twenty seconds
    /// to end, and what they leave is tried again after the next start.
    pub async fn run(self, deliveries: Deliveries, stop: watch::Receiver<bool>) {
        let stop = Stop::new(stop);
        let mut workers = JoinSet::new();
        for _ in 0..self.workers {
            workers.spawn(work(self.transport(), deliveries.clone(), stop.clone()));
        }
        while let Some(ended) = workers.join_next().await {
            if ended.is_err_and(|error| error.is_panic()) {
                Event::Trouble { place: "relay", cause: "a worker panicked; another takes its place".into() }.log();
                // What it held is due again at once; without a pause a letter that makes workers panic would spin.
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                workers.spawn(work(self.transport(), deliveries.clone(), stop.clone()));
            }
        }
    }

    fn transport(&self) -> Transport {
        match &self.way {
            Way::Smarthost(smarthost) => Transport::Smarthost(Box::new(smarthost.line())),
            Way::Folder(folder) => Transport::Folder(folder.clone()),
        }
    }
}
