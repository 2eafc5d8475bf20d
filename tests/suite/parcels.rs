//! What a visitor reads, downloads and replies, on the gateway without sockets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postern::access::{About, Means, Proved};
use postern::gateway::history::Happened;
use postern::gateway::visits::{NewReply, ParcelQuery, Sorted, Visit, VisitError};
use postern::guests::Guest;
use postern::id::{ContactId, DepositId, GrantId};
use postern::store;
use postern::vault::Grant;

use super::gateway::{Clinic, JANE, address};

mod downloads;
mod foreign;
mod many;
mod replies;
mod shown;

pub const PATIENT: &str = "Letter [patient Jane Citizen 1980-03-04]";

/// Somebody who has registered; no password signs them in.
fn guest(to: &str) -> Guest {
    Guest {
        role: None,
        practice: "example-clinic".into(),
        name: String::new(),
        address: address(to),
        answers: Vec::new(),
        password: None,
        password_since: None,
        patients: Vec::new(),
        registered: store::now(),
        enrolled: Some(store::now()),
        waits_for_admin: false,
        closed: false,
        remembered_until: store::now(),
    }
}

/// A message with these documents: name, type, octets.
pub fn message(subject: &str, html: &str, documents: &[(&str, &str, &[u8])]) -> String {
    let mut text = format!(
        "From: {JANE}\nTo: someone@home.example\nSubject: {subject}\nMessage-ID: <sent@clinic.example>\n\
         References: <first@clinic.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/html; charset=utf-8\n\n{html}\n"
    );
    for (name, media_type, octets) in documents {
        let lines: Vec<String> = octets.chunks(57).map(|line| data_encoding::BASE64.encode(line)).collect();
        text.push_str(&format!(
            "--b\nContent-Type: {media_type}\nContent-Disposition: attachment; filename=\"{name}\"\n\
             Content-Transfer-Encoding: base64\n\n{}\n",
            lines.join("\n")
        ));
    }
    text + "--b--\n"
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

impl Clinic {
    /// Waits until so many files lie below the folder of blobs: an upload that was dropped is removed beside the threads.
    pub async fn until_blobs_are(&self, expected: usize) {
        for _ in 0..200 {
            if self.blobs() == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.blobs(), expected, "something was left behind");
    }

    /// Flips a bit in every blob, at this octet of its file.
    pub fn damage_blobs(&self, at: usize) {
        for path in files_below(&self.folder.path().join("data/blob")) {
            let mut octets = std::fs::read(&path).unwrap();
            octets[at] ^= 1;
            std::fs::write(&path, octets).unwrap();
        }
    }

    /// Sends a message to one recipient; the right it gave, and a visit that has shown everything.
    pub async fn give(&self, to: &str, message: &str) -> (GrantId, Visit) {
        let before: BTreeSet<GrantId> = self.rights().await.into_iter().map(|(id, _)| id).collect();
        self.send(&[to], message).await.unwrap();
        let (id, grant) = self.rights().await.into_iter().find(|(id, _)| !before.contains(id)).expect("a right");
        self.register(to, grant.contact).await;
        (id, self.visit_of(&grant))
    }

    /// As if the person had registered.
    pub async fn register(&self, who: &str, contact: ContactId) {
        let stations = self.gateway.stations();
        let mut batch = store::Batch::default();
        stations.vault.start_clocks(&mut batch, contact, store::now()).await.unwrap();
        if stations.guests.find(contact).await.unwrap().is_none() {
            stations.guests.put(&mut batch, contact, None, &guest(who), store::now()).unwrap();
        }
        if !batch.is_empty() {
            stations.store.commit(batch).await.unwrap();
        }
    }

    pub async fn rights(&self) -> Vec<(GrantId, Grant)> {
        self.gateway.stations().vault.grants(None, 1000).await.unwrap()
    }

    /// What a guest did, by the history of the message.
    pub async fn what_happened(&self, grant: GrantId) -> Vec<Happened> {
        let right = self.gateway.stations().vault.grant(grant).await.unwrap().unwrap().value;
        let history = self.gateway.history(right.transaction).await.unwrap();
        let of_guest = |what: &Happened| matches!(what, Happened::Opened | Happened::Downloaded | Happened::Replied);
        assert!(history.iter().all(|line| line.grant == grant));
        history.into_iter().map(|line| line.what).filter(of_guest).collect()
    }

    pub fn visit_of(&self, grant: &Grant) -> Visit {
        let about = About { practice: grant.practice.clone(), patient: grant.patient };
        let mut proved = Proved { account: true, stands_for: vec![about.clone()], ..Proved::default() };
        proved.show(Means::Code, about);
        Visit { proved, ..Visit::begin(grant.contact, None, store::now()) }
    }

    pub async fn deposits(&self, visit: &Visit, grant: GrantId) -> Vec<DepositId> {
        let view = self.gateway.parcel(visit, grant).await.unwrap();
        view.documents.into_iter().map(|document| document.id).collect()
    }

    pub async fn begin(&self, visit: &Visit, grant: GrantId, text: &str) -> NewReply {
        let mut reply = self.gateway.begin_reply(visit, grant).await.unwrap();
        reply.text = text.into();
        reply
    }
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_sorted() {
    let clinic = Clinic::with(&[]).await;
    let pdf = |name: &'static str| (name, "application/pdf", b"%PDF-1.7\nx".as_slice());
    let word =
        ("notes.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK".as_slice());
    let send = async |subject: &str, documents: &[(&str, &str, &[u8])]| {
        clinic.give("kim@home.example", &message(&format!("{subject} [doctor-elsewhere]"), "<p>x</p>", documents)).await
    };
    let (first, visit) = send("Knee", &[pdf("scan.pdf")]).await;
    let (second, _) = send("Hip", &[word]).await;
    let (third, _) = send("Elbow", &[pdf("bone.pdf"), word]).await;
    clinic.give("other@home.example", &message("Knee [doctor-elsewhere]", "x", &[pdf("scan.pdf")])).await;

    let found = async |search: &str, kind: Option<&str>, sorted: Sorted| {
        let query = ParcelQuery { search: search.into(), kind: kind.map(str::to_owned), sorted };
        let rows = clinic.gateway.parcels(&visit, &query).await.unwrap();
        rows.into_iter().map(|row| row.grant).collect::<Vec<_>>()
    };
    assert_eq!(found("", None, Sorted::Newest).await, [third, second, first]);
    assert_eq!(found("SCAN knee", None, Sorted::Newest).await, [first]);
    assert_eq!(found("jane", None, Sorted::Newest).await.len(), 3, "the sender");
    assert_eq!(found("nothing such", None, Sorted::Newest).await, []);
    assert_eq!(found("", Some("word"), Sorted::Newest).await, [third, second]);
    assert_eq!(found("", None, Sorted::Kind).await, [third, first, second], "PDF before Word, the newest first");
}

#[tokio::test]
async fn what_asks_for_more_is_locked_and_says_no_subject() {
    let clinic = Clinic::with(&[]).await;
    let document = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx".as_slice())];
    let (kim, all) = clinic.give("kim@home.example", &message("Knee [doctor-elsewhere]", "x", &document)).await;
    let nothing = Visit { proved: Proved::default(), ..all.clone() };
    let list = async |visit: &Visit| clinic.gateway.parcels(visit, &ParcelQuery::default()).await;
    assert!(matches!(list(&nothing).await, Err(VisitError::Show(_))), "nothing was shown that opens one");
    assert!(matches!(clinic.gateway.parcel(&nothing, kim).await, Err(VisitError::Show(_))));

    // A rule lets the next one open by the link alone.
    let rule = "[[rule]]\nname = \"flyers\"\n[rule.when]\nsubject_matches = \"Flyer\"\n[rule.set]\naccess = \"none\"\n";
    let clinic = Clinic::with(&[("90-flyers.toml", rule)]).await;
    let (knee, all) = clinic.give("kim@home.example", &message("Knee [doctor-elsewhere]", "x", &document)).await;
    let (flyer, _) = clinic.give("kim@home.example", &message("Flyer [doctor-elsewhere]", "x", &document)).await;
    let nothing = Visit { proved: Proved::default(), ..all.clone() };
    let rows = clinic.gateway.parcels(&nothing, &ParcelQuery::default()).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row.grant, row.locked, row.subject.as_str(), row.documents)).collect();
    assert_eq!(shown, [(flyer, false, "Flyer", 1), (knee, true, "", 1)]);
    let search = ParcelQuery { search: "knee".into(), ..ParcelQuery::default() };
    assert!(clinic.gateway.parcels(&nothing, &search).await.unwrap().is_empty(), "a search finds no hidden subject");
    assert_eq!(clinic.gateway.parcels(&all, &search).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_is_read_and_noted_as_opened_once() {
    let clinic = Clinic::with(&[]).await;
    let documents = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx".as_slice()), ("a.svg", "image/svg+xml", b"<svg/>")];
    let html = "<p onclick='x()'>Dear <b>Jane</b><script>alert(1)</script></p>";
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, html, &documents)).await;
    let view = clinic.gateway.parcel(&visit, grant).await.unwrap();
    assert!(!view.row.opened && view.row.subject == "Letter");
    assert_eq!(view.patient.as_deref(), Some("Jane Citizen"));
    assert_eq!(view.html.as_deref().map(str::trim), Some("<p>Dear <b>Jane</b></p>"));
    assert_eq!(view.text.as_deref().map(str::trim), Some("Dear Jane"));
    let shown: Vec<_> = view.documents.iter().map(|it| (it.name.as_str(), it.kind, it.opens)).collect();
    assert_eq!(shown, [("scan.pdf", "pdf", true), ("a.svg", "image", false)]);
    assert!(view.replies.is_empty() && view.draft.is_none() && view.reply.open);

    let opened = clinic.rights().await[0].1.opened.expect("noted");
    assert!(clinic.gateway.parcel(&visit, grant).await.unwrap().row.opened);
    assert_eq!(clinic.rights().await[0].1.opened, Some(opened), "the first time counts");
    assert_eq!(clinic.what_happened(grant).await, [Happened::Opened]);
    assert!(!format!("{view:?} {visit:?}").contains("Jane"), "nothing of a patient is printed");
}

/// A visit of the one with this address, who has shown nothing.
pub async fn stranger(clinic: &Clinic, name: &str) -> Visit {
    let found = clinic.gateway.stations().directory.find(&address(name)).await.unwrap().unwrap();
    Visit::begin(found.id, None, store::now())
}
