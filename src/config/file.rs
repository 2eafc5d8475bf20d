//! What may be written in config.toml: every key, its form, its default and what it means.

use crate::document::{Form, Key, Need};

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Optional, about }
}

const fn required(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Required, about }
}

const fn with_default(name: &'static str, form: Form, default: &'static str, about: &'static str) -> Key {
    Key { name, form, need: Need::Default(default), about }
}

const TEXTS: Form = Form::List(&Form::Text);
const TIMEOUT: Form = Form::Length { least: "1s", most: "1d" };

const fn count(name: &'static str, most: u64, default: &'static str, about: &'static str) -> Key {
    with_default(name, Form::Count { least: 1, most }, default, about)
}

/// The keys of `[gateway]`.
const GATEWAY: &[Key] = &[
    required(
        "hostname",
        Form::Text,
        "The name of this gateway: in its greeting, in Message-ID, and the domain of command addresses.",
    ),
    required(
        "public_url",
        Form::Text,
        "Where recipients reach the portal: the only base of links in mail. https://, without a path.",
    ),
    with_default("data_dir", Form::Text, "\"data\"", "The folder of everything that is stored, sealed."),
    with_default("policies", Form::Text, "\"policies\"", "The folder of rules, roles, practices and templates."),
    with_default("certs", Form::Text, "\"certs\"", "The folder of certificates and their keys."),
    with_default(
        "keyring",
        Form::Text,
        "\"keys\"",
        "The folder of the keyring. Outside data_dir, and never in a backup together with it.",
    ),
    with_default(
        "clock_guard",
        Form::Flag,
        "true",
        "Whether a jump of the clock by more than an hour halts expiry until \"postern clock accept\". Off in tests only.",
    ),
];

/// The keys of `[[smtp.relay]]`.
const RELAY_LISTENER: &[Key] = &[
    required("listen", Form::Text, "The address and port: \"127.0.0.1:2526\"."),
    key("networks", TEXTS, "The networks that may send here: [\"192.0.2.0/24\"]."),
    key("client_ca", Form::Text, "A PEM file: who sends here must show a certificate signed by it."),
    with_default(
        "tls",
        Form::Choice(&["optional", "required"]),
        "\"optional\"",
        "Whether mail is taken only after STARTTLS.",
    ),
    with_default(
        "identity",
        Form::Choice(&["practice", "any"]),
        "\"practice\"",
        "practice: senders of our practices' domains only; any: every sender.",
    ),
];

/// The keys of `[smtp]`.
const SMTP: &[Key] = &[
    with_default(
        "submission",
        TEXTS,
        "[\"0.0.0.0:587\"]",
        "Where staff's mail programs send, with STARTTLS and sign-in. [] for none.",
    ),
    with_default(
        "submissions",
        TEXTS,
        "[\"0.0.0.0:465\"]",
        "Where staff's mail programs send, with TLS from the first octet and sign-in. [] for none.",
    ),
    with_default("inbound", TEXTS, "[]", "Where replies of recipients arrive: [\"0.0.0.0:25\"]. Not served yet."),
    with_default(
        "max_message",
        Form::Size { least: 64 << 10, most: 1 << 30 },
        "\"50 MiB\"",
        "The largest message that is taken, as it is transferred: documents are a third larger in mail.",
    ),
    key(
        "relay",
        Form::Tables(RELAY_LISTENER),
        "Servers that are trusted without sign-in: Exchange, a practice system, a scanner.",
    ),
];

const IMAP: &[Key] = &[
    with_default("imaps", TEXTS, "[]", "Staff's mailboxes with TLS from the first octet: [\"0.0.0.0:993\"]."),
    with_default("imap", TEXTS, "[]", "The same with STARTTLS: [\"0.0.0.0:143\"]. No password is taken before TLS."),
];

const PORTAL: &[Key] = &[
    with_default(
        "listen",
        TEXTS,
        "[]",
        "Where recipients read, with TLS: \"0.0.0.0:443\"; without it behind a proxy: \"http://127.0.0.1:8080\". [] for none.",
    ),
    with_default(
        "trusted_proxies",
        TEXTS,
        "[]",
        "Networks of proxies whose X-Forwarded-For is believed: [\"127.0.0.1/32\"]. They must pass the Host field on.",
    ),
    with_default(
        "max_upload",
        Form::Size { least: 1 << 20, most: 4 << 30 },
        "\"100 MiB\"",
        "The largest reply a recipient may send, with all its attachments.",
    ),
    with_default(
        "idle_timeout",
        Form::Length { least: "5s", most: "10m" },
        "\"75s\"",
        "How long a connection may stand still.",
    ),
];

/// The keys of `[limits]`.
const LIMITS: &[Key] = &[
    count(
        "connections",
        100_000,
        "1000",
        "Connections at once, for SMTP and for the portal; for IMAP, whose connections stay open, four times as many.",
    ),
    count(
        "per_address",
        100_000,
        "50",
        "Connections at once from one address (one IPv6 /64 network); for IMAP four times as many.",
    ),
    count(
        "per_account",
        100_000,
        "100",
        "IMAP connections at once of one account; a mail program holds about five, and a person has several.",
    ),
    count("recipients", 500, "500", "Recipients of one message; RFC 5321 asks for at least 100."),
    count("errors", 1_000, "20", "Wrong commands and refusals before a session ends."),
    count("sign_ins", 100, "3", "Failed sign-ins before a session ends."),
    count(
        "sign_ins_at_once",
        1_000,
        "4",
        "Passwords of staff checked at the same time, each with 19 MiB and a processor; and half as many of guests, which give way to all other work.",
    ),
    with_default("command_timeout", TIMEOUT, "\"5m\"", "How long the next command is waited for."),
    with_default(
        "data_timeout",
        TIMEOUT,
        "\"3m\"",
        "How long the next octets of a message are waited for; over IMAP a message or command must also come by 1 KiB a second beyond that time.",
    ),
    with_default("sign_in_timeout", TIMEOUT, "\"5m\"", "How long it may take from connecting to being signed in."),
    with_default("session_timeout", TIMEOUT, "\"2h\"", "How long a whole session may take."),
];

const METRICS: &[Key] = &[key("listen", Form::Text, "The address of metrics and health checks. Not served yet.")];

/// The keys of `[relay]`.
const RELAY: &[Key] = &[
    required(
        "mode",
        Form::Choice(&["smarthost", "folder", "mx"]),
        "smarthost: everything goes to one server; folder: one .eml file a delivery, for trying out; mx: not available yet.",
    ),
    key("host", Form::Text, "The smarthost's name."),
    with_default(
        "port",
        Form::Count { least: 1, most: 65_535 },
        "587",
        "The smarthost's port; 465 is TLS from the first octet.",
    ),
    with_default(
        "tls",
        Form::Choice(&["required", "opportunistic", "none"]),
        "\"required\"",
        "required: verified, or no mail leaves; opportunistic: where it is offered; none: never.",
    ),
    key("username", Form::Text, "The name for signing in at the smarthost."),
    key(
        "password",
        Form::Text,
        "Where its password is: \"file:keys/smarthost.password\" or \"command:…\"; never the password itself.",
    ),
    key("ca", Form::Text, "A PEM file of certificate authorities beside the system's."),
    key("path", Form::Text, "With mode = \"folder\": the folder."),
    with_default(
        "give_up_after",
        Form::Length { least: "1h", most: "30d" },
        "\"5d\"",
        "How long delivery is tried before the sender is told that it failed.",
    ),
];

const KEYS_TABLE: &[Key] = &[with_default(
    "master",
    Form::Text,
    "\"file:keys/master.key\"",
    "Where the master key comes from: \"file:…\" (made at first start), \"command:…\", \"passphrase\", \"env:NAME\" (discouraged).",
)];

/// The keys of config.toml.
pub const KEYS: &[Key] = &[
    required("gateway", Form::Table(GATEWAY), "Names and folders."),
    key("smtp", Form::Table(SMTP), "Where mail comes in."),
    key("imap", Form::Table(IMAP), "Staff's mailboxes."),
    key("portal", Form::Table(PORTAL), "Where recipients read."),
    key("limits", Form::Table(LIMITS), "Bounds that keep one sender from using up the machine."),
    key("metrics", Form::Table(METRICS), "Numbers for monitoring."),
    required("relay", Form::Table(RELAY), "Where mail goes out."),
    key("keys", Form::Table(KEYS_TABLE), "The master key."),
];
