//! A gateway over a real store, with an account for each dialog.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use postern::accounts::NewStaff;
use postern::gateway::Gateway;
use postern::mail::Address;
use postern::secret::Secret;
use postern::store;

use super::dialog::Dialog;
use crate::gateway::Clinic;

pub const PASSWORD: &str = "seven clover anvils hum";

pub struct House {
    clinic: Clinic,
    accounts: AtomicU32,
}

/// Whom a dialog signs in as: `$name`, `$password` and `$plain` in its lines; and who shares a workgroup with them.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    number: u32,
}

/// Those of a workgroup, and one who is not: the word for them in a dialog, and what they may.
const MEMBERS: [&str; 4] = ["reader", "writer", "sender", "stranger"];

impl House {
    pub async fn new() -> Self {
        Self { clinic: Clinic::with(&[]).await, accounts: AtomicU32::new(0) }
    }

    pub fn gateway(&self) -> &Gateway {
        &self.clinic.gateway
    }

    /// Where its data lie.
    pub fn folder(&self) -> &Path {
        self.clinic.folder.path()
    }

    /// An account without mail.
    pub async fn person(&self) -> Person {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let name = format!("person{number}@clinic.example");
        self.add(&name, Vec::new()).await;
        Person { name, number }
    }

    /// Whom this dialog needs.
    pub async fn person_for(&self, dialog: &Dialog) -> Person {
        let person = self.person().await;
        if dialog.workgroup {
            self.workgroup(&person).await;
        }
        person
    }

    async fn add(&self, name: &str, groups: Vec<String>) {
        let new = NewStaff {
            address: Address::parse(name).unwrap(),
            name: None,
            practice: None,
            groups,
            delegated: Vec::new(),
            admin: false,
            initial: false,
        };
        let password = Secret::new(PASSWORD.to_owned());
        self.gateway().stations().accounts.add(new, &password, store::now()).await.unwrap();
    }

    /// Gives the person's dialog a workgroup, `$group`: an account for each of [`MEMBERS`], the first three by staff groups.
    pub async fn workgroup(&self, person: &Person) {
        let number = person.number;
        for member in MEMBERS {
            self.add(&format!("{member}{number}@clinic.example"), vec![format!("{member}s{number}")]).await;
        }
        let file = self.clinic.folder.path().join("policies/practices/example-clinic.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let group = format!(
            "\n[[workgroup]]\nname = \"Desk {number}\"\naddress = \"desk{number}@clinic.example\"\n\
             read = \"readers{number}\"\nwrite = \"writers{number}\"\nsend = \"senders{number}\"\n"
        );
        std::fs::write(&file, text + &group).unwrap();
        self.gateway().stations().policies.reload();
        assert!(self.gateway().stations().policies.broken().is_none());
    }
}

impl Person {
    /// The line with what stands for this person.
    pub fn fill(&self, line: &str) -> String {
        let plain = data_encoding::BASE64.encode(format!("\0{}\0{PASSWORD}", self.name).as_bytes());
        let (name, password) =
            (data_encoding::BASE64.encode(self.name.as_bytes()), data_encoding::BASE64.encode(PASSWORD.as_bytes()));
        let members =
            MEMBERS.into_iter().map(|member| (format!("${member}"), format!("{member}{}@clinic.example", self.number)));
        let line = members.fold(line.to_owned(), |line, (word, name)| line.replace(&word, &name));
        line.replace("$group", &format!("Desk {}", self.number))
            .replace("$name64", &name)
            .replace("$password64", &password)
            .replace("$name", &self.name)
            .replace("$password", PASSWORD)
            .replace("$plain", &plain)
    }
}
