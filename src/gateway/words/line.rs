//! What a sender wrote back: the first word that is theirs, and what it means.

use crate::mail::Address;
use crate::policy::Role;
use crate::time::parse_date;

/// The answer to a question about a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) enum Answer {
    /// This is what they are; a patient with the birthdate, where one was written.
    Is(Role, Option<String>),
    /// Leave them out.
    Drop,
}

/// What is to be done about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Order {
    /// What.
    pub verb: Verb,
    /// For whom; everybody whom it fits, where nobody is named.
    pub whom: Vec<Address>,
    /// A corrected birthdate, with `resend`.
    pub birthdate: Option<String>,
}

/// The words in an answer to a status mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Verb {
    Remind,
    Cancel,
    Resend,
    Unshare,
    History,
    Pending,
}

impl Verb {
    /// All of them, as written.
    pub(in crate::gateway) const ALL: [(&'static str, Self); 6] = [
        ("remind", Self::Remind),
        ("cancel", Self::Cancel),
        ("resend", Self::Resend),
        ("unshare", Self::Unshare),
        ("history", Self::History),
        ("pending", Self::Pending),
    ];

    /// As written.
    pub(in crate::gateway) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, verb)| *verb == self).map_or("history", |(word, _)| word)
    }
}

/// The first line that the writer wrote: not empty, not quoted, no line that introduces a quotation. `None` where there
/// is none before the signature or the mail that is answered.
pub(in crate::gateway) fn own_line(text: &str) -> Option<&str> {
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}')).collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.starts_with('>') || line.is_empty() {
            at += 1;
            continue;
        }
        if introduces_quotation(&lines, at) {
            at += 1;
            continue;
        }
        return (!ends_writing(line)).then_some(line);
    }
    None
}

/// `On Saturday Jane Roe wrote:`, on one line or two, right above what is quoted.
fn introduces_quotation(lines: &[&str], at: usize) -> bool {
    let rest = lines[at..].iter().take_while(|line| !line.is_empty() && !line.starts_with('>'));
    let length = rest.clone().count();
    let below = lines[at + length..].iter().find(|line| !line.is_empty());
    length <= 2
        && rest.last().is_some_and(|last| last.ends_with(':'))
        && below.is_some_and(|line| line.starts_with('>'))
}

/// A signature (`-- `), or the head of the mail that is answered, as mail programs put it above what they do not quote.
fn ends_writing(line: &str) -> bool {
    let rule = line.len() >= 5 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*'));
    let original = line.starts_with("-----") && line.ends_with("-----");
    let field = ["From:", "De:", "De :", "Von:", "Sent:", "To:", "Subject:"];
    line == "--" || rule || original || field.iter().any(|field| line.starts_with(field))
}

/// The first word of a line, fit to be shown: ASCII letters and digits, at most 32.
pub(in crate::gateway) fn shown_word(line: &str) -> String {
    let word = words(line).next().unwrap_or_default();
    word.chars().filter(char::is_ascii_alphanumeric).take(32).collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    const AROUND: [char; 14] = ['.', ',', ';', ':', '!', '?', '"', '\'', '`', '*', '(', ')', '<', '>'];
    line.split_whitespace().map(|word| word.trim_matches(AROUND)).filter(|word| !word.is_empty())
}

/// The answer to a question, if it is one. A birthdate is missing where it must be: no answer.
pub(in crate::gateway) fn answer(
    line: &str,
    birthdate_only: bool,
    needs_birthdate: bool,
    today: jiff::civil::Date,
) -> Option<Answer> {
    let mut words = words(line);
    let first = words.next()?.to_ascii_lowercase();
    let rest: Vec<&str> = words.collect();
    let date = |words: &[&str]| birthdate(&words.concat(), today);
    let patient =
        |date: Option<String>| (date.is_some() || !needs_birthdate).then_some(Answer::Is(Role::Patient, date));
    match first.as_str() {
        "p" | "patient" if rest.is_empty() => patient(None),
        "p" | "patient" => date(&rest).map(|date| Answer::Is(Role::Patient, Some(date))),
        "dm" => Some(Answer::Is(Role::Doctor, None)),
        "sm" => Some(Answer::Is(Role::Staff, None)),
        "do" => Some(Answer::Is(Role::DoctorElsewhere, None)),
        "so" => Some(Answer::Is(Role::StaffElsewhere, None)),
        "payer" => Some(Answer::Is(Role::Payer, None)),
        "drop" => Some(Answer::Drop),
        _ if birthdate_only => date(&[first.as_str()]).map(|date| Answer::Is(Role::Patient, Some(date))),
        _ => None,
    }
}

/// An order about a message, if it is one: a word, and after it addresses and, with `resend`, a birthdate.
pub(in crate::gateway) fn order(line: &str, today: jiff::civil::Date) -> Option<Order> {
    let mut words = words(line);
    let first = words.next()?.to_ascii_lowercase();
    let (_, verb) = Verb::ALL.into_iter().find(|(word, _)| *word == first)?;
    let mut order = Order { verb, whom: Vec::new(), birthdate: None };
    for word in words {
        if let Ok(address) = Address::parse(word) {
            order.whom.push(address);
        } else if verb == Verb::Resend && word.starts_with(|c: char| c.is_ascii_digit()) {
            order.birthdate = Some(birthdate(word, today)?);
        }
    }
    Some(order)
}

/// A birthdate that can be read in one way only, as `YYYY-MM-DD`: the year first, or a day that can be no month.
fn birthdate(text: &str, today: jiff::civil::Date) -> Option<String> {
    let pieces: Vec<&str> = text.split(['-', '/', '.']).collect();
    let [first, second, third] = pieces[..] else { return None };
    let number = |piece: &str| piece.parse::<u8>().ok().filter(|_| piece.len() <= 2);
    let (year, month, day) = if first.len() == 4 {
        (first, number(second)?, number(third)?)
    } else {
        match (number(first)?, number(second)?) {
            (day, month) if day > 12 => (third, month, day),
            (month, day) if day > 12 => (third, month, day),
            (same, also) if same == also => (third, same, also),
            _ => return None,
        }
    };
    let written = format!("{year}-{month:02}-{day:02}");
    let date = parse_date(&written)?;
    (date <= today && date.year() >= today.year() - 130).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 22)
    }

    #[test]
    fn the_first_line_of_ones_own_is_found() {
        for (text, line) in [
            ("p 1980-03-04\n\nFrom: postern@x\n", Some("p 1980-03-04")),
            ("\n \u{a0}\n drop \n", Some("drop")),
            ("On Sat, 21 Nov 2026 at 10:00,\nPostern <ask@x> wrote:\n> Who is this?\n>\n\ndm\n", Some("dm")),
            ("Am Samstag schrieb Postern:\n\n> Wer ist das?\n\nso", Some("so")),
            ("-- \nDr Jane Roe", None),
            ("-----Original Message-----\nFrom: x\n", None),
            ("________________________________\nFrom: x\n", None),
            ("Von: x\np 1980-03-04", None),
            ("> p 1980-03-04\n", None),
            ("Note:\n\ndm", Some("Note:")),
            ("", None),
        ] {
            assert_eq!(own_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn answers_are_read_and_nothing_is_guessed() {
        let patient = |date: &str| Some(Answer::Is(Role::Patient, Some(date.into())));
        for (line, expected) in [
            ("p 1980-03-04", patient("1980-03-04")),
            ("P 1980-3-4.", patient("1980-03-04")),
            ("Patient: 1980/03/04, thanks", None),
            ("p 31/12/1980", patient("1980-12-31")),
            ("p 12/31/1980", patient("1980-12-31")),
            ("p 4.4.1980", patient("1980-04-04")),
            ("p 03/04/1980", None),
            ("p 1980-02-30", None),
            ("p 2027-01-01", None),
            ("p 1880-01-01", None),
            ("p", None),
            ("1980-03-04", None),
            ("DM", Some(Answer::Is(Role::Doctor, None))),
            ("sm thank you", Some(Answer::Is(Role::Staff, None))),
            ("\"do\"", Some(Answer::Is(Role::DoctorElsewhere, None))),
            ("so", Some(Answer::Is(Role::StaffElsewhere, None))),
            ("Payer!", Some(Answer::Is(Role::Payer, None))),
            ("drop", Some(Answer::Drop)),
            ("dmx", None),
            ("I do not know", None),
        ] {
            assert_eq!(answer(line, false, true, today()), expected, "{line:?}");
        }
        assert_eq!(answer("1980-03-04", true, true, today()), patient("1980-03-04"));
        assert_eq!(answer("p", false, false, today()), Some(Answer::Is(Role::Patient, None)));
        assert_eq!(answer("", false, false, today()), None);
        assert_eq!(shown_word("  <b>päle\r?x"), "bple");
    }

    #[test]
    fn orders_name_whom_they_are_for() {
        let order = |line: &str| super::order(line, today());
        assert_eq!(order("remind").map(|order| (order.verb, order.whom.len())), Some((Verb::Remind, 0)));
        let one = order("Unshare <jane@mail.example> please").unwrap();
        assert_eq!((one.verb, one.whom[0].to_string().as_str()), (Verb::Unshare, "jane@mail.example"));
        assert_eq!(order("resend 1980-03-05").unwrap().birthdate.as_deref(), Some("1980-03-05"));
        assert_eq!(order("resend 03/05/1980"), None, "which of the two is the month?");
        assert_eq!(order("thanks"), None);
        for (word, verb) in Verb::ALL {
            assert_eq!((order(word).unwrap().verb, verb.word()), (verb, word));
        }
    }
}
