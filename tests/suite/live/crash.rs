//! Death at each numbered step of a commit, a torn journal record, flipped bits in sled: every 250 is delivered.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use super::clinic::{Clinic, Relay, Setup, files_below};
use super::load::{Load, account_for};

/// The steps of `src/store/crash.rs`, in order, and at which passing of each the server dies: a few commits into the load.
const STEPS: [&str; 5] = ["blobs-synced:5", "journal-appended:15", "journal-synced:15", "applied:15", "answered:15"];

#[test]
fn death_at_each_commit_step_loses_no_250() {
    for step in STEPS {
        let mut clinic = Clinic::new(&Setup::default());
        clinic.start();
        let load = Load::start(clinic.trusted(), 3, "before");
        assert!(clinic.wait_while_running(|_| load.acknowledged() >= 10), "{}", clinic.last_words());
        let mut acknowledged = load.stop();
        assert!(clinic.stop().success());

        clinic.start_with(&[("POSTERN_CRASH_AT", step)]);
        let load = Load::start(clinic.trusted(), 3, "during");
        let status = clinic.wait_for_end();
        assert!(!status.success(), "{step}: the server was to die, and ended in order");
        acknowledged.extend(load.stop());

        clinic.start();
        let load = Load::start(clinic.trusted(), 3, "after");
        assert!(clinic.wait_while_running(|_| load.acknowledged() >= 10), "{step}: {}", clinic.last_words());
        acknowledged.extend(load.stop());
        let twice = account_for(&mut clinic, &acknowledged);
        assert!(twice <= 1, "{step}: {twice} were delivered twice by one crash");
        assert_no_orphans(&mut clinic, step);
    }
}

/// After a sweep the vault holds what its catalogue names, and no more.
fn assert_no_orphans(clinic: &mut Clinic, step: &str) {
    assert!(clinic.stop().success());
    clinic.start();
    let verified = clinic.run(&["vault", "verify", "--json"], "");
    let report = super::clinic::words(&verified);
    assert!(verified.status.success(), "{step}: {report}");
}

#[test]
fn a_torn_last_record_is_cut_off_and_nothing_else_is_lost() {
    // A record that was being written when the power went: its first octets, then nothing, or zeros, or noise.
    for torn in [&b"\x00"[..], &[0; 4096], &[0xA5; 37], b"half a rec"] {
        let (mut clinic, acknowledged) = waiting_mail();
        let last = newest(&clinic, "journal");
        let whole = fs::read(&last).unwrap();
        let mut file = OpenOptions::new().append(true).open(&last).unwrap();
        // The tail of a true record is a likelier ruin than noise: it has a sound look up to its middle.
        file.write_all(&whole[whole.len().saturating_sub(60)..whole.len().saturating_sub(20)]).unwrap();
        file.write_all(torn).unwrap();
        drop(file);
        resume(&mut clinic, &acknowledged);
    }
}

#[test]
fn flipped_bits_in_sled_cost_nothing_but_time() {
    for place in [0, 1, 2, 3] {
        let (mut clinic, acknowledged) = waiting_mail();
        let db = files_below(&clinic.path("data"))
            .into_iter()
            .filter(|file| file.file_name().is_some_and(|name| name == "db"))
            .max_by_key(|file| fs::metadata(file).unwrap().len())
            .expect("sled's file is somewhere in the data folder");
        let mut octets = fs::read(&db).unwrap();
        let end = octets.iter().rposition(|octet| *octet != 0).unwrap_or(0);
        for flip in 0..4 {
            let at = (end * (4 * place + flip) / 16).min(octets.len() - 1);
            octets[at] ^= 0x10;
        }
        fs::write(&db, octets).unwrap();
        resume(&mut clinic, &acknowledged);
    }
}

#[test]
fn a_missing_index_is_rebuilt_from_the_journal() {
    let (mut clinic, acknowledged) = waiting_mail();
    let db =
        files_below(&clinic.path("data")).into_iter().find(|file| file.file_name().is_some_and(|name| name == "db"));
    fs::remove_dir_all(db.expect("sled's file").parent().unwrap()).unwrap();
    resume(&mut clinic, &acknowledged);
}

/// A clinic killed with acknowledged mail that its smarthost has not taken yet.
fn waiting_mail() -> (Clinic, Vec<String>) {
    // A listener that nobody answers on: attempts hang, and the letters wait in the queue.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clinic = Clinic::new(&Setup { relay: Relay::Smarthost(silent.local_addr().unwrap()), ..Setup::default() });
    clinic.start();
    let load = Load::start(clinic.trusted(), 2, "waiting");
    assert!(clinic.wait_while_running(|_| load.acknowledged() >= 20), "{}", clinic.last_words());
    clinic.kill();
    let acknowledged = load.stop();
    assert!(clinic.outbox().is_empty());
    clinic.configure(&Setup::default());
    (clinic, acknowledged)
}

/// Starts over the damage; everything acknowledged is delivered once, and new mail passes.
fn resume(clinic: &mut Clinic, acknowledged: &[String]) {
    clinic.start();
    let twice = account_for(clinic, acknowledged);
    assert!(twice <= 1, "{twice} were delivered twice");
    let load = Load::start(clinic.trusted(), 1, "resumed");
    assert!(clinic.wait_while_running(|_| load.acknowledged() >= 5), "{}", clinic.last_words());
    let after = load.stop();
    account_for(clinic, &after);
    assert!(clinic.stop().success());
}

/// The newest file whose path names this.
fn newest(clinic: &Clinic, what: &str) -> PathBuf {
    files_below(&clinic.path("data"))
        .into_iter()
        .filter(|file| file.to_string_lossy().contains(what))
        .max_by_key(|file| fs::metadata(file).unwrap().modified().unwrap())
        .unwrap_or_else(|| panic!("no {what} in the data folder"))
}
