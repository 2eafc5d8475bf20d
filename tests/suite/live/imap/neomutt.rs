//! NeoMutt on a terminal: opens the Inbox, reads a reply, saves what came with it.

use std::fs;
use std::process::Command;

use super::super::browser::origin;
use super::super::clinic::{Clinic, JANE, PASSWORD, words};
use super::super::tools::{find, run};
use super::{python, replies};

#[test]
fn neomutt_reads_a_reply_and_saves_what_came_with_it() {
    let test = "neomutt_reads_a_reply_and_saves_what_came_with_it";
    let (Some(neomutt), Some(script)) = (find("neomutt", test), find("script", test)) else { return };
    let Some(clinic) = replies::replied(test) else { return };
    fs::write(clinic.path("neomuttrc"), configuration(&clinic)).unwrap();
    // `script` gives it a terminal; its keys stand in the configuration.
    let mut command = Command::new(script);
    let line = format!("{} -F {}", neomutt.display(), clinic.path("neomuttrc").display());
    command.args(["--quiet", "--return", "--command", &line]).arg(clinic.path("terminal"));
    command.env("TERM", "xterm").env("HOME", clinic.path("tmp")).env("LC_ALL", "C.UTF-8");
    let output = run(&mut command, b"");
    assert!(output.status.success(), "neomutt: {}", words(&output));
    let read = fs::read_to_string(clinic.path("read.txt")).unwrap_or_else(|_| panic!("{}", words(&output)));
    for piece in ["Subject: ", "Thank you. It is paid."] {
        assert!(read.contains(piece), "{piece}: {read}");
    }
    let compare = r#"
assert open(SAVED, "rb").read() == SCAN
client = connect()
ok(client.select())
flags = ok(client.fetch("1", "(FLAGS)"))[0]
assert b"\\Seen" in flags and b"\\Flagged" in flags, flags
print("read")
"#;
    let saved = format!("SAVED = {:?}\n", clinic.path("saved.pdf"));
    assert_eq!(python(&clinic, test, &(replies::guest(&clinic, &origin()) + &saved + compare)).unwrap().trim(), "read");
}

fn configuration(clinic: &Clinic) -> String {
    let (address, read, saved) = (clinic.at(2143), clinic.path("read.txt"), clinic.path("saved.pdf"));
    format!(
        "set imap_user='{JANE}' imap_pass='{PASSWORD}' folder='imap://{address}/' ssl_force_tls=yes spool_file='+INBOX'\n\
         set certificate_file='{ca}' ssl_verify_host=yes ssl_verify_dates=yes ssl_use_system_certs=no\n\
         set wait_key=no quit=yes pipe_decode=yes delete=no confirm_append=no record='' postponed='+Drafts'\n\
         push '<first-entry><display-message><pipe-message>cat >{read}<enter><exit>\
         <view-attachments><search>scan.pdf<enter><save-entry><kill-line>{saved}<enter><exit>\
         <flag-message><sync-mailbox><quit>'\n",
        ca = clinic.path("certs/ca.pem").display(),
        read = read.display(),
        saved = saved.display(),
    )
}
