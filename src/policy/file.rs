//! Which file in `policies/` is what, and all of them read into one [`PolicySet`], all faults at once.

use std::collections::BTreeMap;

use super::form::FieldKind;
use super::own_tests::{OwnTest, read_tests};
use super::people::{People, read_people};
use super::practice::{domain_words, logo_place, read_practice};
use super::restricted::{RestrictedGroup, read_restricted};
use super::role::read_role;
use super::rule::{References, Rule, read_rules};
use super::specialty::{Specialty, read_specialties};
use super::types::{Types, read_types};
use super::workgroup::unique_words;
use super::{PolicySet, Practice, Role, RoleFile, SourceFile};
use crate::document::{Faults, Place, Word};
use crate::fault::{Fault, Sources, nearest};
use crate::mail::Address;

/// What a file in `policies/` is for, by its place and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Rules,
    Restricted,
    Practice(&'a str),
    Role(&'a str),
    Tests,
    Specialties,
    Types,
    People,
    /// Read by somebody else, or for people: templates, schemas, a README.
    NotOurs,
    /// Looks like a policy file, and is not where one is read.
    Misplaced(&'static str),
}

fn kind(name: &str) -> Kind<'_> {
    let base = name.rsplit('/').next().unwrap_or(name);
    if base.starts_with(['.', '#']) || base.ends_with(['~']) {
        return Kind::NotOurs;
    }
    if name == "directory.csv" {
        return Kind::People;
    }
    let Some(stem) = name.strip_suffix(".toml") else {
        if base == "directory.csv" {
            return Kind::Misplaced("move it into policies/ itself");
        }
        let left_behind =
            [".bak", ".old", ".orig", ".swp", ".tmp", ".save"].iter().any(|ending| base.ends_with(ending));
        return if base.contains(".toml") && !left_behind {
            Kind::Misplaced("rename it so that its name ends in .toml")
        } else {
            Kind::NotOurs
        };
    };
    match stem.split_once('/') {
        None if stem == "restricted" => Kind::Restricted,
        None if stem == "specialties" => Kind::Specialties,
        None if stem == "types" => Kind::Types,
        None => Kind::Rules,
        Some(("practices", id)) if !id.contains('/') => Kind::Practice(id),
        Some(("roles", id)) if !id.contains('/') => Kind::Role(id),
        Some(("tests", id)) if !id.contains('/') => Kind::Tests,
        Some(("templates" | "schema", _)) => Kind::NotOurs,
        Some(_) => Kind::Misplaced(
            "rules stand in policies/ itself, the rest in practices/, roles/ and tests/, without folders in them",
        ),
    }
}

/// See [`PolicySet::load`].
pub(super) fn load(files: &[SourceFile]) -> Result<PolicySet, (Vec<Fault>, Sources)> {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut loading = Loading { prefix: prefix(files), ..Loading::default() };
    for file in sorted {
        loading.read(file);
    }
    loading.check_names();
    loading.check_references();
    loading.check_speaking();
    loading.check_missing();
    loading.finish()
}

/// What stands before a file's name in its path: `policies/`.
fn prefix(files: &[SourceFile]) -> String {
    let of = |file: &SourceFile| file.path.strip_suffix(file.name.as_str()).map(str::to_owned);
    files.iter().find_map(of).unwrap_or_else(|| "policies/".into())
}

#[derive(Default)]
struct Loading {
    prefix: String,
    faults: Faults,
    references: References,
    rules: Vec<Rule>,
    restricted: Vec<RestrictedGroup>,
    restricted_file: bool,
    practices: Vec<Practice>,
    practice_files: Vec<String>,
    domains: Vec<(String, Word)>,
    /// Names and addresses of workgroups, with the key they stand behind.
    workgroups: Vec<(&'static str, Word)>,
    roles: BTreeMap<Role, RoleFile>,
    role_files: Vec<Role>,
    tests: Vec<OwnTest>,
    specialties: Vec<Specialty>,
    specialties_file: bool,
    types: Types,
    /// Domains of addresses in whose name mails leave.
    speaking: Vec<Word>,
    people: People,
    logos: BTreeMap<String, Place>,
}

impl Loading {
    fn read(&mut self, file: &SourceFile) {
        match kind(&file.name) {
            Kind::Rules => self.rules.extend(read_rules(file, &mut self.references, &mut self.faults)),
            Kind::Restricted => {
                self.restricted_file = true;
                self.restricted = read_restricted(file, &mut self.faults);
            }
            Kind::Practice(id) => self.read_practice(file, id),
            Kind::Role(id) => self.read_role(file, id),
            Kind::Tests => self.tests.extend(read_tests(file, &mut self.references, &mut self.faults)),
            Kind::Specialties => {
                self.specialties_file = true;
                self.specialties = read_specialties(file, &mut self.faults);
            }
            Kind::Types => self.types = read_types(file, &mut self.speaking, &mut self.faults),
            Kind::People => self.people = read_people(file, &mut self.references.practices, &mut self.faults),
            Kind::NotOurs => {}
            Kind::Misplaced(hint) => {
                self.faults.keep_source(&file.path, &file.text);
                self.faults.add(Fault::new(&file.path, 0..0, "this file is not read").hint(hint));
            }
        }
    }

    fn read_practice(&mut self, file: &SourceFile, id: &str) {
        let sound = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !sound || ["own", "ours", "none"].contains(&id) {
            self.faults.keep_source(&file.path, &file.text);
            let fault = Fault::new(&file.path, 0..0, format!("\"{id}\" cannot be a practice's name in rules"));
            self.faults
                .add(fault.hint("rename the file: small letters, digits and hyphens, and not own, ours or none"));
        }
        self.practice_files.push(id.to_owned());
        self.domains.extend(domain_words(file).into_iter().map(|word| (id.to_owned(), word)));
        self.workgroups.extend(unique_words(file));
        self.logos.insert(id.to_owned(), logo_place(file));
        self.practices.extend(read_practice(file, id, &mut self.faults));
    }

    fn read_role(&mut self, file: &SourceFile, id: &str) {
        let Some(role) = Role::from_name(id) else {
            let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
            let hint = match nearest(id, names.iter().copied()) {
                Some(near) => format!("did you mean {near}.toml?"),
                None => format!("the roles are {}", names.join(", ")),
            };
            self.faults.keep_source(&file.path, &file.text);
            self.faults.add(Fault::new(&file.path, 0..0, format!("there is no role \"{id}\"")).hint(hint));
            return;
        };
        self.role_files.push(role);
        if let Some(read) = read_role(file, role, &mut self.faults) {
            self.roles.insert(role, read);
        }
    }

    /// Names that may be given once only: of rules, the domains of practices, and workgroups.
    fn check_names(&mut self) {
        for (index, rule) in self.rules.iter().enumerate() {
            if let Some(first) = self.rules[..index].iter().find(|earlier| earlier.name.text == rule.name.text) {
                let fault = rule.name.place.fault(format!("a second rule is called \"{}\"", rule.name.text));
                let place = &first.name.place;
                self.faults.add(fault.hint(format!("the first stands in {}, line {}", place.file, place.line)));
            }
        }
        for (index, (id, word)) in self.domains.iter().enumerate() {
            let same = |other: &(String, Word)| other.1.text.eq_ignore_ascii_case(&word.text);
            if let Some((owner, _)) = self.domains[..index].iter().find(|earlier| same(earlier)) {
                let message = format!("the domain \"{}\" is listed a second time", word.text);
                let hint = match owner == id {
                    true => "remove one of the two".to_owned(),
                    false => format!("it belongs to the practice \"{owner}\" already"),
                };
                self.faults.add(word.place.fault(message).hint(hint));
            }
        }
        self.check_workgroups();
    }

    fn check_workgroups(&mut self) {
        // An address may be written in several ways, and mean one mailbox.
        let meant = |word: &Word| match Address::parse(&word.text) {
            Ok(address) => address.lookup_form(),
            Err(_) => word.text.to_lowercase(),
        };
        for (index, (key, word)) in self.workgroups.iter().enumerate() {
            let same = |other: &&(&str, Word)| other.0 == *key && meant(&other.1) == meant(word);
            if let Some((_, first)) = self.workgroups[..index].iter().find(same) {
                let what = if *key == "name" { "is called" } else { "has the address" };
                let fault = word.place.fault(format!("a second workgroup {what} \"{}\"", word.text));
                let place = &first.place;
                self.faults.add(fault.hint(format!("the first stands in {}, line {}", place.file, place.line)));
            }
        }
    }

    /// Names that must stand in another file.
    fn check_references(&mut self) {
        let practices: Vec<&str> = self.practice_files.iter().map(String::as_str).collect();
        let groups: Vec<&str> = self.restricted.iter().map(|group| group.name.as_str()).collect();
        let types: Vec<&str> = self.types.kinds.iter().map(|kind| kind.name.as_str()).collect();
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.name.text.as_str()).collect();
        let named = [
            ("practice", "practices/", &self.references.practices, practices),
            ("group of file types", "restricted.toml", &self.references.groups, groups),
            ("rule", "the files of rules", &self.references.rules, rules),
            ("document type", "types.toml", &self.references.types, types),
        ];
        for (what, home, words, known) in named {
            for word in words.iter().filter(|word| !known.contains(&word.text.as_str())) {
                let fault = word.place.fault(format!("there is no {what} \"{}\"", word.text));
                self.faults.add(match nearest(&word.text, known.iter().copied()) {
                    Some(near) => fault.hint(format!("did you mean \"{near}\"?")),
                    None if known.is_empty() => fault.hint(format!("{home} has none")),
                    None => fault.hint(format!("{home} has {}", known.join(", "))),
                });
            }
        }
    }

    /// Mail leaves in the name of a practice.
    fn check_speaking(&mut self) {
        for word in &self.speaking {
            if !self.domains.iter().any(|(_, domain)| domain.text.eq_ignore_ascii_case(&word.text)) {
                let fault = word.place.fault(format!("\"{}\" is a domain of no practice", word.text));
                self.faults
                    .add(fault.hint("mail leaves in a practice's name; its file in practices/ lists its domains"));
            }
        }
    }

    fn check_missing(&mut self) {
        if !self.restricted_file {
            let fault = Fault::new(format!("{}restricted.toml", self.prefix), 0..0, "this file is missing");
            self.faults.add(
                fault.hint("without it programs and scripts would be accepted; if that is meant, write group = []"),
            );
        }
        for role in Role::ALL.into_iter().filter(|role| !self.role_files.contains(role)) {
            let fault = Fault::new(format!("{}roles/{role}.toml", self.prefix), 0..0, "this file is missing");
            self.faults.add(fault.hint("every role has its file: title = \"…\" and access = \"account\""));
        }
        let asks = |file: &&RoleFile| file.fields.iter().any(|field| field.kind == FieldKind::Specialty);
        if let Some(role) = self.roles.values().find(asks).filter(|_| !self.specialties_file) {
            let fault = Fault::new(format!("{}specialties.toml", self.prefix), 0..0, "this file is missing");
            let asker = role.role;
            self.faults.add(fault.hint(format!("the form in roles/{asker}.toml asks for a specialty; list them here")));
        }
        if self.practice_files.is_empty() {
            let fault = Fault::new(format!("{}practices/", self.prefix), 0..0, "there is no practice");
            self.faults.add(fault.hint("describe yours in a file such as practices/clinic.toml; see docs/policy.md"));
        }
    }

    fn finish(self) -> Result<PolicySet, (Vec<Fault>, Sources)> {
        if !self.faults.is_empty() {
            return Err(self.faults.into_parts());
        }
        Ok(PolicySet {
            rules: self.rules,
            restricted: self.restricted,
            practices: self.practices,
            roles: self.roles,
            tests: self.tests,
            specialties: self.specialties,
            types: self.types,
            people: self.people,
            logos: self.logos,
        })
    }
}
