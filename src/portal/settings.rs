//! What the portal is told.

use std::time::Duration;

use ipnet::IpNet;

use crate::portal::setup::MailServers;

/// The portal's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The only address it answers to.
    pub origin: Origin,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Octets of one reply at most, with all its attachments.
    pub max_upload: u64,
    /// How long is waited.
    pub deadlines: Deadlines,
    /// What mail programs of staff are told.
    pub mail: MailServers,
}

/// How long is waited for a browser.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's header section, and for a first one.
    pub header: Duration,
    /// For a whole form.
    pub form: Duration,
    /// For the next octets of an upload.
    pub upload: Duration,
    /// For anything to move on a connection.
    pub idle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { handshake: seconds(10), header: seconds(15), form: seconds(30), upload: seconds(30), idle: seconds(75) }
    }
}

/// Scheme, host and port of `public_url`, as browsers name it (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    url: String,
    secure: bool,
}

impl Origin {
    /// Of a `public_url`, which has no path and no slash at its end.
    pub fn of(public_url: &str) -> Self {
        let url = public_url.trim_end_matches('/').to_ascii_lowercase();
        let (secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://").unwrap_or(&url)),
        };
        let rest = rest.strip_suffix(if secure { ":443" } else { ":80" }).unwrap_or(rest);
        Self { url: format!("{}://{rest}", if secure { "https" } else { "http" }), secure }
    }

    /// As an `Origin` field has it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host, and port where it is not the scheme's own.
    pub fn authority(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether it is https. Without it cookies have neither prefix nor `Secure`; `config` allows that on this machine only.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Whether a `Host` field or `:authority` names it.
    pub fn is_authority(&self, named: &str) -> bool {
        let default = if self.secure { ":443" } else { ":80" };
        named.strip_suffix(default).unwrap_or(named).eq_ignore_ascii_case(self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_authority_is_its_own() {
        let origin = Origin::of("https://Mail.Clinic.example");
        assert_eq!((origin.url(), origin.secure()), ("https://mail.clinic.example", true));
        for own in ["mail.clinic.example", "MAIL.clinic.example", "mail.clinic.example:443"] {
            assert!(origin.is_authority(own), "{own}");
        }
        for foreign in ["", "clinic.example", "mail.clinic.example:80", "mail.clinic.example.", "evil.example:443"] {
            assert!(!origin.is_authority(foreign), "{foreign}");
        }
        assert_eq!(Origin::of("http://localhost:80").authority(), "localhost");
        assert!(Origin::of("https://localhost:8443").is_authority("localhost:8443"));
    }
}
