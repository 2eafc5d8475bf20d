//! Messages and what is made of them: `tests/mime/*/NAME.eml` beside `NAME.outline`; those in `malformed` are refused. `UPDATE_GOLDEN=1` rewrites the
//! outlines; a failure prints what was made. Each message is read twice: as it lies in its file (line ends made CRLF),
//! and with a bare LF, which must be refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use postern::mime::assess::{Assessment, Given, PatientRef, Signals, TagMeaning};
use postern::mime::{Content, Defect, Entity, Limits, Outline, assess_octets};

/// The octets with CRLF line ends, whatever they had.
fn crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for line in octets.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
        out.extend_from_slice(text.unwrap_or(line));
        if text.is_some() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

fn shown(made: &Result<(Outline, Assessment), Defect>) -> String {
    let mut text = String::new();
    match made {
        Err(defect) => {
            let code = if defect.limit { "552 5.3.4" } else { "550 5.6.0" };
            let _ = writeln!(text, "refused: {code} {}\n{}", defect.word, defect.words);
        }
        Ok((outline, assessment)) => {
            let _ = writeln!(text, "octets {} header {}", outline.octets, outline.header_end);
            entity(&mut text, &outline.root, 0);
            facts(&mut text, assessment);
            if let Some(mended) = &assessment.mended {
                let _ = writeln!(text, "mended {}", mended.word);
            }
        }
    }
    text
}

fn entity(text: &mut String, entity_: &Entity, depth: usize) {
    let indent = "  ".repeat(depth);
    let e = entity_;
    let _ = write!(text, "{indent}{} {:?} {:?} lines {}", e.media_type, e.encoding, e.body, e.lines);
    for (name, value) in e.media_type.parameters.iter().filter(|(name, _)| name != "boundary" && name != "name") {
        let _ = write!(text, " {name}={value:?}");
    }
    if let Some(disposition) = &e.disposition {
        let _ = write!(text, " disposition {disposition}");
    }
    if let Some(id) = &e.content_id {
        let _ = write!(text, " id {id:?}");
    }
    if !e.names.is_empty() {
        let _ = write!(text, " names {:?}", e.names);
    }
    text.push('\n');
    if let Content::Multipart(children) = &e.content {
        for child in children {
            entity(text, child, depth + 1);
        }
    }
}

fn facts(text: &mut String, a: &Assessment) {
    let _ = writeln!(text, "---\nsubject {:?}", a.subject);
    for tag in &a.tags {
        let meaning = match &tag.meaning {
            TagMeaning::Secure => "secure".to_owned(),
            TagMeaning::Plain => "plain".to_owned(),
            TagMeaning::Body => "body".to_owned(),
            TagMeaning::Role(role) => format!("role {role}"),
            TagMeaning::Clock(clock) => format!("clock {} h", clock.as_secs() / 3600),
            TagMeaning::Patient(PatientRef::Record(number)) => format!("patient number {number}"),
            TagMeaning::Patient(PatientRef::Named { name, birthdate }) => format!("patient {name}, born {birthdate}"),
            TagMeaning::Patient(PatientRef::Unnamed { .. }) => "a patient whom no tag can name".to_owned(),
            TagMeaning::NoPin => "no code".to_owned(),
            TagMeaning::Unread(after) => format!("unread {} h", after.as_secs() / 3600),
            TagMeaning::Type(name) => format!("type {name}"),
            TagMeaning::AsAlways(word) => format!("{word}, as always"),
            TagMeaning::NotYet(word) => format!("{word}, not yet"),
        };
        let _ = writeln!(text, "tag {:?} {meaning}", &a.subject[tag.span.clone()]);
    }
    let from: Vec<String> = a.from.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "from {from:?} name {:?}", a.from_name);
    if let Some(sender) = &a.sender {
        let _ = writeln!(text, "sender {sender}");
    }
    if a.received > 0 || a.auto_submitted {
        let _ = writeln!(text, "received {} auto-submitted {}", a.received, a.auto_submitted);
    }
    let marked = if a.marked { "marked " } else { "" };
    signals(text, &a.signals);
    let _ = writeln!(text, "{marked}text {:?}\n{marked}html {:?}", a.text, a.html);
    for d in &a.attachments {
        let inline = match (d.inline, d.given == Given::Nowhere) {
            (_, true) => " given to nobody",
            (true, _) => " inline",
            _ => "",
        };
        let _ = write!(
            text,
            "document {:?} {} shows {:?} octets {}{inline}",
            d.name, d.declared_type, d.content_type, d.octets
        );
        if d.names.len() > 1 {
            let _ = write!(text, " also {:?}", &d.names[1..]);
        }
        text.push('\n');
    }
}

fn signals(text: &mut String, s: &Signals) {
    let said = [
        s.sensitivity.map(|it| format!("sensitivity {}", it.name())),
        s.importance.map(|it| format!("importance {}", it.name())),
        s.read_receipt.then(|| "read receipt".to_owned()),
        s.reply_by.map(|by| format!("reply by {by}")),
        s.flagged.then(|| "flagged".to_owned()),
        s.expires_after.map(|after| format!("expires after {} h", after.as_secs() / 3600)),
        s.recall.as_ref().map(|subject| format!("recalls {subject:?}")),
        (!s.fields.is_empty()).then(|| format!("fields {:?}", s.fields)),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    if !said.is_empty() {
        let _ = writeln!(text, "signals {}", said.join(", "));
    }
}

fn messages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "eml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_message_is_what_its_outline_says() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mime");
    let found = messages(&folder);
    assert!(found.len() >= 40, "only {} messages", found.len());
    let mut wrong = String::new();
    for path in found {
        let octets = crlf(&std::fs::read(&path).unwrap());
        let made = shown(&assess_octets(&octets, &Limits::default()));
        let golden = path.with_extension("outline");
        if update {
            std::fs::write(&golden, &made).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != made {
            let _ = writeln!(wrong, "=== {}\n{made}", path.display());
        }
        let malformed = path.parent().unwrap().ends_with("malformed");
        if malformed != made.starts_with("refused") {
            let _ = writeln!(wrong, "=== {} is in the wrong folder\n{made}", path.display());
        }
        let unix: Vec<u8> = octets.iter().copied().filter(|b| *b != b'\r').collect();
        let bare = assess_octets(&unix, &Limits::default()).unwrap_err();
        assert_eq!(bare.word, "bare-line-feed", "{}", path.display());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Public messages that are not part of the project (`POSTERN_CORPUS` names the folder): how many are understood, and why the others are not.
#[test]
fn a_corpus_is_mostly_understood() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("POSTERN_CORPUS").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{} is not there, and in CI nothing is skipped", folder.display());
        println!("skipped: no folder of public messages (POSTERN_CORPUS, else ../shared/corpus)");
        return;
    }
    let mut counts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for path in messages(&folder) {
        let octets = crlf(&std::fs::read(&path).unwrap());
        let word = match assess_octets(&octets, &Limits::default()) {
            Ok(_) => "understood",
            Err(defect) => defect.word,
        };
        counts.entry(word).or_default().push(path.strip_prefix(&folder).unwrap().display().to_string());
    }
    for (word, paths) in &counts {
        println!("{:4} {word}", paths.len());
        for path in paths.iter().filter(|_| *word != "understood") {
            println!("       {path}");
        }
    }
    let all: usize = counts.values().map(Vec::len).sum();
    assert!(counts["understood"].len() * 10 >= all * 7, "{} of {all} understood", counts["understood"].len());
}
