//! Who plays in the demo. Nobody of them exists; their domains are reserved for examples (RFC 2606).

/// A person of the demo.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// As shown in mail.
    pub name: &'static str,
    /// The address.
    pub address: &'static str,
    /// What they are to the clinic.
    pub is: &'static str,
}

/// Writes the mails; the one with an account at the gateway.
pub const LEE: Person = Person { name: "Dr Amelia Lee", address: "dr.lee@clinic.example", is: "the sender" };
/// A patient nobody has written to before.
pub const JANE: Person = Person { name: "Jane Citizen", address: "jane.citizen@mail.example", is: "a new patient" };
/// When Jane was born, as the tag in the subject and the portal's form want it.
pub const JANE_BORN: &str = "1980-03-04";
/// The same as people say it.
pub const JANE_BORN_WORDS: &str = "4 March 1980";
/// A rule knows the hospital's domain.
pub const WONG: Person =
    Person { name: "Dr Daniel Wong", address: "dr.wong@hospital.example", is: "a doctor elsewhere" };
/// In the practice's own domain.
pub const RECEPTION: Person = Person { name: "Reception", address: "reception@clinic.example", is: "a colleague" };
/// Of whom nobody has said anything.
pub const NOVAK: Person = Person { name: "Petra Novak", address: "p.novak@heartcare.example", is: "somebody of whom nobody has said who they are" };

/// The recipients of the first message.
pub const THREE: [Person; 3] = [JANE, WONG, RECEPTION];
