//! What the first start makes beside keys and certificates: an admin who can sign in.

use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::accounts::NewStaff;
use crate::config::Config;
use crate::gateway::Stations;
use crate::mail::Address;
use crate::{random, store};

/// The file the one-time password goes to when nobody watches.
const PASSWORD_FILE: &str = "admin-password";

/// Makes an admin account where there is no account at all, and says so in words. The password goes to the terminal,
/// else into a file that only its owner reads; never into the log.
pub async fn ensure_admin(config: &Config, stations: &Stations) -> Result<Vec<String>, String> {
    let accounts = &stations.accounts;
    if !accounts.list(None, 1).await.map_err(|error| error.to_string())?.is_empty() {
        return Ok(Vec::new());
    }
    let address = admin_address(config, stations)?;
    let password = random::readable_password();
    let told = if std::io::stdout().is_terminal() {
        format!("one-time password {}", password.expose())
    } else {
        let path = config.gateway.keyring.join(PASSWORD_FILE);
        write_private(&path, password.expose())?;
        format!("its one-time password stands in {}", path.display())
    };
    let new = NewStaff {
        address: address.clone(),
        name: None,
        practice: None,
        groups: Vec::new(),
        delegated: Vec::new(),
        admin: true,
        initial: true,
    };
    accounts.add(new, &password, store::now()).await.map_err(|error| error.to_string())?;
    Ok(vec![format!("admin account   {address}, {told}; it lapses in 7 days: postern staff passwd {address}")])
}

/// `admin@` the first practice's first domain, where colleagues can write to it; else at the gateway's host name.
fn admin_address(config: &Config, stations: &Stations) -> Result<Address, String> {
    let policy = stations.policies.snapshot();
    let domain = policy.policy.first_practice().domains.first().unwrap_or(&config.gateway.hostname);
    Address::parse(&format!("admin@{domain}")).map_err(|error| format!("no admin address at {domain}: {error}"))
}

fn write_private(path: &Path, text: &str) -> Result<(), String> {
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| format!("{} cannot be written: {error}", path.display()))
}
