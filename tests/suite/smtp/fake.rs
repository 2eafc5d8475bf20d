//! A mailroom with no gateway behind it. It knows one account, `jane@clinic.example` with the password `secret`
//! (base64 of PLAIN: `AGphbmVAY2xpbmljLmV4YW1wbGUAc2VjcmV0`), who may also write as `reception@clinic.example`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use postern::gateway::{Receipt, Refusal, SignInError};
use postern::id::{Id, StaffId};
use postern::mail::{Address, Origin, ReversePath};
use postern::secret::Secret;
use postern::smtp::{Incoming, Mailroom, Spool};

/// A message that was accepted.
pub struct Taken {
    pub incoming: Incoming,
    pub octets: Vec<u8>,
}

#[derive(Clone, Default)]
pub struct Fake {
    pub taken: Arc<Mutex<Vec<Taken>>>,
    /// Spools that are open: begun, and neither accepted nor dropped.
    pub open: Arc<()>,
    /// Held by a test that wants [`Mailroom::accept`] to wait.
    pub hold: Arc<tokio::sync::Mutex<()>>,
    /// Set by a test in which the account is changed.
    pub account_changed: Arc<AtomicBool>,
}

pub struct FakeSpool {
    octets: Vec<u8>,
    _open: Arc<()>,
}

impl FakeSpool {
    fn holds(&self, text: &str) -> bool {
        memchr::memmem::find(&self.octets, text.as_bytes()).is_some()
    }
}

impl Spool for FakeSpool {
    async fn write(&mut self, octets: &[u8]) -> Result<(), Refusal> {
        self.octets.extend_from_slice(octets);
        if self.holds("the-disk-is-full") { Err(Refusal::Full) } else { Ok(()) }
    }
}

impl Mailroom for Fake {
    type Spool = FakeSpool;
    type Pass = ();

    async fn sign_in(&self, name: &str, password: &Secret<String>) -> Result<(Origin, ()), SignInError> {
        match (name, password.expose().as_str()) {
            ("jane@clinic.example", "secret") => {
                Ok((Origin::Staff { id: StaffId::from_octets([7; 16]), address: name.parse().unwrap() }, ()))
            }
            ("busy", _) => Err(SignInError::Busy),
            ("down", _) => Err(SignInError::Unavailable),
            ("panic", _) => panic!("Jane Citizen"),
            _ => Err(SignInError::Rejected),
        }
    }

    async fn stands(&self, (): &()) -> Result<bool, SignInError> {
        Ok(!self.account_changed.load(Ordering::Relaxed))
    }

    async fn may_send_as(&self, origin: &Origin, address: &Address) -> Result<bool, Refusal> {
        match (origin, address.lookup_form().as_str()) {
            (_, "down@clinic.example") => Err(Refusal::Unavailable),
            (Origin::Relay { any_sender: true }, _) => Ok(true),
            (Origin::Relay { any_sender: false }, address) => Ok(address.ends_with("@clinic.example")),
            (Origin::Staff { .. }, address) => {
                Ok(["jane@clinic.example", "reception@clinic.example"].contains(&address))
            }
        }
    }

    async fn check_recipient(&self, _origin: &Origin, address: &Address) -> Result<(), Refusal> {
        match address.local_part() {
            "nobody" => Err(Refusal::NoSuchAddress),
            "down" => Err(Refusal::Unavailable),
            "forbidden" => Err(Refusal::Policy("This address is not written to".into())),
            _ => Ok(()),
        }
    }

    fn spool(&self) -> FakeSpool {
        FakeSpool { octets: Vec::new(), _open: Arc::clone(&self.open) }
    }

    async fn accept(&self, incoming: Incoming, spool: FakeSpool) -> Result<Receipt, Refusal> {
        let _turn = self.hold.lock().await;
        if spool.holds("refused-by-policy") {
            return Err(Refusal::Policy("Executable files are not sent".into()));
        }
        if spool.holds("in-circles") {
            return Err(Refusal::Loop);
        }
        let refused = usize::from(spool.holds("refuse-one"));
        let accepted = incoming.envelope.recipients.len() - refused;
        let reported = if incoming.envelope.reverse_path == ReversePath::Null { 0 } else { refused };
        let receipt = Receipt { transaction: incoming.transaction, accepted, asked: 0, refused, reported };
        self.taken.lock().unwrap().push(Taken { incoming, octets: spool.octets });
        Ok(receipt)
    }
}
