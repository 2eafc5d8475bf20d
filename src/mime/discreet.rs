//! `Debug` for what a message holds: shape and sizes, no name, address, subject, file name or content, so that none can
//! reach a log by way of `{:?}`.

use std::fmt::{Debug, Formatter, Result};

use crate::mime::assess::{Assessment, Attachment, PatientRef, Reading, Signals, TagMeaning};
use crate::mime::header::Mailbox;
use crate::mime::{Entity, HeaderField, HeaderSection, MediaType};

impl Debug for MediaType {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "MediaType({} parameters)", self.parameters.len())
    }
}

impl Debug for HeaderField {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "HeaderField({} octets)", self.value.len())
    }
}

impl Debug for HeaderSection {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "HeaderSection({} fields)", self.fields.len())
    }
}

impl Debug for Entity {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Entity")
            .field("header", &self.header)
            .field("encoding", &self.encoding)
            .field("names", &self.names.len())
            .field("body", &self.body)
            .field("lines", &self.lines)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Debug for Reading {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Reading({} octets, whole: {})", self.octets.len(), self.whole)
    }
}

impl Debug for TagMeaning {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Secure => f.write_str("Secure"),
            Self::Plain => f.write_str("Plain"),
            Self::Body => f.write_str("Body"),
            Self::Clock(clock) => write!(f, "Clock({clock:?})"),
            Self::Patient(patient) => patient.fmt(f),
            Self::Role(role) => write!(f, "Role({role})"),
            Self::NoPin => f.write_str("NoPin"),
            Self::Unread(after) => write!(f, "Unread({after:?})"),
            Self::Type(_) => f.write_str("Type(…)"),
            Self::AsAlways(word) => write!(f, "AsAlways({word})"),
            Self::NotYet(word) => write!(f, "NotYet({word})"),
        }
    }
}

impl Debug for PatientRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("PatientRef(…)")
    }
}

impl Debug for Mailbox {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Mailbox(…)")
    }
}

impl Debug for Attachment {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Attachment")
            .field("body", &self.body)
            .field("encoding", &self.encoding)
            .field("names", &self.names.len())
            .field("octets", &self.octets)
            .field("inline", &self.inline)
            .finish_non_exhaustive()
    }
}

impl Debug for Signals {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Signals")
            .field("sensitivity", &self.sensitivity)
            .field("importance", &self.importance)
            .field("read_receipt", &self.read_receipt)
            .field("recall", &self.recall.is_some())
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

impl Debug for Assessment {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Assessment")
            .field("tags", &self.tags)
            .field("from", &self.from.len())
            .field("text", &self.text.as_ref().map(String::len))
            .field("html", &self.html.as_ref().map(String::len))
            .field("attachments", &self.attachments)
            .field("received", &self.received)
            .field("auto_submitted", &self.auto_submitted)
            .field("signals", &self.signals)
            .finish_non_exhaustive()
    }
}
