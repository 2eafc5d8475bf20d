//! swaks, Python's smtplib, curl and msmtp submit over both TLS ports, by AUTH PLAIN and AUTH LOGIN, trusting our CA and
//! nothing else; Postfix's smtp-source sends through the trusted listener.

use std::net::SocketAddr;
use std::process::{Command, Output};

use super::clinic::{Clinic, HOST, JANE, PASSWORD, words};
use super::letters::Letter;
use super::tools::{find, run};

/// One of the two ports.
#[derive(Clone, Copy)]
enum Port {
    StartTls,
    Tls,
}

impl Port {
    const BOTH: [Self; 2] = [Self::StartTls, Self::Tls];

    fn of(self, clinic: &Clinic) -> SocketAddr {
        match self {
            Self::StartTls => clinic.submission(),
            Self::Tls => clinic.submissions(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }
}

/// How a program submits: the port, and which AUTH.
#[derive(Clone, Copy)]
struct Way {
    port: Port,
    mechanism: &'static str,
}

impl Way {
    fn all() -> impl Iterator<Item = Self> {
        Port::BOTH.into_iter().flat_map(|port| ["PLAIN", "LOGIN"].map(|mechanism| Self { port, mechanism }))
    }

    fn name(self) -> String {
        format!("{}-{}", self.port.name(), self.mechanism.to_lowercase())
    }
}

#[test]
fn swaks_submits_over_both_ports() {
    let Some(swaks) = find("swaks", "swaks_submits_over_both_ports") else { return };
    submits("swaks", |clinic, way, from, to, message| {
        let mut command = Command::new(&swaks);
        let address = way.port.of(clinic);
        command
            .args(["--server", &address.ip().to_string(), "--port", &address.port().to_string()])
            .args([
                "--from",
                from,
                "--to",
                to,
                "--auth",
                way.mechanism,
                "--auth-user",
                JANE,
                "--auth-password",
                PASSWORD,
            ])
            .args(["--tls-verify", "--tls-sni", HOST, "--tls-ca-path"])
            .arg(clinic.path("certs/ca.pem"))
            .arg(match way.port {
                Port::StartTls => "--tls",
                Port::Tls => "--tls-on-connect",
            })
            .args(["--data", "-"]);
        run(&mut command, message)
    });
}

#[test]
fn python_submits_over_both_ports() {
    let Some(python) = find("python3", "python_submits_over_both_ports") else { return };
    submits("python", |clinic, way, from, to, message| {
        let address = way.port.of(clinic);
        let mut command = Command::new(&python);
        command.args(["-c", SMTPLIB, way.port.name(), &address.ip().to_string(), &address.port().to_string(), HOST]);
        command.arg(clinic.path("certs/ca.pem")).args([way.mechanism, JANE, PASSWORD, from, to]);
        run(&mut command, message)
    });
}

/// smtplib with the certificate's name checked, though the connection goes to a loopback address.
const SMTPLIB: &str = r"
import smtplib, ssl, sys
kind, ip, port, host, ca, mechanism, user, password, sender, recipient = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
class Named(smtplib.SMTP_SSL if kind == 'tls' else smtplib.SMTP):
    def _get_socket(self, host_, port_, timeout):
        plain = smtplib.SMTP._get_socket(self, ip, port_, timeout)
        return context.wrap_socket(plain, server_hostname=host) if kind == 'tls' else plain
with Named(host, int(port), timeout=60) as server:
    if kind == 'starttls':
        server.starttls(context=context)
    server.ehlo()
    server.user, server.password = user, password
    server.auth(mechanism, server.auth_plain if mechanism == 'PLAIN' else server.auth_login)
    server.sendmail(sender, [recipient], sys.stdin.buffer.read(), ['RET=HDRS'], ['NOTIFY=SUCCESS,FAILURE'])
";

#[test]
fn curl_submits_over_both_ports() {
    let Some(curl) = find("curl", "curl_submits_over_both_ports") else { return };
    submits("curl", |clinic, way, from, to, message| {
        let address = way.port.of(clinic);
        let scheme = match way.port {
            Port::StartTls => "smtp",
            Port::Tls => "smtps",
        };
        let mut command = Command::new(&curl);
        command
            .args(["--silent", "--show-error", "--ssl-reqd", "--url", &format!("{scheme}://{HOST}:{}", address.port())])
            .args(["--resolve", &format!("{HOST}:{}:{}", address.port(), address.ip()), "--cacert"])
            .arg(clinic.path("certs/ca.pem"))
            .args([
                "--user",
                &format!("{JANE}:{PASSWORD}"),
                "--login-options",
                &format!("AUTH={}", way.mechanism),
                "--mail-from",
                from,
                "--mail-rcpt",
                to,
                "--upload-file",
                "-",
            ]);
        run(&mut command, message)
    });
}

#[test]
fn msmtp_submits_over_both_ports() {
    let Some(msmtp) = find("msmtp", "msmtp_submits_over_both_ports") else { return };
    submits("msmtp", |clinic, way, from, to, message| {
        let address = way.port.of(clinic);
        let mut command = Command::new(&msmtp);
        let starttls = match way.port {
            Port::StartTls => "on",
            Port::Tls => "off",
        };
        // msmtp's own files are kept out of it; the password comes by a command, as its manual asks.
        command
            .args(["--file=/dev/null", &format!("--host={}", address.ip()), &format!("--port={}", address.port())])
            .args(["--tls=on", &format!("--tls-starttls={starttls}"), &format!("--tls-host-override={HOST}")])
            .arg(format!("--tls-trust-file={}", clinic.path("certs/ca.pem").display()))
            .args([
                &format!("--auth={}", way.mechanism.to_lowercase()),
                &format!("--user={JANE}"),
                &format!("--passwordeval=echo {PASSWORD}"),
            ])
            .args([&format!("--from={from}"), "--", to]);
        run(&mut command, message)
    });
}

/// Submits in every way, a PDF to a patient elsewhere and one to a colleague, and looks at what left.
fn submits(client: &str, submit: impl Fn(&Clinic, Way, &str, &str, &[u8]) -> Output) {
    let mut clinic = Clinic::with_jane();
    for way in Way::all() {
        let patient = format!("patient-{}@elsewhere.example", way.name());
        let colleague = format!("colleague-{}@clinic.example", way.name());
        for recipient in [&patient, &colleague] {
            let letter = Letter::new(JANE, recipient, "Your results", "Dear patient,\n.the results are attached.\n")
                .with_pdf("results.pdf", "Haemoglobin 140 g/L");
            let output = submit(&clinic, way, JANE, recipient, &letter.octets());
            assert!(output.status.success(), "{client} over {}: {}", way.name(), words(&output));
        }
        secured(&mut clinic, &patient);
        untouched(&mut clinic, &colleague);
    }
    assert!(clinic.stop().success(), "SIGTERM ends it in order");
}

/// The patient got words and a link, and no document.
fn secured(clinic: &mut Clinic, recipient: &str) {
    let mail = clinic.wait_for_delivery_to(recipient);
    let link = format!("https://{HOST}/p/");
    assert!(mail.bodies().contains(&link), "no link in:\n{}", mail.text());
    assert!(mail.bodies().contains(".the results are attached"), "the sender's words stay:\n{}", mail.text());
    assert_eq!(mail.parsed().attachment_count(), 0, "an attachment left:\n{}", mail.text());
    for trace in ["Haemoglobin", "results.pdf", "JVBERi"] {
        assert!(!mail.text().contains(trace), "{trace} left:\n{}", mail.text());
    }
}

/// The colleague got the message as it was written.
fn untouched(clinic: &mut Clinic, recipient: &str) {
    let mail = clinic.wait_for_delivery_to(recipient);
    let parsed = mail.parsed();
    assert_eq!(mail.from, JANE);
    let attachment = parsed.attachment(0).unwrap_or_else(|| panic!("the document is missing:\n{}", mail.text()));
    assert!(attachment.contents().starts_with(b"%PDF-1.4"));
    assert!(mail.text().contains("\n.the results"), "the dot at the beginning of a line:\n{}", mail.text());
    assert!(mail.text().contains("--=_letter_of_the_clinic--"), "the body was rebuilt:\n{}", mail.text());
}

#[test]
fn smtp_source_sends_through_the_trusted_listener() {
    let Some(source) = find("smtp-source", "smtp_source_sends_through_the_trusted_listener") else { return };
    let mut clinic = Clinic::with_jane();
    for (run_number, connections) in ["-d", "-c"].into_iter().enumerate() {
        let mut command = Command::new(&source);
        command.args([connections, "-s", "10", "-m", "100", "-l", "4096", "-f", JANE, "-t", "p@elsewhere.example"]);
        let output = run(command.arg(format!("inet:{}", clinic.trusted())), b"");
        assert!(output.status.success(), "{}", words(&output));
        assert_eq!(clinic.wait_for_outbox(100 * (run_number + 1)).len(), 100 * (run_number + 1));
    }
}

#[test]
fn a_password_is_never_taken_in_the_clear() {
    let clinic = Clinic::with_jane();
    let mut client = super::client::Client::connect(clinic.submission()).unwrap();
    let hello = client.hello().unwrap();
    assert!(hello.text.contains("STARTTLS") && !hello.text.contains("AUTH"), "{hello:?}");
    assert_eq!(client.sign_in(JANE, PASSWORD).unwrap().code / 100, 5);
    assert_eq!(client.command(&format!("MAIL FROM:<{JANE}>")).unwrap().code / 100, 5, "no mail before sign-in");
}

#[test]
fn staff_send_as_themselves_only() {
    let mut clinic = Clinic::with_jane();
    let mut client = super::client::Client::connect_tls(clinic.submissions(), &clinic.path("certs/ca.pem")).unwrap();
    client.hello().unwrap();
    assert_eq!(client.sign_in(JANE, "wrong").unwrap().code, 535);
    assert_eq!(client.sign_in(JANE, PASSWORD).unwrap().code, 235);
    let own = Letter::new(JANE, "p@elsewhere.example", "Hello", "Hello\n");
    let other = Letter::new("director@clinic.example", "p@elsewhere.example", "Hello", "Hello\n");
    for (from, letter, expected) in
        [("director@clinic.example", &own, "550 5.7.1"), (JANE, &other, "550 5.7.1"), (JANE, &own, "250 2.0.0")]
    {
        let reply = client.send(from, &["p@elsewhere.example"], &letter.octets()).unwrap();
        assert_eq!(reply.codes(), expected, "{from}: {reply:?}");
    }
    assert_eq!(clinic.wait_for_outbox(1).len(), 1);
}
