//! Header fields that tell of the house a message comes from: its machines, accounts and clients, and what its filters
//! said. Exchange holds its own back at its border ("header firewall"); what others add is known from mail that was seen.

/// Fields whose names begin so: Exchange and its filters, scripts of web servers.
const BEGINNINGS: [&str; 13] = [
    "x-ms-exchange-",
    "x-ms-office365-",
    "x-ms-publictraffictype",
    "x-ms-traffictypediagnostic",
    "x-microsoft-antispam",
    "x-microsoft-exchange-diagnostics",
    "x-forefront-",
    "x-exchange-antispam-",
    "x-eop",
    "x-ironport-",
    "x-source",
    "x-php-",
    "x-mdremoteip",
];

/// The others.
const NAMES: [&str; 26] = [
    "x-originating-ip",
    "x-originating-email",
    "x-originatororg",
    "x-originalarrivaltime",
    "x-clientproxiedby",
    "x-client-ip",
    "x-sender-ip",
    "x-remote-ip",
    "x-real-ip",
    "x-auth-id",
    "x-auth-user",
    "x-authuser",
    "x-authenticated",
    "x-authenticated-user",
    "x-authenticated-sender",
    "x-authority-analysis",
    "x-get-message-sender-via",
    "x-ld-processed",
    "x-mdid",
    "x-mdav-processed",
    "x-mdaemon-deliver-to",
    "x-mimetrack",
    "x-postfix-queue-id",
    "x-spam-checker-version",
    "x-virus-scanned",
    "x-zimbra-ip",
];

/// Whether a field of this name stays in the house when a message leaves it untouched.
pub(super) fn stays_inside(name: &str) -> bool {
    let name = name.trim_end().to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || NAMES.contains(&name.as_str())
}
