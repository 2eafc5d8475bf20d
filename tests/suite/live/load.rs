//! Load on the trusted listener: threads that send, and remember each message that got its 250.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::client::Client;
use super::clinic::{Clinic, JANE};
use super::letters::Letter;
use super::outbox::Delivered;

/// Threads that send until they are stopped or the server is gone.
pub struct Load {
    threads: Vec<JoinHandle<Vec<String>>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Load {
    /// Starts them; `name` makes the ids of this load different from all others.
    pub fn start(address: SocketAddr, threads: usize, name: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let threads = (0..threads)
            .map(|thread| {
                let (stop, acknowledged, name) =
                    (Arc::clone(&stop), Arc::clone(&acknowledged), format!("{name}-{thread}"));
                std::thread::spawn(move || send_until_stopped(address, &name, &stop, &acknowledged))
            })
            .collect();
        Self { threads, stop, acknowledged }
    }

    /// How many messages got their 250 so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Stops them; the recipients whose mail was acknowledged.
    pub fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }
}

fn send_until_stopped(address: SocketAddr, name: &str, stop: &AtomicBool, acknowledged: &AtomicUsize) -> Vec<String> {
    let mut known = Vec::new();
    let Ok(mut client) = Client::connect(address) else { return known };
    if client.hello().is_err() {
        return known;
    }
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let (recipients, octets) = message(name, number);
        let borrowed: Vec<&str> = recipients.iter().map(String::as_str).collect();
        match client.send(JANE, &borrowed, &octets) {
            Ok(reply) if reply.code == 250 => {
                known.extend(recipients);
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            // Full or busy is an honest answer; the message was not taken.
            Ok(reply) if reply.code / 100 == 4 => {}
            Ok(reply) => panic!("{reply:?}"),
            Err(_) => break,
        }
    }
    known
}

/// The number-th message of a load: plain, with a small document, with one that makes a blob; each fourth to two people.
/// Its id is the recipient's local part and stands in the subject.
pub fn message(name: &str, number: usize) -> (Vec<String>, Vec<u8>) {
    let id = format!("{name}-{number}");
    let mut recipients = vec![format!("{id}@elsewhere.example")];
    if number % 4 == 3 {
        recipients.push(format!("{id}-too@elsewhere.example"));
    }
    let letter =
        Letter::new(JANE, &recipients.join(", "), &format!("Message {id}"), "Dear patient,\nplease read this.\n");
    let letter = match number % 3 {
        0 => letter,
        1 => letter.with_pdf("result.pdf", "small"),
        _ => letter.with_pdf("scan.pdf", &"scan ".repeat(10_000)),
    };
    (recipients, letter.octets())
}

/// Compares what was acknowledged with what was delivered: nothing lost, and how many came twice.
pub fn account_for(clinic: &mut Clinic, acknowledged: &[String]) -> usize {
    let all_there = clinic.wait_while_running(|clinic| {
        let counts = counts(&clinic.outbox());
        acknowledged.iter().all(|recipient| counts.contains_key(recipient.as_str()))
    });
    let outbox = clinic.outbox();
    let counts = counts(&outbox);
    let lost: Vec<_> = acknowledged.iter().filter(|recipient| !counts.contains_key(recipient.as_str())).collect();
    assert!(all_there && lost.is_empty(), "{} of {} acknowledged are lost: {lost:?}", lost.len(), acknowledged.len());
    for mail in &outbox {
        if let Some((id, _)) =
            mail.to.split_once('@').filter(|(id, _)| counts.contains_key(mail.to.as_str()) && id.contains('-'))
        {
            let id = id.trim_end_matches("-too");
            assert!(mail.subject().contains(id), "{} got another's message: {}", mail.to, mail.subject());
        }
    }
    counts.values().map(|count| count - 1).sum()
}

/// Deliveries by recipient; reports to the sender do not count.
fn counts(outbox: &[Delivered]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in outbox.iter().filter(|mail| mail.to != JANE) {
        *counts.entry(mail.to.clone()).or_default() += 1;
    }
    counts
}
