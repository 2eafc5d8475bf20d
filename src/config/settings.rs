//! What config.toml comes to: plain data, paths resolved against the file's folder, defaults filled in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::secrets::SecretSource;
use crate::keyring::MasterSource;
use crate::mail::Domain;

/// The whole configuration, sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[gateway]`
    pub gateway: GatewaySettings,
    /// `[smtp]`
    pub smtp: SmtpSettings,
    /// `[imap]`
    pub imap: ImapSettings,
    /// `[portal]`
    pub portal: PortalSettings,
    /// `[limits]`
    pub limits: LimitSettings,
    /// `[relay]`
    pub outgoing: OutgoingSettings,
    /// `[keys]` master.
    pub master: MasterSource,
    /// What is set and understood but not served by this version, or works and is discouraged: a plain line each.
    pub notices: Vec<String>,
}

/// `[gateway]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// The gateway's name.
    pub hostname: Domain,
    /// The base of links: scheme, host and perhaps port; no slash at its end.
    pub public_url: String,
    /// What is stored.
    pub data_dir: PathBuf,
    /// Policies.
    pub policies: PathBuf,
    /// Certificates.
    pub certs: PathBuf,
    /// The keyring.
    pub keyring: PathBuf,
    /// Whether a jump of the clock halts expiry.
    pub clock_guard: bool,
}

/// `[smtp]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// STARTTLS and sign-in.
    pub submission: Vec<SocketAddr>,
    /// TLS from the first octet and sign-in.
    pub submissions: Vec<SocketAddr>,
    /// Trusted servers.
    pub relay: Vec<RelayListenerSettings>,
    /// The largest message, in octets.
    pub max_message: u64,
}

/// `[[smtp.relay]]`. It has networks, a client CA or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayListenerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// From where one may come; `None`: from anywhere, with a client certificate.
    pub networks: Option<Vec<IpNet>>,
    /// Whose certificates are taken.
    pub client_ca: Option<PathBuf>,
    /// Whether mail is taken only over TLS.
    pub tls_required: bool,
    /// Whether any sender is taken, or only senders of our practices.
    pub any_sender: bool,
}

/// `[imap]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapSettings {
    /// TLS from the first octet.
    pub imaps: Vec<SocketAddr>,
    /// STARTTLS.
    pub imap: Vec<SocketAddr>,
}

/// `[portal]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalSettings {
    /// Where it listens; nowhere, if empty.
    pub listen: Vec<PortalListener>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Octets of one reply at most.
    pub max_upload: u64,
    /// How long a connection may stand still.
    pub idle_timeout: Duration,
}

/// One address of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortalListener {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether it speaks TLS; `http://` says that it does not.
    pub tls: bool,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub per_address: usize,
    /// IMAP connections at once of one account.
    pub per_account: usize,
    /// Recipients of one message.
    pub recipients: usize,
    /// Errors before a session ends.
    pub errors: u32,
    /// Failed sign-ins before a session ends.
    pub sign_ins: u32,
    /// Passwords checked at the same time.
    pub sign_ins_at_once: usize,
    /// For the next command.
    pub command_timeout: Duration,
    /// For the next octets of a message.
    pub data_timeout: Duration,
    /// From connecting to being signed in.
    pub sign_in_timeout: Duration,
    /// For a whole session.
    pub session_timeout: Duration,
}

/// `[relay]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingSettings {
    /// Where mail goes.
    pub mode: OutgoingMode,
    /// How long delivery is tried.
    pub give_up_after: Duration,
}

/// `[relay] mode`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutgoingMode {
    /// To one server.
    Smarthost(SmarthostConfig),
    /// Into files of this folder.
    Folder(PathBuf),
}

/// The server that everything goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmarthostConfig {
    /// A host name or an IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS.
    pub tls: OutgoingTls,
    /// Name and place of the password. Only with TLS that is required.
    pub credentials: Option<(String, SecretSource)>,
    /// A PEM file of certificate authorities beside the system's.
    pub ca: Option<PathBuf>,
}

/// `[relay] tls`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutgoingTls {
    /// TLS from the first octet, verified: `required` on port 465 (RFC 8314).
    Immediate,
    /// STARTTLS, verified, or no mail.
    Required,
    /// STARTTLS where it is offered.
    Opportunistic,
    /// Plain.
    None,
}
