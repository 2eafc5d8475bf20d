//! The relay toward a smarthost: a refused recipient does not stop the others, the sender is told, and a stranger's
//! server (Postfix's smtp-sink) takes what we send.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::client::Client;
use super::clinic::{Clinic, JANE, Relay, Setup, files_below, pause};
use super::far_side::FarSide;
use super::letters::Letter;
use super::tools::find;

#[test]
fn a_refused_recipient_does_not_stop_the_others_and_the_sender_is_told() {
    let far = FarSide::listen();
    far.refuse("gone@elsewhere.example", "550 5.1.1 <gone@elsewhere.example> Farsidewords unknown");
    let mut clinic = Clinic::new(&Setup { relay: Relay::Smarthost(far.address()), ..Setup::default() });
    clinic.start();
    let recipients = ["one@elsewhere.example", "gone@elsewhere.example", "two@elsewhere.example"];
    let letter =
        Letter::new(JANE, recipients[0], "Subjectwords", "Bodywords\n").with_pdf("Filewords.pdf", "Contentwords");
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    assert_eq!(client.send(JANE, &recipients, &letter.octets()).unwrap().codes(), "250 2.0.0");

    let told = |far: &FarSide| far.taken().into_iter().find(|(to, _)| to == JANE);
    let done = clinic.wait_while_running(|_| told(&far).is_some() && far.taken().len() >= 3);
    let taken = far.taken();
    assert!(done, "one, two and the sender get mail: {taken:?}\n{}", clinic.last_words());
    for recipient in ["one@elsewhere.example", "two@elsewhere.example"] {
        assert_eq!(taken.iter().filter(|(to, _)| to == recipient).count(), 1, "{recipient}");
    }
    let (_, report) = told(&far).unwrap();
    assert!(report.contains("gone@elsewhere.example"), "the report names who did not get it:\n{report}");
    for content in ["Bodywords", "Filewords", "Contentwords", "Farsidewords"] {
        assert!(!report.contains(content), "the report quotes {content}:\n{report}");
        assert!(!clinic.all_words().contains(content), "the log quotes {content}");
    }
    assert!(!clinic.all_words().contains("gone@"), "the log names a recipient:\n{}", clinic.all_words());
}

#[test]
fn a_deferred_recipient_stays_in_the_queue_over_a_restart() {
    let far = FarSide::listen();
    far.refuse("later@elsewhere.example", "451 4.7.1 try again");
    let mut clinic = Clinic::new(&Setup { relay: Relay::Smarthost(far.address()), ..Setup::default() });
    clinic.start();
    let letter = Letter::new(JANE, "later@elsewhere.example", "Hello", "Hello\n");
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    assert_eq!(client.send(JANE, &["later@elsewhere.example"], &letter.octets()).unwrap().code, 250);
    let waits = |clinic: &Clinic| clinic.run(&["queue", "list", "--json"], "");
    let listed = |clinic: &Clinic| {
        let output = waits(clinic);
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        rows.as_array().map_or(0, Vec::len)
    };
    assert!(clinic.wait_while_running(|clinic| clinic.last_words().contains(" deferred ")), "{}", clinic.last_words());
    assert_eq!(listed(&clinic), 1, "the running server lists it");
    assert!(clinic.stop().success());
    assert_eq!(listed(&clinic), 1, "and the command alone lists it too");
    clinic.start();
    assert_eq!(listed(&clinic), 1);
    assert!(far.taken().is_empty());
}

/// smtp-sink, ended with the test.
struct Sink(Child);

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn postfix_smtp_sink_takes_what_we_send() {
    let Some(program) = find("smtp-sink", "postfix_smtp_sink_takes_what_we_send") else { return };
    let mut clinic = Clinic::new(&Setup::default());
    let sink = clinic.at(2700);
    clinic.configure(&Setup { relay: Relay::Smarthost(sink), ..Setup::default() });
    let dumps = clinic.path("sink");
    fs::create_dir(&dumps).unwrap();
    let mut command = Command::new(program);
    // As root it wants another user, and writes its dumps before it becomes that user only when the folder is open.
    if rustix::process::geteuid().is_root() {
        for folder in [clinic.path("."), dumps.clone()] {
            fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        }
        command.args(["-u", "nobody"]);
    }
    command.args(["-d", "mail-%M%S."]).arg(sink.to_string()).arg("10").current_dir(&dumps);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    while TcpStream::connect(sink).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "smtp-sink ended");
        pause();
    }
    let _sink = Sink(child);
    clinic.start();
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    // A line that is one dot, and lines that begin with one, must arrive as they were.
    let letter = Letter::new(JANE, "colleague@clinic.example", "Dots", "first\n.\n..two\n.end\nSinkmarker\n");
    assert_eq!(client.send(JANE, &["colleague@clinic.example"], &letter.octets()).unwrap().code, 250);
    let received = || {
        let texts = files_below(&dumps).into_iter().filter_map(|file| fs::read_to_string(file).ok());
        texts.into_iter().find(|text| text.contains("Sinkmarker"))
    };
    assert!(clinic.wait_while_running(|_| received().is_some()), "nothing arrived:\n{}", clinic.last_words());
    let text = received().unwrap().replace('\r', "");
    assert!(text.contains("first\n.\n..two\n.end\nSinkmarker\n"), "{text}");
}
