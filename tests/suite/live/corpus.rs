//! Real messages (`../shared/corpus`) through a trusted listener: each is delivered without an attachment or refused with
//! a reason, and the server lives.
//!
//! `UPDATE_GOLDEN=1` writes the table of both to docs/corpus.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64_MIME;

use super::client::{Client, Reply};
use super::clinic::{Clinic, JANE, Setup, files_below, repository};
use super::outbox::Delivered;
use super::readers;
use super::tools::skipped;

/// Where in docs/corpus.md that begins which this test does not write.
const SURVEY: &str = "\n## The survey of it";

/// One message of the corpus.
struct Sample {
    /// Its path below the corpus; messages of one mailbox are numbered.
    name: String,
    octets: Vec<u8>,
}

/// What became of one.
struct Fate {
    sample: Sample,
    reply: Reply,
}

#[test]
fn the_corpus_is_delivered_without_attachments_or_refused_with_a_reason() {
    let corpus =
        std::env::var_os("POSTERN_CORPUS").map_or_else(|| repository().join("../shared/corpus"), PathBuf::from);
    let test = "the_corpus_is_delivered_without_attachments_or_refused_with_a_reason";
    if !corpus.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{test} needs {}, and in CI nothing is skipped", corpus.display());
        return skipped(test, "../shared/corpus is not there (POSTERN_CORPUS names another place)");
    }
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let fates: Vec<Fate> =
        samples(&corpus).into_iter().enumerate().map(|(at, sample)| send(&mut clinic, at, sample)).collect();
    let delivered = fates.iter().filter(|fate| fate.reply.code == 250).count();
    let outbox = clinic.wait_for_outbox(delivered);

    for fate in &fates {
        assert!(matches!(fate.reply.code, 250 | 500..=599), "{}: {:?}", fate.sample.name, fate.reply);
        assert!(!fate.reply.enhanced.is_empty() && fate.reply.text.len() > 12, "no reason: {:?}", fate.reply);
    }
    assert!(!clinic.all_words().contains("panicked"), "{}", clinic.all_words());
    assert_no_attachments(&clinic, &outbox, &fates, test);
    assert_few_links_missing(&outbox);
    println!("{} messages, {delivered} delivered, {} refused", fates.len(), fates.len() - delivered);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let page = repository().join("docs/corpus.md");
        let before = fs::read_to_string(&page).unwrap();
        // The survey's table is its own.
        let survey = before.find(SURVEY).map_or("", |at| &before[at..]);
        fs::write(&page, table(&fates) + survey).unwrap();
    }
    assert!(clinic.stop().success());
}

/// All messages: files as they are, mailboxes split at their `From ` lines, bare TNEF as Outlook would send it.
fn samples(corpus: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    for file in files_below(corpus) {
        let name = file.strip_prefix(corpus).unwrap().display().to_string();
        let octets = fs::read(&file).unwrap();
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("eml" | "msg") => samples.push(Sample { name, octets: without_from_line(octets) }),
            Some("tnef") => samples.push(Sample { octets: winmail(&octets), name }),
            Some("mbox") => {
                for (number, octets) in split_mailbox(&octets).into_iter().enumerate() {
                    samples.push(Sample { name: format!("{name}#{}", number + 1), octets });
                }
            }
            _ => {}
        }
    }
    assert!(samples.len() >= 385, "the corpus has {} messages", samples.len());
    samples
}

/// An mbox `From ` line is not part of the message.
fn without_from_line(octets: Vec<u8>) -> Vec<u8> {
    match octets.iter().position(|octet| *octet == b'\n') {
        Some(end) if octets.starts_with(b"From ") => octets[end + 1..].to_vec(),
        _ => octets,
    }
}

fn split_mailbox(octets: &[u8]) -> Vec<Vec<u8>> {
    let (mut messages, mut after_empty) = (Vec::<Vec<u8>>::new(), true);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if after_empty && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else if let Some(message) = messages.last_mut() {
            message.extend_from_slice(line);
        }
        after_empty = line.iter().all(|octet| octet.is_ascii_whitespace());
    }
    messages
}

fn winmail(tnef: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: {JANE}\r\nTo: patient@elsewhere.example\r\nSubject: TNEF\r\nDate: Sat, 21 Nov 2026 10:00:00 +1100\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_tnef\"\r\n\r\n--=_tnef\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\nSee the attachment.\r\n--=_tnef\r\n\
         Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"winmail.dat\"\r\n\r\n"
    );
    format!("{head}{}--=_tnef--\r\n", BASE64_MIME.encode(tnef)).into_bytes()
}

/// Sends one, on a connection of its own; the recipient's name says which it is.
fn send(clinic: &mut Clinic, at: usize, sample: Sample) -> Fate {
    let attempt = || -> std::io::Result<Reply> {
        let mut client = Client::connect(clinic.trusted())?;
        client.hello()?;
        client.send(JANE, &[&recipient(at)], &sample.octets)
    };
    let reply = attempt().unwrap_or_else(|fault| panic!("{}: {fault}\n{}", sample.name, clinic.last_words()));
    assert!(clinic.is_running(), "{} ended the server:\n{}", sample.name, clinic.last_words());
    Fate { sample, reply }
}

fn recipient(at: usize) -> String {
    format!("corpus{at}@elsewhere.example")
}

/// No reader sees an attachment in what was delivered.
fn assert_no_attachments(clinic: &Clinic, outbox: &[Delivered], fates: &[Fate], test: &str) {
    let mut seen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let found = readers::attachments(&clinic.path("outbox"), &clinic.path("readers"), test);
    for mail in outbox {
        let at: usize = mail.to.trim_start_matches("corpus").split('@').next().unwrap().parse().unwrap();
        if let Some(found) = found.get(&mail.name) {
            seen.entry(&fates[at].sample.name).or_default().extend(found.iter().cloned());
        }
    }
    assert!(seen.is_empty(), "{} delivered messages carry attachments: {seen:#?}", seen.len());
}

/// Guards the test itself: if documents were merely dropped, there would be no links.
fn assert_few_links_missing(outbox: &[Delivered]) {
    let linked = outbox.iter().filter(|mail| mail.bodies().contains("/p/")).count();
    assert!(linked * 4 > outbox.len(), "only {linked} of {} delivered mails have a link", outbox.len());
}

fn table(fates: &[Fate]) -> String {
    let delivered = fates.iter().filter(|fate| fate.reply.code == 250).count();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for fate in fates.iter().filter(|fate| fate.reply.code != 250) {
        *reasons.entry(reason(&fate.reply)).or_default() += 1;
    }
    let mut text = format!(
        "# What becomes of real messages\n\n\
         Question: which messages of public test suites does Postern deliver, which does it refuse, and why?\n\n\
         Written by `UPDATE_GOLDEN=1 cargo test --test suite live::corpus`. Of {} messages {delivered} are delivered, without an \
         attachment as {} see them, and {} refused.\n\n\
         | refused | reason |\n|---:|---|\n",
        fates.len(),
        readers::NAMES,
        fates.len() - delivered
    );
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), reason.clone()));
    for (reason, count) in reasons {
        text += &format!("| {count} | {reason} |\n");
    }
    text += "\n| message | octets | result |\n|---|---:|---|\n";
    for fate in fates {
        let result = if fate.reply.code == 250 { "delivered".to_owned() } else { reason(&fate.reply) };
        text += &format!("| {} | {} | {result} |\n", fate.sample.name, fate.sample.octets.len());
    }
    text
}

/// The reply without what differs from run to run: the id that joins it to the log.
fn reason(reply: &Reply) -> String {
    let text = reply.text.trim().replace('\n', " ").replace('|', "\\|");
    let text = text.strip_prefix(&reply.enhanced).unwrap_or(&text).trim();
    let text = text.rsplit_once(" (id ").map_or(text, |(before, _)| before);
    format!("{} {text}", reply.codes())
}
