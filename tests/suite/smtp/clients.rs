//! Programs that people use send a message over both TLS ports, by PLAIN and by LOGIN, trusting the generated authority.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use postern::mail::Domain;
use postern::net::GateLimits;
use postern::smtp::{Purpose, RelayTrust, Settings};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::live::{House, Live, Plan};

const MESSAGE: &str = "From: jane@clinic.example\nTo: a@b.example\nSubject: x\n\n.dot\nHello\n";

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
ca, port, implicit, mechanism, message = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if implicit == "yes":
    smtp = smtplib.SMTP_SSL("localhost", int(port), context=context)
else:
    smtp = smtplib.SMTP("localhost", int(port))
    smtp.starttls(context=context)
smtp.ehlo()
smtp.user, smtp.password = "jane@clinic.example", "secret"
smtp.auth(mechanism, smtp.auth_plain if mechanism == "PLAIN" else smtp.auth_login)
smtp.sendmail("jane@clinic.example", ["a@b.example"], message.replace("\n", "\r\n"),
              mail_options=["RET=HDRS"], rcpt_options=["NOTIFY=SUCCESS,FAILURE"])
smtp.quit()
"#;

fn command(client: &str, ca: &Path, port: u16, implicit: bool, mechanism: &str) -> Command {
    let (ca, port_text) = (ca.to_str().unwrap(), port.to_string());
    let lower = mechanism.to_ascii_lowercase();
    let url = format!("{}://localhost:{port}/pc.clinic.example", if implicit { "smtps" } else { "smtp" });
    let words: Vec<String> = match client {
        "python3" => {
            let implicit = if implicit { "yes" } else { "no" };
            ["-c", SMTPLIB, ca, &port_text, implicit, mechanism, MESSAGE].map(String::from).to_vec()
        }
        "curl" => format!(
            "-sS --ssl-reqd --cacert {ca} --user jane@clinic.example:secret --login-options AUTH={mechanism} \
             --mail-from jane@clinic.example --mail-rcpt a@b.example --crlf -T - {url}"
        )
        .split_whitespace()
        .map(String::from)
        .collect(),
        "swaks" => format!(
            "--server localhost --port {port} {} --tls-verify --tls-ca-path {ca} --auth {mechanism} \
             -au jane@clinic.example -ap secret --from jane@clinic.example --to a@b.example --data -",
            if implicit { "--tls-on-connect" } else { "--tls" }
        )
        .split_whitespace()
        .map(String::from)
        .collect(),
        _ => format!(
            "-C /dev/null --host=localhost --port={port} --tls=on --tls-starttls={} --tls-trust-file={ca} --auth={lower} \
             --user=jane@clinic.example --passwordeval=echo~secret --from=jane@clinic.example a@b.example",
            if implicit { "off" } else { "on" }
        )
        .split_whitespace()
        .map(|word| word.replace('~', " "))
        .collect(),
    };
    let mut command = Command::new(client);
    command.args(words);
    command
}

async fn send(mut command: Command) -> std::io::Result<Output> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    // A program that takes its message elsewhere need not read this.
    let _ = stdin.write_all(MESSAGE.as_bytes()).await;
    drop(stdin);
    timeout(Duration::from_secs(30), child.wait_with_output()).await.expect("it ends")
}

#[tokio::test]
async fn swaks_smtplib_curl_and_msmtp_submit_over_both_ports() {
    let house = House::new();
    let ca = house.folder.path().join("ca.pem");
    for purpose in [Purpose::Submission, Purpose::Submissions] {
        let implicit = matches!(purpose, Purpose::Submissions);
        let settings = Settings::new(Domain::parse("mail.clinic.example").unwrap(), 100_000);
        let plan = Plan { settings, purpose, gate: GateLimits::default(), drain: Duration::from_secs(5) };
        let live = Live::start_with(plan, house.certificates.server_config().unwrap(), house.client()).await;
        for client in ["swaks", "python3", "curl", "msmtp"] {
            for mechanism in ["PLAIN", "LOGIN"] {
                let output = match send(command(client, &ca, live.address.port(), implicit, mechanism)).await {
                    Ok(output) => output,
                    Err(_) => {
                        eprintln!("SKIPPED: {client} is not installed");
                        continue;
                    }
                };
                let told = [output.stdout, output.stderr].concat();
                let told = String::from_utf8_lossy(&told);
                assert!(output.status.success(), "{client} {mechanism} implicit={implicit}:\n{told}");
                let taken = live.fake.taken.lock().unwrap().pop().expect("the message was accepted");
                let text = String::from_utf8(taken.octets).unwrap();
                assert!(text.contains("Subject: x\r\n") && text.contains("\r\n.dot\r\nHello\r\n"), "{client}: {text}");
                assert_eq!(taken.incoming.trace.protocol, "ESMTPSA", "{client}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smtp_source_sends_ten_sessions_at_once() {
    let house = House::new();
    let networks = Some(vec!["127.0.0.0/8".parse().unwrap()]);
    let purpose = Purpose::Relay(RelayTrust { networks, any_sender: true, ..RelayTrust::default() });
    let settings = Settings::new(Domain::parse("mail.clinic.example").unwrap(), 100_000);
    let plan = Plan { settings, purpose, gate: GateLimits::default(), drain: Duration::from_secs(5) };
    let live = Live::start_with(plan, house.certificates.server_config().unwrap(), house.client()).await;
    for connections in ["-d", "-c"] {
        let mut command = Command::new("smtp-source");
        command.args([connections, "-s", "10", "-m", "500", "-l", "4096", "-f", "a@b.example", "-t", "c@d.example"]);
        command.arg(format!("inet:127.0.0.1:{}", live.address.port()));
        match send(command).await {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => return eprintln!("SKIPPED: smtp-source is not installed"),
        }
        let taken = std::mem::take(&mut *live.fake.taken.lock().unwrap());
        assert_eq!(taken.len(), 500);
        assert!(taken.iter().all(|taken| taken.octets.len() >= 4096));
    }
}
