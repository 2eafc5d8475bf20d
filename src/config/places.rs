//! Folders and files that the configuration names: how paths are resolved, what must be there, what must be apart.

use std::path::{Component, Path, PathBuf};

use super::secrets::SecretSource;
use super::settings::{Config, OutgoingMode};
use crate::document::{Faults, Place, Table};
use crate::keyring::MasterSource;

/// A path as written, below the configuration file's folder unless it is absolute; `.` and `..` worked out.
pub(super) fn resolve(folder: &Path, written: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in folder.join(written).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(resolved.components().next_back(), Some(Component::Normal(_))) => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

/// What must lie apart: a backup of `data_dir` that held the keyring or the master key would be worth nothing.
pub(super) fn check_apart(table: &Table, config: &Config, faults: &mut Faults) {
    let gateway = &config.gateway;
    let place = |key: &str| table.table("gateway").map_or(table.place(), |table| table.place_of(key)).clone();
    if gateway.keyring.starts_with(&gateway.data_dir) {
        let fault = place("keyring").fault("the keyring lies in data_dir");
        faults.add(fault.hint("give it a folder beside data_dir: a backup of the data must never hold its keys"));
    } else if gateway.data_dir.starts_with(&gateway.keyring) {
        let fault = place("data_dir").fault("data_dir lies in the keyring's folder");
        faults.add(fault.hint("give it a folder beside the keyring: a backup of the data must never hold its keys"));
    }
    if let MasterSource::File(path) = &config.master
        && path.starts_with(&gateway.data_dir)
    {
        let place = table.table("keys").map_or(table.place(), |keys| keys.place_of("master"));
        let fault = place.fault("the master key lies in data_dir");
        faults.add(
            fault.hint(
                "put it elsewhere, such as \"file:keys/master.key\": a backup of the data must never hold its key",
            ),
        );
    }
}

/// What must be on disk already. Folders that Postern makes itself are not asked for.
pub(super) fn check(table: &Table, config: &Config, faults: &mut Faults) {
    if !config.gateway.policies.is_dir() {
        let place = table.table("gateway").map_or(table.place(), |gateway| gateway.place_of("policies"));
        let message = format!("there is no folder of policies at {}", config.gateway.policies.display());
        faults.add(
            place
                .fault(message)
                .hint("copy the folder \"policies\" that came with postern there, or name its place: policies = \"…\""),
        );
    }
    for (listener, written) in
        config.smtp.relay.iter().zip(table.table("smtp").map_or(&[][..], |smtp| smtp.tables("relay")))
    {
        if let Some(path) = &listener.client_ca {
            check_file(path, written.place_of("client_ca"), faults);
        }
    }
    if let (OutgoingMode::Smarthost(smarthost), Some(relay)) = (&config.outgoing.mode, table.table("relay")) {
        if let Some(path) = &smarthost.ca {
            check_file(path, relay.place_of("ca"), faults);
        }
        if let Some((_, SecretSource::File(path))) = &smarthost.credentials {
            check_file(path, relay.place_of("password"), faults);
        }
    }
}

fn check_file(path: &Path, place: &Place, faults: &mut Faults) {
    if let Err(error) = std::fs::File::open(path) {
        let fault = place.fault(format!("{} cannot be read: {error}", path.display()));
        faults.add(fault.hint("paths are taken from the folder of this configuration file"));
    }
}
