//! Forty-five days in a few minutes: a whole process whose clock is driven from outside by Debian's libfaketime.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::browser::{Guest, PLAIN, Tools, invite, open_portal, walk};
use super::client::Client;
use super::clinic::{Clinic, JANE, Setup, files_below, words};
use super::letters::Letter;
use super::tools;

/// A clinic that lives in a time of its own: real time, and so many days more.
struct Life {
    clinic: Clinic,
    library: PathBuf,
    shift: PathBuf,
}

impl Life {
    /// Begins today.
    fn begin(test: &str) -> Option<Self> {
        let library = library(test)?;
        let clinic = Clinic::new(&Setup::default());
        let config = clinic.path("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("[gateway]\n", "[gateway]\nclock_guard = false\n")).unwrap();
        open_portal(&clinic);
        let mut life = Self { shift: clinic.path("shift"), clinic, library };
        life.go_to(0);
        life.start();
        Some(life)
    }

    /// The wall clock is moved; clocks that cannot be set go on as they do on a machine whose clock was set.
    fn go_to(&self, day: u32) {
        let unfinished = self.shift.with_extension("new");
        fs::write(&unfinished, format!("+{day}d\n")).unwrap();
        fs::rename(unfinished, &self.shift).unwrap();
    }

    fn start(&mut self) {
        let (library, shift) = (self.library.display().to_string(), self.shift.display().to_string());
        self.clinic.start_with(&[
            ("LD_PRELOAD", &library),
            ("FAKETIME_TIMESTAMP_FILE", &shift),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]);
    }

    /// Jane sends a document through the trusted listener.
    fn send(&self, recipient: &str, subject: &str, document: &str) {
        let letter = Letter::new(JANE, recipient, subject, "See the document.\n").with_pdf("document.pdf", document);
        let mut client = Client::connect(self.clinic.trusted()).unwrap();
        client.hello().unwrap();
        assert_eq!(client.send(JANE, &[recipient], &letter.octets()).unwrap().code, 250);
    }

    fn json(&self, command: &[&str]) -> Value {
        let output = self.clinic.run(command, "");
        assert!(output.status.success(), "{command:?}: {}", words(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// How many mails with such a subject somebody has, once there are so many.
    fn wait_for_mails(&mut self, to: &str, subject: &str, count: usize) {
        let have = |life: &Self| {
            let outbox = life.clinic.outbox();
            outbox.iter().filter(|mail| mail.to == to && mail.subject().contains(subject)).count()
        };
        self.wait(&format!("{count} × \"{subject}\" for {to}"), |life| have(life) >= count);
        assert_eq!(have(self), count, "\"{subject}\" for {to}");
    }

    /// How many rights live.
    fn rights(&self) -> usize {
        self.json(&["grant", "list", "--json"]).as_array().map_or(0, Vec::len)
    }

    /// How many parcels still open, by the keys alone.
    fn opens(&self) -> u64 {
        self.json(&["vault", "verify", "--json"])["parcels"].as_u64().unwrap()
    }

    /// Goes on to a day, and waits until the agenda, which works every thirty seconds of real time, has done what was due
    /// until then: the keys of all days before it are destroyed.
    fn live_until(&mut self, day: u32) {
        self.go_to(day);
        let destroyed = |life: &Self| life.clinic.all_words().matches("key-destroyed").count();
        self.wait(&format!("day {day}"), |life| destroyed(life) >= day as usize);
    }

    fn wait(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if holds(self) {
                return;
            }
            assert!(self.clinic.is_running(), "the server ended:\n{}", self.clinic.last_words());
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("a minute later not yet: {what}\n{}", self.clinic.last_words());
    }

    /// Everything at rest, as somebody takes it who copies a disk.
    fn copy(&self, name: &str) -> Copy {
        let folder = self.clinic.path(name);
        for part in ["data", "keys"] {
            copy(&self.clinic.path(part), &folder.join(part));
        }
        Copy { folder }
    }

    /// Whether what lies in a copy opens with these keys, on the day it was taken.
    fn opens_copy(&mut self, data: &Copy, keys: &Copy) -> u64 {
        for (from, part) in [(data, "data"), (keys, "keys")] {
            fs::remove_dir_all(self.clinic.path(part)).unwrap();
            copy(&from.folder.join(part), &self.clinic.path(part));
        }
        self.start();
        let opens = self.opens();
        assert!(self.clinic.stop().success());
        opens
    }
}

/// The data folder and the keyring of a moment.
struct Copy {
    folder: PathBuf,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

fn library(test: &str) -> Option<PathBuf> {
    tools::find("faketime", test)?;
    // Debian keeps it beside its architecture's other libraries.
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    Some(found.expect("Debian's libfaketime brings libfaketimeMT.so.1"))
}

#[test]
fn what_expired_opens_no_more_in_any_copy_with_todays_keys() {
    let Some(mut life) = Life::begin("what_expired_opens_no_more_in_any_copy_with_todays_keys") else { return };
    life.send("one@elsewhere.example", "[payer] Results", "for a week");
    life.send("two@elsewhere.example", "[payer] [14d] Results", "for a fortnight");
    assert_eq!((life.rights(), life.opens()), (2, 2));
    assert!(life.clinic.stop().success());
    let then = life.copy("then");
    life.start();

    life.live_until(6);
    assert_eq!((life.rights(), life.opens()), (2, 2), "nothing expires early");
    life.live_until(9);
    assert_eq!((life.rights(), life.opens()), (1, 1), "the week is over, the fortnight is not");
    life.live_until(16);
    assert_eq!((life.rights(), life.opens()), (0, 0), "the fortnight is over");
    assert!(life.clinic.stop().success());
    let now = life.copy("now");

    life.go_to(0);
    assert_eq!(life.opens_copy(&then, &then), 2, "the copy was sound: with the keys of its day it opens");
    assert_eq!(life.opens_copy(&then, &now), 0, "with today's keys nothing in it opens");
}

const PATIENT: Guest =
    Guest { address: "jane.citizen@mail.example", tag: "[patient Jane Citizen 1980-03-04]", role: "patient" };
const DOCTOR: Guest =
    Guest { address: "dr.wong@hospital.example", tag: "[doctor-elsewhere]", role: "doctor-elsewhere" };

/// Two are invited on the same day. One registers on day 20 and finds the documents, which are then kept for a week; the
/// other never comes.
#[test]
fn an_invitation_lives_for_thirty_days_and_holds_its_documents() {
    let test = "an_invitation_lives_for_thirty_days_and_holds_its_documents";
    let (Some(tools), Some(mut life)) = (Tools::find(test), Life::begin(test)) else { return };
    invite(&life.clinic, &DOCTOR);
    invite(&life.clinic, &PATIENT);
    for (day, reminders) in [(2, 0), (4, 1), (16, 2)] {
        life.live_until(day);
        life.wait_for_mails(PATIENT.address, "eminder", reminders);
        life.wait_for_mails(DOCTOR.address, "eminder", reminders);
        assert_eq!((life.rights(), life.opens()), (2, 2), "documents are held, day {day}");
    }
    life.live_until(20);
    walk(&tools, &life.clinic, &DOCTOR, PLAIN);
    life.live_until(26);
    assert_eq!((life.rights(), life.opens()), (2, 2), "a week from the day of registering, not of sending");
    life.live_until(28);
    assert_eq!((life.rights(), life.opens()), (1, 1), "the week is over; what the patient was sent is still held");
    life.live_until(30);
    life.wait_for_mails(PATIENT.address, "Last reminder", 1);
    life.wait_for_mails(PATIENT.address, "eminder", 3);
    life.wait_for_mails(DOCTOR.address, "eminder", 2);
    life.live_until(32);
    life.wait_for_mails(JANE, "Nobody registered", 1);
    life.live_until(45);
    assert_eq!((life.rights(), life.opens()), (0, 0), "nobody came: the documents are gone");
}
