//! Opening the house: keys, store, vault, queue, accounts, policies, in the order they need each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::accounts::{Accounts, Passwords};
use crate::admin::Desk;
use crate::agenda::Agenda;
use crate::agenda::clock::Reading;
use crate::blob::{BlobStore, Objects};
use crate::cli::{first_start, settings};
use crate::config::Config;
use crate::directory::Directory;
use crate::fault;
use crate::gateway::{Gateway, GatewaySettings, Policies, Stations};
use crate::guests::Guests;
use crate::keyring::{Keyring, MasterKey, MasterSource};
use crate::mail::Address;
use crate::mailbox::{MailLimits, Mailboxes};
use crate::queue::Queue;
use crate::store::{self, Store, StoreSettings};
use crate::vault::Vault;

/// sled's cache. Its index is small (records of at most 4 KiB, no content), and the journal carries the load.
const CACHE: u64 = 16 * 1024 * 1024;
/// A checkpoint every so many octets of journal: what a start after a loss of sled replays at most.
const CHECKPOINT_EVERY: u64 = 256 * 1024 * 1024;

/// Everything that is open.
pub struct House {
    /// What commands and edges work with.
    pub desk: Desk,
    /// What was made because it was not there, in words.
    pub made: Vec<String>,
}

impl House {
    /// Writes down what is not written down yet, and closes.
    pub async fn close(self) -> Result<(), String> {
        let store = self.desk.gateway.stations().store.clone();
        drop(self.desk);
        store.close().await.map_err(|error| error.to_string())
    }
}

/// The configuration, or all its faults as a person reads them.
pub fn read_config(path: &Path) -> Result<Config, String> {
    Config::load(path).map_err(|(faults, sources)| {
        format!("{} cannot be used:\n\n{}", path.display(), fault::render(&faults, &sources))
    })
}

/// The policies, or all their faults as a person reads them.
pub fn open_policies(folder: &Path) -> Result<Policies, String> {
    Policies::open(folder).map_err(|broken| format!("the policies cannot be used:\n\n{broken}"))
}

/// Where the running server takes commands.
pub fn socket_path(config: &Config) -> PathBuf {
    config.gateway.data_dir.join("admin.sock")
}

/// Opens what is there, for one command while no server runs; makes nothing.
pub async fn open_alone(config: &Config) -> Result<House, String> {
    if !Keyring::exists(&config.gateway.keyring) {
        return Err(format!(
            "there is no keyring in {} yet: `postern serve` makes one at its first start",
            config.gateway.keyring.display()
        ));
    }
    be_the_owner(&config.gateway.data_dir)?;
    open(config, Vec::new(), false).await
}

/// Files made by another user would be closed to the service at its next start.
fn be_the_owner(data: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(data).map_err(|error| format!("{}: {error}", data.display()))?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(format!(
        "{} belongs to the user with number {owner}: run this command as that user (sudo -u '#{owner}' postern …), or \
         while the server runs",
        data.display()
    ))
}

/// Opens everything; at the first start makes the keys and the data folder.
pub async fn open_or_make(config: &Config) -> Result<House, String> {
    let mut made = Vec::new();
    if !Keyring::exists(&config.gateway.keyring) {
        made = make_keys(config)?;
    }
    open(config, made, true).await
}

/// Makes a keyring, unless there is data already: that data was sealed by keys that are somewhere else.
fn make_keys(config: &Config) -> Result<Vec<String>, String> {
    let (data, keys) = (&config.gateway.data_dir, &config.gateway.keyring);
    if data.join("journal").exists() {
        return Err(format!(
            "the keyring is missing: {} holds data, but {} holds no keyring. Put the keyring back (from your escrow \
             copy); without it nothing in the data folder can be opened. To begin anew, move {} away.",
            data.display(),
            keys.display(),
            data.display()
        ));
    }
    make_private_folder(keys)?;
    let mut made = Vec::new();
    let master = match &config.master {
        MasterSource::File(path) if !path.exists() => {
            made.push(format!("master key      {}", path.display()));
            MasterKey::make_file(path)
        }
        source => MasterKey::read(source),
    }
    .map_err(|error| error.to_string())?;
    Keyring::create(keys, &master, store::now().day()).map_err(|error| error.to_string())?;
    made.push(format!("keyring         {}", keys.display()));
    Ok(made)
}

fn make_private_folder(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    // A new folder lasts once the one it stands in is synced.
    let parents = missing.iter().filter_map(|folder| folder.parent());
    let parents = parents.map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    let synced = made.and_then(|()| parents.into_iter().try_for_each(|parent| std::fs::File::open(parent)?.sync_all()));
    synced.map_err(|error| format!("the folder {} cannot be made: {error}", path.display()))
}

async fn open(config: &Config, mut made: Vec<String>, may_make: bool) -> Result<House, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let policies = Arc::new(open_policies(&config.gateway.policies)?);
    let data = &config.gateway.data_dir;
    if !data.exists() {
        made.push(format!("data folder     {}", data.display()));
    }
    make_private_folder(data)?;
    let master = MasterKey::read(&config.master).map_err(|error| said(&error))?;
    let keyring = Keyring::open(&config.gateway.keyring, &master, store::now().day()).map_err(|error| said(&error))?;
    let settings = StoreSettings { folder: data.clone(), cache: CACHE, checkpoint_every: CHECKPOINT_EVERY };
    let store = Store::open(settings, keyring.clone()).await.map_err(|error| said(&error))?;
    let blobs = BlobStore::open(&data.join("blob")).map_err(|error| said(&error))?;
    let objects = Objects::new(store.clone(), blobs);
    let vault = Vault::new(store.clone(), keyring.clone(), objects.clone());
    let queue = Queue::new(store.clone(), keyring.clone(), objects.clone(), settings::schedule(config));
    let at_once = config.limits.sign_ins_at_once;
    let passwords = Passwords::new(at_once).map_err(|error| said(&error))?;
    let guests = Guests::new(store.clone(), keyring.clone(), passwords.for_guests(at_once.div_ceil(2)));
    let accounts = Accounts::new(store.clone(), keyring.clone(), passwords);
    let guarded = config.gateway.clock_guard;
    let agenda = Agenda::new(store.clone(), keyring.clone(), vault.clone(), queue.clone(), guarded, Reading::take());
    let agenda = Arc::new(agenda.await.map_err(|error| said(&error))?);
    let directory = Directory::new(store.clone(), keyring.clone());
    let mailboxes = Mailboxes::new(store.clone(), keyring.clone(), objects.clone(), MailLimits::default());
    let stations = Stations { store, objects, vault, queue, accounts, directory, guests, mailboxes, policies, keyring };
    if may_make {
        made.extend(first_start::ensure_admin(config, &stations).await?);
    }
    let settings = gateway_settings(config, &stations).await?;
    Ok(House { desk: Desk { gateway: Gateway::new(settings, stations), agenda }, made })
}

async fn gateway_settings(config: &Config, stations: &Stations) -> Result<GatewaySettings, String> {
    Ok(GatewaySettings {
        hostname: config.gateway.hostname.clone(),
        public_url: config.gateway.public_url.clone(),
        postmaster: first_admin(stations).await?,
    })
}

/// The first admin account that can sign in; mail for the postmaster goes to it.
async fn first_admin(stations: &Stations) -> Result<Option<Address>, String> {
    let mut after = None;
    loop {
        let page = stations.accounts.list(after, 200).await.map_err(|error| error.to_string())?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        after = Some(*last);
        if let Some((_, admin)) = page.iter().find(|(_, account)| account.admin && !account.disabled) {
            return Ok(Some(admin.address.clone()));
        }
    }
}
