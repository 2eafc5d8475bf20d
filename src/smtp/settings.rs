//! What the shell hands to the SMTP edge.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::mail::Domain;

/// What holds for every SMTP listener.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name in greeting and EHLO reply; `<postmaster>` is here.
    pub hostname: Domain,
    /// The largest message, in octets: EHLO's SIZE.
    pub max_message: u64,
    /// Bounds of one session.
    pub limits: Limits,
    /// How long is waited.
    pub deadlines: Deadlines,
}

impl Settings {
    /// The shipped limits under this name.
    pub fn new(hostname: Domain, max_message: u64) -> Self {
        Self { hostname, max_message, limits: Limits::default(), deadlines: Deadlines::default() }
    }
}

/// Bounds of one session. Each has its reply in `smtp/reply`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Octets of a command line with its CR LF: 512 (RFC 5321, section 4.5.3.1.4), 28 for NOTIFY and 507 for ORCPT
    /// (RFC 3461, section 4), rounded up.
    pub command_line: usize,
    /// Octets of a line of AUTH (RFC 4954, section 4).
    pub auth_line: usize,
    /// Octets of a line of a message, without CR LF. RFC 5322 says 998; programs that write a paragraph a line go beyond.
    pub data_line: usize,
    /// Recipients of one message; the next gets 452, and after four times as many RCPT commands the session ends.
    pub recipients: usize,
    /// Errors before the session ends.
    pub errors: u32,
    /// Commands other than RCPT and sign-in since the last accepted message, before the session ends.
    pub fruitless: u32,
    /// Failed sign-ins before the session ends.
    pub sign_ins: u32,
    /// Failed sign-ins of one address, on all listeners, within [`Deadlines::guesses`]; then its sign-ins get 454.
    pub guesses: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line: 1100,
            auth_line: 12_288,
            data_line: 64 * 1024,
            recipients: 500,
            errors: 20,
            fruitless: 300,
            sign_ins: 3,
            guesses: 100,
        }
    }
}

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// For the next command, and for a client to read its replies (RFC 5321, section 4.5.3.2.7: 5 minutes).
    pub command: Duration,
    /// For the next octets of a message.
    pub data: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For who must sign in, from connecting until signed in.
    pub before_sign_in: Duration,
    /// How long failed sign-ins of one address are counted together. The reply names it: 15 minutes.
    pub guesses: Duration,
    /// For a whole session; what runs over it is cut off and can come again.
    pub session: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(300),
            data: Duration::from_secs(180),
            handshake: Duration::from_secs(20),
            before_sign_in: Duration::from_secs(300),
            guesses: Duration::from_secs(900),
            session: Duration::from_secs(2 * 3600),
        }
    }
}

/// What a listener is for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// Staff's mail programs: STARTTLS, then AUTH, then mail.
    Submission,
    /// The same with TLS from the first octet (RFC 8314).
    Submissions,
    /// A server that is trusted.
    Relay(RelayTrust),
}

impl Purpose {
    /// Its name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Submissions => "submissions",
            Self::Relay(_) => "relay",
        }
    }

    /// Whether this peer may speak here at all.
    pub fn admits(&self, peer: IpAddr) -> bool {
        match self {
            Self::Submission | Self::Submissions => true,
            Self::Relay(trust) => trust.admits(peer),
        }
    }
}

/// Whom a relay listener trusts. Each kind of proof that is asked for must be given.
#[derive(Debug, Clone, Default)]
pub struct RelayTrust {
    /// The networks it may come from. `None`: any, which is only safe with `client_certificate`.
    pub networks: Option<Vec<IpNet>>,
    /// Whether TLS with a client certificate is asked for. The listener's TLS configuration demands and checks it,
    /// so that a handshake that ended well is the proof.
    pub client_certificate: bool,
    /// Whether mail is taken only over TLS.
    pub tls_required: bool,
    /// Whether any sender is taken, or only senders of our practices.
    pub any_sender: bool,
}

impl RelayTrust {
    /// Whether this peer may speak here; nobody, where nothing proves anything.
    pub fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        match &self.networks {
            Some(networks) => networks.iter().any(|network| network.contains(&peer)),
            None => self.client_certificate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_admits_its_networks_and_nobody_by_default() {
        let trust = |networks: Option<&[&str]>, client_certificate| RelayTrust {
            networks: networks.map(|list| list.iter().map(|net| net.parse().unwrap()).collect()),
            client_certificate,
            ..RelayTrust::default()
        };
        let inside: IpAddr = "10.1.2.3".parse().unwrap();
        let mapped: IpAddr = "::ffff:10.1.2.3".parse().unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let clinic = trust(Some(&["10.0.0.0/8"]), false);
        assert!(clinic.admits(inside) && clinic.admits(mapped) && !clinic.admits(loopback));
        assert!(!trust(Some(&[]), true).admits(inside));
        assert!(!trust(None, false).admits(loopback), "loopback is not trusted by default");
        assert!(trust(None, true).admits(inside));
    }
}
