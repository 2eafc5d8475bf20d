//! `[relay]` and `[keys]`: where mail goes out, and where secrets are.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::places::resolve;
use super::secrets::SecretSource;
use super::settings::{OutgoingMode, OutgoingSettings, OutgoingTls, SmarthostConfig};
use crate::document::{Faults, Table, Word};
use crate::fault::Fault;
use crate::keyring::MasterSource;
use crate::mail::Domain;

/// How long delivery is tried where nothing is said: RFC 5321, section 4.5.4.1 says at least 4 to 5 days.
const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 86_400);

/// `[relay]`
pub(super) fn outgoing(table: &Table, folder: &Path, faults: &mut Faults) -> Option<OutgoingSettings> {
    let mode = table.text("mode")?;
    let mode = match mode.text.as_str() {
        "folder" => to_folder(table, folder, faults),
        "mx" => {
            let fault = mode.place.fault("mode \"mx\" is not available in this version");
            faults.add(fault.hint("use mode = \"smarthost\" with your mail provider's server"));
            None
        }
        _ => smarthost(table, folder, faults),
    };
    Some(OutgoingSettings { mode: mode?, give_up_after: table.length("give_up_after").unwrap_or(GIVE_UP_AFTER) })
}

fn to_folder(table: &Table, folder: &Path, faults: &mut Faults) -> Option<OutgoingMode> {
    if !table.has("path") {
        let fault = table.place().fault("mode \"folder\" needs a folder");
        faults.add(fault.hint("add path = \"outbox\""));
    }
    Some(OutgoingMode::Folder(resolve(folder, &table.text("path")?.text)))
}

fn smarthost(table: &Table, folder: &Path, faults: &mut Faults) -> Option<OutgoingMode> {
    if !table.has("host") {
        let fault = table.place().fault("mode \"smarthost\" needs a server");
        faults.add(fault.hint("add host = \"smtp.provider.example\", as your mail provider names it"));
    }
    let host = table.parsed("host", faults, host);
    let port = u16::try_from(table.count("port").unwrap_or(587)).unwrap_or(587);
    let tls = tls(table, port, faults);
    let credentials = credentials(table, folder, tls, faults);
    let ca = table.text("ca").map(|word| resolve(folder, &word.text));
    Some(OutgoingMode::Smarthost(SmarthostConfig { host: host?, port, tls, credentials, ca }))
}

fn host(word: &Word) -> Result<String, Fault> {
    if word.text.parse::<IpAddr>().is_ok() {
        return Ok(word.text.clone());
    }
    match Domain::parse(&word.text) {
        Ok(domain) => Ok(domain.to_string()),
        Err(_) => {
            let fault = word.place.fault(format!("\"{}\" is no server name", word.text));
            Err(fault.hint(match word.text.contains(':') {
                true => "write the name alone here, and the number behind the colon as port = …",
                false => "write it as your mail provider does, such as \"smtp.provider.example\"",
            }))
        }
    }
}

fn tls(table: &Table, port: u16, faults: &mut Faults) -> OutgoingTls {
    match table.text("tls").map_or("required", |word| word.text.as_str()) {
        "required" if port == 465 => OutgoingTls::Immediate,
        "required" => OutgoingTls::Required,
        written => {
            if port == 465 {
                let fault = table.place_of("tls").fault("port 465 is TLS from the first octet");
                faults.add(fault.hint("write tls = \"required\", or use port = 587"));
            }
            if written == "none" { OutgoingTls::None } else { OutgoingTls::Opportunistic }
        }
    }
}

fn credentials(table: &Table, folder: &Path, tls: OutgoingTls, faults: &mut Faults) -> Option<(String, SecretSource)> {
    let missing = match (table.has("username"), table.has("password")) {
        (true, false) => {
            Some(("username", "a username without a password", "add password = \"file:keys/smarthost.password\""))
        }
        (false, true) => Some(("password", "a password without a username", "add username = \"…\"")),
        _ => None,
    };
    if let Some((key, message, hint)) = missing {
        faults.add(table.place_of(key).fault(message).hint(hint));
        return None;
    }
    let username = table.text("username")?;
    if matches!(tls, OutgoingTls::Opportunistic | OutgoingTls::None) {
        let fault = username.place.fault("a password is only sent over TLS that is verified");
        faults.add(fault.hint("write tls = \"required\", or remove username and password"));
    }
    let password = table.text("password")?;
    let source = secret(&password.text, folder);
    if source.is_none() {
        // Shown at the table's head: the line itself may hold the password.
        let fault = table.place().fault("\"password\" does not say where the password is");
        faults.add(fault.hint(
            "put it into a file that only postern may read, and write password = \"file:keys/smarthost.password\"",
        ));
    }
    Some((username.text.clone(), source?))
}

fn secret(text: &str, folder: &Path) -> Option<SecretSource> {
    match text.split_once(':')? {
        ("file", path) if !path.is_empty() => Some(SecretSource::File(resolve(folder, path))),
        ("command", command) if !command.trim().is_empty() => Some(SecretSource::Command(command.to_owned())),
        _ => None,
    }
}

/// `[keys] master`
pub(super) fn master(table: Option<&Table>, folder: &Path, faults: &mut Faults) -> Option<MasterSource> {
    let Some(word) = table.and_then(|table| table.text("master")) else {
        return Some(MasterSource::File(resolve(folder, "keys/master.key")));
    };
    let source = match word.text.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Some(MasterSource::File(resolve(folder, path))),
        Some(("command", command)) if !command.trim().is_empty() => Some(MasterSource::Command(command.to_owned())),
        Some(("env", name)) if is_variable(name) => Some(MasterSource::Env(name.to_owned())),
        None if word.text == "passphrase" => Some(MasterSource::Passphrase),
        _ => None,
    };
    if source.is_none() {
        // Shown at the table's head: the line itself may hold a key.
        let fault = table.map_or(&word.place, Table::place).fault("\"master\" does not say where the master key is");
        faults.add(fault.hint("write \"file:keys/master.key\", \"command:…\", \"passphrase\" or \"env:NAME\""));
    }
    source
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
