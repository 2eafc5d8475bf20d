//! From config.toml to the settings of each component.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{Config, OutgoingMode, OutgoingTls, RelayListenerSettings, SmarthostConfig};
use crate::delivery::retry::Schedule;
use crate::imap;
use crate::net::GateLimits;
use crate::portal;
use crate::relay::client::Credentials;
use crate::relay::smarthost::{Patience, SmarthostSettings, SmarthostTls};
use crate::relay::{FOLDER_WORKERS, RelayMode, RelaySettings, WORKERS};
use crate::smtp::settings::{Deadlines, Limits, RelayTrust, Settings};

/// What holds for every SMTP listener.
pub fn smtp(config: &Config) -> Arc<Settings> {
    let limits = &config.limits;
    Arc::new(Settings {
        hostname: config.gateway.hostname.clone(),
        max_message: config.smtp.max_message,
        limits: Limits {
            recipients: limits.recipients,
            errors: limits.errors,
            sign_ins: limits.sign_ins,
            ..Limits::default()
        },
        deadlines: Deadlines {
            command: limits.command_timeout,
            data: limits.data_timeout,
            before_sign_in: limits.sign_in_timeout,
            session: limits.session_timeout,
            ..Deadlines::default()
        },
    })
}

/// How many connections are let in.
pub fn gate(config: &Config) -> GateLimits {
    GateLimits { connections: config.limits.connections, per_address: config.limits.per_address }
}

/// The same for IMAP: a mail program holds several connections, and holds them all day.
pub fn imap_gate(config: &Config) -> GateLimits {
    let GateLimits { connections, per_address } = gate(config);
    GateLimits { connections: connections.saturating_mul(4), per_address: per_address.saturating_mul(4) }
}

/// What holds for every IMAP listener.
pub fn imap(config: &Config) -> Arc<imap::Settings> {
    let limits = &config.limits;
    Arc::new(imap::Settings {
        limits: imap::Limits { sign_ins: limits.sign_ins, per_account: limits.per_account, ..imap::Limits::default() },
        deadlines: imap::Deadlines {
            data: limits.data_timeout,
            before_sign_in: limits.sign_in_timeout,
            ..imap::Deadlines::default()
        },
        ..imap::Settings::new(config.gateway.hostname.clone())
    })
}

/// The same for the portal behind a proxy, where all connections come from one address.
pub fn proxied_gate(config: &Config) -> GateLimits {
    GateLimits { connections: config.limits.connections, per_address: config.limits.connections }
}

/// What holds for the portal.
pub fn portal(config: &Config) -> portal::Settings {
    portal::Settings {
        origin: portal::Origin::of(&config.gateway.public_url),
        trusted_proxies: config.portal.trusted_proxies.clone(),
        max_upload: config.portal.max_upload,
        deadlines: portal::Deadlines { idle: config.portal.idle_timeout, ..portal::Deadlines::default() },
        mail: mail_servers(config),
    }
}

/// Whom a relay listener trusts.
pub fn trust(listener: &RelayListenerSettings) -> RelayTrust {
    RelayTrust {
        networks: listener.networks.clone(),
        client_certificate: listener.client_ca.is_some(),
        tls_required: listener.tls_required || listener.client_ca.is_some(),
        any_sender: listener.any_sender,
    }
}

/// When delivery is tried again, and when given up.
pub fn schedule(config: &Config) -> Schedule {
    Schedule { give_up: config.outgoing.give_up_after, ..Schedule::default() }
}

/// How mail goes out.
///
/// # Errors
/// A password that cannot be read; a sentence with the remedy.
pub fn relay(config: &Config) -> Result<RelaySettings, String> {
    let mode = match &config.outgoing.mode {
        OutgoingMode::Folder(path) => RelayMode::Folder(path.clone()),
        OutgoingMode::Smarthost(smarthost) => RelayMode::Smarthost(Box::new(smarthost_settings(config, smarthost)?)),
    };
    let workers = match mode {
        RelayMode::Smarthost(_) => WORKERS,
        RelayMode::Folder(_) => FOLDER_WORKERS,
    };
    Ok(RelaySettings { mode, workers })
}

fn smarthost_settings(config: &Config, smarthost: &SmarthostConfig) -> Result<SmarthostSettings, String> {
    let credentials = match &smarthost.credentials {
        Some((username, source)) => {
            let password = source.read().map_err(|error| error.to_string())?;
            Some(Credentials { username: username.clone(), password })
        }
        None => None,
    };
    Ok(SmarthostSettings {
        host: smarthost.host.clone(),
        port: smarthost.port,
        tls: match smarthost.tls {
            OutgoingTls::Immediate => SmarthostTls::Immediate,
            OutgoingTls::Required => SmarthostTls::Required,
            OutgoingTls::Opportunistic => SmarthostTls::Opportunistic,
            OutgoingTls::None => SmarthostTls::None,
        },
        credentials,
        extra_ca: smarthost.ca.clone(),
        hello: config.gateway.hostname.to_string(),
        patience: Patience::default(),
    })
}

/// The names that certificates are made for: the gateway's own, the one in links, and what is listened on.
pub fn host_names(config: &Config) -> Vec<String> {
    let url = config.gateway.public_url.split_once("://").map_or("", |(_, rest)| rest);
    let host = match url.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ipv6, _)) => ipv6,
        None => url.split(':').next().unwrap_or_default(),
    };
    let smtp = &config.smtp;
    let relays = smtp.relay.iter().map(|relay| &relay.listen);
    let portal = config.portal.listen.iter().map(|listener| &listener.address);
    let staff = smtp.submission.iter().chain(&smtp.submissions).chain(&config.imap.imaps).chain(&config.imap.imap);
    let listened = staff.chain(relays).chain(portal).map(|at| at.ip());
    let listened = listened.filter(|ip| !ip.is_unspecified());
    let mut names = vec![config.gateway.hostname.to_string(), host.to_owned()];
    names.extend(listened.map(|ip| ip.to_string()));
    names.retain(|name| !name.is_empty());
    names
}

/// Where staff read how to set up a mail program; `None` where they have no mailboxes or there is no portal.
pub fn setup_page(config: &Config) -> Option<String> {
    let mailboxes = !config.imap.imaps.is_empty() || !config.imap.imap.is_empty();
    (mailboxes && !config.portal.listen.is_empty()).then(|| format!("{}/setup", config.gateway.public_url))
}

/// What mail programs of staff are told: TLS from the first octet where there is such a listener, else STARTTLS.
fn mail_servers(config: &Config) -> portal::MailServers {
    let server = |tls: &[SocketAddr], starttls: &[SocketAddr]| {
        let first = |at: &[SocketAddr], starttls| at.first().map(|at| portal::MailServer { port: at.port(), starttls });
        first(tls, false).or_else(|| first(starttls, true))
    };
    portal::MailServers {
        host: config.gateway.hostname.to_string(),
        imap: server(&config.imap.imaps, &config.imap.imap),
        submission: server(&config.smtp.submissions, &config.smtp.submission),
    }
}
