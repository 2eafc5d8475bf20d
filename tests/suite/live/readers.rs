//! Nine programs and libraries that read mail, none of them ours: which attachments does each see?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mail_parser::MimeHeaders;

use super::clinic::{files_below, repository, words};
use super::letters::Letter;
use super::tools::{find, run, skipped};

/// All of them, for a sentence.
pub const NAMES: &str = "Python's email, mail-parser, mailparse, GMime, MIME-tools, Email::MIME, mailparser of Node.js, \
     ripmime and munpack";

/// What is seen, by file name.
type Seen = BTreeMap<String, Vec<String>>;

/// A reader that is a script: it takes a folder and prints what it sees as JSON.
struct Script {
    program: &'static str,
    /// Succeeds where the libraries that the script needs are installed.
    probe: &'static [&'static str],
    file: &'static str,
}

const SCRIPTS: [Script; 4] = [
    Script { program: "python3", probe: &["-c", "import email"], file: "python.py" },
    // GObject introspection is there for Debian's own Python only.
    Script {
        program: "/usr/bin/python3",
        probe: &["-c", "import gi; gi.require_version('GMime', '3.0')"],
        file: "gmime.py",
    },
    Script { program: "perl", probe: &["-MMIME::Parser", "-MEmail::MIME", "-e", "1"], file: "perl.pl" },
    Script { program: "node", probe: &["-e", "require('mailparser')"], file: "mailparser.cjs" },
];

/// The attachments that any reader sees in the mails of a folder, by file name. `scratch` is made and removed. Each
/// reader must see the one in a mail that has one, or its silence would mean nothing.
pub fn attachments(outbox: &Path, scratch: &Path, test: &str) -> Seen {
    const CONTROL: &str = "control.eml";
    let mails = scratch.join("mails");
    fs::create_dir_all(&mails).unwrap();
    for mail in files_below(outbox) {
        fs::copy(&mail, mails.join(mail.file_name().unwrap())).unwrap();
    }
    let control = Letter::new("a@clinic.example", "b@elsewhere.example", "Control", "Text\n").with_pdf("a.pdf", "a");
    fs::write(mails.join(CONTROL), control.octets()).unwrap();

    let mut all = Seen::new();
    let scripts = SCRIPTS.iter().filter_map(|script| Some((script.file, script.sees(&mails, test)?)));
    let crates = [("mail-parser", each(&mails, mail_parser_sees)), ("mailparse", each(&mails, mailparse_sees))];
    let unpackers =
        ["munpack", "ripmime"].into_iter().filter_map(|name| Some((name, unpacker_sees(name, &mails, scratch, test)?)));
    for (reader, mut seen) in scripts.chain(crates).chain(unpackers) {
        let control = seen.remove(CONTROL).unwrap_or_default();
        assert!(!control.is_empty(), "{reader} does not see an attachment that is there");
        for (name, what) in seen {
            all.entry(name).or_default().extend(what.iter().map(|what| format!("{reader}: {what}")));
        }
    }
    fs::remove_dir_all(scratch).unwrap();
    all.retain(|_, what| !what.is_empty());
    all
}

impl Script {
    fn sees(&self, mails: &Path, test: &str) -> Option<Seen> {
        let program = find(self.program, test)?;
        let modules = repository().join("target/tools/node_modules");
        if !run(Command::new(&program).args(self.probe).env("NODE_PATH", &modules), b"").status.success() {
            assert!(
                std::env::var_os("CI").is_none(),
                "{test}: {} finds no libraries, and in CI nothing is skipped",
                self.file
            );
            skipped(
                test,
                &format!("one reader, {}: its libraries are not installed (tests/run installs them)", self.file),
            );
            return None;
        }
        let script = repository().join("tests/suite/live/readers").join(self.file);
        let output = run(Command::new(&program).arg(script).arg(mails).env("NODE_PATH", &modules), b"");
        assert!(output.status.success(), "{}: {}", self.file, words(&output));
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }
}

fn each(mails: &Path, sees: impl Fn(&[u8]) -> Vec<String>) -> Seen {
    let name = |file: &Path| file.file_name().unwrap().to_string_lossy().into_owned();
    files_below(mails).into_iter().map(|file| (name(&file), sees(&fs::read(&file).unwrap()))).collect()
}

fn mail_parser_sees(octets: &[u8]) -> Vec<String> {
    let message = mail_parser::MessageParser::default().parse(octets).expect("what leaves is a message");
    message.attachments().map(|it| format!("{:?}", it.attachment_name())).collect()
}

/// mailparse only cuts a mail into its parts; what counts as an attachment is judged as in the scripts.
fn mailparse_sees(octets: &[u8]) -> Vec<String> {
    let message = mailparse::parse_mail(octets).expect("what leaves is a message");
    let leaves = message.parts().filter(|part| part.subparts.is_empty());
    let seen = leaves.filter_map(|part| {
        let (kind, disposition) = (&part.ctype, part.get_content_disposition());
        let name = disposition.params.get("filename").or_else(|| kind.params.get("name"));
        let plain = ["text/plain", "text/html"].contains(&kind.mimetype.as_str());
        let document = name.is_some() || !plain || disposition.disposition == mailparse::DispositionType::Attachment;
        document.then(|| format!("{} {name:?}", kind.mimetype))
    });
    seen.collect()
}

/// The files that an unpacker takes out of each mail, text parts apart.
fn unpacker_sees(name: &str, mails: &Path, scratch: &Path, test: &str) -> Option<Seen> {
    let program = find(name, test)?;
    Some(
        files_below(mails)
            .into_iter()
            .map(|mail| {
                let found = unpacked(&program, &mail, &scratch.join("unpacked"));
                (mail.file_name().unwrap().to_string_lossy().into_owned(), found)
            })
            .collect(),
    )
}

fn unpacked(program: &Path, mail: &Path, into: &PathBuf) -> Vec<String> {
    fs::create_dir(into).unwrap();
    let mut command = Command::new(program);
    if program.ends_with("munpack") {
        // -t would write text parts too; without it only what it takes for an attachment is written.
        command.arg("-q").arg("-C").arg(into).arg(mail);
    } else {
        command.arg("--disable-qmail-bounce").arg("-i").arg(mail).arg("-d").arg(into);
    }
    run(&mut command, b"");
    let names = files_below(into).into_iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
    // ripmime writes text parts as textfile0, textfile1, …; munpack describes messages in .desc files.
    let found = names.filter(|name| !name.starts_with("textfile") && !name.ends_with(".desc")).collect();
    fs::remove_dir_all(into).unwrap();
    found
}
