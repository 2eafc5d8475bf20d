//! What mail programs say of a message in fields of their own, beside its text: how confidential and important it is, what its
//! sender wants to hear of, until when it counts, and whether it calls an earlier one back. Facts only; of a message that is
//! built anew no such field leaves but importance.

use std::time::Duration;

use mail_parser::parsers::MessageStream;

use crate::mime::{HeaderSection, header};
use crate::time::Timestamp;

/// The class of Outlook's *Recall This Message*.
const RECALL_CLASS: &str = "IPM.Outlook.Recall";
/// What stands before the name of a message in the subject of its recall.
const RECALL: &str = "Recall:";
/// Our own fields begin so.
const OWN: &str = "x-postern-";
/// The shortest time that a clock can be set to.
const HOUR: u64 = 3600;

/// How confidential its sender calls a message (RFC 2156; Outlook's *Sensitivity*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensitivity {
    /// `Personal`
    Personal,
    /// `Private`
    Private,
    /// `Company-Confidential`, and any word that is not known.
    Confidential,
}

impl Sensitivity {
    /// Its name in policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Private => "private",
            Self::Confidential => "confidential",
        }
    }
}

/// How important its sender calls a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// Less than others.
    Low,
    /// As others; said so.
    Normal,
    /// More than others.
    High,
}

impl Importance {
    /// Its name in policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// What the fields say.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Signals {
    /// `Sensitivity`, if it says more than normal; of several the strictest.
    pub sensitivity: Option<Sensitivity>,
    /// `Importance`, else `X-Priority`, `Priority` or `X-MSMail-Priority`.
    pub importance: Option<Importance>,
    /// Whether the sender wants to hear when it is read: `Disposition-Notification-To`, `Return-Receipt-To`,
    /// `X-Confirm-Reading-To`.
    pub read_receipt: bool,
    /// `Reply-By`: until when an answer is wanted.
    pub reply_by: Option<Timestamp>,
    /// `X-Message-Flag`: whether it is flagged for the recipients.
    pub flagged: bool,
    /// `Expires` or `Expiry-Date`: how long after its `Date` it counts, in whole hours, at least one. Nothing where no
    /// `Date` stands beside it, or a later one.
    pub expires_after: Option<Duration>,
    /// Outlook's *Recall This Message*: the subject of the message that is called back.
    pub recall: Option<String>,
    /// Fields `X-Postern-…`: what stands behind that in small letters, and the value. They are not heard before
    /// [`crate::mime::assess::Assessment::hear_fields`].
    pub fields: Vec<(String, String)>,
}

impl Signals {
    /// What a header section says.
    pub(in crate::mime) fn of(section: &HeaderSection) -> Self {
        let there = |name| section.all(name).any(|field| !field.value.trim_ascii().is_empty());
        let receipts = ["Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To"];
        Self {
            sensitivity: section.all("Sensitivity").filter_map(|field| sensitivity(&field.value)).max(),
            importance: importance(section),
            read_receipt: receipts.into_iter().any(there),
            reply_by: date(section, "Reply-By"),
            flagged: there("X-Message-Flag"),
            expires_after: expires_after(section),
            recall: None,
            fields: own_fields(section),
        }
    }
}

/// The first word of a value, in small letters.
fn word(value: &[u8]) -> String {
    let text = header::unstructured(value).to_ascii_lowercase();
    text.split([' ', ';', '(', ',']).find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}

fn sensitivity(value: &[u8]) -> Option<Sensitivity> {
    match word(value).as_str() {
        "" | "normal" | "none" => None,
        "personal" => Some(Sensitivity::Personal),
        "private" => Some(Sensitivity::Private),
        _ => Some(Sensitivity::Confidential),
    }
}

fn importance(section: &HeaderSection) -> Option<Importance> {
    let said = |name: &str| section.first(name).map(|field| word(&field.value));
    let of_word = |word: String| match word.as_str() {
        "high" | "urgent" | "1" | "2" => Some(Importance::High),
        "normal" | "3" => Some(Importance::Normal),
        "low" | "non-urgent" | "4" | "5" => Some(Importance::Low),
        _ => None,
    };
    ["Importance", "X-Priority", "Priority", "X-MSMail-Priority"].into_iter().filter_map(said).find_map(of_word)
}

/// A field's date, if it can be read.
fn date(section: &HeaderSection, name: &str) -> Option<Timestamp> {
    let line = [&section.first(name)?.value, b"\r\n".as_slice()].concat();
    let read = MessageStream::new(&line).parse_date().into_datetime().filter(mail_parser::DateTime::is_valid)?;
    Some(Timestamp::from_secs(read.to_timestamp()))
}

fn expires_after(section: &HeaderSection) -> Option<Duration> {
    let written = date(section, "Date")?;
    let ends = ["Expires", "Expiry-Date"].into_iter().filter_map(|name| date(section, name)).min()?;
    let hours = ends.since(written).as_secs() / HOUR;
    (ends > written).then(|| Duration::from_secs(hours.max(1) * HOUR))
}

fn own_fields(section: &HeaderSection) -> Vec<(String, String)> {
    let own = section.fields.iter().filter_map(|field| {
        let name = field.name.to_ascii_lowercase();
        Some((name.strip_prefix(OWN)?.to_owned(), header::unstructured(&field.value)))
    });
    own.collect()
}

/// The subject of the message that is called back, by the words in which Outlook writes it where it sends no class: a subject
/// alone is not enough, since a practice recalls its patients, and its devices.
pub(super) fn recalled_by_words(subject: &str, text: Option<&str>) -> Option<String> {
    const LONGEST_NAME: usize = 200;
    let called_back = behind_recall(subject)?;
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (said, words) = (squeezed(text?), format!(" would like to recall the message, \"{}\".", squeezed(called_back)));
    let name = said.strip_suffix(words.as_str())?;
    (!name.is_empty() && name.len() <= LONGEST_NAME).then(|| called_back.to_owned())
}

/// The same by the class that is packed with it: then the words before the subject may be of any language.
pub(super) fn recalled_by_class(subject: &str, class: &str) -> Option<String> {
    if !class.eq_ignore_ascii_case(RECALL_CLASS) {
        return None;
    }
    let rest = behind_recall(subject).or_else(|| subject.split_once(": ").map(|(_, rest)| rest.trim()));
    Some(rest.unwrap_or(subject).to_owned())
}

fn behind_recall(subject: &str) -> Option<&str> {
    let (beginning, rest) = subject.split_at_checked(RECALL.len())?;
    beginning.eq_ignore_ascii_case(RECALL).then_some(rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::{HeaderField, Limits, assess_octets};

    fn of(fields: &[(&str, &str)]) -> Signals {
        let fields = fields
            .iter()
            .map(|(name, value)| HeaderField { name: (*name).to_owned(), value: format!(" {value}").into_bytes() });
        Signals::of(&HeaderSection { fields: fields.collect() })
    }

    #[test]
    fn sensitivity_is_at_least_what_any_field_says() {
        for (values, expected) in [
            (&["Personal"][..], Some(Sensitivity::Personal)),
            (&["PRIVATE"], Some(Sensitivity::Private)),
            (&["Company-Confidential"], Some(Sensitivity::Confidential)),
            (&["Normal", " private (x)"], Some(Sensitivity::Private)),
            (&["Streng vertraulich"], Some(Sensitivity::Confidential)),
            (&["Normal"], None),
            (&[""], None),
            (&[], None),
        ] {
            let fields: Vec<_> = values.iter().map(|value| ("Sensitivity", *value)).collect();
            assert_eq!(of(&fields).sensitivity, expected, "{values:?}");
        }
    }

    #[test]
    fn importance_is_the_first_that_says_something() {
        for (fields, expected) in [
            (&[("Importance", "High")][..], Some(Importance::High)),
            (&[("X-Priority", "1 (Highest)")], Some(Importance::High)),
            (&[("X-Priority", "4"), ("Importance", "what")], Some(Importance::Low)),
            (&[("Priority", "non-urgent")], Some(Importance::Low)),
            (&[("X-MSMail-Priority", "Normal")], Some(Importance::Normal)),
            (&[("X-Priority", "9")], None),
        ] {
            assert_eq!(of(fields).importance, expected, "{fields:?}");
        }
    }

    #[test]
    fn receipts_flags_and_dates_are_read() {
        let asked = of(&[("Return-receipt-to", "<a@b.example>"), ("X-MESSAGE-FLAG", "Follow up")]);
        assert!(asked.read_receipt && asked.flagged);
        assert!(!of(&[("Disposition-Notification-To", " \r\n ")]).read_receipt);
        let by = of(&[("Reply-By", "Fri, 6 Nov 2026 17:00:00 +1000")]).reply_by;
        assert_eq!(by.map(|by| by.to_string()).as_deref(), Some("2026-11-06T07:00:00Z"));
        let hours = |date: &str, expires: &str| {
            let after = of(&[("Date", date), ("Expires", expires)]).expires_after;
            after.map(|after| after.as_secs() / HOUR)
        };
        const WRITTEN: &str = "Mon, 2 Nov 2026 09:00:00 +0000";
        assert_eq!(hours(WRITTEN, "Tue, 3 Nov 2026 09:59:00 +0000"), Some(24));
        assert_eq!(hours(WRITTEN, "Mon, 2 Nov 2026 09:10:00 +0000"), Some(1));
        assert_eq!(hours(WRITTEN, WRITTEN), None, "over before it began");
        assert_eq!(hours("whenever", "Tue, 3 Nov 2026 09:59:00 +0000"), None);
        assert_eq!(hours(WRITTEN, "tomorrow"), None);
    }

    #[test]
    fn own_fields_are_kept_until_somebody_may_be_heard() {
        let fields = of(&[("X-POSTERN-Patient", "10423"), ("X-Posterns", "x"), ("X-Postern-Tag", "=?utf-8?q?14d?=")]);
        let expected = [("patient".to_owned(), "10423".to_owned()), ("tag".to_owned(), "14d".to_owned())];
        assert_eq!(fields.fields, expected);
    }

    /// "Recall: your check-up is due" is what practices write to patients every day.
    #[test]
    fn a_recall_is_one_by_its_words_or_its_class_only() {
        let of = |subject: &str, text: &str| {
            let message = format!("From: a@b.example\r\nSubject: {subject}\r\n\r\n{text}\r\n");
            assess_octets(message.as_bytes(), &Limits::default()).unwrap().1.signals.recall
        };
        let words = "Lee, Ann would like to recall the message, \"Letter\".";
        assert_eq!(of("Recall: Letter", words).as_deref(), Some("Letter"));
        assert_eq!(of("RECALL:  Letter", &words.replace("the message", "the\r\nmessage")).as_deref(), Some("Letter"));
        for (subject, text) in [
            ("Recall: your check-up is due", "Dear Jane, please call us."),
            ("Recall: Results", words),
            ("Letter", words),
            ("Re: Recall: Letter", words),
            ("Recall: Letter", "would like to recall the message, \"Letter\"."),
            ("Recall: Letter", "Ann would like to recall the message, \"Letter\". Please ring."),
        ] {
            assert_eq!(of(subject, text), None, "{subject}");
        }
        assert_eq!(recalled_by_class("Zurückrufen: Befund", "ipm.outlook.recall").as_deref(), Some("Befund"));
        assert_eq!(recalled_by_class("Recall: Letter: two", "IPM.Outlook.Recall").as_deref(), Some("Letter: two"));
        assert_eq!(recalled_by_class("Recall: Letter", "IPM.Note"), None);
    }
}
