//! The registration form as it was sent, held against the fields of the role's file. Nothing is stored here.

use jiff::civil::Date;

use crate::gateway::visits::{FormAnswers, FormFault};
use crate::policy::{FieldKind, FormField, Specialty};
use crate::time::parse_date;

/// Characters of a line.
const LINE: usize = 200;
/// Characters of a postal address.
const LINES: usize = 500;
/// Entries of a field that takes several.
const SEVERAL: usize = 50;
/// The field of the birthdate, which no role file lists.
const BIRTHDATE: &str = "birthdate";
/// The field that every form has.
const NAME: &str = "name";

/// A form without fault.
pub struct Form {
    /// The full name.
    pub name: String,
    /// The other answers, cleaned, by field name in the form's order.
    pub answers: FormAnswers,
    /// The birthdate, where it was asked for.
    pub birthdate: Option<Date>,
}

/// What a role's form asks.
pub struct Questions<'a> {
    /// Its fields.
    pub fields: &'a [FormField],
    /// What doctors choose from.
    pub specialties: &'a [Specialty],
    /// Whether the birthdate is asked for too.
    pub birthdate: bool,
}

/// The form without fault, or all its faults, in the order of its fields.
pub fn read(questions: &Questions<'_>, typed: &FormAnswers) -> Result<Form, Vec<FormFault>> {
    let mut faults = Vec::new();
    let mut answers = FormAnswers::new();
    for field in questions.fields.iter().filter(|field| field.kind != FieldKind::Email) {
        match read_field(field, questions.specialties, typed) {
            Ok(values) => answers.extend(values.into_iter().map(|value| (field.name.clone(), value))),
            Err(word) => faults.push(FormFault { field: field.name.clone(), word }),
        }
    }
    let birthdate = match questions.birthdate.then(|| read_birthdate(typed)).transpose() {
        Ok(birthdate) => birthdate,
        Err(word) => {
            faults.push(FormFault { field: BIRTHDATE.to_owned(), word });
            None
        }
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let name = answers.iter().find(|(field, _)| field == NAME).map(|(_, name)| name.clone()).unwrap_or_default();
    answers.retain(|(field, _)| field != NAME);
    Ok(Form { name, answers, birthdate })
}

fn read_birthdate(typed: &FormAnswers) -> Result<Date, &'static str> {
    match values(BIRTHDATE, typed).next() {
        None | Some("") => Err("missing"),
        Some(text) => parse_date(text).ok_or("not-a-date"),
    }
}

fn values<'a>(name: &'a str, typed: &'a FormAnswers) -> impl Iterator<Item = &'a str> {
    typed.iter().filter(move |(field, _)| field == name).map(|(_, text)| text.trim())
}

fn read_field(field: &FormField, specialties: &[Specialty], typed: &FormAnswers) -> Result<Vec<String>, &'static str> {
    if field.kind == FieldKind::Procedures {
        return read_procedures(field, specialties, typed);
    }
    let longest = if field.kind == FieldKind::Address { LINES } else { LINE };
    let written = values(&field.name, typed).next().unwrap_or_default();
    let text = if field.kind == FieldKind::Address { clean_lines(written) } else { clean(written) };
    if text.chars().count() > longest {
        return Err("too-long");
    }
    match (text.is_empty(), field.kind) {
        (true, FieldKind::Practice) if field.required => Err("not-confirmed"),
        (true, _) if field.required => Err("missing"),
        (true, _) => Ok(Vec::new()),
        (false, kind) => read_value(kind, specialties, text).map(|text| vec![text]),
    }
}

fn read_value(kind: FieldKind, specialties: &[Specialty], text: String) -> Result<String, &'static str> {
    match kind {
        FieldKind::Phone if !is_phone(&text, 5) => Err("not-a-phone"),
        FieldKind::Mobile if !is_phone(&text, 8) => Err("not-a-mobile"),
        FieldKind::Website => website(&text).ok_or("not-a-website"),
        FieldKind::Specialty if !specialties.iter().any(|specialty| specialty.name == text) => Err("not-offered"),
        _ => Ok(text),
    }
}

/// Any of those that a specialty has: what was filled in from one can be refined from others.
fn read_procedures(
    field: &FormField,
    specialties: &[Specialty],
    typed: &FormAnswers,
) -> Result<Vec<String>, &'static str> {
    let offered = |text: &str| specialties.iter().any(|specialty| specialty.procedures.iter().any(|one| one == text));
    let chosen: Vec<String> = values(&field.name, typed).filter(|text| !text.is_empty()).map(str::to_owned).collect();
    if chosen.len() > SEVERAL {
        return Err("too-long");
    }
    if !chosen.iter().all(|text| offered(text)) {
        return Err("not-offered");
    }
    let any_offered = specialties.iter().any(|specialty| !specialty.procedures.is_empty());
    if chosen.is_empty() && field.required && any_offered { Err("missing") } else { Ok(chosen) }
}

/// Digits as people write them, between `least` and the fifteen of E.164.
fn is_phone(text: &str, least: usize) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let written = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    written && (least..=15).contains(&digits) && text.rfind('+').is_none_or(|at| at == 0)
}

/// A web address, with its scheme; people leave it out.
fn website(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.unwrap_or(&lower).split(['/', '?', '#', ':']).next().unwrap_or_default();
    let sound = host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && host.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        && !text.chars().any(|c| c.is_whitespace() || "\"'<>\\@".contains(c));
    sound.then(|| if rest.is_some() { text.to_owned() } else { format!("https://{text}") })
}

/// One line: no control characters, none that turn the direction of writing, no runs of white space.
fn clean(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let shown: String = shown.filter(|c| !c.is_control() && !is_bidi_control(*c)).collect();
    shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind, required: bool) -> FormField {
        FormField { name: name.into(), kind, required }
    }

    fn doctor() -> (Vec<FormField>, Vec<Specialty>) {
        let fields = vec![
            field("practice_name", FieldKind::Text, true),
            field("practice_website", FieldKind::Website, false),
            field("practice_address", FieldKind::Address, true),
            field("email", FieldKind::Email, true),
            field("mobile", FieldKind::Mobile, true),
            field("name", FieldKind::Text, true),
            field("specialty", FieldKind::Specialty, true),
            field("procedures", FieldKind::Procedures, true),
            field("practice", FieldKind::Practice, true),
        ];
        let specialty = |name: &str, procedures: &[&str]| Specialty {
            name: name.into(),
            procedures: procedures.iter().map(|one| (*one).to_owned()).collect(),
        };
        (fields, vec![specialty("Cardiology", &["Echo", "Stress test"]), specialty("Dermatology", &["Biopsy"])])
    }

    const GOOD: [(&str, &str); 9] = [
        ("practice_name", " Hill   Street\u{202E} Practice "),
        ("practice_website", "hillstreet.example/about"),
        ("practice_address", "1 Hill Street\r\n\r\nSydney"),
        ("mobile", "+61 491 570 006"),
        ("name", "Dr Ann Lee"),
        ("specialty", "Cardiology"),
        ("procedures", "Echo"),
        ("procedures", "Biopsy"),
        ("practice", "yes"),
    ];

    fn sent(change: Option<(&str, &str)>) -> FormAnswers {
        let mut answers: Vec<(&str, &str)> = GOOD.to_vec();
        if let Some((name, text)) = change {
            answers.retain(|(field, _)| *field != name);
            answers.push((name, text));
        }
        answers.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn a_good_form_is_cleaned() {
        let (fields, specialties) = doctor();
        let questions = Questions { fields: &fields, specialties: &specialties, birthdate: false };
        let form = read(&questions, &sent(Some(("invented", "x")))).ok().unwrap();
        assert_eq!((form.name.as_str(), form.birthdate), ("Dr Ann Lee", None));
        let answers: Vec<_> = form.answers.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(
            answers,
            [
                "practice_name=Hill Street Practice",
                "practice_website=https://hillstreet.example/about",
                "practice_address=1 Hill Street\nSydney",
                "mobile=+61 491 570 006",
                "specialty=Cardiology",
                "procedures=Echo",
                "procedures=Biopsy",
                "practice=yes"
            ]
        );
    }

    #[test]
    fn a_fault_stands_beside_its_field() {
        let (fields, specialties) = doctor();
        let questions = Questions { fields: &fields, specialties: &specialties, birthdate: true };
        let long = "x".repeat(201);
        for (name, text, word) in [
            ("practice_name", " \u{200F} ", "missing"),
            ("practice_name", long.as_str(), "too-long"),
            ("practice_website", "not a site", "not-a-website"),
            ("practice_website", "javascript:alert(1)", "not-a-website"),
            ("practice_website", "https://user@evil.example", "not-a-website"),
            ("mobile", "12345", "not-a-mobile"),
            ("mobile", "0491 570 006 ext", "not-a-mobile"),
            ("mobile", "1234567890123456", "not-a-mobile"),
            ("specialty", "Alchemy", "not-offered"),
            ("procedures", "Trepanation", "not-offered"),
            ("procedures", "", "missing"),
            ("practice", "", "not-confirmed"),
            ("birthdate", "", "missing"),
            ("birthdate", "4.3.1980", "not-a-date"),
            ("birthdate", "1981-02-29", "not-a-date"),
        ] {
            let mut typed = sent(Some((name, text)));
            if name != "birthdate" {
                typed.push(("birthdate".into(), "1980-03-04".into()));
            }
            let faults = read(&questions, &typed).err().unwrap_or_default();
            assert_eq!(faults, [FormFault { field: name.into(), word }], "{name} {text:?}");
        }
    }

    #[test]
    fn what_is_optional_may_be_left_out() {
        let (fields, specialties) = doctor();
        let questions = Questions { fields: &fields, specialties: &specialties, birthdate: false };
        let form = read(&questions, &sent(Some(("practice_website", "")))).ok().unwrap();
        assert!(form.answers.iter().all(|(name, _)| name != "practice_website"));
    }
}
