//! Practices: who speaks to recipients. One file each, `policies/practices/NAME.toml`.

use jiff::tz::TimeZoneDatabase;

use super::SourceFile;
use super::workgroup::{self, Workgroup};
use crate::document::{Faults, Form, Key, Need, Place, Table, Word, read};
use crate::fault::Fault;
use crate::mail::Domain;

/// One practice, from `policies/practices/NAME.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// The file's stem.
    pub id: String,
    /// Its name as recipients read it.
    pub name: String,
    /// Mail domains of its own; staff there get their mail untouched.
    pub domains: Vec<Domain>,
    /// Phone as recipients read it.
    pub phone: String,
    /// Postal address, lines.
    pub address: Vec<String>,
    /// The file name of its logo in `policies/practices/`, PNG or SVG; see `Snapshot::logo`.
    pub logo: Option<String>,
    /// `#rrggbb`, for buttons and the bar at the top.
    pub colour: String,
    /// Address of a web site, if any.
    pub website: Option<String>,
    /// IANA time zone, for dates in mails.
    pub time_zone: String,
    /// BCP 47 language of its mails (`en`).
    pub language: String,
    /// Pictures of signatures that leave in mails: file names in small letters, or digests (`sha256:` and 64 small hexadecimal
    /// digits).
    pub signature: Vec<String>,
    /// Whether a small picture leaves, too, that stood in three earlier messages of the same sender.
    pub learn_signatures: bool,
    /// Where guests' replies, questions and status mails go.
    pub staff_mail: StaffMailPlace,
    /// Addresses whose mail several people read.
    pub workgroups: Vec<Workgroup>,
}

/// Where what is for a member of staff goes. By mail, too, as long as somebody has not signed in to their mailbox here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StaffMailPlace {
    /// To their Inbox here.
    Inbox,
    /// To their own mailbox elsewhere.
    Mail,
    /// To both.
    #[default]
    Both,
}

impl StaffMailPlace {
    /// The words for it in a file.
    pub const NAMES: &'static [&'static str] = &["inbox", "mail", "both"];

    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "inbox" => Self::Inbox,
            "mail" => Self::Mail,
            _ => Self::Both,
        }
    }
}

impl Practice {
    /// Whether a picture is listed, by its digest (SHA-256), or by its name where it has no other.
    pub fn lists_picture(&self, names: &[String], digest: &[u8]) -> bool {
        let digest = format!("{DIGEST}{}", data_encoding::HEXLOWER.encode(digest));
        let named = |name: &String| self.signature.contains(&name.to_lowercase());
        self.signature.contains(&digest) || !names.is_empty() && names.iter().all(named)
    }
}

/// How a digest begins.
const DIGEST: &str = "sha256:";

/// The keys of a practice's file.
pub const KEYS: &[Key] = &[
    Key {
        name: "name",
        form: Form::Text,
        need: Need::Required,
        about: "The practice's name, as recipients read it in mails and on the portal.",
    },
    Key {
        name: "domains",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Required,
        about: "The mail domains of the practice's own staff. No two practices share one.",
    },
    Key {
        name: "phone",
        form: Form::Text,
        need: Need::Required,
        about: "The phone number that recipients call when they are not sure that a mail is real.",
    },
    Key {
        name: "address",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Required,
        about: "The postal address, one text for each line.",
    },
    Key {
        name: "colour",
        form: Form::Text,
        need: Need::Default("\"#1f5c7a\""),
        about: "The colour of buttons and of the bar at the top of mails: # and six hexadecimal digits.",
    },
    Key {
        name: "logo",
        form: Form::Text,
        need: Need::Optional,
        about: "The practice's logo on the portal: the name of a PNG or SVG file beside this one, at most 24 KiB.",
    },
    Key { name: "website", form: Form::Text, need: Need::Optional, about: "The practice's web site, with https://." },
    Key {
        name: "time_zone",
        form: Form::Text,
        need: Need::Required,
        about: "The time zone of dates in mails, as the IANA database names it: \"Australia/Sydney\".",
    },
    Key {
        name: "language",
        form: Form::Text,
        need: Need::Default("\"en\""),
        about: "The language of the practice's mails, as BCP 47 writes it: \"en\", \"de-CH\".",
    },
    Key {
        name: "signature",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Optional,
        about: "Pictures of signatures that leave in mails: \"sha256:\" and the digest of the file, or a file name; PNG, JPEG or GIF, at most 64 KiB.",
    },
    Key {
        name: "learn_signatures",
        form: Form::Flag,
        need: Need::Default("true"),
        about: "Whether a picture in the text of at most 64 KiB leaves in the mail, too, once it stood in three earlier messages of the same sender.",
    },
    Key {
        name: "staff_mail",
        form: Form::Choice(StaffMailPlace::NAMES),
        need: Need::Default("\"both\""),
        about: "Where replies of guests, questions and status mails for staff go. inbox: to the Inbox that they read here by IMAP; mail: to their own mailbox elsewhere; both: to both. Who has never signed in by IMAP gets mail, whatever stands here.",
    },
    Key {
        name: "workgroup",
        form: Form::Tables(workgroup::WORKGROUP),
        need: Need::Optional,
        about: "Addresses of the practice whose mail several people read.",
    },
];

/// A practice, where its file has no fault that forbids one.
pub(super) fn read_practice(file: &SourceFile, id: &str, faults: &mut Faults) -> Option<Practice> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let domains = table.each("domains", faults, domain);
    let colour = checked(&table, "colour", faults, colour).unwrap_or_else(|| "#1f5c7a".into());
    let language = checked(&table, "language", faults, language).unwrap_or_else(|| "en".into());
    let phone = checked(&table, "phone", faults, phone);
    let logo = checked(&table, "logo", faults, logo);
    let website = checked(&table, "website", faults, website);
    let staff_mail = table.text("staff_mail").map(|word| StaffMailPlace::from_name(&word.text)).unwrap_or_default();
    let time_zone = checked(&table, "time_zone", faults, time_zone);
    let workgroups = workgroup::workgroups(&table, &domains, faults);
    Some(Practice {
        id: id.to_owned(),
        name: table.text("name")?.text.clone(),
        domains,
        phone: phone?,
        address: table.texts("address").iter().map(|line| line.text.clone()).collect(),
        logo,
        colour,
        website,
        time_zone: time_zone?,
        language,
        signature: table.each("signature", faults, picture),
        learn_signatures: table.flag("learn_signatures").unwrap_or(true),
        staff_mail,
        workgroups,
    })
}

/// A listed picture. Mail programs call every pasted picture `image001.png`: such a name says nothing of what it shows.
fn picture(word: &Word) -> Result<String, Fault> {
    let text = word.text.to_lowercase();
    if let Some(digits) = text.strip_prefix(DIGEST) {
        let sound = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let fault = || word.place.fault(format!("\"{}\" is no SHA-256 digest", word.text));
        return if sound {
            Ok(text)
        } else {
            Err(fault().hint("write sha256: and the 64 digits that sha256sum shows"))
        };
    }
    let stem = [".png", ".jpg", ".jpeg", ".gif"].iter().find_map(|ending| text.strip_suffix(ending));
    let Some(stem) = stem.filter(|stem| !stem.is_empty()) else {
        let fault = word.place.fault(format!("\"{}\" is no picture", word.text));
        return Err(fault.hint("write the name of a PNG, JPEG or GIF file, or sha256: and its digest"));
    };
    if stem.trim_end_matches(|c: char| c.is_ascii_digit()) == "image" {
        let fault = word.place.fault(format!("\"{}\" is what mail programs call every pasted picture", word.text));
        return Err(fault.hint("write sha256: and the digest of the file, which sha256sum shows"));
    }
    Ok(text)
}

/// Where a practice's file names its logo, for a fault that is found later.
pub(super) fn logo_place(file: &SourceFile) -> Place {
    read(&file.path, &file.text, KEYS, &mut Faults::default()).place_of("logo").clone()
}

/// Where a practice's file names this domain, for a fault that is found later.
pub(super) fn domain_words(file: &SourceFile) -> Vec<Word> {
    read(&file.path, &file.text, KEYS, &mut Faults::default()).texts("domains").to_vec()
}

fn checked(
    table: &Table,
    key: &str,
    faults: &mut Faults,
    check: fn(&str) -> Result<(), (&'static str, &'static str)>,
) -> Option<String> {
    table.parsed(key, faults, |word| match check(&word.text) {
        Ok(()) => Ok(word.text.clone()),
        Err((what, hint)) => Err(word.place.fault(format!("\"{}\" {what}", word.text)).hint(hint)),
    })
}

fn domain(word: &Word) -> Result<Domain, Fault> {
    Domain::parse(&word.text).map_err(|_| {
        let fault = word.place.fault(format!("\"{}\" is no domain name", word.text));
        fault.hint("write what stands behind the @ of the practice's addresses, such as \"clinic.example\"")
    })
}

fn colour(text: &str) -> Result<(), (&'static str, &'static str)> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    let sound = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then_some(()).ok_or(("is no colour", "write # and six hexadecimal digits, such as \"#1f5c7a\""))
}

fn phone(text: &str) -> Result<(), (&'static str, &'static str)> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let sound = text.bytes().all(|b| b.is_ascii_digit() || b" +-()./".contains(&b));
    (sound && (3..=20).contains(&digits))
        .then_some(())
        .ok_or(("is no phone number", "write digits and spaces, such as \"+61 2 5550 1234\""))
}

fn logo(text: &str) -> Result<(), (&'static str, &'static str)> {
    let picture = [".png", ".svg"].iter().any(|ending| text.len() > 4 && text.ends_with(ending));
    (picture && !text.contains(['/', '\\']) && !text.starts_with('.')).then_some(()).ok_or((
        "is no picture beside this file",
        "write the name of a PNG or SVG file in practices/, such as \"clinic.svg\"",
    ))
}

fn website(text: &str) -> Result<(), (&'static str, &'static str)> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let sound = !host.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\".contains(&b));
    sound.then_some(()).ok_or(("is no web address", "write it with https://, such as \"https://www.clinic.example\""))
}

/// Looked up in the database that is part of the program, so that the answer is the same on every machine.
fn time_zone(text: &str) -> Result<(), (&'static str, &'static str)> {
    match TimeZoneDatabase::bundled().get(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(("is no time zone", "write a name of the IANA database, such as \"Australia/Sydney\"")),
    }
}

fn language(text: &str) -> Result<(), (&'static str, &'static str)> {
    let mut subtags = text.split('-');
    let first = subtags.next().unwrap_or_default();
    let sound = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_lowercase())
        && subtags.all(|tag| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    sound.then_some(()).ok_or(("is no language", "write it as \"en\" or \"de-CH\""))
}
