//! A hostile crowd: limits answer with codes, the others are served, and memory stays small.

use std::fs;
use std::time::{Duration, Instant};

use super::client::Client;
use super::clinic::{Clinic, JANE, Setup};
use super::letters::Letter;

#[test]
fn slow_clients_leave_the_others_served() {
    let mut clinic = Clinic::new(&Setup { more: "[limits]\nper_address = 200\n".into(), ..Setup::default() });
    clinic.start();
    // Fifty that never finish a line, on the listener that takes them from anywhere.
    let mut slow: Vec<_> = (0..50).map(|_| Client::connect(clinic.submission()).unwrap()).collect();
    for client in &mut slow {
        client.write(b"EHLO slow").unwrap();
    }
    let mut worst = Duration::ZERO;
    for number in 0..20 {
        let begun = Instant::now();
        let mut client = Client::connect(clinic.trusted()).unwrap();
        client.hello().unwrap();
        let recipient = format!("quick{number}@elsewhere.example");
        let letter = Letter::new(JANE, &recipient, "Quick", "Quick\n");
        assert_eq!(client.send(JANE, &[&recipient], &letter.octets()).unwrap().code, 250);
        worst = worst.max(begun.elapsed());
    }
    assert!(worst < Duration::from_secs(1), "the slowest of 20 took {worst:?}");
    assert!(clinic.is_running());
}

#[test]
fn one_address_gets_its_share_of_connections() {
    let mut clinic = Clinic::new(&Setup { more: "[limits]\nper_address = 5\n".into(), ..Setup::default() });
    clinic.start();
    let held: Vec<_> = (0..5).map(|_| Client::connect(clinic.trusted()).unwrap()).collect();
    assert!(Client::connect(clinic.trusted()).is_err(), "the sixth is turned away");
    drop(held);
    // The place is free again as soon as the server has seen the end of one.
    assert!(clinic.wait_while_running(|clinic| Client::connect(clinic.trusted()).is_ok()));
}

#[test]
fn lines_recipients_and_mistakes_have_limits_with_replies() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();

    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let reply = client.command(&format!("NOOP {}", "x".repeat(2_000))).unwrap();
    assert_eq!(reply.code, 500, "{reply:?}");

    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    client.command(&format!("MAIL FROM:<{JANE}>")).unwrap();
    let refused = (0..20_000).find_map(|number| {
        let reply = client.command(&format!("RCPT TO:<r{number}@elsewhere.example>")).unwrap();
        (reply.code != 250).then_some(reply)
    });
    assert_eq!(refused.expect("recipients have a limit").codes(), "452 4.5.3");

    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let last = (0..1_000).map_while(|_| client.command("NONSENSE").ok()).last().unwrap();
    assert_eq!(last.code, 421, "mistakes have a limit: {last:?}");
    assert!(clinic.is_running());
}

#[test]
fn size_is_refused_before_the_message_and_after_it() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let mut client = Client::connect(clinic.trusted()).unwrap();
    let hello = client.hello().unwrap();
    let size = hello.text.lines().find_map(|line| line.strip_prefix("SIZE ")).expect("SIZE is offered");
    let limit: usize = size.trim().parse().unwrap();
    let reply = client.command(&format!("MAIL FROM:<{JANE}> SIZE={}", limit + 1)).unwrap();
    assert_eq!(reply.codes(), "552 5.3.4");
    let line = "0123456789abcdef".repeat(60);
    let body = format!("{line}\n").repeat(limit / line.len() + 2);
    let letter = Letter::new(JANE, "p@elsewhere.example", "Large", &body);
    let reply = client.send(JANE, &["p@elsewhere.example"], &letter.octets()).unwrap();
    assert_eq!(reply.codes(), "552 5.3.4");
    let small = Letter::new(JANE, "p@elsewhere.example", "Small", "Small\n");
    assert_eq!(client.send(JANE, &["p@elsewhere.example"], &small.octets()).unwrap().code, 250, "the session lives on");
    assert_eq!(clinic.wait_for_outbox(1).len(), 1);
}

#[test]
fn what_follows_starttls_in_the_clear_is_forgotten() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let mut client = Client::connect(clinic.submission()).unwrap();
    client.hello().unwrap();
    // CVE-2011-0411: the pipelined command must not be answered inside TLS, nor in the clear.
    client.write(b"STARTTLS\r\nNOOP injected\r\n").unwrap();
    let reply = client.reply().unwrap();
    assert!(reply.code == 220 || reply.code / 100 == 5, "{reply:?}");
    if reply.code == 220 {
        // A ClientHello that never comes: the next octets from the server may not be a reply to NOOP.
        client.write(b"\r\n").unwrap();
        assert!(client.reply().is_err(), "the injected command was answered");
    }
    assert!(clinic.is_running());
}

/// The release build is measured by benches/run; this holds the bound on every change.
#[test]
fn memory_stays_small_at_rest_and_while_large_messages_come_in() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let at_rest = resident(&clinic);
    assert!(at_rest < 150 << 20, "{} MiB at rest", at_rest >> 20);
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let address = clinic.trusted();
            std::thread::spawn(move || {
                let recipient = format!("large{number}@elsewhere.example");
                let letter = Letter::new(JANE, &recipient, "Large", "Large\n")
                    .with_pdf("scan.pdf", &"0123456789abcdef".repeat(1 << 20));
                let mut client = Client::connect(address).unwrap();
                client.hello().unwrap();
                client.send(JANE, &[&recipient], &letter.octets()).unwrap()
            })
        })
        .collect();
    let mut highest = at_rest;
    while threads.iter().any(|thread| !thread.is_finished()) {
        highest = highest.max(resident(&clinic));
        super::clinic::pause();
    }
    for thread in threads {
        assert_eq!(thread.join().unwrap().codes(), "250 2.0.0");
    }
    // Eight messages of 22 MiB, 2 MiB allowed for each connection, and 16 MiB for what the first message warms up.
    let grown = highest - at_rest;
    assert!(grown < (8 * 2 + 16) << 20, "{} MiB more for eight connections", grown >> 20);
}

/// Resident memory of the server, in octets (proc(5), `VmRSS`).
fn resident(clinic: &Clinic) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", clinic.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}
