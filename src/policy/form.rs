//! The form a guest registers with: its fields, as the role's file lists them (`[[field]]`).

use crate::document::{Faults, Form, Key, Need, Table, Word};
use crate::fault::Fault;

/// What is typed or chosen in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// The address that was invited: shown, not typed.
    Email,
    /// A phone number of any kind; never sent an SMS.
    Phone,
    /// A mobile number.
    Mobile,
    /// A web address.
    Website,
    /// A postal address, several lines.
    Address,
    /// One of [`super::PolicySet::specialties`].
    Specialty,
    /// Procedures: filled from the specialty chosen, and refined.
    Procedures,
    /// The practice that invites, shown: the person confirms that they belong to it.
    Practice,
}

impl FieldKind {
    const ALL: [(&'static str, Self); 9] = [
        ("text", Self::Text),
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("mobile", Self::Mobile),
        ("website", Self::Website),
        ("address", Self::Address),
        ("specialty", Self::Specialty),
        ("procedures", Self::Procedures),
        ("practice", Self::Practice),
    ];
    const NAMES: &'static [&'static str] =
        &["text", "email", "phone", "mobile", "website", "address", "specialty", "procedures", "practice"];

    /// As role files write it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("text", |(name, _)| name)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// A field of a form. Its label is the text `field-NAME` of `portal.ftl`, its help `help-NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// Its name in answers: small letters, digits and `_`.
    pub name: String,
    /// What is typed or chosen.
    pub kind: FieldKind,
    /// Whether it must be filled.
    pub required: bool,
}

impl FormField {
    /// The key of its label in `portal.ftl`.
    pub fn label_key(&self) -> String {
        format!("field-{}", self.name)
    }

    /// The key of its help in `portal.ftl`.
    pub fn help_key(&self) -> String {
        format!("help-{}", self.name)
    }
}

/// The name of the field that every form must have: the person's full name.
pub const NAME: &str = "name";

/// The keys of `[[field]]`.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "name",
        form: Form::Text,
        need: Need::Required,
        about: "What the field is called: small letters, digits and _. Its label in portal.ftl is field-NAME, its help help-NAME.",
    },
    Key {
        name: "kind",
        form: Form::Choice(FieldKind::NAMES),
        need: Need::Required,
        about: "What is typed or chosen: email shows the address that was invited; specialty and procedures choose from specialties.toml; practice shows the practice that invites, to be confirmed.",
    },
    Key { name: "required", form: Form::Flag, need: Need::Default("true"), about: "Whether it must be filled in." },
];

/// The fields of a role's file; the address and the name where it lists none.
pub(super) fn read_fields(table: &Table, faults: &mut Faults) -> Vec<FormField> {
    if !table.has("field") {
        let field = |name: &str, kind| FormField { name: name.to_owned(), kind, required: true };
        return vec![field("email", FieldKind::Email), field(NAME, FieldKind::Text)];
    }
    let written = table.tables("field");
    let mut fields: Vec<FormField> = Vec::with_capacity(written.len());
    for one in written {
        let Some(name) = one.parsed("name", faults, |word| field_name(word, &fields)) else { continue };
        let Some(kind) = one.text("kind").and_then(|word| FieldKind::from_name(&word.text)) else { continue };
        fields.push(FormField { name, kind, required: one.flag("required").unwrap_or(true) });
    }
    check_together(table, written, faults);
    fields
}

fn field_name(word: &Word, earlier: &[FormField]) -> Result<String, Fault> {
    let sound = word.text.starts_with(|c: char| c.is_ascii_lowercase())
        && word.text.len() <= 32
        && word.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !sound {
        let fault = word.place.fault(format!("\"{}\" cannot be a field's name", word.text));
        return Err(fault.hint("write small letters, digits and _, such as \"practice_name\""));
    }
    if earlier.iter().any(|field| field.name == word.text) {
        let fault = word.place.fault(format!("a second field is called \"{}\"", word.text));
        return Err(fault.hint("give each field a name of its own"));
    }
    Ok(word.text.clone())
}

/// What only the fields together can get wrong.
fn check_together(table: &Table, written: &[Table], faults: &mut Faults) {
    let text = |field: &Table, key: &str| field.text(key).map(|word| word.text.clone());
    let name = written.iter().find(|field| text(field, "name").as_deref() == Some(NAME));
    let sound = name.is_some_and(|field| {
        !field.has("kind") || text(field, "kind").as_deref() == Some("text") && field.flag("required") != Some(false)
    });
    if !sound {
        let place = name.map_or(table.place_of("field"), Table::place);
        let fault = place.fault("the form does not ask for the person's name");
        faults.add(fault.hint("add [[field]] with name = \"name\" and kind = \"text\""));
    }
    let of_kind = |kind: &str| written.iter().find(|field| text(field, "kind").as_deref() == Some(kind));
    if let (Some(procedures), None) = (of_kind("procedures"), of_kind("specialty")) {
        let fault = procedures.place_of("kind").fault("procedures are filled from a specialty, and none is asked for");
        faults.add(fault.hint("add a field with kind = \"specialty\" before it, or remove this one"));
    }
    for kind in ["email", "specialty", "procedures", "practice"] {
        let mut same = written.iter().filter(|field| text(field, "kind").as_deref() == Some(kind));
        if let (Some(_), Some(second)) = (same.next(), same.next()) {
            let fault = second.place_of("kind").fault(format!("a second field is of the kind \"{kind}\""));
            faults.add(fault.hint("keep one of the two"));
        }
    }
}
