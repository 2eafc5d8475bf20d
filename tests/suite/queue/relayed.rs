//! The whole way: queue, workers, smarthost or folder.

use std::path::Path;
use std::time::Duration;

use postern::delivery::Outcome;
use postern::queue::{QueueRow, TlsDemand};
use postern::relay::smarthost::{Patience, SmarthostSettings, SmarthostTls};
use postern::relay::{Relay, RelayMode, RelaySettings};
use postern::store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::house::{House, small};
use crate::relay::live::{CERTIFICATES, serve};
use crate::relay::script::Script;

struct Running {
    stop: watch::Sender<bool>,
    relay: JoinHandle<()>,
}

impl Running {
    fn start(house: &House, mode: RelayMode, workers: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let relay = Relay::new(RelaySettings { mode, workers }).unwrap();
        Self { stop, relay: tokio::spawn(relay.run(house.deliveries.clone(), stopped)) }
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(10), self.relay).await.expect("stops soon").unwrap();
    }
}

fn smarthost(port: u16, tls: SmarthostTls) -> RelayMode {
    RelayMode::Smarthost(Box::new(SmarthostSettings {
        host: "localhost".into(),
        port,
        tls,
        credentials: None,
        extra_ca: Some(CERTIFICATES.authority.clone()),
        hello: "gateway.clinic.example".into(),
        patience: Patience { command: Duration::from_secs(10), ..Patience::default() },
    }))
}

/// Waits until the rows of the queue are as wanted.
async fn until(house: &House, wanted: impl Fn(&[QueueRow]) -> bool) -> Vec<QueueRow> {
    let looking = async {
        loop {
            let rows = house.queue.list(None, 10_000).await.unwrap();
            if wanted(&rows) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("the queue comes to it")
}

/// Three recipients, the second refused; then its sender's report. One worker, one connection.
const SERVER: &str = "S: 250 mx.example
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<a@there.example>
S: 250 ok
C: DATA
S: 354 go
C: Subject: hello
C: 
C: body
C: .
S: 250 queued
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<nobody@there.example>
S: 550 5.1.1 no such user
C: RSET
S: 250 ok
C: MAIL FROM:<staff@clinic.example>
S: 250 ok
C: RCPT TO:<c@there.example>
S: 250 ok
C: DATA
S: 354 go
C: Subject: hello
C: 
C: body
C: .
S: 250 queued
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<staff@clinic.example>
S: 250 ok
C: DATA
S: 354 go
C: Subject: not delivered
C: 
C: report
C: .
S: 250 queued
C: QUIT
S: 221 bye";

#[tokio::test]
async fn a_refused_recipient_stops_nobody_and_the_sender_is_told() {
    let hello = "S: 220 mx.example\nC: EHLO gateway.clinic.example\n";
    let starttls =
        "S: 250-mx.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS trusted\nC: EHLO gateway.clinic.example\n";
    for (tls, before) in [
        (SmarthostTls::None, hello.to_owned()),
        (SmarthostTls::Required, format!("{hello}{starttls}")),
        (SmarthostTls::Immediate, format!("TLS trusted\n{hello}")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let house = House::new(folder.path(), store::now()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, Script::parse("relayed", &format!("{before}{SERVER}"))));
        let running = Running::start(&house, smarthost(port, tls), 1);
        house.queue(&["a@there.example", "nobody@there.example", "c@there.example"], b"body\r\n", store::now()).await;
        until(&house, <[QueueRow]>::is_empty).await;
        running.stop().await;
        server.await.unwrap();
        let told = house.reports.told.lock().unwrap().clone();
        assert_eq!(told.len(), 1);
        assert!(told[0].1.contains("does not exist"), "{}", told[0].1);
    }
}

#[tokio::test]
async fn a_message_that_demands_tls_waits_while_others_go() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), store::now()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hello = "S: 220 mx.example\nC: EHLO gateway.clinic.example\nS: 250 mx.example\n";
    let message = "C: MAIL FROM:<staff@clinic.example>\nS: 250 ok\nC: RCPT TO:<b@there.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC: \nC: small\nC: .\nS: 250 ok\n";
    let script = Script::parse("demand", &format!("{hello}CONNECT\n{hello}{message}C: QUIT"));
    let server = tokio::spawn(serve(listener, script));
    let mut letter = small("a@there.example");
    letter.tls = TlsDemand::Required;
    house.post(letter, store::now()).await;
    house.post(small("b@there.example"), store::now()).await;
    let running = Running::start(&house, smarthost(port, SmarthostTls::Opportunistic), 1);
    let rows = until(&house, |rows| rows.len() == 1 && rows[0].attempts == 1).await;
    assert_eq!(rows[0].last.as_deref(), Some("no-tls"));
    running.stop().await;
    server.await.unwrap();
}

fn mails(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_gets_one_file_a_delivery_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    let house = House::new(folder.path(), store::now()).await;
    let names: Vec<String> = (0..40).map(|number| format!("n{number}@there.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let large = "a line of the message\r\n".repeat(5000);
    let ids = house.queue(&names, large.as_bytes(), store::now()).await;
    // As after a crash between delivery and settlement: the file is there, the entry too.
    std::fs::create_dir_all(&outbox).unwrap();
    std::fs::write(outbox.join(format!("{}.eml", ids[0])), "the first delivery").unwrap();
    let running = Running::start(&house, RelayMode::Folder(outbox.clone()), 4);
    until(&house, <[QueueRow]>::is_empty).await;
    running.stop().await;
    let mut expected: Vec<String> = ids.iter().map(|id| format!("{id}.eml")).collect();
    expected.sort();
    assert_eq!(mails(&outbox), expected);
    let mail = std::fs::read_to_string(outbox.join(format!("{}.eml", ids[0]))).unwrap();
    let envelope = "X-Envelope-From: <staff@clinic.example>\r\nX-Envelope-To: <n0@there.example>\r\n";
    assert_eq!(mail, format!("{envelope}Subject: hello\r\n\r\n{large}"));
}

#[tokio::test]
async fn a_folder_that_takes_nothing_defers() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("outbox");
    let house = House::new(folder.path(), store::now()).await;
    let running = Running::start(&house, RelayMode::Folder(outbox.clone()), 1);
    std::fs::remove_dir(&outbox).unwrap();
    house.post(small("jane@there.example"), store::now()).await;
    let rows = until(&house, |rows| rows.iter().all(|row| row.attempts == 1)).await;
    assert_eq!(rows[0].last.as_deref(), Some("folder"));
    running.stop().await;
}

#[tokio::test]
async fn a_stop_and_a_start_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new(folder.path(), store::now()).await;
    house.post(small("jane@there.example"), store::now()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, amid) = tokio::sync::oneshot::channel();
    let silent = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"220 mx.example\r\n").await.unwrap();
        assert!(tcp.read(&mut [0; 64]).await.unwrap() > 0);
        heard.send(()).unwrap();
        while tcp.read(&mut [0; 64]).await.unwrap_or(0) > 0 {}
    });
    let running = Running::start(&house, smarthost(port, SmarthostTls::None), 1);
    amid.await.unwrap();
    assert!(house.queue.claim_due(store::now(), 1).await.unwrap().is_empty(), "it is in the worker's hand");
    running.relay.abort();
    let _ = running.relay.await;
    silent.await.unwrap();
    house = house.restart(folder.path()).await;
    let claim = house.queue.claim_due(store::now(), 1).await.unwrap().pop().expect("due again at once");
    assert_eq!(claim.entry.attempts, 0);
    house.deliveries.settle(&claim, Outcome::Delivered, store::now()).await.unwrap();
    assert_eq!(house.count().await, 0);
}

/// Postfix's `smtp-sink`, where it is installed: a server that nobody of us wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_smtp_sink_takes_all() {
    let sink = Path::new("/usr/sbin/smtp-sink");
    if !sink.exists() {
        eprintln!("skipped: {} is not there (Debian package postfix)", sink.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), store::now()).await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let dump = folder.path().join("sunk.");
    let as_root: &[&str] = if rustix::process::geteuid().is_root() { &["-u", "root"] } else { &[] };
    let mut child = tokio::process::Command::new(sink)
        .args(as_root)
        .args(["-d", dump.to_str().unwrap(), &format!("127.0.0.1:{port}"), "32"])
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(child.try_wait().unwrap().is_none(), "smtp-sink runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let names: Vec<String> = (0..50).map(|number| format!("n{number}@there.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    house.queue(&names, b".dot\r\n..\r\nend\r\n", store::now()).await;
    let running = Running::start(&house, smarthost(port, SmarthostTls::None), 4);
    until(&house, <[QueueRow]>::is_empty).await;
    running.stop().await;
    child.kill().await.unwrap();
    let sunk: Vec<String> = mails(folder.path()).into_iter().filter(|name| name.starts_with("sunk.")).collect();
    assert!(!sunk.is_empty());
    let mut count = 0;
    for name in sunk {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        count += text.matches("\n.dot\n..\nend\n").count();
    }
    assert_eq!(count, names.len());
}
