//! A gateway over a real store, with an account for each dialog.

use std::sync::atomic::{AtomicU32, Ordering};

use postern::accounts::NewStaff;
use postern::gateway::Gateway;
use postern::mail::Address;
use postern::secret::Secret;
use postern::store;

use crate::gateway::Clinic;

const PASSWORD: &str = "seven clover anvils hum";

pub struct House {
    clinic: Clinic,
    accounts: AtomicU32,
}

/// Whom a dialog signs in as: `$name`, `$password` and `$plain` in its lines.
#[derive(Clone)]
pub struct Person {
    name: String,
}

impl House {
    pub async fn new() -> Self {
        Self { clinic: Clinic::with(&[]).await, accounts: AtomicU32::new(0) }
    }

    pub fn gateway(&self) -> &Gateway {
        &self.clinic.gateway
    }

    /// An account without mail.
    pub async fn person(&self) -> Person {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let name = format!("person{number}@clinic.example");
        let new = NewStaff {
            address: Address::parse(&name).unwrap(),
            name: None,
            practice: None,
            groups: Vec::new(),
            delegated: Vec::new(),
            admin: false,
            initial: false,
        };
        let password = Secret::new(PASSWORD.to_owned());
        self.gateway().stations().accounts.add(new, &password, store::now()).await.unwrap();
        Person { name }
    }
}

impl Person {
    /// The line with what stands for this person.
    pub fn fill(&self, line: &str) -> String {
        let plain = data_encoding::BASE64.encode(format!("\0{}\0{PASSWORD}", self.name).as_bytes());
        let (name, password) =
            (data_encoding::BASE64.encode(self.name.as_bytes()), data_encoding::BASE64.encode(PASSWORD.as_bytes()));
        line.replace("$name64", &name)
            .replace("$password64", &password)
            .replace("$name", &self.name)
            .replace("$password", PASSWORD)
            .replace("$plain", &plain)
    }
}
