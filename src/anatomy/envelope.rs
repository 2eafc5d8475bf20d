//! ENVELOPE (RFC 9051, section 7.5.2).

use serde::{Deserialize, Serialize};

use crate::anatomy::EnvelopeAddress;
use crate::anatomy::address::addresses;
use crate::anatomy::field::fields;

/// What a header section says of its message. Texts are unfolded, a tab is a space; encoded words are left as they are.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    /// Date
    pub date: Option<String>,
    /// Subject
    pub subject: Option<String>,
    /// From
    pub from: Vec<EnvelopeAddress>,
    /// Sender; as From where there is none.
    pub sender: Vec<EnvelopeAddress>,
    /// Reply-To; as From where there is none.
    pub reply_to: Vec<EnvelopeAddress>,
    /// To
    pub to: Vec<EnvelopeAddress>,
    /// Cc
    pub cc: Vec<EnvelopeAddress>,
    /// Bcc
    pub bcc: Vec<EnvelopeAddress>,
    /// In-Reply-To
    pub in_reply_to: Option<String>,
    /// Message-ID
    pub message_id: Option<String>,
}

crate::secret::silent_debug!(Envelope);

impl Envelope {
    /// The envelope of a header section. Of a field that stands twice the first counts; the lists of addresses are joined.
    pub fn of(header: &[u8]) -> Self {
        let mut envelope = Self::default();
        for field in fields(header) {
            envelope
                .take(&String::from_utf8_lossy(field.name).to_ascii_lowercase(), || field.text().replace('\t', " "));
        }
        for list in [&mut envelope.sender, &mut envelope.reply_to] {
            if list.is_empty() {
                list.clone_from(&envelope.from);
            }
        }
        envelope
    }

    /// Octets of its texts, and of what they are kept in.
    pub(super) fn weight(&self) -> usize {
        let lists = [&self.from, &self.sender, &self.reply_to, &self.to, &self.cc, &self.bcc];
        let entry = |entry: &EnvelopeAddress| {
            let EnvelopeAddress { name, route, mailbox, host } = entry;
            [name, route, mailbox, host].into_iter().flatten().map(String::len).sum::<usize>() + 16
        };
        let texts = [&self.date, &self.subject, &self.in_reply_to, &self.message_id];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        texts + lists.into_iter().flatten().map(entry).sum::<usize>()
    }

    fn take(&mut self, name: &str, value: impl Fn() -> String) {
        let text = match name {
            "date" => &mut self.date,
            "subject" => &mut self.subject,
            "in-reply-to" => &mut self.in_reply_to,
            "message-id" => &mut self.message_id,
            other => return self.take_list(other, value),
        };
        text.get_or_insert_with(value);
    }

    fn take_list(&mut self, name: &str, value: impl Fn() -> String) {
        let list = match name {
            "from" => &mut self.from,
            "sender" => &mut self.sender,
            "reply-to" => &mut self.reply_to,
            "to" => &mut self.to,
            "cc" => &mut self.cc,
            "bcc" => &mut self.bcc,
            _ => return,
        };
        list.extend(addresses(&value()));
    }
}
