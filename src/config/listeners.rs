//! Addresses and networks: where Postern listens, and whom a relay listener trusts.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::places::resolve;
use super::settings::{PortalListener, PortalSettings, RelayListenerSettings};
use crate::document::{Faults, Place, Table, Word};
use crate::fault::Fault;

/// Addresses as they are read, so that two that clash are found.
#[derive(Default)]
pub(super) struct Listeners {
    taken: Vec<(&'static str, SocketAddr)>,
}

impl Listeners {
    /// The addresses of a list.
    pub(super) fn list(
        &mut self,
        table: Option<&Table>,
        key: &'static str,
        what: &'static str,
        faults: &mut Faults,
    ) -> Vec<SocketAddr> {
        let mut addresses = Vec::new();
        for word in table.map_or(&[][..], |table| table.texts(key)) {
            addresses.extend(self.address(word, what, faults));
        }
        addresses
    }

    /// The addresses of a list, or this one where the list is not written.
    pub(super) fn list_or(
        &mut self,
        table: (&Table, Option<&Table>),
        key: &'static str,
        what: &'static str,
        default: SocketAddr,
        faults: &mut Faults,
    ) -> Vec<SocketAddr> {
        let (root, table) = table;
        if table.is_some_and(|table| table.has(key)) {
            return self.list(table, key, what, faults);
        }
        self.note(default, what, table.unwrap_or(root).place(), faults);
        vec![default]
    }

    /// One address; noted with what it is for.
    pub(super) fn address(&mut self, word: &Word, what: &'static str, faults: &mut Faults) -> Option<SocketAddr> {
        match read_address(word) {
            Ok(address) => {
                self.note(address, what, &word.place, faults);
                Some(address)
            }
            Err(fault) => {
                faults.add(fault);
                None
            }
        }
    }

    fn note(&mut self, address: SocketAddr, what: &'static str, place: &Place, faults: &mut Faults) {
        if let Some((other, taken)) = self.taken.iter().find(|(_, taken)| clash(*taken, address)) {
            let fault = place.fault(format!("{address} is already taken: {other} listens on {taken}"));
            faults.add(fault.hint("give each listener a port of its own"));
        }
        self.taken.push((what, address));
    }
}

/// Whether both cannot be listened on at once. Port 0 is any free port. `[::]` takes IPv4 too.
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let all = |a: IpAddr, b: IpAddr| a.is_unspecified() && (a.is_ipv6() || b.is_ipv4());
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || all(a.ip(), b.ip()) || all(b.ip(), a.ip()))
}

fn read_address(word: &Word) -> Result<SocketAddr, Fault> {
    word.text.parse().map_err(|_| {
        let fault = word.place.fault(format!("\"{}\" is no address to listen on", word.text));
        let named = word.text.rsplit_once(':').map_or(word.text.as_str(), |(host, _)| host);
        fault.hint(match named {
            "localhost" => "write the IP address: \"127.0.0.1:587\"".to_owned(),
            "*" | "" => "for all addresses of this machine write \"0.0.0.0:587\", or \"[::]:587\"".to_owned(),
            _ if named.parse::<IpAddr>().is_ok() => format!("add a port from 1 to 65535: \"{named}:587\""),
            _ => "write an IP address and a port: \"0.0.0.0:587\" for all addresses of this machine".to_owned(),
        })
    })
}

/// `[portal]`: addresses as others, or `http://` and an address, for a proxy in front.
pub(super) fn portal(root: &Table, listeners: &mut Listeners, faults: &mut Faults) -> PortalSettings {
    let table = root.table("portal");
    let mut listen = Vec::new();
    for word in table.map_or(&[][..], |table| table.texts("listen")) {
        let plain = word.text.strip_prefix("http://");
        let text = plain.or(word.text.strip_prefix("https://")).unwrap_or(&word.text).to_owned();
        let written = Word { text, place: word.place.clone() };
        if let Some(address) = listeners.address(&written, "[portal] listen", faults) {
            listen.push(PortalListener { address, tls: plain.is_none() });
        }
    }
    PortalSettings {
        listen,
        trusted_proxies: table.map_or_else(Vec::new, |table| table.each("trusted_proxies", faults, network)),
        max_upload: table.and_then(|table| table.count("max_upload")).unwrap_or(100 << 20),
        idle_timeout: table.and_then(|table| table.length("idle_timeout")).unwrap_or(Duration::from_secs(75)),
    }
}

/// Whether recipients who follow a link find the portal: links without TLS need a listener without it, and a browser on
/// https is not answered by one that has none, unless a proxy stands between.
pub(super) fn check_public_url(root: &Table, public_url: &str, portal: &PortalSettings, faults: &mut Faults) {
    let Some(place) = root.table("portal").map(|table| table.place_of("listen")) else { return };
    let secure = public_url.starts_with("https://");
    if portal.listen.is_empty() {
        return;
    }
    if !secure && portal.listen.iter().all(|listener| listener.tls) {
        let fault = place.fault(format!("links lead to {public_url}, without TLS, and the portal listens with TLS only"));
        faults.add(fault.hint("write https:// in public_url, or \"http://127.0.0.1:8080\" here"));
    }
    if secure && portal.trusted_proxies.is_empty() && portal.listen.iter().all(|listener| !listener.tls) {
        let fault = place.fault(format!("links lead to {public_url}, and nothing here speaks TLS"));
        faults.add(fault.hint(
            "a proxy that does is named in trusted_proxies = [\"127.0.0.1/32\"]; without a proxy leave out http://",
        ));
    }
}

/// `[[smtp.relay]]`
pub(super) fn relay(
    written: &Table,
    folder: &Path,
    listeners: &mut Listeners,
    faults: &mut Faults,
) -> Option<RelayListenerSettings> {
    let listen = written.text("listen").and_then(|word| listeners.address(word, "[[smtp.relay]] listen", faults));
    let client_ca = written.text("client_ca").map(|word| resolve(folder, &word.text));
    let networks = written.each("networks", faults, network);
    if written.texts("networks").is_empty() && !written.has("client_ca") {
        let fault = written.place_of("networks").fault("this listener would trust everybody");
        faults.add(fault.hint("say who may send here: networks = [\"192.0.2.10/32\"], or client_ca = \"….pem\""));
    }
    if client_ca.is_none() {
        for word in written.texts("networks") {
            if word.text.parse::<IpNet>().is_ok_and(|network| network.prefix_len() == 0) {
                let fault =
                    word.place.fault(format!("\"{}\" is the whole Internet: this would be an open relay", word.text));
                faults.add(fault.hint("name the networks of your own servers, or add client_ca = \"….pem\""));
            }
        }
    }
    Some(RelayListenerSettings {
        listen: listen?,
        networks: (!networks.is_empty()).then_some(networks),
        client_ca,
        tls_required: written.text("tls").is_some_and(|word| word.text == "required"),
        any_sender: written.text("identity").is_some_and(|word| word.text == "any"),
    })
}

fn network(word: &Word) -> Result<IpNet, Fault> {
    if let Ok(network) = word.text.parse::<IpNet>() {
        return Ok(network);
    }
    let fault = word.place.fault(format!("\"{}\" is no network", word.text));
    Err(fault.hint(match word.text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("for this one address write \"{address}/32\""),
        Ok(IpAddr::V6(address)) => format!("for this one address write \"{address}/128\""),
        Err(_) => "write an address and the length of its prefix: \"192.0.2.0/24\"".into(),
    }))
}
