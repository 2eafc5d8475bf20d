//! Tags in the subject: `[secure]`, `[plain]`, `[body]`, `[14d]`, `[patient …]`, `[doctor]` and the other roles, `[nopin]`,
//! `[unread 3d]`, `[type invoice]`, and those whose feature is not there yet. Other text in brackets is left alone. A field
//! `X-Postern-…` is a tag in other words.

use std::time::Duration;

use crate::mail::Address;
use crate::mime::Flaw;
use crate::mime::assess::{LONGEST_CLOCK, PatientRef, Tag, TagMeaning};
use crate::policy::Role;
use crate::time::parse_date;

/// Octets of a record number.
const RECORD: usize = 32;

/// The tags in a decoded subject, in order.
///
/// # Errors
/// A tag that is meant and not understood: a patient without number or birthdate, a clock of nothing or over
/// [`LONGEST_CLOCK`]. Whether tags contradict one another is policy's to say.
pub(super) fn tags(subject: &str) -> Result<Vec<Tag>, Flaw> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some(open) = subject[from..].find('[').map(|at| from + at) {
        let Some(close) = subject[open..].find(']').map(|at| open + at) else { break };
        // `[[secure]`: the innermost bracket counts.
        let open = subject[..close].rfind('[').unwrap_or(open);
        if let Some((meaning, whom)) = meaning(&subject[open + 1..close])? {
            tags.push(Tag { meaning, whom, span: open..close + 1 });
        }
        from = close + 1;
    }
    Ok(tags)
}

fn meaning(inner: &str) -> Result<Option<(TagMeaning, Option<Address>)>, Flaw> {
    let words: Vec<&str> = inner.split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else { return Ok(None) };
    if first.contains('@') {
        let Ok(whom) = Address::parse(first) else { return Ok(None) };
        return Ok(role(rest)?.map(|meaning| (meaning, Some(whom))));
    }
    let meaning = match (first.to_ascii_lowercase().as_str(), rest) {
        ("secure", []) => Some(TagMeaning::Secure),
        ("plain", []) => Some(TagMeaning::Plain),
        ("body", []) => Some(TagMeaning::Body),
        ("nopin", []) => Some(TagMeaning::NoPin),
        ("mail", []) => Some(TagMeaning::AsAlways("mail")),
        ("files", []) => Some(TagMeaning::AsAlways("files")),
        ("type", [name]) => Some(TagMeaning::Type(name.to_lowercase())),
        ("unread", _) => clock(&rest.concat())?.map(TagMeaning::Unread),
        _ => match role(&words)? {
            Some(meaning) => Some(meaning),
            None => not_yet(first, rest)?.or(clock(&words.concat())?.map(TagMeaning::Clock)),
        },
    };
    Ok(meaning.map(|meaning| (meaning, None)))
}

/// Tags that are understood, and that this version cannot follow: whoever wrote one must hear of it.
fn not_yet(first: &str, rest: &[&str]) -> Result<Option<TagMeaning>, Flaw> {
    const ALONE: [&str; 4] = ["sms", "noreply", "nofiles", "mask"];
    let known = ALONE.into_iter().find(|word| word.eq_ignore_ascii_case(first)).filter(|_| rest.is_empty());
    let fee = || first.eq_ignore_ascii_case("fee") && rest.len() == 1 && rest[0].bytes().any(|b| b.is_ascii_digit());
    let reply = first.eq_ignore_ascii_case("reply") && clock(&rest.concat())?.is_some();
    let known = known.or_else(|| fee().then_some("fee")).or_else(|| reply.then_some("reply"));
    Ok(known.map(TagMeaning::NotYet))
}

/// The tag that a field is: `X-Postern-Patient: 10423` is `[patient 10423]`, `X-Postern-Secure: yes` is `[secure]`,
/// `X-Postern-Keep: 14d` is `[14d]`. Behind `Tag` and `Role` the value is the whole tag. `no` says that it is not meant, and
/// so does `0` where there is nothing to say but yes or no.
///
/// # Errors
/// A field that is not known, or a tag that is not understood.
pub(super) fn of_field(name: &str, value: &str) -> Result<Option<Tag>, Flaw> {
    const SWITCHES: [&str; 10] =
        ["secure", "plain", "body", "nopin", "sms", "mail", "noreply", "files", "nofiles", "mask"];
    let inner = match (name, value.to_ascii_lowercase().as_str()) {
        (_, "no" | "false") => return Ok(None),
        (_, "0") if SWITCHES.contains(&name) => return Ok(None),
        ("keep", _) => {
            let kept = clock(&value.split_whitespace().collect::<String>())?.ok_or(Flaw::TagClock)?;
            return Ok(Some(Tag { meaning: TagMeaning::Clock(kept), whom: None, span: 0..0 }));
        }
        ("tag" | "role", _) => value.to_owned(),
        (_, "yes" | "true" | "1" | "") => name.to_owned(),
        _ => format!("{name} {value}"),
    };
    match meaning(&inner)? {
        Some((meaning, whom)) => Ok(Some(Tag { meaning, whom, span: 0..0 })),
        None => Err(Flaw::OwnField),
    }
}

/// The same, where nobody vouches for who wrote the field: only what makes the message more secure.
pub(super) fn stricter_of_field(name: &str, value: &str) -> Option<Tag> {
    let tag = of_field(name, value).ok().flatten()?;
    matches!(tag.meaning, TagMeaning::Secure | TagMeaning::Body).then_some(tag)
}

/// What says who a recipient is, behind an address or without one.
fn role(words: &[&str]) -> Result<Option<TagMeaning>, Flaw> {
    let Some((first, rest)) = words.split_first() else { return Ok(None) };
    match Role::from_name(&first.to_ascii_lowercase()) {
        Some(Role::Patient) => patient(rest).map(|patient| Some(TagMeaning::Patient(patient))).ok_or(Flaw::TagPatient),
        Some(role) if rest.is_empty() => Ok(Some(TagMeaning::Role(role))),
        _ => Ok(None),
    }
}

/// `14d`, `2w`, `36h`, up to four digits.
fn clock(text: &str) -> Result<Option<Duration>, Flaw> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Ok(None),
    };
    if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let count: u64 = digits.parse().map_err(|_| Flaw::TagClock)?;
    let clock = Duration::from_secs(count * unit);
    if count == 0 || clock > LONGEST_CLOCK { Err(Flaw::TagClock) } else { Ok(Some(clock)) }
}

/// A record number (one word with a digit in it), or a name and a birthdate.
fn patient(words: &[&str]) -> Option<PatientRef> {
    let (last, name) = words.split_last()?;
    if name.is_empty() {
        let number = last.len() <= RECORD
            && last.bytes().any(|b| b.is_ascii_digit())
            && last.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && !is_date(last);
        return number.then(|| PatientRef::Record((*last).to_owned()));
    }
    is_date(last).then(|| PatientRef::Named { name: name.join(" "), birthdate: (*last).to_owned() })
}

fn is_date(text: &str) -> bool {
    parse_date(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(subject: &str) -> Result<Vec<String>, &'static str> {
        let whom = |tag: &Tag| tag.whom.as_ref().map_or(String::new(), |whom| format!("{whom}:"));
        let show = |tag: Tag| {
            whom(&tag)
                + &match tag.meaning {
                    TagMeaning::Role(role) => role.to_string(),
                    TagMeaning::Secure => "secure".to_owned(),
                    TagMeaning::Plain => "plain".to_owned(),
                    TagMeaning::Body => "body".to_owned(),
                    TagMeaning::Clock(clock) => format!("{}h", clock.as_secs() / 3600),
                    TagMeaning::Unread(after) => format!("unread {}h", after.as_secs() / 3600),
                    TagMeaning::NoPin => "nopin".to_owned(),
                    TagMeaning::Type(name) => format!("type {name}"),
                    TagMeaning::AsAlways(word) | TagMeaning::NotYet(word) => format!("{word}!"),
                    TagMeaning::Patient(PatientRef::Record(number)) => format!("#{number}"),
                    TagMeaning::Patient(PatientRef::Named { name, birthdate }) => format!("{name}/{birthdate}"),
                    TagMeaning::Patient(PatientRef::Unnamed { .. }) => "nobody".to_owned(),
                }
        };
        match tags(subject) {
            Ok(tags) => Ok(tags.into_iter().map(show).collect()),
            Err(flaw) => Err(crate::mime::Defect::from(flaw).word),
        }
    }

    #[test]
    fn tags_are_found_and_other_brackets_left() {
        for (subject, found) in [
            ("Letter", &[][..]),
            ("[secure] Letter", &["secure"]),
            ("Re: [ SECURE ]x[Plain list]", &["secure"]),
            ("[14d][2w", &["336h"]),
            ("[36 h] [90d]", &["36h", "2160h"]),
            ("[Body] [body x] [bodies]", &["body"]),
            ("[secure] [plain] [patient 1] [patient 2]", &["secure", "plain", "#1", "#2"]),
            ("[patient 10423]", &["#10423"]),
            ("[Patient  Jane  Citizen 1980-03-04] [7d]", &["Jane Citizen/1980-03-04", "168h"]),
            ("[EXT] [2024] [3 days] [12345d] [d] [] [patients 1] [ticket #5]", &[]),
            ("[[secure]]", &["secure"]),
            ("Grüße [patient A-7/3] ]", &["#A-7/3"]),
            (
                "[doctor] [Staff] [doctor-elsewhere][STAFF-ELSEWHERE][payer]",
                &["doctor", "staff", "doctor-elsewhere", "staff-elsewhere", "payer"],
            ),
            (
                "[jane@example.org doctor] x [ JOE@example.org  patient 7 ]",
                &["jane@example.org:doctor", "JOE@example.org:#7"],
            ),
            (
                "[NoPin] [unread 3d] [unread 2 w] [Type Invoice]",
                &["nopin", "unread 72h", "unread 336h", "type invoice"],
            ),
            (
                "[sms] [mail] [noreply] [files] [nofiles] [mask] [fee A007] [reply 5d]",
                &["sms!", "mail!", "noreply!", "files!", "nofiles!", "mask!", "fee!", "reply!"],
            ),
            ("[sms code] [fee schedule] [reply soon] [unread] [type 2 diabetes] [no reply] [mail merge]", &[]),
            ("[doctor who] [doctors] [jane@example.org] [jane@example.org secure] [@ payer] [staff meeting]", &[]),
        ] {
            assert_eq!(read(subject).unwrap(), found, "{subject}");
        }
    }

    #[test]
    fn a_tag_that_is_meant_and_wrong_is_said_to_be() {
        for (subject, word) in [
            ("[patient]", "tag-patient"),
            ("[patient Jane]", "tag-patient"),
            ("[jane@example.org patient]", "tag-patient"),
            ("[patient Jane Citizen 1980-02-30]", "tag-patient"),
            ("[patient Jane Citizen 4.3.1980]", "tag-patient"),
            ("[patient 1980-03-04]", "tag-patient"),
            ("[0d]", "tag-clock"),
            ("[9999w]", "tag-clock"),
            ("[365d]", "tag-clock"),
            ("[91d]", "tag-clock"),
            ("[unread 91d]", "tag-clock"),
            ("[reply 0d]", "tag-clock"),
        ] {
            assert_eq!(read(subject), Err(word), "{subject}");
        }
        assert_eq!(read("[7d] [1w] [patient 1] [patient 1]").unwrap().len(), 4);
    }

    #[test]
    fn a_field_is_a_tag_in_other_words() {
        let read = |name: &str, value: &str| match of_field(name, value) {
            Ok(tag) => tag.map(|tag| format!("{:?} {:?}", tag.meaning, tag.whom.is_some())),
            Err(flaw) => Some(crate::mime::Defect::from(flaw).word.to_owned()),
        };
        for (name, value, expected) in [
            ("secure", "yes", Some("Secure false")),
            ("secure", "no", None),
            ("nopin", "1", Some("NoPin false")),
            ("keep", "14d", Some("Clock(1209600s) false")),
            ("role", "doctor", Some("Role(doctor) false")),
            ("role", "jane@example.org doctor", Some("Role(doctor) true")),
            ("patient", "10423", Some("PatientRef(…) false")),
            ("type", "invoice", Some("Type(…) false")),
            ("tag", "unread 3d", Some("Unread(259200s) false")),
            ("sms", "yes", Some("NotYet(sms) false")),
            ("patient", "Jane", Some("tag-patient")),
            ("keep", "91d", Some("tag-clock")),
            ("keep", "2 w", Some("Clock(1209600s) false")),
            ("keep", "0", Some("tag-clock")),
            ("keep", "soon", Some("tag-clock")),
            ("keep", "no", None),
            ("nopin", "0", None),
            ("unread", "0", Some("own-field")),
            ("version", "2", Some("own-field")),
            ("tag", "", Some("own-field")),
        ] {
            assert_eq!(read(name, value).as_deref(), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_span_covers_the_brackets() {
        let subject = "Ä [patient 7] x";
        assert_eq!(&subject[tags(subject).unwrap()[0].span.clone()], "[patient 7]");
    }
}
