//! A disk without space: mail is refused for a while, nothing acknowledged is lost, and it goes on when there is space again.

use std::fs;
use std::process::{Command, Stdio};

use super::client::{Client, Reply};
use super::clinic::{Clinic, JANE, Setup, words};
use super::letters::Letter;
use super::tools::skipped;

/// What the store keeps free for what must not fail (src/store/disk.rs).
const RESERVE: u64 = 32 << 20;

/// A small file system of its own; unmounted when dropped, before the clinic's folder goes.
struct SmallDisk(Clinic);

impl SmallDisk {
    /// A clinic whose data folder holds 80 MiB (the store keeps 32 in reserve), or nothing where only root may mount.
    fn new(test: &str) -> Option<Self> {
        let clinic = Clinic::new(&Setup::default());
        let data = clinic.path("data");
        fs::create_dir(&data).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=80m,mode=700", "tmpfs"]).arg(&data).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(clinic));
        }
        skipped(test, "only root can mount a small file system");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.0.is_running() {
            self.0.kill();
        }
        let _ = Command::new("umount").arg(self.0.path("data")).status();
    }
}

#[test]
fn a_full_disk_refuses_for_a_while_and_loses_nothing() {
    let Some(mut disk) = SmallDisk::new("a_full_disk_refuses_for_a_while_and_loses_nothing") else { return };
    let clinic = &mut disk.0;
    clinic.start();
    assert_eq!(send(clinic, "before", 1).code, 250);

    let ballast = clinic.path("data/ballast");
    let refusal = fill(clinic, &ballast);
    assert_eq!(refusal.codes(), "452 4.3.1", "{refusal:?}");
    assert!(clinic.is_running(), "{}", clinic.last_words());
    // Reading goes on.
    let listed = clinic.run(&["grant", "list", "--json"], "");
    assert!(listed.status.success(), "{}", words(&listed));

    // It starts on a disk without any space: old mail can be read, new mail is refused.
    clinic.kill();
    clinic.start();
    assert_eq!(send(clinic, "while-quite-full", 100_000).codes(), "452 4.3.1");
    let listed = clinic.run(&["grant", "list", "--json"], "");
    assert!(listed.status.success(), "{}", words(&listed));

    // And on one that its mail has filled up to the reserve.
    clinic.kill();
    let file = fs::File::options().write(true).open(&ballast).unwrap();
    file.set_len(file.metadata().unwrap().len() - RESERVE / 2).unwrap();
    drop(file);
    clinic.start();
    assert_eq!(send(clinic, "while-full", 100_000).codes(), "452 4.3.1");
    let listed = clinic.run(&["grant", "list", "--json"], "");
    assert!(listed.status.success(), "{}", words(&listed));

    fs::remove_file(&ballast).unwrap();
    assert!(clinic.wait_while_running(|clinic| send(clinic, "after", 100_000).code == 250), "{}", clinic.last_words());
    for name in ["before", "after"] {
        clinic.wait_for_delivery_to(&format!("{name}@elsewhere.example"));
    }
    let delivered = clinic.outbox().iter().filter(|mail| mail.to.starts_with("while-")).count();
    assert_eq!(delivered, 0, "what was refused was not sent");
    let verified = clinic.run(&["vault", "verify"], "");
    assert!(verified.status.success(), "{}", words(&verified));
    assert!(clinic.stop().success());
}

/// Takes all the space there is; the first refusal.
fn fill(clinic: &Clinic, ballast: &std::path::Path) -> Reply {
    use std::io::Write;
    let mut file = fs::File::create(ballast).unwrap();
    while file.write_all(&[0xA5; 65_536]).is_ok() {}
    drop(file);
    // What a file has in reserve may still take a few small ones.
    let refused =
        (0..200).map(|number| send(clinic, &format!("filling{number}"), 100_000)).find(|reply| reply.code != 250);
    refused.expect("a full disk refuses")
}

fn send(clinic: &Clinic, name: &str, octets: usize) -> Reply {
    let recipient = format!("{name}@elsewhere.example");
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let letter = Letter::new(JANE, &recipient, "Results", "Results\n").with_pdf("result.pdf", &"x".repeat(octets));
    client.send(JANE, &[&recipient], &letter.octets()).unwrap()
}
