//! Markers in every input, and then every octet the server wrote: nothing of a patient lies anywhere in the clear.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};

use super::client::Client;
use super::clinic::{Clinic, JANE, PASSWORD, Setup, files_below, words};
use super::letters::Letter;

/// One word for each place that can hold something of a patient. Each is found nowhere but here.
const MARKERS: [&str; 9] = [
    "Fromnamemarkerqx",
    "Tonamemarkerqx",
    "addressmarkerqx",
    "Subjectmarkerqx",
    "Patientmarkerqx",
    "1931-07-19",
    "Bodymarkerqx",
    "Filemarkerqx",
    "Contentmarkerqx",
];

#[test]
fn nothing_of_a_patient_lies_in_the_clear() {
    let mut clinic = Clinic::new(&Setup::default());
    // Logs as talkative as they get: what a debug line quotes is a leak too.
    clinic.start_with(&[("POSTERN_LOG", "trace")]);
    let added = clinic.run(&["staff", "add", JANE, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{}", words(&added));

    submit_all(&clinic);
    let outbox = clinic.wait_for_outbox(4);
    let delivered: String = outbox.iter().map(super::outbox::Delivered::text).collect();
    assert!(delivered.contains("addressmarkerqx"), "the markers did go through:\n{delivered}");

    refused_too(&clinic);
    for listing in [["queue", "list", "--json"], ["grant", "list", "--json"]] {
        let output = clinic.run(&listing, "");
        assert!(output.status.success(), "{listing:?}: {}", words(&output));
    }
    assert_clean(&clinic, "while it runs");
    clinic.kill();
    assert_clean(&clinic, "after kill -9");
    clinic.start_with(&[("POSTERN_LOG", "trace")]);
    assert!(clinic.stop().success());
    assert_clean(&clinic, "after a start and an orderly end");
}

/// Secured and relayed, small (kept in memory) and large (spooled), with the document inline in the vault and as a blob.
fn submit_all(clinic: &Clinic) {
    let mut client = Client::connect_tls(clinic.submissions(), &clinic.path("certs/ca.pem")).unwrap();
    client.hello().unwrap();
    assert_eq!(client.sign_in(JANE, PASSWORD).unwrap().code, 235);
    for (domain, size) in
        [("elsewhere.example", 1), ("elsewhere.example", 40_000), ("clinic.example", 1), ("clinic.example", 40_000)]
    {
        let recipient = format!("addressmarkerqx{size}@{domain}");
        let reply = client.send(JANE, &[&recipient], &letter(&recipient, size).octets()).unwrap();
        assert_eq!(reply.codes(), "250 2.0.0", "{reply:?}");
    }
}

fn letter(recipient: &str, size: usize) -> Letter {
    let from = format!("Fromnamemarkerqx <{JANE}>");
    let to = format!("Tonamemarkerqx <{recipient}>");
    let subject = "Subjectmarkerqx [patient Zelda Patientmarkerqx 1931-07-19]";
    Letter::new(&from, &to, subject, &"Bodymarkerqx \n".repeat(size.div_ceil(10)))
        .with_pdf("Filemarkerqx.pdf", &"Contentmarkerqx ".repeat(size))
        .with("Filemarkerqx.txt", "text/plain", "Contentmarkerqx ".repeat(size).into_bytes())
}

/// What is refused is quoted nowhere either: mistakes with markers in them.
fn refused_too(clinic: &Clinic) {
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    for line in [
        "MAIL FROM:<addressmarkerqx",
        "MAIL FROM:<addressmarkerqx@clinic.example> BODY=Bodymarkerqx",
        "RCPT TO:<addressmarkerqx@@elsewhere.example>",
        "SUBJECTMARKERQX Bodymarkerqx",
        "VRFY addressmarkerqx@elsewhere.example",
    ] {
        assert!(client.command(line).unwrap().code >= 252, "{line}");
    }
    let broken = letter("addressmarkerqx@elsewhere.example", 1).octets();
    let broken = String::from_utf8(broken).unwrap().replacen("base64", "Bodymarkerqx", 1);
    let reply = client.send(JANE, &["addressmarkerqx@elsewhere.example"], broken.as_bytes()).unwrap();
    assert_eq!(reply.code, 550, "{reply:?}");
    for marker in MARKERS {
        assert!(!reply.text.contains(marker), "the reply quotes {marker}: {}", reply.text);
    }
}

/// Looks into all that the server wrote but the outbox.
fn assert_clean(clinic: &Clinic, when: &str) {
    let mut found = Vec::new();
    let mut octets_read = 0;
    for file in files_below(&clinic.path(".")) {
        if is_output_or_input(clinic, &file) {
            continue;
        }
        let octets = fs::read(&file).unwrap_or_default();
        octets_read += octets.len();
        for marker in MARKERS {
            if let Some(form) = first_form(&octets, marker) {
                found.push(format!("{marker} ({form}) in {}", file.display()));
            }
        }
    }
    assert!(octets_read > 100_000, "only {octets_read} octets were there to look at");
    assert!(found.is_empty(), "{when}:\n{}", found.join("\n"));
}

/// The outbox stands for the recipients' servers; policies and configuration are not the server's writing.
fn is_output_or_input(clinic: &Clinic, file: &Path) -> bool {
    ["outbox", "policies", "config.toml"].iter().any(|name| file.starts_with(clinic.path("./").join(name)))
}

/// The first form of a marker that these octets hold.
fn first_form(octets: &[u8], marker: &str) -> Option<String> {
    forms(marker).into_iter().find(|(_, form)| memchr::memmem::find(octets, form).is_some()).map(|(name, _)| name)
}

/// A marker as is, in other cases, in UTF-16, in hexadecimal, and in base64 at each of the three offsets.
fn forms(marker: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("as is".to_owned(), marker.as_bytes().to_vec()),
        ("lower case".to_owned(), marker.to_lowercase().into_bytes()),
        ("upper case".to_owned(), marker.to_uppercase().into_bytes()),
        ("UTF-16LE".to_owned(), marker.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE".to_owned(), marker.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hexadecimal".to_owned(), HEXLOWER.encode(marker.as_bytes()).into_bytes()),
    ];
    for offset in 0..3 {
        let padded = [vec![b' '; offset], marker.as_bytes().to_vec()].concat();
        let whole = padded.len() / 3 * 4;
        // The first group mixes in what stood before, the last what comes after: only the middle is certain.
        let coded = BASE64.encode(&padded).into_bytes();
        forms.push((format!("base64 at offset {offset}"), coded[if offset > 0 { 4 } else { 0 }..whole].to_vec()));
    }
    forms
}

/// The search itself: it finds each form, so that a clean result means something.
#[test]
fn the_search_for_markers_finds_every_form() {
    for marker in MARKERS {
        for before in 0..3 {
            let text = [vec![b'#'; before], marker.as_bytes().to_vec(), b"tail".to_vec()].concat();
            for octets in [
                text.clone(),
                BASE64.encode(&text).into_bytes(),
                HEXLOWER.encode(&text).into_bytes(),
                String::from_utf8(text).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ] {
                assert!(first_form(&octets, marker).is_some(), "{marker} after {before}");
            }
        }
    }
    assert_eq!(first_form(b"nothing of the kind", MARKERS[0]), None);
}
