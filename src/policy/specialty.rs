//! Medical specialties and the procedures that belong to each: `policies/specialties.toml`.

use super::SourceFile;
use crate::document::{Faults, Form, Key, Need, read};

/// A specialty, as doctors choose it when they register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specialty {
    /// Its name, as shown.
    pub name: String,
    /// What is ticked at first when it is chosen; can be refined.
    pub procedures: Vec<String>,
}

const SPECIALTY: &[Key] = &[
    Key { name: "name", form: Form::Text, need: Need::Required, about: "The specialty, as doctors read it." },
    Key {
        name: "procedures",
        form: Form::OneOrMore(&Form::Text),
        need: Need::Required,
        about: "Procedures that belong to it: ticked when it is chosen, and refined by the doctor.",
    },
];

/// The keys of the file.
pub const KEYS: &[Key] = &[Key {
    name: "specialty",
    form: Form::Tables(SPECIALTY),
    need: Need::Required,
    about: "Specialties, in the order in which they are shown.",
}];

pub(super) fn read_specialties(file: &SourceFile, faults: &mut Faults) -> Vec<Specialty> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let mut specialties: Vec<Specialty> = Vec::new();
    for written in table.tables("specialty") {
        let Some(name) = written.text("name") else { continue };
        if specialties.iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&name.text)) {
            let fault = name.place.fault(format!("the specialty \"{}\" is listed a second time", name.text));
            faults.add(fault.hint("remove one of the two"));
        }
        let mut procedures: Vec<String> = Vec::new();
        for word in written.texts("procedures") {
            if procedures.contains(&word.text) {
                let fault = word.place.fault(format!("the procedure \"{}\" is listed twice", word.text));
                faults.add(fault.hint("remove one of the two"));
            }
            procedures.push(word.text.clone());
        }
        specialties.push(Specialty { name: name.text.clone(), procedures });
    }
    specialties
}
