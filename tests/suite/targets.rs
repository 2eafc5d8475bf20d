//! What must hold for any octets whatever: fuzz targets as plain functions, and the mutations that lead to them.
//!
//! `cargo run --release --example fuzz -- TARGET SECONDS` runs one for long, the test at the end runs all shortly. There is no
//! instrument that sees which branches were taken (cargo-fuzz needs a nightly compiler): inputs are sound messages and files,
//! changed a little or spliced, with the words put in that parsers turn on.
#![allow(dead_code, reason = "the fuzzer and the tests each ask for a part of it")]

use std::path::{Path, PathBuf};

use postern::gateway::Policies;
use postern::mime::assess::assess;
use postern::mime::inside;
use postern::mime::outline::Outliner;
use postern::mime::{Defect, Limits, Outline, assess_octets, header, names, outline_of, rtf, tnef};

use crate::trial::{self, Fate};

/// A target: its name, what it does with octets, and what it panics at is a fault found.
pub struct Target {
    /// As asked for.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&Policies, &[u8]),
    /// Endings of files that are sound inputs.
    endings: &'static [&'static str],
    /// What is put in.
    words: &'static [&'static str],
}

const MESSAGES: &[&str] = &["eml", "msg", "txt"];

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "outline", run: outline, endings: MESSAGES, words: STRUCTURE },
    Target { name: "header", run: header_values, endings: MESSAGES, words: VALUES },
    Target { name: "tnef", run: packed, endings: &["dat", "tnef", "bin"], words: BINARY },
    Target { name: "rtf", run: rich_text, endings: &["rtf", "dat"], words: RICH },
    Target { name: "written", run: written, endings: MESSAGES, words: WRITTEN },
    Target { name: "names", run: file_names, endings: MESSAGES, words: NAMES },
    Target { name: "inside", run: inside, endings: &["zip", "pdf", "docx", "doc", "dat", "eml"], words: BINARY },
    Target { name: "rebuild", run: rebuild, endings: MESSAGES, words: STRUCTURE },
];

const STRUCTURE: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "--",
    "\r\n--b\r\n",
    "\r\n--b--\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/alternative; boundary=\"b\"\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/html; charset=utf-7\r\n",
    "Content-Type: application/ms-tnef; name=winmail.dat\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Disposition: attachment; filename*=utf-8''a%00b.exe\r\n",
    "Subject: [secure] [plain] [patient 1] [14d]\r\n",
    "X-Postern-Tag: 14d\r\n",
    " \r\n",
    "\t",
    "=\r\n",
    "begin 644 a.exe\r\n#86)C\r\n`\r\nend\r\n",
    "=ybegin line=128 size=3 name=a\r\n",
    "<!--[if mso]>",
    "<table><tr><td>",
    "<b style=\"",
];
const VALUES: &[&str] = &[
    "=?utf-8?Q?",
    "?=",
    "=?utf-8?B?4oCu?=",
    "\"",
    "\\",
    "(",
    ")",
    "<",
    ">",
    "@",
    ",",
    ";",
    ":",
    "=",
    "*0*=",
    "*=utf-8''",
    "%00",
    "boundary=",
    "charset=",
    "name=",
    "[",
    "]",
    "[14d]",
    "[patient ",
    "a@b.example",
    "\r\n ",
    "\u{202e}",
    "\u{0}",
];
const BINARY: &[&str] = &[
    "\u{0}\u{0}\u{0}\u{0}",
    "x\u{9f}>\"",
    "PK\u{3}\u{4}",
    "PK\u{1}\u{2}",
    "PK\u{5}\u{6}",
    "%PDF-1.4",
    "/ObjStm",
    "stream\r\n",
    "/Title(",
    "<dc:title>",
    "endobj",
    "<<",
    ">>",
    "\u{7f}",
    "ustar",
    "[Content_Types].xml",
];
const RICH: &[&str] =
    &["{\\rtf1", "{", "}", "\\'", "\\u8212?", "\\bin99999 ", "\\fromhtml1", "\\*\\htmltag64 ", "\\ansicpg", "LZFu"];
const WRITTEN: &[&str] = &[
    "begin 644 a.exe\r\n",
    "#86)C\r\n",
    "`\r\n",
    "end\r\n",
    "=ybegin line=128 size=3 name=a\r\n",
    "=yend size=3\r\n",
    "=ypart begin=1\r\n",
    "(This file must be converted with BinHex 4.0)\r\n\r\n:",
    "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
    "-----BEGIN PGP MESSAGE-----\r\n",
    "\r\n\r\n",
    "> ",
    "begin-base64 644 a\r\n",
    "====\r\n",
];
const NAMES: &[&str] =
    &["..", "/", "\\", ":", "\u{202e}", "%2e", "%00", ".exe", "CON", "NUL.txt", " ", "\u{ff0e}", "\r\n", "\u{0}", "é"];

/// Fed whole or in pieces, the outline is the same, and its leaves lie in order within the message.
fn outline(_: &Policies, octets: &[u8]) {
    let octets = trial::with_crlf(octets);
    let whole = outline_of(&octets, Limits::default());
    assert!(whole == in_pieces(&octets), "the outline depends on how the octets come");
    let Ok(outline) = whole else { return };
    let mut before = 0;
    for leaf in outline.root.leaves() {
        assert!(before <= leaf.body.start && leaf.body.start <= leaf.body.end && leaf.body.end <= outline.octets);
        before = leaf.body.start;
    }
    // Without its leaves read, every one of them is a document.
    if let Ok(facts) = assess(&outline, &[], 1024) {
        assert!(facts.attachments.len() >= outline.root.leaves().len());
    }
}

fn in_pieces(octets: &[u8]) -> Result<Outline, Defect> {
    let mut outliner = Outliner::new(Limits::default());
    let mut rest = octets;
    for size in (1..=17).cycle() {
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        outliner.feed(piece)?;
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    outliner.finish()
}

/// Values of fields, each line of the octets one.
fn header_values(_: &Policies, octets: &[u8]) {
    let lines = octets.split(|b| *b == b'\n').filter(|line| !line.is_empty()).take(8);
    for line in lines {
        let value: Vec<u8> = line.iter().copied().filter(|b| *b != b'\r').collect();
        let shown = header::unstructured(&value);
        assert!(!shown.chars().any(char::is_control), "a control character is shown");
        header::mailboxes(&String::from_utf8_lossy(&value));
        for field in
            ["From", "Subject", "Content-Type", "Content-Disposition", "Sensitivity", "Reply-By", "X-Postern-Tag"]
        {
            let front = if field == "Content-Disposition" { "attachment; filename=" } else { "" };
            let message = [format!("{field}: {front}").as_bytes(), &value, b"\r\nDate: x\r\n\r\nx\r\n"].concat();
            if let Ok((_, mut facts)) = assess_octets(&message, &Limits::default()) {
                let _ = facts.hear_fields();
            }
        }
    }
}

/// What is packed is a slice of the octets.
fn packed(_: &Policies, octets: &[u8]) {
    let signed = [b"\x78\x9f\x3e\x22\x01\0", octets.get(6..).unwrap_or_default()].concat();
    let Some(message) = tnef::read(&signed, &tnef::Limits::default()) else { return };
    let within = |slice: &[u8]| slice.is_empty() || signed.as_ptr_range().contains(&slice.as_ptr());
    for attachment in &message.attachments {
        assert!(attachment.contents.iter().all(|content| within(content.octets())));
    }
    if let Some(rtf) = &message.body.rtf {
        rtf::text_of(rtf);
    }
}

fn rich_text(_: &Policies, octets: &[u8]) {
    const MOST: usize = 1024 * 1024;
    assert!(rtf::decompressed(octets, MOST).is_none_or(|rtf| rtf.len() <= MOST));
    rtf::text_of(octets);
}

/// A text, and files in it.
fn written(_: &Policies, octets: &[u8]) {
    let text = trial::with_crlf(octets);
    let message = [b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", text.as_slice()].concat();
    if let Ok((_, facts)) = assess_octets(&message, &Limits::default()) {
        // What stays of the text has no file in it any more.
        let text = facts.text.unwrap_or_default();
        let again = [b"From: a@b.example\r\n\r\n", text.as_bytes()].concat();
        let left = assess_octets(&again, &Limits::default()).map(|(_, facts)| facts.attachments.len());
        assert!(left.as_ref().is_ok_and(|left| *left == 0), "a file is left in the text: {left:?}");
    }
}

fn file_names(_: &Policies, octets: &[u8]) {
    for line in octets.split(|b| *b == b'\n').take(100) {
        for name in names::saved_as(&String::from_utf8_lossy(line)) {
            assert!((1..=255).contains(&name.len()) && names::sanitise(&name) == name, "{name:?}");
            assert!(!name.contains(['/', '\\', ':', '\0']) && !name.chars().any(char::is_control), "{name:?}");
        }
    }
}

fn inside(_: &Policies, octets: &[u8]) {
    let limits = inside::Limits { unpacked: 4 * 1024 * 1024, ..inside::Limits::default() };
    for name in ["document", "mail.eml"] {
        let Ok(seen) = inside::look(name, &mut &octets[..], &limits) else {
            panic!("octets in memory are always there")
        };
        assert!(seen.found.len() <= limits.files && seen.title.is_none_or(|title| title.chars().count() <= 250));
    }
}

/// What leaves is a message that is understood, in which there is no document.
fn rebuild(policies: &Policies, octets: &[u8]) {
    let Fate::Secured { octets, .. } = trial::send(policies, &trial::with_crlf(octets)) else { return };
    match assess_octets(&octets, &Limits::default()) {
        Ok((_, facts)) => assert!(facts.attachments.is_empty(), "a document leaves"),
        // Where tags stood in one another, taking them out can leave what looks like one.
        Err(defect) => assert!(defect.word.starts_with("tag-"), "what leaves is refused: {}", defect.word),
    }
}

/// Sound inputs for a target: files below the folders, at most 64 KiB each; sorted, so that a run can be repeated.
pub fn seeds(target: &Target, folders: &[PathBuf]) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| files_below(folder, target.endings, &mut paths));
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    seeds.retain(|seed| seed.len() <= 64 * 1024);
    seeds.push(target.words.concat().into_bytes());
    seeds
}

fn files_below(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if path.is_dir() {
            files_below(&path, endings, found);
        } else if endings.contains(&ending.as_str()) {
            found.push(path);
        }
    }
}

/// Makes inputs of sound ones. The same number gives the same inputs.
pub struct Mutations {
    state: u64,
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
}

impl Mutations {
    /// Of these seeds.
    pub fn new(number: u64, target: &Target, seeds: Vec<Vec<u8>>) -> Self {
        Self { state: number | 1, seeds, words: target.words }
    }

    /// xorshift64* (Vigna 2016).
    fn number(&mut self, below: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let at = self.number(self.seeds.len());
        let mut octets = self.seeds[at].clone();
        for _ in 0..=self.number(6) {
            self.change(&mut octets);
        }
        octets
    }

    fn change(&mut self, octets: &mut Vec<u8>) {
        let (from, to) = (self.number(octets.len() + 1), self.number(octets.len() + 1));
        let span = from.min(to)..from.max(to).min(from.min(to) + 1 + self.number(300));
        match self.number(8) {
            0 if from < octets.len() => octets[from] ^= 1 << self.number(8),
            1 if from < octets.len() => octets[from] = [0, b'\n', b'-', b'=', b'"', 0x80, 0xFF, b' '][self.number(8)],
            2 => {
                octets.drain(span);
            }
            3 => {
                let piece = octets[span].to_vec();
                octets.splice(to..to, piece);
            }
            4 => {
                let other = self.number(self.seeds.len());
                let tail = &self.seeds[other];
                let cut = from.min(tail.len());
                octets.truncate(to);
                octets.extend_from_slice(&tail[cut..]);
            }
            5 => octets.truncate(from),
            _ => {
                let at = self.number(self.words.len());
                let word = self.words[at].as_bytes();
                octets.splice(from..from, word.iter().copied());
            }
        }
        octets.truncate(256 * 1024);
    }
}

#[test]
fn what_must_hold_holds_for_mutated_messages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policies = Policies::open(&root.join("policies")).unwrap_or_else(|broken| panic!("{broken:?}"));
    for target in &TARGETS {
        let rounds = if target.name == "rebuild" { 60 } else { 400 };
        let folders = ["tests/mime", "src/cli/demo/assets"].map(|folder| root.join(folder));
        let mut mutations = Mutations::new(20_261_122, target, seeds(target, &folders));
        for _ in 0..rounds {
            (target.run)(&policies, &mutations.input());
        }
    }
}
