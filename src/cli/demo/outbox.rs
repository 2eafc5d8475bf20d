//! What the gateway delivered: the files of the folder relay, read as mail.

use std::path::PathBuf;
use std::time::Duration;

use mail_parser::{Message, MessageParser, MimeHeaders};

/// Between two looks into the folder.
const LOOK: Duration = Duration::from_millis(50);
/// How long a mail is waited for that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
    links: String,
}

/// A mail that would have left.
#[derive(Clone)]
pub struct Mail {
    /// The file's name without its ending; rises with the time of delivery.
    pub id: String,
    /// The reverse path; empty for reports.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// When it was delivered, in milliseconds after 1970.
    pub delivered: i64,
    octets: Vec<u8>,
    /// What stands before the message: the envelope.
    envelope: usize,
}

impl Outbox {
    /// The outbox in this folder, of a gateway whose links begin with `public_url`.
    pub fn new(folder: PathBuf, public_url: String) -> Self {
        Self { folder, links: format!("{public_url}/") }
    }

    /// What begins a link that leads to the portal.
    pub fn links(&self) -> &str {
        &self.links
    }

    /// All mails, newest first.
    pub fn mails(&self) -> Vec<Mail> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut mails: Vec<Mail> = files.filter_map(|file| Mail::read(&file.path())).collect();
        mails.sort_by(|a, b| (b.delivered, &b.id).cmp(&(a.delivered, &a.id)));
        mails
    }

    /// One mail.
    pub fn mail(&self, id: &str) -> Option<Mail> {
        let sound = id.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        if sound { Mail::read(&self.folder.join(format!("{id}.eml"))) } else { None }
    }

    /// Waits for a mail like this one; the oldest there is. None, when none has come in half a minute.
    pub async fn wait_for(&self, like: impl Fn(&Mail) -> bool) -> Option<Mail> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.mails().into_iter().rev().find(&like);
            if found.is_some() || tokio::time::Instant::now() > deadline {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Mail {
    fn read(path: &std::path::Path) -> Option<Self> {
        let id = path.file_name()?.to_str()?.strip_suffix(".eml")?.to_owned();
        let delivered = path.metadata().ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let octets = std::fs::read(path).ok()?;
        let mut lines = octets.split_inclusive(|octet| *octet == b'\n');
        let (from, to) = (lines.next()?, lines.next()?);
        let envelope = from.len() + to.len();
        let address = |line: &[u8], field: &str| {
            let line = std::str::from_utf8(line).ok()?.strip_prefix(field)?.trim();
            Some(line.trim_start_matches('<').trim_end_matches('>').to_owned())
        };
        let (from, to) = (address(from, "X-Envelope-From:")?, address(to, "X-Envelope-To:")?);
        let delivered = i64::try_from(delivered.as_millis()).ok()?;
        Some(Self { id, from, to, delivered, octets, envelope })
    }

    /// The message as it would have left, without the envelope.
    pub fn octets(&self) -> &[u8] {
        &self.octets[self.envelope..]
    }

    /// The message, read.
    pub fn message(&self) -> Option<Message<'_>> {
        MessageParser::default().parse(self.octets())
    }

    /// The link to the portal that it carries.
    pub fn link(&self, links: &str) -> Option<String> {
        let message = self.message()?;
        let text = message.body_text(0)?;
        let link = text.split_whitespace().find_map(|word| Some(&word[word.find(links)?..]))?;
        Some(link.trim_end_matches(['.', ',', ')', '>']).to_owned())
    }

    /// The subject, or nothing.
    pub fn subject(&self) -> String {
        self.message().and_then(|message| message.subject().map(str::to_owned)).unwrap_or_default()
    }

    /// The Message-ID, without its brackets.
    pub fn message_id(&self) -> String {
        self.message().and_then(|message| message.message_id().map(str::to_owned)).unwrap_or_default()
    }

    /// The address in Reply-To.
    pub fn reply_to(&self) -> Option<String> {
        Some(self.message()?.reply_to()?.first()?.address()?.to_owned())
    }

    /// Names and sizes of what is attached; pictures that stand in the text are not.
    pub fn attachments(&self) -> Vec<(String, usize)> {
        let Some(message) = self.message() else { return Vec::new() };
        let attached = message.attachments().filter(|part| part.content_id().is_none());
        attached.map(|part| (part.attachment_name().unwrap_or("a file").to_owned(), part.len())).collect()
    }
}
