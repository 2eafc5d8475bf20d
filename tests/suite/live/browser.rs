//! Real Chromium against the running gateway: people walk from the link in a mail to the reply in the sender's mailbox.
//!
//! The walks themselves stand in `tests/browser`; here is the gateway, the mail, and the comparing of what arrived.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client::Client;
use super::clinic::{Clinic, HOST, JANE, Setup, repository};
use super::letters::{Letter, pdf};
use super::tools;

/// The port of the portal, on the clinic's own address.
pub const PORTAL: u16 = 8443;
const TEXT: &str = "The results are in order. Please come back in six weeks.";
const SUBJECT: &str = "What we found";
const REPLY: &str = "Thank you, I will come on Monday.";
const GUEST_PASSWORD: &str = "seven quiet lighthouses";

/// What the walks need on this machine.
pub struct Tools {
    node: PathBuf,
    chromium: PathBuf,
}

impl Tools {
    /// `None` after a line that says that this test is skipped; in CI a missing one is a failure.
    pub fn find(test: &str) -> Option<Self> {
        let node = tools::find("node", test)?;
        let chromium = tools::find("chromium", test)?;
        for module in ["playwright-core", "axe-core", "mailparser"] {
            if !repository().join("target/tools/node_modules").join(module).is_dir() {
                assert!(std::env::var_os("CI").is_none(), "{test} needs {module}, and in CI nothing is skipped");
                tools::skipped(test, &format!("{module} is not there (tests/run fetches it)"));
                return None;
            }
        }
        Some(Self { node, chromium })
    }

    /// Runs a script of `tests/browser`; its report.
    fn run(&self, script: &str, task: &Value) -> Value {
        let mut command = Command::new(&self.node);
        command.arg(repository().join("tests/browser").join(script)).current_dir(repository());
        let output = tools::run(&mut command, task.to_string().as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script}: {error}: {said}"))
    }
}

/// No faults, or all of them in words.
fn faultless(who: &str, report: &Value) {
    let faults: Vec<&str> = report["faults"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let page = report["page"].as_str().unwrap_or_default();
    assert!(faults.is_empty(), "{who}:\n{}\nsteps: {}\nthe page said:\n{page}", faults.join("\n"), report["steps"]);
}

/// A running clinic with a portal.
fn clinic() -> Clinic {
    let mut clinic = Clinic::new(&Setup::default());
    let more = format!("[imap]\nimaps = [\"{}\"]\n", clinic.at(2993));
    clinic.configure(&Setup { more, ..Setup::default() });
    open_portal(&clinic);
    clinic.start();
    clinic
}

/// Lets a clinic have a portal at its next start, reached by its name and port, with TLS.
pub fn open_portal(clinic: &Clinic) {
    let config = clinic.path("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let at = clinic.at(PORTAL);
    let text = text.replace(&format!("public_url = \"https://{HOST}\""), &format!("public_url = \"{}\"", origin()));
    fs::write(&config, format!("{text}\n[portal]\nlisten = [\"{at}\"]\n")).unwrap();
}

/// What [`open_portal`] serves it as.
pub fn origin() -> String {
    format!("https://{HOST}:{PORTAL}")
}

/// Somebody who walks.
#[derive(Clone, Copy)]
pub struct Guest {
    /// Where their mail goes.
    pub address: &'static str,
    /// In the subject: says who they are.
    pub tag: &'static str,
    /// As what they register.
    pub role: &'static str,
}

const GUESTS: [Guest; 6] = [
    Guest { address: "jane.citizen@mail.example", tag: "[patient Jane Citizen 1980-03-04]", role: "patient" },
    Guest { address: "dr.ngata@mail.example", tag: "[doctor]", role: "doctor" },
    Guest { address: "sam.okoye@mail.example", tag: "[staff]", role: "staff" },
    Guest { address: "dr.wong@hospital.example", tag: "[doctor-elsewhere]", role: "doctor-elsewhere" },
    Guest { address: "reception@hospital.example", tag: "[staff-elsewhere]", role: "staff-elsewhere" },
    Guest { address: "accounts@insurer.example", tag: "[payer]", role: "payer" },
];

/// What is typed into the form, by the names of its fields; those that a role's form has not are left out.
fn answers() -> Value {
    json!({
        "practice_name": "Harbour Hospital", "practice_website": "https://www.hospital.example",
        "practice_phone": "02 5550 9876", "practice_address": "1 Quay Street\nSydney NSW 2000",
        "mobile": "0491 570 156", "phone": "02 5550 1111", "name": "Robin Example",
        "specialty": "General practice", "practice": "yes",
    })
}

/// How a walk differs from the others.
#[derive(Clone, Copy)]
pub struct Manner {
    viewport: &'static str,
    /// Every page in every look, and every form wrong once.
    thorough: bool,
    javascript: bool,
    keyboard: bool,
    locale: &'static str,
}

/// A mouse at a desk, and nothing wrong on the way.
pub const PLAIN: Manner =
    Manner { viewport: "desktop", thorough: false, javascript: true, keyboard: false, locale: "en-AU" };

/// The documents that are sent.
fn documents() -> [(&'static str, &'static str, Vec<u8>); 2] {
    let word = fs::read(repository().join("src/cli/demo/assets/plan.docx")).unwrap();
    let media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    [("result.pdf", "application/pdf", pdf("result")), ("plan.docx", media_type, word)]
}

/// Jane writes to somebody, with two documents.
pub fn invite(clinic: &Clinic, guest: &Guest) {
    let mut letter = Letter::new(JANE, guest.address, &format!("{} {SUBJECT}", guest.tag), TEXT);
    for (name, media_type, octets) in documents() {
        letter = letter.with(name, media_type, octets);
    }
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let reply = client.send(JANE, &[guest.address], &letter.octets()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text);
}

/// Somebody who was written to walks all the way.
pub fn walk(tools: &Tools, clinic: &Clinic, guest: &Guest, manner: Manner) {
    let who = format!("{} ({}{})", guest.role, manner.viewport, if manner.keyboard { ", keyboard" } else { "" });
    let downloads = clinic.path(&format!("downloads-{}", guest.role));
    fs::create_dir_all(&downloads).unwrap();
    let attached = clinic.path("my notes.txt");
    fs::write(&attached, "I have slept better since Tuesday.\n").unwrap();
    let restricted = clinic.path("viewer.exe");
    fs::write(&restricted, b"MZ no program").unwrap();
    let approve = [env!("CARGO_BIN_EXE_postern"), "--config", &clinic.path("config.toml").display().to_string()]
        .map(str::to_owned)
        .into_iter()
        .chain(["invitation", "approve", guest.address].map(str::to_owned));
    let report = tools.run(
        "walk.mjs",
        &json!({
            "chromium": tools.chromium, "origin": origin(), "address": clinic.at(PORTAL).ip().to_string(),
            "outbox": clinic.path("outbox"), "recipient": guest.address, "sender": JANE,
            "viewport": manner.viewport, "thorough": manner.thorough, "javascript": manner.javascript,
            "keyboard": manner.keyboard, "locale": manner.locale, "account": guest.role != "payer",
            "approve": (guest.role == "staff").then(|| approve.collect::<Vec<_>>()),
            "answers": answers(), "birthdate": (guest.role == "patient").then_some("1980-03-04"),
            "password": GUEST_PASSWORD, "says": TEXT, "subject": SUBJECT, "documents": 2,
            "downloads": downloads, "messageId": "<letter@clinic.example>",
            "reply": { "text": REPLY, "attachments": [attached], "restricted": restricted },
            "pictures": pictures(&format!("{}-{}", guest.role, manner.viewport)),
        }),
    );
    faultless(&who, &report);
    compare(&who, &report["downloads"]);
}

/// Each document has arrived octet for octet, by itself and in the archive.
fn compare(who: &str, downloads: &Value) {
    let downloads = downloads.as_array().unwrap();
    let read = |at: usize| fs::read(downloads[at]["path"].as_str().unwrap()).unwrap();
    assert_eq!(downloads.len(), 3, "{who}: two documents and the archive");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(read(2))).unwrap();
    for (at, (name, _, octets)) in documents().into_iter().enumerate() {
        assert!(read(at) == octets, "{who}: {name} is not what was sent");
        let mut zipped = Vec::new();
        archive.by_index(at).unwrap().read_to_end(&mut zipped).unwrap();
        assert!(zipped == octets, "{who}: {name} in the archive is not what was sent");
    }
}

/// Where pictures of each page go, if somebody wants to look at them.
fn pictures(of: &str) -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("POSTERN_PICTURES")?).join(of))
}

#[test]
fn everybody_walks_on_a_phone() {
    let Some(tools) = Tools::find("everybody_walks_on_a_phone") else { return };
    let clinic = clinic();
    for guest in &GUESTS {
        let thorough = ["patient", "payer"].contains(&guest.role);
        let locale = if guest.role == "doctor" { "fr-FR" } else { "en-AU" };
        invite(&clinic, guest);
        walk(&tools, &clinic, guest, Manner { viewport: "phone", thorough, locale, ..PLAIN });
    }
}

#[test]
fn everybody_walks_at_a_desk() {
    let Some(tools) = Tools::find("everybody_walks_at_a_desk") else { return };
    let clinic = clinic();
    for guest in &GUESTS {
        let manner = match guest.role {
            "doctor-elsewhere" => Manner { thorough: true, ..PLAIN },
            "staff-elsewhere" => Manner { javascript: false, ..PLAIN },
            "patient" => Manner { keyboard: true, ..PLAIN },
            _ => PLAIN,
        };
        invite(&clinic, guest);
        walk(&tools, &clinic, guest, manner);
    }
}

/// Row 8: what is hostile comes in by SMTP as anybody could send it, and is opened in a real browser.
#[test]
fn hostile_text_and_documents_run_nothing() {
    let Some(tools) = Tools::find("hostile_text_and_documents_run_nothing") else { return };
    let (clinic, beacon) = (clinic(), Beacon::listen());
    let guest = "accounts@insurer.example";
    let call = format!("http://127.0.0.1:{}/heard", beacon.port);
    let sent = hostile(guest, &call);
    let documents = sent.1;
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    assert_eq!(client.send(JANE, &[guest], &sent.0).unwrap().code, 250);
    let report = tools.run(
        "hostile.mjs",
        &json!({
            "chromium": tools.chromium, "origin": origin(), "address": clinic.at(PORTAL).ip().to_string(),
            "outbox": clinic.path("outbox"), "recipient": guest, "viewport": "desktop", "documents": documents,
            "beacon": call,
            "control": format!("<script>globalThis.canary = 'ran'; new Image().src = '{call}?control'</script>"),
        }),
    );
    faultless("hostile", &report);
    assert_eq!(beacon.heard(), ["GET /heard?control HTTP/1.1"], "nothing calls home; steps: {}", report["steps"]);
}

/// A message whose every part would run something or call the beacon; how many documents it has.
fn hostile(guest: &str, call: &str) -> (Vec<u8>, usize) {
    let run = format!("globalThis.canary='ran';document.title='canary';fetch('{call}?js')");
    let html = format!(
        "<html><head><base href=\"{call}/\"><style>body{{background:url({call}?css)}}</style><link rel=stylesheet href=\"{call}?link\">\
         <meta http-equiv=refresh content=\"1;url={call}?refresh\"></head><body onload=\"{run}\"><p>Please read.</p>\
         <script>{run}</script><img src=x onerror=\"{run}\"><img src=\"{call}?img\"><svg onload=\"{run}\"><a xlink:href=\"javascript:{run}\">x</a></svg>\
         <iframe src=\"javascript:{run}\" srcdoc=\"<script>{run}</script>\"></iframe><form action=\"{call}?form\"><input autofocus onfocus=\"{run}\"></form>\
         <math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror={run}&gt;\"></table></mtext></math>\
         <video src=\"{call}?video\" autoplay><audio src=\"{call}?audio\" autoplay></audio></video><object data=\"{call}?object\"></object>\
         <p style=\"background-image:url({call}?style)\">style</p></body></html>"
    );
    let page = format!("<!doctype html><html><body><script>{run}</script><img src=\"{call}?doc\"></body></html>");
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"{run}\"><script>{run}</script><image href=\"{call}?svg\" width=\"1\" height=\"1\"/></svg>"
    );
    let letter = Letter::new(JANE, guest, "[payer] Please read", "text")
        .with("page.html", "text/html", page.clone().into_bytes())
        .with("drawing.svg", "image/svg+xml", svg.into_bytes())
        .with("form.pdf", "application/pdf", hostile_pdf(call))
        .with("picture.png", "image/png", page.clone().into_bytes())
        .with("notes.txt", "text/plain", page.into_bytes());
    let documents = letter.attachments.len();
    let octets = String::from_utf8(letter.octets()).unwrap();
    let plain = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ntext\r\n";
    let rich = format!(
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        data_encoding::BASE64_MIME.encode(html.as_bytes())
    );
    assert!(octets.contains(plain));
    (octets.replace(plain, &rich).into_bytes(), documents)
}

/// A PDF that wants to run JavaScript and to open an address as soon as it is shown.
fn hostile_pdf(call: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.launchURL\\('{call}?pdf-js'\\))>>\
         /AA<</WC<</S/URI/URI({call}?pdf-aa)>>>>>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/AA<</O<</S/URI/URI({call}?pdf-uri)>>>>>>endobj\n\
         trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    .into_bytes()
}

/// Hears whoever calls home.
struct Beacon {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Beacon {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, over) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (noting, ending) = (Arc::clone(&heard), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut octets = [0; 1024];
                let read = stream.read(&mut octets).unwrap_or(0);
                noting
                    .lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&octets[..read]).lines().next().unwrap_or("").into());
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            }
        });
        Self { port, heard, over }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = std::net::TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// The demo as somebody sees it who has just started it: the outbox page on both viewports, and then the patient's whole
/// way, with the message that Outlook wrote, in the clear on loopback.
#[test]
fn the_demo_can_be_walked_to_its_end() {
    let Some(tools) = Tools::find("the_demo_can_be_walked_to_its_end") else { return };
    let demo = Demo::start();
    for viewport in ["phone", "desktop"] {
        let report = tools.run(
            "demo.mjs",
            &json!({
                "chromium": tools.chromium, "origin": demo.says("outbox"), "portal": demo.says("portal"),
                "viewport": viewport, "patient": "jane.citizen@mail.example", "thorough": true,
                // The source of a mail is as long as the mail.
                "heaviest": 200_000,
                "pictures": pictures(&format!("demo-{viewport}")),
            }),
        );
        faultless(&format!("demo, {viewport}"), &report);
    }
    let report = tools.run("walk.mjs", &demo.walk(&tools));
    faultless("the patient of the demo", &report);
    for (name, asset) in [("Pathology results.pdf", "results.pdf"), ("Management plan.docx", "plan.docx")] {
        let arrived = report["downloads"].as_array().unwrap().iter().find(|download| download["name"] == name);
        let arrived = arrived.unwrap_or_else(|| panic!("{name} was not downloaded: {}", report["downloads"]));
        let sent = fs::read(repository().join("src/cli/demo/assets").join(asset)).unwrap();
        assert!(fs::read(arrived["path"].as_str().unwrap()).unwrap() == sent, "{name} is not what was sent");
    }
    demo.end();
}

/// `postern demo`, running.
struct Demo {
    child: std::process::Child,
    printed: PathBuf,
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let printed = folder.path().join("printed");
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("demo").env("TMPDIR", folder.path()).stdin(Stdio::null());
        let child = command.stdout(fs::File::create(&printed).unwrap()).spawn().unwrap();
        let mut demo = Self { child, printed, _folder: folder };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
        while !demo.words().contains("Ctrl-C ends the demo") {
            assert!(demo.child.try_wait().unwrap().is_none(), "the demo ended:\n{}", demo.words());
            assert!(std::time::Instant::now() < deadline, "the demo's tour takes too long:\n{}", demo.words());
            super::clinic::pause();
        }
        demo
    }

    fn words(&self) -> String {
        fs::read_to_string(&self.printed).unwrap()
    }

    /// The address that stands behind this word.
    fn says(&self, word: &str) -> String {
        let words = self.words();
        let line = words.lines().find_map(|line| line.trim_start().strip_prefix(word)).unwrap();
        line.trim().to_owned()
    }

    /// The task of walking as Jane.
    fn walk(&self, tools: &Tools) -> Value {
        let place = self.printed.parent().unwrap();
        let notes = place.join("my notes.txt");
        fs::write(&notes, "I have slept better since Tuesday.\n").unwrap();
        let restricted = place.join("viewer.exe");
        fs::write(&restricted, b"MZ no program").unwrap();
        json!({
            "chromium": tools.chromium, "origin": self.says("portal"), "outbox": Path::new(&self.says("files")).join("outbox"),
            "recipient": "jane.citizen@mail.example", "sender": "dr.lee@clinic.example", "viewport": "phone", "thorough": true,
            "account": true, "answers": answers(), "birthdate": "1980-03-04", "password": GUEST_PASSWORD,
            "says": "easily treated", "subject": "Your blood tests and what we do now", "downloads": place,
            // Two, and the picture in Dr Lee's signature, which is had as documents are.
            "documents": 3,
            "messageId": self.message_id(), "pictures": pictures("demo-walk"),
            "reply": { "text": REPLY, "attachments": [notes], "restricted": restricted },
        })
    }

    /// Of the first message, as the colleague has it who got it as it was written.
    fn message_id(&self) -> String {
        let outbox = Path::new(&self.says("files")).join("outbox");
        let mails = fs::read_dir(outbox).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let relayed =
            mails.into_iter().find(|mail| mail.contains("X-Envelope-To: <reception@clinic.example>")).unwrap();
        let field = relayed.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
        field.trim().to_owned()
    }

    /// Ends it as Ctrl-C does; nothing may be left.
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let folder = PathBuf::from(self.says("files"));
        assert!(folder.is_dir());
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
        assert!(!Path::new(&folder).exists(), "the demo leaves its folder behind");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
