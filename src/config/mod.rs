//! config.toml: what is written ([`file`]), checked ([`check`]), and handed out as plain settings ([`settings`]).
//!
//! Only the shell knows this module; every component has settings of its own, which `main` fills from here.

use std::path::Path;

use serde_json::Value;

use crate::document::{self, Faults};
use crate::fault::{Fault, Sources};

mod check;
pub mod file;
mod listeners;
mod outgoing;
mod places;
mod secrets;
mod settings;

pub use secrets::{SecretError, SecretSource};
pub use settings::{
    Config, GatewaySettings, ImapSettings, LimitSettings, OutgoingMode, OutgoingSettings, OutgoingTls, PortalListener,
    PortalSettings, RelayListenerSettings, SmarthostConfig, SmtpSettings,
};

impl Config {
    /// Reads and checks a configuration file, and that the folders and files it names are there.
    ///
    /// # Errors
    /// All faults at once, in the order of the file, and its text to show them in.
    pub fn load(path: &Path) -> Result<Self, (Vec<Fault>, Sources)> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let fault = Fault::new(&shown, 0..0, format!("the configuration cannot be read: {error}"));
            let hint = "postern reads config.toml in the folder where it is started; name another file with --config";
            (vec![fault.hint(hint)], Sources::new())
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut faults = Faults::default();
        let table = document::read(&shown, &text, file::KEYS, &mut faults);
        let config = check::check(&table, folder, &mut faults);
        if let Some(config) = &config {
            places::check(&table, config, &mut faults);
        }
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults.into_parts()),
        }
    }
}

/// The JSON Schema of config.toml, for editors.
pub fn schema() -> Value {
    document::schema("Postern: config.toml", file::KEYS)
}

#[cfg(test)]
mod tests;
