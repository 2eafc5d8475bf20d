//! Tags in the subject: what they ask for together, and the subject without them.

use std::ops::Range;
use std::time::Duration;

use super::{RecipientFacts, Role};
use crate::mail::Address;
use crate::mime::assess::{Assessment, PatientRef, TagMeaning};

/// What the tags of one message ask for.
#[derive(Debug, Default)]
pub(super) struct Tags<'a> {
    pub(super) secure: bool,
    pub(super) plain: bool,
    pub(super) body: bool,
    /// Whose documents these are, and the one recipient who is that patient where the tag says it.
    pub(super) patient: Option<(&'a PatientRef, Option<&'a Address>)>,
    pub(super) clock: Option<Duration>,
    pub(super) nopin: bool,
    pub(super) unread: Option<Duration>,
    /// The type of its documents.
    pub(super) document_type: Option<&'a str>,
    /// What one recipient is, or whoever is unknown.
    roles: Vec<(Option<&'a Address>, Role)>,
}

impl<'a> Tags<'a> {
    /// What they ask for, or why they cannot be followed: words for the sender.
    pub(super) fn of(message: &'a Assessment, recipients: &[RecipientFacts]) -> Result<Self, String> {
        let mut tags = Self::default();
        for tag in &message.tags {
            let whom = tag.whom.as_ref();
            // A message that waited is for fewer than it was written for.
            let is_here = |whom: &Address| {
                recipients.iter().any(|recipient| recipient.answered || recipient.address.same_as(whom))
            };
            if whom.is_some_and(|whom| !is_here(whom)) {
                return Err("A tag in the subject begins with an address that the message is not for.".into());
            }
            match &tag.meaning {
                TagMeaning::Secure => tags.secure = true,
                TagMeaning::Plain => tags.plain = true,
                TagMeaning::Body => tags.body = true,
                TagMeaning::Patient(patient) => {
                    if tags.patient.is_some_and(|(earlier, _)| earlier != patient) {
                        return Err("The subject names two patients. Send one message for each patient.".into());
                    }
                    tags.patient = Some((patient, whom));
                }
                TagMeaning::Role(role) => tags.add_role(whom, *role)?,
                TagMeaning::Clock(clock) => {
                    if tags.clock.replace(*clock).is_some_and(|earlier| earlier != *clock) {
                        return Err("The subject has two different times in brackets. Leave one of them.".into());
                    }
                }
                other => tags.add_other(other)?,
            }
        }
        if tags.secure && tags.plain {
            return Err("The subject says both [secure] and [plain]. Leave one of them.".into());
        }
        if let (Some(unread), Some(clock)) = (tags.unread, tags.clock)
            && unread >= clock
        {
            return Err("The documents would end before the time of [unread]. Shorten it, or keep them longer.".into());
        }
        if message.marked && tags.plain {
            return Err("The text has parts marked [part], and the subject says [plain]. Leave one of them.".into());
        }
        if tags.body && tags.plain {
            return Err("The subject says both [body] and [plain]. Leave one of them.".into());
        }
        Ok(tags)
    }

    fn add_other(&mut self, meaning: &'a TagMeaning) -> Result<(), String> {
        let fault = match meaning {
            TagMeaning::NoPin => {
                self.nopin = true;
                None
            }
            TagMeaning::Unread(after) => {
                let twice = self.unread.replace(*after).is_some_and(|earlier| earlier != *after);
                twice.then(|| "The subject says [unread] with two different times. Leave one of them.".to_owned())
            }
            TagMeaning::Type(name) => {
                let twice = self.document_type.replace(name).is_some_and(|earlier| earlier != name);
                twice.then(|| "The subject names two document types. Leave one of them.".to_owned())
            }
            TagMeaning::NotYet(word) => Some(cannot_yet(word)),
            _ => None,
        };
        fault.map_or(Ok(()), Err)
    }

    fn add_role(&mut self, whom: Option<&'a Address>, role: Role) -> Result<(), String> {
        let same = |other: Option<&Address>| match (whom, other) {
            (Some(whom), Some(other)) => whom.same_as(other),
            (None, None) => true,
            _ => false,
        };
        if self.roles.iter().any(|(other, earlier)| same(*other) && *earlier != role) {
            return Err("The subject gives one recipient two roles. Begin each tag with the address it is for.".into());
        }
        self.roles.push((whom, role));
        Ok(())
    }

    /// The role they give a recipient that is otherwise unknown, and which tag it is: one for this address counts more
    /// than one for all, and any of these more than `[patient …]` for all.
    pub(super) fn role_of(&self, address: &Address) -> Option<(Role, String)> {
        let addressed = self.roles.iter().find(|(whom, _)| whom.is_some_and(|whom| whom.same_as(address)));
        if let Some((_, role)) = addressed {
            return Some((*role, format!("tag [ADDRESS {role}]")));
        }
        let patient = || (Role::Patient, String::from("tag [patient]"));
        match self.patient {
            Some((_, Some(whom))) if whom.same_as(address) => return Some(patient()),
            _ => {}
        }
        if let Some((_, role)) = self.roles.iter().find(|(whom, _)| whom.is_none()) {
            return Some((*role, format!("tag [{role}]")));
        }
        self.patient.filter(|(_, whom)| whom.is_none()).map(|_| patient())
    }
}

/// Why a tag is not followed whose feature is not there: said, because a sender who wrote it counts on it.
fn cannot_yet(word: &str) -> String {
    let why = match word {
        "sms" => "Text messages (SMS) cannot be sent yet.",
        "noreply" => "A conversation cannot be closed yet: recipients may reply.",
        "nofiles" => "Replies may carry files; that cannot be switched off yet.",
        "mask" => "Your name cannot be hidden yet.",
        "fee" => "Fees cannot be recorded yet.",
        "reply" => "Recipients cannot be reminded of a reply yet.",
        _ => "This version cannot do what the tag asks for.",
    };
    format!("{why} Remove the tag [{word}], and send the message again.")
}

/// The subject without the tags, and without the spaces they leave behind.
pub(super) fn stripped_subject(message: &Assessment) -> String {
    let in_subject = message.tags.iter().filter(|tag| !tag.span.is_empty());
    let mut spans: Vec<Range<usize>> = in_subject.map(|tag| tag.span.clone()).collect();
    let unchanged = spans.is_empty();
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
    if unchanged { message.subject.clone() } else { subject.trim().to_owned() }
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
            Tag { meaning: TagMeaning::Secure, whom: None, span: start..start + text.len() }
        });
        Assessment {
            subject: subject.into(),
            tags: tags.collect(),
            from: Vec::new(),
            from_name: None,
            sender: None,
            text: None,
            html: None,
            marked: false,
            as_written: false,
            attachments: Vec::new(),
            received: 0,
            auto_submitted: false,
            mended: None,
            protection: None,
            signals: Default::default(),
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
