//! What the folder relay delivered: one file a delivery, the envelope in its first fields.

use std::fs;

use mail_parser::{Message, MessageParser};

use super::clinic::Clinic;

/// One delivered mail.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The file's name.
    pub name: String,
    /// The reverse path.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The whole file.
    pub octets: Vec<u8>,
}

impl Delivered {
    /// The file as text, for looking in.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    /// As a reader of mail sees it.
    pub fn parsed(&self) -> Message<'_> {
        MessageParser::default().parse(&self.octets).expect("what leaves is a message")
    }

    /// All text bodies, decoded, plain and HTML.
    pub fn bodies(&self) -> String {
        let message = self.parsed();
        let plain = (0..message.text_body_count()).filter_map(|at| message.body_text(at));
        let html = (0..message.html_body_count()).filter_map(|at| message.body_html(at));
        plain.chain(html).collect::<Vec<_>>().join("\n")
    }

    /// Its subject, decoded.
    pub fn subject(&self) -> String {
        self.parsed().subject().unwrap_or_default().to_owned()
    }
}

impl Clinic {
    /// What lies in the outbox now, in the order of the files' names.
    pub fn outbox(&self) -> Vec<Delivered> {
        let Ok(folder) = fs::read_dir(self.path("outbox")) else { return Vec::new() };
        let mut names: Vec<_> = folder
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "eml"))
            .collect();
        names.sort();
        names
            .iter()
            .map(|path| delivered(path.file_name().unwrap().to_string_lossy().into(), fs::read(path).unwrap()))
            .collect()
    }

    /// Waits until this many deliveries lie in the outbox, and gives them.
    pub fn wait_for_outbox(&mut self, count: usize) -> Vec<Delivered> {
        let arrived = self.wait_while_running(|clinic| clinic.outbox().len() >= count);
        let outbox = self.outbox();
        assert!(arrived, "{} of {count} deliveries arrived:\n{}", outbox.len(), self.last_words());
        outbox
    }

    /// Waits for the one delivery to this recipient.
    pub fn wait_for_delivery_to(&mut self, recipient: &str) -> Delivered {
        let find = |clinic: &Self| clinic.outbox().into_iter().find(|mail| mail.to == recipient);
        self.wait_while_running(|clinic| find(clinic).is_some());
        find(self).unwrap_or_else(|| panic!("nothing was delivered to {recipient}:\n{}", self.last_words()))
    }
}

fn delivered(name: String, octets: Vec<u8>) -> Delivered {
    let text = String::from_utf8_lossy(&octets).into_owned();
    let field = |wanted: &str| {
        text.lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix(wanted))
            .map(|value| value.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
            .unwrap_or_else(|| panic!("{name} has no field {wanted}"))
    };
    Delivered { from: field("X-Envelope-From:"), to: field("X-Envelope-To:"), name, octets }
}
