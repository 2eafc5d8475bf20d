//! Tags in the subject: what they ask for together, and the subject without them.

use std::ops::Range;
use std::time::Duration;

use crate::mime::assess::{Assessment, PatientRef, TagMeaning};

/// What the tags of one message ask for.
#[derive(Debug, Default)]
pub(super) struct Tags<'a> {
    pub(super) secure: bool,
    pub(super) plain: bool,
    pub(super) patient: Option<&'a PatientRef>,
    pub(super) clock: Option<Duration>,
}

impl<'a> Tags<'a> {
    /// What they ask for, or why they cannot be followed: words for the sender.
    pub(super) fn of(message: &'a Assessment) -> Result<Self, String> {
        let mut tags = Self::default();
        for tag in &message.tags {
            match &tag.meaning {
                TagMeaning::Secure => tags.secure = true,
                TagMeaning::Plain => tags.plain = true,
                TagMeaning::Patient(patient) => {
                    if tags.patient.replace(patient).is_some_and(|earlier| earlier != patient) {
                        return Err("The subject names two patients. Send one message for each patient.".into());
                    }
                }
                TagMeaning::Clock(clock) => {
                    if tags.clock.replace(*clock).is_some_and(|earlier| earlier != *clock) {
                        return Err("The subject has two different times in brackets. Leave one of them.".into());
                    }
                }
            }
        }
        if tags.secure && tags.plain {
            return Err("The subject says both [secure] and [plain]. Leave one of them.".into());
        }
        Ok(tags)
    }
}

/// The subject without the tags, and without the spaces they leave behind.
pub(super) fn stripped_subject(message: &Assessment) -> String {
    let mut spans: Vec<Range<usize>> = message.tags.iter().map(|tag| tag.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    let mut subject = String::new();
    let mut at = 0;
    for span in spans {
        // A span that is none of this subject is left alone: nothing is cut blindly.
        let Some(before) = message.subject.get(at..span.start).filter(|_| message.subject.get(span.clone()).is_some())
        else {
            continue;
        };
        join(&mut subject, before);
        at = span.end;
    }
    join(&mut subject, message.subject.get(at..).unwrap_or_default());
    if message.tags.is_empty() { message.subject.clone() } else { subject.trim().to_owned() }
}

/// Puts two pieces together where a tag stood, with one space at most between them.
fn join(subject: &mut String, piece: &str) {
    let open = subject.is_empty() || subject.ends_with(' ');
    subject.push_str(if open { piece.trim_start_matches(' ') } else { piece });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::assess::Tag;

    fn message(subject: &str, tags: &[&str]) -> Assessment {
        let tags = tags.iter().map(|text| {
            let start = subject.find(text).unwrap();
            Tag { meaning: TagMeaning::Secure, span: start..start + text.len() }
        });
        Assessment {
            subject: subject.into(),
            tags: tags.collect(),
            from: Vec::new(),
            from_name: None,
            sender: None,
            text: None,
            html: None,
            attachments: Vec::new(),
            received: 0,
            auto_submitted: false,
        }
    }

    #[test]
    fn the_subject_loses_tags_and_their_spaces() {
        for (subject, tags, expected) in [
            ("[secure] Results", &["[secure]"][..], "Results"),
            ("Results [secure]", &["[secure]"], "Results"),
            ("Re: [secure] Results", &["[secure]"], "Re: Results"),
            ("[secure][plain] Results", &["[secure]", "[plain]"], "Results"),
            ("a [secure] [plain] b", &["[secure]", "[plain]"], "a b"),
            ("a[secure]b", &["[secure]"], "ab"),
            ("[secure]", &["[secure]"], ""),
            ("two  spaces [draft] stay", &[], "two  spaces [draft] stay"),
            (" as it was ", &[], " as it was "),
            ("[draft] [secure] x", &["[secure]"], "[draft] x"),
            ("ä[secure] ö", &["[secure]"], "ä ö"),
        ] {
            assert_eq!(stripped_subject(&message(subject, tags)), expected, "{subject:?}");
        }
    }
}
