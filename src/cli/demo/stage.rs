//! What the demo plays on: a temporary folder, a gateway over it, and the page that shows its outbox.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;

use super::outbox::Outbox;
use super::people::LEE;
use super::submit::Submission;
use super::{Shipped, page};
use crate::accounts::NewStaff;
use crate::cli::house;
use crate::cli::serve::Running;
use crate::id::SessionId;
use crate::mail::Address;
use crate::secret::Secret;
use crate::{random, store};

/// The gateway's name; the certificate is made for it.
const HOST: &str = "mail.clinic.example";

/// Policy files of the demo's own, beside the shipped ones.
const MORE_POLICIES: &[(&str, &[u8])] = &[("25-hospital.toml", include_bytes!("assets/25-hospital.toml"))];

/// Everything that is open while the demo runs.
pub struct Stage {
    /// What was delivered.
    pub outbox: Outbox,
    /// Where the outbox is shown.
    pub outbox_url: String,
    /// Where recipients read.
    pub portal_url: String,
    /// How mail goes in.
    pub submission: Submission,
    running: Running,
    showing: JoinHandle<()>,
    folder: Folder,
}

impl Stage {
    /// Makes the folder, starts the gateway over it, gives the sender an account and opens the outbox page.
    pub async fn set(shipped: Shipped) -> Result<Self, String> {
        let folder = Folder::make()?;
        folder.write_policies(shipped)?;
        let [submission, portal] = free_addresses()?;
        let portal_url = format!("http://{portal}");
        folder.write("config.toml", config(submission, &portal_url).as_bytes())?;
        let config = house::read_config(&folder.path.join("config.toml"))?;
        let running = Running::start(&config).await?;
        let password = enrol_sender(&running).await?;
        let outbox = Outbox::new(folder.path.join("outbox"), portal_url.clone());
        let (outbox_url, showing) = page::serve(outbox.clone()).await?;
        let submission =
            Submission::new(submission, HOST, &config.gateway.certs.join("ca.pem"), LEE.address, password)?;
        Ok(Self { outbox, outbox_url, portal_url, submission, running, showing, folder })
    }

    /// Where everything lies.
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// Ends the gateway and removes the folder.
    pub async fn strike(self) -> Result<(), String> {
        self.showing.abort();
        self.running.stop().await
    }
}

/// Removed when dropped.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn make() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("postern-demo-{}", random::id::<SessionId>()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| format!("the temporary folder {} cannot be made: {error}", path.display()))?;
        Ok(Self { path })
    }

    fn write_policies(&self, shipped: Shipped) -> Result<(), String> {
        for (name, octets) in shipped.iter().chain(MORE_POLICIES) {
            self.write(&format!("policies/{name}"), octets)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, octets: &[u8]) -> Result<(), String> {
        let path = self.path.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, octets)).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("postern: {} could not be removed: {error}", self.path.display());
        }
    }
}

/// Loopback addresses with ports that are free now. All are held until each has one, so that no two are the same.
fn free_addresses<const N: usize>() -> Result<[SocketAddr; N], String> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|held| Ok((held.local_addr()?, held)));
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    let mut held = Vec::with_capacity(N);
    for address in &mut addresses {
        let (free, listener) = free().map_err(|error| format!("no port is free on 127.0.0.1: {error}"))?;
        *address = free;
        held.push(listener);
    }
    Ok(addresses)
}

fn config(submission: SocketAddr, portal_url: &str) -> String {
    format!(
        r#"# Made by "postern demo".
[gateway]
hostname   = "{HOST}"
public_url = "{portal_url}"

[smtp]
submission  = []
submissions = ["{submission}"]

[portal]
listen = ["{portal_url}"]

[relay]
mode = "folder"
path = "outbox"
"#
    )
}

/// An account for the sender; its password.
async fn enrol_sender(running: &Running) -> Result<Secret<String>, String> {
    let password = random::readable_password();
    let sender = NewStaff {
        address: Address::parse(LEE.address).map_err(|error| error.to_string())?,
        name: Some(LEE.name.to_owned()),
        practice: None,
        groups: Vec::new(),
        delegated: Vec::new(),
        admin: false,
        initial: false,
    };
    let accounts = &running.gateway().stations().accounts;
    accounts.add(sender, &password, store::now()).await.map_err(|error| error.to_string())?;
    Ok(password)
}
