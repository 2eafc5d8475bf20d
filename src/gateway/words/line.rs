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

/// Why a line is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum NoOrder {
    /// It does not begin with one of the words.
    NoWord,
    /// It does, and what follows is neither an address nor, with `resend`, a birthdate.
    Behind(Verb),
}

/// What may stand behind a word and means nothing.
const POLITE: [&[&str]; 5] = [&["thanks"], &["many", "thanks"], &["thank", "you"], &["please"], &["merci"]];

/// The first line that the writer wrote: not empty, not quoted, no line that introduces a quotation. `None` where there
/// is none before the signature or the mail that is answered.
pub(in crate::gateway) fn own_line(text: &str) -> Option<&str> {
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}')).collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.starts_with('>') {
            // What stands right below may be the end of a quoted line that was wrapped.
            at += lines[at..].iter().take_while(|line| !line.is_empty()).count();
        } else if line.is_empty() || introduces_quotation(&lines, at) {
            at += 1;
        } else {
            return (!ends_writing(line)).then_some(line);
        }
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
    let word = line.split_whitespace().map(bare).find(|word| !word.is_empty()).unwrap_or_default();
    word.chars().filter(char::is_ascii_alphanumeric).take(32).collect()
}

/// A word without what people and mail programs put around one. A question mark stays: who asks does not say.
fn bare(word: &str) -> &str {
    const AROUND: [char; 13] = ['.', ',', ';', ':', '!', '"', '\'', '`', '*', '(', ')', '<', '>'];
    word.trim_matches(AROUND)
}

/// The first word of a line, in small letters, and what follows it but for a thank-you.
fn words(line: &str, parts: impl Fn(char) -> bool) -> Option<(String, Vec<&str>)> {
    let mut words = line.split(parts).map(bare).filter(|word| !word.is_empty());
    let first = words.next()?.to_ascii_lowercase();
    let mut rest: Vec<&str> = words.collect();
    let ends_with = |polite: &&[&str]| {
        let end = rest.len().checked_sub(polite.len()).map_or(&[][..], |at| &rest[at..]);
        end.len() == polite.len() && end.iter().zip(*polite).all(|(word, polite)| word.eq_ignore_ascii_case(polite))
    };
    if let Some(polite) = POLITE.iter().find(|polite| ends_with(polite)) {
        rest.truncate(rest.len() - polite.len());
    }
    Some((first, rest))
}

/// The answer to a question, if it is one: a word and nothing else, or a patient's birthdate behind it. A birthdate is
/// missing where it must be: no answer.
pub(in crate::gateway) fn answer(
    line: &str,
    birthdate_only: bool,
    needs_birthdate: bool,
    today: jiff::civil::Date,
) -> Option<Answer> {
    let (first, rest) = words(line, char::is_whitespace)?;
    let born = |date: &str| birthdate(date, today).map(|date| Answer::Is(Role::Patient, Some(date)));
    match (first.as_str(), &rest[..]) {
        ("p" | "patient", []) if needs_birthdate => None,
        ("p" | "patient", []) => Some(Answer::Is(Role::Patient, None)),
        ("p" | "patient", date) => born(&date.concat()),
        ("dm", []) => Some(Answer::Is(Role::Doctor, None)),
        ("sm", []) => Some(Answer::Is(Role::Staff, None)),
        ("do", []) => Some(Answer::Is(Role::DoctorElsewhere, None)),
        ("so", []) => Some(Answer::Is(Role::StaffElsewhere, None)),
        ("payer", []) => Some(Answer::Is(Role::Payer, None)),
        ("drop", []) => Some(Answer::Drop),
        (date, []) if birthdate_only => born(date),
        _ => None,
    }
}

/// An order about a message, if it is one: a word, and after it addresses and, with `resend`, a birthdate.
pub(in crate::gateway) fn order(line: &str, today: jiff::civil::Date) -> Result<Order, NoOrder> {
    // Outlook writes an address as `jane@example.org<mailto:jane@example.org>`.
    let parts = |c: char| c.is_whitespace() || [',', ';', '<', '>'].contains(&c);
    let (first, rest) = words(line, parts).ok_or(NoOrder::NoWord)?;
    let (_, verb) = Verb::ALL.into_iter().find(|(word, _)| *word == first).ok_or(NoOrder::NoWord)?;
    let mut order = Order { verb, whom: Vec::new(), birthdate: None };
    for word in rest {
        let date = || birthdate(word, today).filter(|_| verb == Verb::Resend && order.birthdate.is_none());
        if let Ok(address) = Address::parse(without_scheme(word)) {
            order.whom.push(address);
        } else {
            order.birthdate = Some(date().ok_or(NoOrder::Behind(verb))?);
        }
    }
    Ok(order)
}

fn without_scheme(word: &str) -> &str {
    const SCHEME: &str = "mailto:";
    match word.split_at_checked(SCHEME.len()) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case(SCHEME) => address,
        _ => word,
    }
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
    use proptest::prelude::*;

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
            ("> Answer with one of these words: dm sm\ndo\n", None),
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
            ("Patient: 1980/03/04, thanks", patient("1980-03-04")),
            ("p 1980-03-04 or 1980-04-03", None),
            ("p 1980-03-04, and dm", None),
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
            ("DM. Merci", Some(Answer::Is(Role::Doctor, None))),
            ("\"do\"", Some(Answer::Is(Role::DoctorElsewhere, None))),
            ("so", Some(Answer::Is(Role::StaffElsewhere, None))),
            ("Payer!", Some(Answer::Is(Role::Payer, None))),
            ("drop", Some(Answer::Drop)),
            ("dmx", None),
            ("I do not know", None),
            ("do?", None),
            ("Thanks", None),
        ] {
            assert_eq!(answer(line, false, true, today()), expected, "{line:?}");
        }
        assert_eq!(answer("1980-03-04", true, true, today()), patient("1980-03-04"));
        assert_eq!(answer("p", false, false, today()), Some(Answer::Is(Role::Patient, None)));
        assert_eq!(answer("", false, false, today()), None);
        assert_eq!(shown_word("  <b>päle\r?x"), "bple");
    }

    /// "Do not send this to him" released documents to a doctor elsewhere: only the first word was looked at.
    #[test]
    fn a_sentence_that_begins_with_a_word_is_no_answer() {
        for line in [
            "Do not send this to him",
            "do not",
            "So sorry, wrong address",
            "So I think he is my mother's doctor",
            "drop me a line, please",
            "DM me",
            "sm or dm",
            "payer no",
            "P Smith",
            "1980-03-04 or 1980-04-03",
            "1980-03-04 is hers, his is 1982-02-02",
        ] {
            for birthdate_only in [false, true] {
                assert_eq!(answer(line, birthdate_only, false, today()), None, "{line:?}");
            }
        }
    }

    #[test]
    fn orders_name_whom_they_are_for() {
        let order = |line: &str| super::order(line, today());
        assert_eq!(order("remind").map(|order| (order.verb, order.whom.len())), Ok((Verb::Remind, 0)));
        let whom = |line: &str| order(line).unwrap().whom.iter().map(Address::to_string).collect::<Vec<_>>();
        assert_eq!(whom("Unshare <jane@mail.example> please"), ["jane@mail.example"]);
        assert_eq!(
            whom("cancel: a@mail.example, b@mail.example;c@mail.example."),
            ["a@", "b@", "c@"].map(|at| at.to_owned() + "mail.example")
        );
        assert_eq!(whom("cancel a@mail.example<mailto:a@mail.example>"), ["a@mail.example"; 2]);
        assert_eq!(order("resend 1980-03-05").unwrap().birthdate.as_deref(), Some("1980-03-05"));
        assert_eq!(order("thanks"), Err(NoOrder::NoWord));
        assert_eq!(order(""), Err(NoOrder::NoWord));
        for (word, verb) in Verb::ALL {
            assert_eq!((order(word).unwrap().verb, verb.word()), (verb, word));
        }
    }

    /// `cancel jane@x,example` cancelled everybody's invitation: what was no address was passed over.
    #[test]
    fn what_stands_behind_an_order_is_understood_or_the_whole_is_not() {
        for line in [
            "cancel jane@mail,,example",
            "cancel Jane",
            "cancel Jane Citizen <jane@mail.example>",
            "unshare the scan",
            "remind jane@mail.example tomorrow",
            "remind 1980-03-05",
            "resend 03/05/1980",
            "resend 1980-03-05 1980-05-03",
            "history of jane@mail.example",
            "pending?",
        ] {
            assert!(order(line, today()).is_err(), "{line:?}");
        }
        assert_eq!(order("cancel everything", today()), Err(NoOrder::Behind(Verb::Cancel)));
    }

    /// Pieces that mail programs make: each stands between empty lines, and none is the writer's.
    fn not_ones_own() -> impl Strategy<Value = String> {
        let word =
            prop_oneof![Just("dm"), Just("do"), Just("drop"), Just("unshare"), Just("cancel"), Just("p 1980-03-04")];
        let quoted = (prop_oneof![Just(">"), Just("> "), Just(">> "), Just(" > ")], word.clone())
            .prop_map(|(mark, word)| format!("{mark}{word}"));
        let quotation = (
            prop_oneof![
                Just(""),
                Just("On Sat, Jane Roe wrote:\n"),
                Just("Am 21.11. schrieb\nPostern:\n"),
                Just("Le 21 a écrit :\n\n")
            ],
            prop::collection::vec(quoted, 1..4),
            // A quoted line that was wrapped leaves its end without a mark.
            prop::option::of(word),
        );
        quotation.prop_map(|(head, quoted, wrapped)| {
            let wrapped = wrapped.map(|word| format!("\n{word}")).unwrap_or_default();
            format!("{head}{}{wrapped}", quoted.join("\n"))
        })
    }

    proptest! {
        /// A wrapped line of a quotation was taken for the writer's.
        #[test]
        fn no_word_is_taken_out_of_a_quotation_or_a_signature(
            above in prop::collection::vec(not_ones_own(), 0..3),
            own in prop::option::of("[a-z]{1,8}( [a-z0-9@.-]{1,12}){0,2}"),
            below in prop::collection::vec(not_ones_own(), 0..3),
            signature in prop::option::of(prop_oneof![Just("-- \ndrop"), Just("_____\nFrom: x\n\ndo"), Just("-----Original Message-----\ndm")]),
            end in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let pieces = above.iter().map(String::as_str).chain(own.as_deref()).chain(below.iter().map(String::as_str));
            let text = pieces.chain(signature).collect::<Vec<_>>().join("\n\n").replace('\n', end);
            prop_assert_eq!(own_line(&text), own.as_deref(), "{:?}", text);
        }
    }
}
