//! From what is written to what is used: every value checked, defaults filled in, all faults at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::listeners::{self, Listeners};
use super::outgoing::{master, outgoing};
use super::places::{check_apart, resolve};
use super::settings::{
    Config, GatewaySettings, ImapSettings, LimitSettings, OutgoingMode, OutgoingSettings, OutgoingTls, PortalSettings,
    RelayListenerSettings, SmtpSettings,
};
use crate::document::{Faults, Table, Word};
use crate::fault::Fault;
use crate::keyring::MasterSource;
use crate::mail::Domain;

/// The configuration, where nothing keeps it from being one; faults may have been noted all the same.
pub(super) fn check(table: &Table, folder: &Path, faults: &mut Faults) -> Option<Config> {
    let mut listeners = Listeners::default();
    let gateway = table.table("gateway").and_then(|table| gateway(table, folder, faults));
    let smtp = smtp(table, folder, &mut listeners, faults);
    let portal = listeners::portal(table, &mut listeners, faults);
    let imap = imap(table.table("imap"), &mut listeners, faults);
    check_not_served(table, &mut listeners, faults);
    let outgoing = table.table("relay").and_then(|table| outgoing(table, folder, faults));
    let master = master(table.table("keys"), folder, faults);
    let (gateway, outgoing, master) = (gateway?, outgoing?, master?);
    listeners::check_public_url(table, &gateway.public_url, &portal, faults);
    let mut notices = notices(table, &outgoing, &master);
    notices.extend(portal_notices(&gateway.public_url, &portal));
    let limits = limits(table.table("limits"));
    let config = Config { gateway, smtp, imap, portal, limits, outgoing, master, notices };
    check_apart(table, &config, faults);
    Some(config)
}

fn gateway(table: &Table, folder: &Path, faults: &mut Faults) -> Option<GatewaySettings> {
    let path = |key: &str, default: &str| resolve(folder, table.text(key).map_or(default, |word| &word.text));
    let hostname = table.parsed("hostname", faults, hostname);
    let public_url = table.parsed("public_url", faults, public_url);
    Some(GatewaySettings {
        hostname: hostname?,
        public_url: public_url?,
        data_dir: path("data_dir", "data"),
        policies: path("policies", "policies"),
        certs: path("certs", "certs"),
        keyring: path("keyring", "keys"),
        clock_guard: table.flag("clock_guard").unwrap_or(true),
    })
}

fn hostname(word: &Word) -> Result<Domain, Fault> {
    match Domain::parse(&word.text) {
        Ok(domain) if domain.as_str().contains('.') && domain.as_str().parse::<IpAddr>().is_err() => Ok(domain),
        _ => {
            let fault = word.place.fault(format!("\"{}\" is no host name", word.text));
            Err(fault.hint("write the full name of this gateway, such as \"mail.clinic.example\""))
        }
    }
}

fn public_url(word: &Word) -> Result<String, Fault> {
    let fault =
        |message: &str, hint: &str| Err(word.place.fault(format!("\"{}\" {message}", word.text)).hint(hint.to_owned()));
    let url = word.text.strip_suffix('/').unwrap_or(&word.text);
    let Some((scheme, authority)) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))
    else {
        return fault("is no web address", "write it with https://, such as \"https://mail.clinic.example\"");
    };
    if authority.contains(['/', '?', '#']) {
        return fault("has a path", "write only scheme, name and port: \"https://mail.clinic.example\"");
    }
    let (host, port) = split_port(authority);
    let port_is_sound = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let inner = host.trim_start_matches('[').trim_end_matches(']');
    let address = inner.parse::<IpAddr>().ok();
    if !port_is_sound || (address.is_none() && Domain::parse(host).is_err()) {
        return fault(
            "is no web address",
            "write it as \"https://mail.clinic.example\" or \"https://mail.clinic.example:8443\"",
        );
    }
    let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if scheme == "http" && !loopback {
        return fault(
            "is not encrypted",
            "write https://; http:// is for this machine only, such as \"http://localhost:8080\"",
        );
    }
    Ok(url.to_owned())
}

/// Host and port; the colons of an IPv6 address in brackets are its own.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn smtp(root: &Table, folder: &Path, listeners: &mut Listeners, faults: &mut Faults) -> SmtpSettings {
    let any = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
    let table = root.table("smtp");
    let submission = listeners.list_or((root, table), "submission", "[smtp] submission", any(587), faults);
    let submissions = listeners.list_or((root, table), "submissions", "[smtp] submissions", any(465), faults);
    listeners.list(table, "inbound", "[smtp] inbound", faults);
    let written = table.map_or(&[][..], |table| table.tables("relay"));
    let relay: Vec<RelayListenerSettings> =
        written.iter().filter_map(|written| listeners::relay(written, folder, listeners, faults)).collect();
    if let Some(table) = table
        && ["submission", "submissions"].iter().all(|key| table.has(key) && table.texts(key).is_empty())
        && !table.has("relay")
    {
        let fault = table.place().fault("nothing listens for mail");
        faults.add(fault.hint("name an address in submission or submissions, or add a [[smtp.relay]]"));
    }
    let max_message = table.and_then(|table| table.count("max_message")).unwrap_or(50 << 20);
    SmtpSettings { submission, submissions, relay, max_message }
}

fn imap(table: Option<&Table>, listeners: &mut Listeners, faults: &mut Faults) -> ImapSettings {
    ImapSettings {
        imaps: listeners.list(table, "imaps", "[imap] imaps", faults),
        imap: listeners.list(table, "imap", "[imap] imap", faults),
    }
}

/// Tables that this version understands and does not serve are checked all the same.
fn check_not_served(table: &Table, listeners: &mut Listeners, faults: &mut Faults) {
    if let Some(word) = table.table("metrics").and_then(|metrics| metrics.text("listen")) {
        listeners.address(word, "[metrics] listen", faults);
    }
}

fn limits(table: Option<&Table>) -> LimitSettings {
    let count = |key: &str, default: u64| table.and_then(|table| table.count(key)).unwrap_or(default);
    let places = |key: &str, default: u64| usize::try_from(count(key, default)).unwrap_or(usize::MAX);
    let few = |key: &str, default: u64| u32::try_from(count(key, default)).unwrap_or(u32::MAX);
    let minutes = |key: &str, default: u64| {
        table.and_then(|table| table.length(key)).unwrap_or(Duration::from_secs(default * 60))
    };
    let per_address = places("per_address", 50);
    LimitSettings {
        connections: places("connections", 1000),
        per_address,
        per_account: places("per_account", 100),
        recipients: places("recipients", 500),
        errors: few("errors", 20),
        sign_ins: few("sign_ins", 3),
        sign_ins_at_once: places("sign_ins_at_once", 4),
        command_timeout: minutes("command_timeout", 5),
        data_timeout: minutes("data_timeout", 3),
        sign_in_timeout: minutes("sign_in_timeout", 5),
        session_timeout: minutes("session_timeout", 120),
    }
}

/// What works and may not be meant.
fn portal_notices(public_url: &str, portal: &PortalSettings) -> Vec<String> {
    let mut notices = Vec::new();
    if portal.listen.is_empty() {
        notices.push(format!(
            "[portal] listen is empty: links in mails lead to {public_url}, where this Postern does not answer"
        ));
    }
    let open = portal.listen.iter().find(|listener| !listener.tls && !listener.address.ip().is_loopback());
    if let Some(listener) = open {
        notices.push(format!(
            "[portal] listens on {} without TLS: only a proxy, in a network that you trust, may reach it",
            listener.address
        ));
    }
    notices
}

fn notices(table: &Table, outgoing: &OutgoingSettings, master: &MasterSource) -> Vec<String> {
    let list = |name: &str, key: &str| table.table(name).is_some_and(|table| !table.texts(key).is_empty());
    let not_served =
        |what: &str, name: &str| format!("{what} is understood, but this version does not serve {name} yet");
    let mut notices = Vec::new();
    if list("smtp", "inbound") {
        notices.push(not_served("[smtp] inbound", "replies by mail"));
    }
    if table.table("metrics").is_some_and(|metrics| metrics.has("listen")) {
        notices.push(not_served("[metrics]", "metrics"));
    }
    if let OutgoingMode::Smarthost(smarthost) = &outgoing.mode
        && smarthost.tls == OutgoingTls::None
    {
        notices.push("[relay] tls = \"none\": every mail leaves this machine unencrypted".into());
    }
    if matches!(master, MasterSource::Env(_)) {
        notices.push("[keys] master is an environment variable: others on this machine may be able to read it".into());
    }
    notices
}
