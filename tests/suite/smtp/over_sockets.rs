//! What only a live server has: clocks, limits of connections, panics, clients that vanish, certificates, stopping.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use postern::mail::Domain;
use postern::net::{GateLimits, install_panic_hook};
use postern::smtp::{Guesses, Purpose, RelayTrust, Settings};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::dialog::read_reply;
use super::live::{Live, Plan};
use crate::wire::{Client, House, Stream, Wire, client_builder};

const MOMENT: Duration = Duration::from_millis(150);
const SIGN_IN: &str = "EHLO a\r\nAUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAc2VjcmV0\r\n";
const ENVELOPE: &str = "MAIL FROM:<jane@clinic.example>\r\nRCPT TO:<a@b.example>\r\n";

fn plan(purpose: Purpose) -> Plan {
    let settings = Settings::new(Domain::parse("mail.clinic.example").unwrap(), 100_000);
    Plan { settings, purpose, gate: GateLimits::default(), drain: Duration::from_secs(10) }
}

fn relay() -> Purpose {
    let networks = Some(vec!["127.0.0.0/8".parse().unwrap()]);
    Purpose::Relay(RelayTrust { networks, any_sender: true, ..RelayTrust::default() })
}

/// Sends, and reads this many replies: their last lines.
async fn say(client: &mut Client, text: &str, replies: usize) -> Vec<String> {
    client.send(text.as_bytes()).await;
    let (mut unread, mut lines) = (Vec::new(), Vec::new());
    for _ in 0..replies {
        match read_reply(client, &mut unread).await.unwrap() {
            Some(reply) => lines.push(reply.last().unwrap().clone()),
            None => lines.push("closed".into()),
        }
    }
    lines
}

fn assert_codes(lines: &[String], codes: &[&str]) {
    let fit = lines.len() == codes.len() && lines.iter().zip(codes).all(|(line, code)| line.starts_with(code));
    assert!(fit, "{lines:?} instead of {codes:?}");
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn each_deadline_ends_the_session_with_its_reply() {
    type Shorten = fn(&mut Settings);
    let table: [(&str, Purpose, Shorten, &str, &[&str]); 5] = [
        ("command", relay(), |s| s.deadlines.command = MOMENT, "", &["220", "421 4.4.2", "closed"]),
        ("half a line", relay(), |s| s.deadlines.command = MOMENT, "EHL", &["220", "421 4.4.2", "closed"]),
        (
            "data",
            relay(),
            |s| s.deadlines.data = MOMENT,
            "EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nSubj",
            &["220", "250", "250", "250", "354", "421 4.4.2", "closed"],
        ),
        (
            "before sign-in",
            Purpose::Submission,
            |s| s.deadlines.before_sign_in = MOMENT,
            "",
            &["220", "421 4.4.2", "closed"],
        ),
        ("session", relay(), |s| s.deadlines.session = MOMENT, "NOOP\r\n", &["220", "250", "421 4.4.2", "closed"]),
    ];
    for (name, purpose, shorten, text, codes) in table {
        let mut plan = plan(purpose);
        shorten(&mut plan.settings);
        let live = Live::start(plan).await;
        let lines = say(&mut live.connect().await, text, codes.len()).await;
        assert!(lines.iter().zip(codes).all(|(line, code)| line.starts_with(code)), "{name}: {lines:?}");
        assert!(live.fake.taken.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_not_waited_for() {
    let mut plan = plan(Purpose::Submissions);
    plan.settings.deadlines.handshake = MOMENT;
    let live = Live::start(plan).await;
    assert_eq!(live.connect().await.more().await, Ok(None));
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_a_place_that_is_left_is_free() {
    let mut plan = plan(relay());
    plan.gate = GateLimits { connections: 10, per_address: 2 };
    let live = Live::start(plan).await;
    let (mut first, mut second) = (live.connect().await, live.connect().await);
    assert_codes(&say(&mut first, "", 1).await, &["220"]);
    assert_codes(&say(&mut second, "", 1).await, &["220"]);
    assert_codes(&say(&mut live.connect().await, "", 2).await, &["421 4.7.0", "closed"]);
    assert_codes(&say(&mut second, "QUIT\r\n", 2).await, &["221", "closed"]);
    drop(second);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !say(&mut live.connect().await, "", 1).await[0].starts_with("220") {
        assert!(Instant::now() < deadline, "the place was never given back");
    }
    assert_codes(&say(&mut first, "NOOP\r\n", 1).await, &["250"]);
}

#[tokio::test]
async fn guessing_is_not_cured_by_reconnecting() {
    let mut plan = plan(Purpose::Submissions);
    plan.settings.limits.guesses = 4;
    let live = Live::start(plan).await;
    // jane@clinic.example / wrong
    let guess = "AUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAd3Jvbmc=\r\n";
    for codes in [["220", "250", "535", "535"], ["220", "250", "535", "535"]] {
        let mut client = live.connect().await;
        client.tls().await.unwrap();
        assert_codes(&say(&mut client, &format!("EHLO a\r\n{guess}{guess}"), 4).await, &codes);
    }
    let mut client = live.connect().await;
    client.tls().await.unwrap();
    assert_codes(&say(&mut client, SIGN_IN, 3).await, &["220", "250", "454 4.7.0"]);
}

/// Who had guessed too often read "too many sign-ins at once", could ask without end, and began anew on the other port.
#[tokio::test]
async fn who_guessed_too_often_is_told_so_on_every_port_and_does_not_ask_without_end() {
    let house = House::new();
    let guesses = Arc::new(Guesses::new(1, Duration::from_secs(900)));
    let start = |purpose| {
        let mut plan = plan(purpose);
        plan.settings.limits.errors = 3;
        Live::start_sharing(Arc::clone(&guesses), plan, house.certificates.server_config().unwrap(), house.client())
    };
    let (one, other) = (start(Purpose::Submissions).await, start(Purpose::Submission).await);
    let mut guesser = one.connect().await;
    guesser.tls().await.unwrap();
    // jane@clinic.example / wrong
    let guess = "EHLO a\r\nAUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAd3Jvbmc=\r\n";
    assert_codes(&say(&mut guesser, guess, 3).await, &["220", "250", "535"]);

    let mut client = other.connect().await;
    assert_codes(&say(&mut client, "EHLO a\r\nSTARTTLS\r\n", 3).await, &["220", "250", "220"]);
    client.tls().await.unwrap();
    let lines = say(&mut client, &[SIGN_IN, SIGN_IN, SIGN_IN].concat(), 7).await;
    assert_codes(&lines, &["250", "454 4.7.0", "250", "454 4.7.0", "250", "421 4.7.0", "closed"]);
    assert!(lines[1].contains("Too many wrong passwords from your network"), "{}", lines[1]);
}

/// A lost phone whose password had been changed, or removed, went on sending over a connection that was open: its next message,
/// one that was on its way, or one without a return path, which nobody was asked about.
#[tokio::test]
async fn no_session_sends_on_when_its_account_was_changed() {
    const LEFT: [&str; 2] = ["421 4.7.0 Your account was changed", "closed"];
    let data = "DATA\r\nSubject: a\r\n\r\nb\r\n.\r\n";
    let nobody = ENVELOPE.replace("jane@clinic.example", "");
    let table: [(&str, String, &[&str]); 3] = [
        ("", [ENVELOPE, data].concat(), &[]),
        (ENVELOPE, data.to_owned(), &["354"]),
        ("", [&nobody, data].concat(), &["250", "250", "354"]),
    ];
    for (before, after, codes) in table {
        let live = Live::start(plan(Purpose::Submissions)).await;
        let mut client = live.connect().await;
        client.tls().await.unwrap();
        let first = say(&mut client, &[SIGN_IN, ENVELOPE, data].concat(), 7).await;
        assert_codes(&first, &["220", "250", "235", "250", "250", "354", "250"]);
        say(&mut client, before, before.lines().count()).await;
        live.fake.account_changed.store(true, Ordering::Relaxed);
        let said = say(&mut client, &after, codes.len() + LEFT.len()).await;
        assert_codes(&said, &[codes, &LEFT].concat());
        assert_eq!(live.fake.taken.lock().unwrap().len(), 1, "{after}");
    }
}

#[tokio::test]
async fn a_panic_ends_its_session_only() {
    install_panic_hook();
    let live = Live::start(plan(Purpose::Submissions)).await;
    let (mut unlucky, mut lucky) = (live.connect().await, live.connect().await);
    unlucky.tls().await.unwrap();
    lucky.tls().await.unwrap();
    assert_codes(&say(&mut lucky, "EHLO a\r\n", 2).await, &["220", "250"]);
    unlucky.send(b"EHLO a\r\nAUTH PLAIN AHBhbmljAHg=\r\n").await;
    while let Ok(Some(_)) = unlucky.more().await {}
    let _ = std::panic::take_hook();
    assert_codes(&say(&mut lucky, "NOOP\r\n", 1).await, &["250"]);
    let mut next = live.connect().await;
    next.tls().await.unwrap();
    assert_codes(&say(&mut next, "", 1).await, &["220"]);
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_of_a_message_leaves_nothing() {
    let live = Live::start(plan(relay())).await;
    let mut client = live.connect().await;
    let text = format!("EHLO a\r\n{ENVELOPE}DATA\r\nSubject: half a mess");
    assert_codes(&say(&mut client, &text, 5).await, &["220", "250", "250", "250", "354"]);
    // The test and the server hold one each.
    let open_spools = || Arc::strong_count(&live.fake.open) - 2;
    eventually("a spool is open", || open_spools() == 1).await;
    drop(client);
    eventually("the spool is dropped", || open_spools() == 0).await;
    assert!(live.fake.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn stopping_lets_the_message_under_way_finish_and_the_idle_go() {
    let mut live = Live::start(plan(relay())).await;
    let (mut busy, mut idle) = (live.connect().await, live.connect().await);
    assert_codes(&say(&mut idle, "EHLO a\r\n", 2).await, &["220", "250"]);
    let text = format!("EHLO a\r\n{ENVELOPE}DATA\r\n");
    assert_codes(&say(&mut busy, &text, 5).await, &["220", "250", "250", "250", "354"]);
    let turn = Arc::clone(&live.fake.hold).lock_owned().await;
    busy.send(b"x\r\n.\r\n").await;
    live.stopper.take().unwrap().request();
    assert_codes(&say(&mut idle, "", 2).await, &["421 4.3.2", "closed"]);
    drop(turn);
    assert_codes(&say(&mut busy, "", 3).await, &["250 2.0.0", "421 4.3.2", "closed"]);
    timeout(Duration::from_secs(5), &mut live.done).await.expect("the accept loop ends").unwrap();
    assert!(TcpStream::connect(live.address).await.is_err());
    assert_eq!(live.fake.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let mut plan = plan(relay());
    plan.drain = MOMENT;
    let mut live = Live::start(plan).await;
    let mut client = live.connect().await;
    let text = format!("EHLO a\r\n{ENVELOPE}DATA\r\n");
    assert_codes(&say(&mut client, &text, 5).await, &["220", "250", "250", "250", "354"]);
    live.stopper.take().unwrap().request();
    timeout(Duration::from_secs(5), &mut live.done).await.expect("the accept loop ends").unwrap();
    assert_eq!(Arc::strong_count(&live.fake.open), 1, "what was half received is dropped");
}

#[tokio::test]
async fn both_tls_versions_are_spoken_and_a_strange_authority_is_noticed() {
    let house = House::new();
    let config = house.certificates.server_config().unwrap();
    let live = Live::start_with(plan(Purpose::Submissions), config, house.client()).await;
    assert!(live.connect_as(House::new().client()).await.tls().await.is_err(), "another authority is not believed");
    for version in [&TLS12, &TLS13] {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let tls = Arc::new(builder.with_root_certificates(house.roots()).with_no_client_auth());
        let mut client = live.connect_as(tls).await;
        client.tls().await.unwrap();
        let Stream::Tls(stream) = &client.stream else { panic!("no TLS") };
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_codes(&say(&mut client, SIGN_IN, 3).await, &["220", "250", "235 2.7.0"]);
    }
}

/// An authority for clients, and the configuration of a client that has a certificate of it.
fn client_of(house: &House, authority: &Issuer<'_, KeyPair>) -> Arc<ClientConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["exchange.clinic.example".into()]).unwrap().signed_by(&key, authority);
    let chain = vec![certificate.unwrap().der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Arc::new(client_builder().with_root_certificates(house.roots()).with_client_auth_cert(chain, key).unwrap())
}

fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

#[tokio::test]
async fn a_relay_that_asks_for_a_certificate_serves_only_who_shows_one() {
    let house = House::new();
    let (ours, pem) = authority();
    let (strange, _) = authority();
    let file = house.folder.path().join("clients.pem");
    std::fs::write(&file, pem).unwrap();
    let config = house.certificates.server_config_for_clients_of(&file).unwrap();
    let purpose = Purpose::Relay(RelayTrust { client_certificate: true, any_sender: true, ..RelayTrust::default() });
    let live = Live::start_with(plan(purpose), config, house.client()).await;

    let mut plain = live.connect().await;
    assert_codes(&say(&mut plain, "EHLO a\r\nMAIL FROM:<a@b.example>\r\n", 3).await, &["220", "250", "530 5.7.0"]);

    for (tls, admitted) in
        [(client_of(&house, &ours), true), (client_of(&house, &strange), false), (house.client(), false)]
    {
        let mut client = live.connect_as(tls).await;
        assert_codes(&say(&mut client, "EHLO a\r\nSTARTTLS\r\n", 3).await, &["220", "250", "220"]);
        // In TLS 1.3 the client learns of a refused certificate only when it reads.
        let mut served = client.tls().await.is_ok();
        if served {
            client.send(format!("EHLO a\r\n{ENVELOPE}DATA\r\nx\r\n.\r\n").as_bytes()).await;
            let mut unread = Vec::new();
            served = matches!(read_reply(&mut client, &mut unread).await, Ok(Some(_)));
        }
        assert_eq!(served, admitted);
    }
    eventually("its message is taken", || live.fake.taken.lock().unwrap().len() == 1).await;
}

#[tokio::test]
async fn slow_clients_do_not_slow_the_others() {
    let live = Live::start(plan(relay())).await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut client = live.connect().await;
        client.send(b"EHL").await;
        slow.push(client);
    }
    for _ in 0..5 {
        let begun = Instant::now();
        let mut client = live.connect().await;
        let text = format!("EHLO a\r\n{ENVELOPE}DATA\r\nx\r\n.\r\nQUIT\r\n");
        let codes = ["220", "250", "250", "250", "354", "250 2.0.0", "221"];
        assert_codes(&say(&mut client, &text, 7).await, &codes);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

/// Where a test's log goes.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_the_story_and_nothing_of_anybody() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // Beside a lone subscriber, another test's thread that logs first settles for every thread that nobody listens.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let logging = tracing::subscriber::set_default(subscriber);
    let live = Live::start(plan(Purpose::Submissions)).await;
    let mut client = live.connect().await;
    client.tls().await.unwrap();
    // marker@marker.example / marker
    let text = "EHLO marker.example\r\nMARKER marker\r\nAUTH PLAIN AG1hcmtlckBtYXJrZXIuZXhhbXBsZQBtYXJrZXI=\r\n\
                AUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAc2VjcmV0\r\nMAIL FROM:<marker@marker.example>\r\n\
                MAIL FROM:<jane@clinic.example> ENVID=marker\r\nRCPT TO:<nobody@marker.example>\r\n\
                RCPT TO:<marker@marker.example> ORCPT=rfc822;marker\r\nDATA\r\nSubject: marker\r\n.\r\nQUIT\r\n";
    let codes = ["220", "250", "500", "535", "235", "550", "250", "550", "250", "354", "250", "221"];
    assert_codes(&say(&mut client, text, 12).await, &codes);
    let told = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    drop(client);
    eventually("the session is closed", || told().contains("session-closed")).await;
    drop(logging);
    let told = told();
    for piece in [
        "session-opened peer=127.0.0.1 listener=submissions",
        "refused code=500 enhanced=5.5.1 reason=unknown-command",
        "sign-in-failed peer=127.0.0.1",
        "signed-in staff=",
        "refused code=550 enhanced=5.7.1 reason=not-your-address",
        "refused code=550 enhanced=5.1.1 reason=no-such-address",
        "session-closed messages=1 reason=quit",
    ] {
        assert!(told.contains(piece), "{piece} in\n{told}");
    }
    for secret in ["marker", "jane", "secret", "AG1hcm", "AGphbm"] {
        assert!(!told.to_lowercase().contains(&secret.to_lowercase()), "{secret} in\n{told}");
    }
}
