//! Pictures of every page, to be looked at: `tests/look-portal`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use postern::access::Proved;
use postern::net::{Gate, GateLimits, Stop, Stopper, run};
use postern::policy::Role;
use postern::portal::{Deadlines, MailServer, MailServers, Origin, Server, Settings, app};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::fake::{Clinic, Desk, grant, signed_in};

/// A portal of made-up people; where it is.
async fn portal(clinic: Arc<Clinic>, stop: Stop) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let deadlines = Deadlines::default();
    let settings = Settings {
        origin: Origin::of(&url),
        trusted_proxies: Vec::new(),
        max_upload: 1 << 23,
        deadlines,
        mail: mail(),
    };
    let app = app(Arc::new(Desk(clinic)), settings);
    let gate = Gate::new(GateLimits::default());
    tokio::spawn(run(listener, Server::new(app, None, deadlines), gate, stop, Duration::from_secs(1)));
    url
}

fn mail() -> MailServers {
    let server = |port, starttls| Some(MailServer { port, starttls });
    MailServers { host: "mail.clinic.example".into(), imap: server(993, false), submission: server(587, true) }
}

const SUBMIT: &str = "document.querySelector('main form').submit()";

fn search(words: &str) -> String {
    format!("document.querySelector('#q').value = '{words}'; {SUBMIT}")
}

/// Name, path, who asks, and what is done there.
fn shots(parcel: &str, plain: &str) -> Vec<(&'static str, String, Option<Proved>, String)> {
    let fresh = || Some(Proved::default());
    let shot = |name, path: &str, who, script: &str| (name, path.to_owned(), who, script.to_owned());
    vec![
        shot("link", "/p/living", None, "document.querySelector('details').open = true"),
        shot("link-register", "/p/registers", None, ""),
        shot("link-over", "/p/over", None, ""),
        shot("link-mailed", "/p/over?mailed", None, ""),
        shot("link-withdrawn", "/p/withdrawn", None, ""),
        shot("link-unknown", "/p/nothing", None, ""),
        shot("register", "/register", fresh(), ""),
        shot("register-faults", "/register", fresh(), SUBMIT),
        shot("register-sent", "/register/sent", fresh(), ""),
        shot("register-waiting", "/register/waiting", fresh(), ""),
        shot("register-closed", "/register/closed", fresh(), ""),
        shot("password", "/password/first", None, ""),
        shot("password-fault", "/password/first", None, SUBMIT),
        shot("forgot", "/forgot", None, ""),
        shot("sign-in", "/sign-in", None, ""),
        shot("sign-in-fault", "/sign-in?after=draft", None, SUBMIT),
        shot("code-mail", "/code", fresh(), ""),
        shot("code", "/code?sent", fresh(), ""),
        shot("code-fault", "/code?sent", fresh(), SUBMIT),
        shot("birthdate", "/birthdate", fresh(), SUBMIT),
        shot("magic", "/magic", fresh(), ""),
        shot("help", "/help", None, ""),
        shot("setup", "/setup", None, ""),
        shot(
            "setup-open",
            "/setup",
            None,
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })",
        ),
        shot("list", "/", Some(signed_in()), ""),
        shot("list-found", "/", Some(signed_in()), &search("plan")),
        shot("list-nothing", "/", Some(signed_in()), &search("zebra")),
        shot("message", parcel, Some(signed_in()), ""),
        shot("message-plain", plain, Some(signed_in()), ""),
        shot("message-replied", &format!("{parcel}?replied"), Some(signed_in()), ""),
        shot("reply", &format!("{parcel}/reply"), Some(signed_in()), ""),
        shot(
            "reply-fault",
            &format!("{parcel}/reply"),
            Some(signed_in()),
            "document.querySelector('main form').submit()",
        ),
        shot("account", "/account", Some(signed_in()), ""),
        shot("account-password", "/account/password", Some(signed_in()), ""),
        shot("account-close", "/account/close", Some(signed_in()), ""),
        shot("signed-out", "/signed-out", None, ""),
        shot("error", "/nowhere", Some(signed_in()), ""),
    ]
}

/// Takes a picture of every page at three widths, light and dark, and of some in French, into `POSTERN_LOOK`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes pictures for people; tests/look-portal runs it"]
async fn pictures() {
    let folder = std::env::var("POSTERN_LOOK").unwrap_or_else(|_| "target/look-portal".into());
    std::fs::create_dir_all(&folder).unwrap();
    let (_stopper, stop) = Stopper::new();
    let clinic = Arc::new(Clinic::default());
    clinic.invites_as(Some(Role::Patient));
    let url = portal(Arc::clone(&clinic), stop.clone()).await;
    let doctors = Arc::new(Clinic::default());
    doctors.invites_as(Some(Role::DoctorElsewhere));
    let doctors_url = portal(Arc::clone(&doctors), stop).await;
    let only = std::env::var("POSTERN_LOOK_ONLY").unwrap_or_default();
    let mut wanted: Vec<Value> = Vec::new();
    let sizes = [(320, false), (360, true), (1280, false), (1280, true)];
    let parcel = format!("/m/{}", grant(1));
    for (name, path, who, script) in shots(&parcel, &format!("/m/{}", grant(2))) {
        for (width, dark) in sizes {
            let cookie = who.clone().map(|proved| clinic.begin(proved, None).expose().clone());
            let name = format!("{name}-{width}{}", if dark { "-dark" } else { "" });
            wanted.push(json!({ "name": name, "url": format!("{url}{path}"), "cookie": cookie, "script": script, "width": width, "dark": dark }));
        }
        let cookie = who.map(|proved| clinic.begin(proved, None).expose().clone());
        wanted.push(json!({ "name": format!("{name}-fr"), "url": format!("{url}{path}"), "cookie": cookie, "script": script, "width": 360, "language": "fr" }));
    }
    let fill = "for (const input of document.querySelectorAll('main input:not([type=hidden])')) input.value = 'Dr Who'; \
        document.querySelector('textarea').value = 'Street'; document.querySelector('select').selectedIndex = 3;";
    for (name, script) in [("doctor", String::new()), ("doctor-procedures", format!("{fill}{SUBMIT}"))] {
        for (width, dark) in sizes {
            let cookie = doctors.begin(Proved::default(), None).expose().clone();
            let name = format!("{name}-{width}{}", if dark { "-dark" } else { "" });
            wanted.push(json!({ "name": name, "url": format!("{doctors_url}/register"), "cookie": cookie, "script": script, "width": width, "dark": dark }));
        }
    }
    wanted.retain(|shot| shot["name"].as_str().unwrap().starts_with(&only));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/portal/look.mjs");
    let mut node = Command::new("node").args([script, &folder]).stdin(Stdio::piped()).spawn().unwrap();
    node.stdin.take().unwrap().write_all(json!(wanted).to_string().as_bytes()).unwrap();
    let status = tokio::task::spawn_blocking(move || node.wait().unwrap()).await.unwrap();
    assert!(status.success());
    println!("{} pictures in {folder}", wanted.len());
}
