//! Documents: whole, in ranges, as a zip; how many at once; and what the first download does.

use std::path::Path;
use std::process::Command;

use futures_util::StreamExt;
use postern::gateway::Gateway;
use postern::gateway::history::Happened;
use postern::gateway::visits::{Taking, VisitError};

use super::super::gateway::Clinic;
use super::message;

/// So many octets, none like the next.
fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 256) as u8).collect()
}

async fn zipped(clinic: &Clinic, documents: Vec<postern::gateway::visits::Document>) -> Vec<u8> {
    let (expected, mut zip, mut out) =
        (Gateway::zip_octets(&documents), Box::pin(clinic.gateway.zip(documents)), Vec::new());
    while let Some(piece) = zip.next().await {
        let piece = piece.unwrap();
        assert!(piece.len() <= 64 * 1024, "a chunk at a time");
        out.extend_from_slice(&piece);
    }
    assert_eq!(out.len() as u64, expected, "the length is known before");
    out
}

/// Runs a program that says something is sound, and what it printed.
fn says(program: &str, arguments: &[&str], file: &Path) -> String {
    let run = Command::new(program).args(arguments).arg(file).output();
    let run = run.unwrap_or_else(|error| panic!("{program} is needed (tests/run installs it): {error}"));
    assert!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

#[tokio::test]
async fn a_document_is_what_was_sent_whole_and_in_ranges() {
    let clinic = Clinic::with(&[]).await;
    let sent = octets(200_000);
    let documents = [("scan.bin", "application/x-scan", sent.as_slice()), ("small.txt", "text/plain", b"small")];
    let (grant, visit) = clinic.give("kim@home.example", &message("Scan [doctor-elsewhere]", "x", &documents)).await;
    let deposits = clinic.deposits(&visit, grant).await;
    let document = clinic.gateway.document(&visit, grant, deposits[0], Taking::Beginning).await.unwrap();
    assert_eq!((document.name.as_str(), document.octets, document.opens), ("scan.bin", 200_000, false));
    for range in [0..200_000, 0..1, 65_535..65_537, 131_072..200_000, 199_999..500_000, 70_000..70_000] {
        let read = clinic.gateway.read_document(&document, range.clone()).await.unwrap().collect().await.unwrap();
        let end = (range.end as usize).min(sent.len());
        assert_eq!(read, sent[(range.start as usize).min(end)..end], "{range:?}");
    }
    let small = clinic.gateway.document(&visit, grant, deposits[1], Taking::Beginning).await.unwrap();
    let read = clinic.gateway.read_document(&small, 1..3).await.unwrap().collect().await.unwrap();
    assert_eq!(read, b"ma");
    assert!(small.opens && !format!("{small:?}").contains("small"));
}

#[tokio::test]
async fn the_first_download_is_noted_and_ends_what_a_rule_says_it_ends() {
    let clinic = Clinic::with(&[]).await;
    let documents = [("scan.dcm", "application/dicom", b"DICM".as_slice())];
    let (grant, visit) = clinic.give("kim@home.example", &message("Scan [doctor-elsewhere]", "x", &documents)).await;
    let deposit = clinic.deposits(&visit, grant).await[0];
    let right = || async { clinic.rights().await.remove(0).1 };
    let before = right().await;
    clinic.gateway.document(&visit, grant, deposit, Taking::Looking).await.unwrap();
    clinic.gateway.documents(&visit, grant, Taking::Looking).await.unwrap();
    assert_eq!((right().await.downloaded, right().await.keep_until), (None, before.keep_until), "a look takes nothing");
    clinic.gateway.document(&visit, grant, deposit, Taking::Beginning).await.unwrap();
    let after = right().await;
    let downloaded = after.downloaded.expect("noted");
    assert_eq!(after.keep_until.since(downloaded).as_secs(), 3 * 86_400, "policies/30-documents.toml");
    assert!(after.keep_until < before.keep_until);
    clinic.gateway.documents(&visit, grant, Taking::Beginning).await.unwrap();
    assert_eq!(right().await.keep_until, after.keep_until, "only the first counts");
    assert_eq!(clinic.what_happened(grant).await, [Happened::Opened, Happened::Downloaded]);
    let owed = clinic.gateway.stations().vault.punch_owed().await.unwrap();
    assert!(owed > 0, "the day it would have ended on is owed a punch");
    clinic.gateway.document(&visit, grant, deposit, Taking::Beginning).await.unwrap();
}

#[tokio::test]
async fn more_than_ten_files_within_a_minute_lock_for_half_an_hour() {
    let clinic = Clinic::with(&[]).await;
    let names: Vec<String> = (0..12).map(|number| format!("{number}.txt")).collect();
    let documents: Vec<_> = names.iter().map(|name| (name.as_str(), "text/plain", b"x".as_slice())).collect();
    let (grant, visit) = clinic.give("kim@home.example", &message("Many [doctor-elsewhere]", "x", &documents)).await;
    let deposits = clinic.deposits(&visit, grant).await;
    clinic.gateway.documents(&visit, grant, Taking::Beginning).await.unwrap();
    for deposit in &deposits[..9] {
        clinic.gateway.document(&visit, grant, *deposit, Taking::Beginning).await.unwrap();
    }
    let locked = clinic.gateway.document(&visit, grant, deposits[9], Taking::Beginning).await.unwrap_err();
    let VisitError::LockedUntil(until) = locked else { panic!("{locked:?}") };
    let minutes = until.since(postern::store::now()).as_secs() / 60;
    assert!((29..=30).contains(&minutes), "{minutes}");
    assert!(matches!(
        clinic.gateway.documents(&visit, grant, Taking::Beginning).await,
        Err(VisitError::LockedUntil(_))
    ));
    clinic.gateway.document(&visit, grant, deposits[3], Taking::GoingOn).await.expect("what has begun goes on");
    // A browser that says of every request that it is a further range is counted all the same.
    let fresh = clinic.gateway.document(&visit, grant, deposits[10], Taking::GoingOn).await;
    assert!(matches!(fresh, Err(VisitError::LockedUntil(_))));
    clinic.gateway.parcel(&visit, grant).await.expect("reading goes on");
}

#[tokio::test]
async fn a_zip_is_read_by_others_and_has_every_octet() {
    let clinic = Clinic::with(&[]).await;
    let large = octets(300_001);
    let documents = [
        ("scan.pdf", "application/pdf", b"%PDF-1.7\nfirst".as_slice()),
        ("SCAN.pdf", "application/pdf", b"%PDF-1.7\nsecond"),
        ("Gr\u{fc}\u{df}e.bin", "application/x-scan", large.as_slice()),
        ("empty.txt", "text/plain", b""),
    ];
    let (grant, visit) = clinic.give("kim@home.example", &message("All [doctor-elsewhere]", "x", &documents)).await;
    let all = clinic.gateway.documents(&visit, grant, Taking::Beginning).await.unwrap();
    let names: Vec<_> = all.iter().map(|document| document.name.clone()).collect();
    assert_eq!(names, ["scan.pdf", "SCAN (2).pdf", "Gr\u{fc}\u{df}e.bin", "empty.txt"]);
    let zip = zipped(&clinic, all).await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.zip");
    std::fs::write(&file, &zip).unwrap();
    says("unzip", &["-tqq"], &file);
    let script = "import sys,zipfile,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  for i in z.infolist(): print(i.filename, hashlib.sha256(z.read(i)).hexdigest(), i.external_attr>>16)";
    let listed = says("python3", &["-c", script], &file);
    for (name, (_, _, octets)) in names.iter().zip(&documents) {
        let digest =
            data_encoding::HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets).as_ref());
        assert!(listed.contains(&format!("{name} {digest} {}", 0o100_644)), "{name} in {listed}");
    }
    assert!(!listed.contains('/'), "no path");
}

/// Beyond 32 bits, laid out in a file with holes: what passes for gigabytes is nothing.
#[test]
fn a_zip_beyond_four_gigabytes_is_laid_out_as_others_read_it() {
    use std::io::{Seek, SeekFrom, Write};

    use postern::archive::{Archive, Entry};
    use postern::time::Timestamp;

    let at = Timestamp::from_secs(1_000_000_000);
    let entry = |name: &str, octets| Entry { name: name.into(), octets, at };
    let sizes = [5_u64 << 30, 3, 1 << 20];
    let archive =
        Archive::new(vec![entry("huge.bin", sizes[0]), entry("small.txt", sizes[1]), entry("more.bin", sizes[2])]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.zip");
    let mut file = std::fs::File::create(&path).unwrap();
    for (index, octets) in sizes.iter().enumerate() {
        file.write_all(&archive.before(index)).unwrap();
        file.seek(SeekFrom::Current(i64::try_from(*octets).unwrap())).unwrap();
        file.write_all(&archive.after(index, 0)).unwrap();
    }
    file.write_all(&archive.end(&[0, 0, 0])).unwrap();
    assert_eq!(file.stream_position().unwrap(), archive.octets());
    let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\n\
                  for i in z.infolist(): print(i.filename, i.file_size, i.date_time)\n\
                  with z.open('more.bin') as f: assert f.read(5)==bytes(5)";
    let listed = says("python3", &["-c", script], &path);
    let expected = "huge.bin 5368709120 (2001, 9, 9, 1, 46, 40)\nsmall.txt 3 (2001, 9, 9, 1, 46, 40)\nmore.bin 1048576";
    assert!(listed.starts_with(expected), "{listed}");
    assert!(says("unzip", &["-l"], &path).contains("5368709120"));
}

#[tokio::test]
async fn a_zip_ends_before_its_time_where_a_document_is_damaged() {
    let clinic = Clinic::with(&[]).await;
    let large = octets(300_000);
    let documents = [("scan.bin", "application/x-scan", large.as_slice())];
    let (grant, visit) = clinic.give("kim@home.example", &message("All [doctor-elsewhere]", "x", &documents)).await;
    let all = clinic.gateway.documents(&visit, grant, Taking::Beginning).await.unwrap();
    clinic.damage_blobs(150_000);
    let pieces: Vec<_> = clinic.gateway.zip(all).collect().await;
    let (last, before) = pieces.split_last().unwrap();
    assert!(matches!(last, Err(VisitError::Unavailable)));
    assert!(before.iter().all(Result::is_ok) && before.len() < 5, "nothing of the damaged chunk, and nothing after it");
}

/// The logo of a sender's signature counted as a document: the notice said one and a picture, the link page two.
#[tokio::test]
async fn pictures_of_a_text_are_had_as_documents_are_and_counted_apart() {
    let clinic = Clinic::with(&[]).await;
    let files =
        [("scan.dcm", "application/dicom", b"DICM".as_slice()), ("logo.png", "image/png", b"\x89PNG\r\n\x1a\n")];
    let html = "<p>Dear Kim</p><img src='cid:logo@clinic.example'>";
    let written = message("Scan [doctor-elsewhere]", html, &files).replace(
        "Content-Disposition: attachment; filename=\"logo.png\"",
        "Content-ID: <logo@clinic.example>\nContent-Disposition: inline; filename=\"logo.png\"",
    );
    let (grant, visit) = clinic.give("kim@home.example", &written).await;
    let view = clinic.gateway.parcel(&visit, grant).await.unwrap();
    let shown: Vec<_> = view.documents.iter().map(|file| (file.name.as_str(), file.in_text)).collect();
    assert_eq!(shown, [("scan.dcm", false), ("logo.png", true)]);
    assert_eq!((view.row.documents, view.row.kinds.as_slice()), (1, ["dicom"].as_slice()));
    assert_eq!(clinic.gateway.documents(&visit, grant, Taking::Beginning).await.unwrap().len(), 2);
    let right = clinic.rights().await.remove(0).1;
    let facts = clinic.gateway.stations().vault.facts(&right, postern::store::now()).await.unwrap();
    assert_eq!((facts.documents, facts.pictures), (1, 1), "what the link page says");
    let notice = clinic.letters().await.remove(0).1;
    assert!(notice.contains("1 document for you") && notice.contains("with 1 picture from the text"));
    let (begin, rest) = written.split_once("--b\nContent-Type: application/dicom").unwrap();
    let alone = format!("{begin}{}", &rest[rest.find("--b\n").unwrap()..]);
    let (grant, visit) = clinic.give("lou@home.example", &alone).await;
    let view = clinic.gateway.parcel(&visit, grant).await.unwrap();
    assert!(view.documents.len() == 1 && !view.documents[0].in_text, "nothing else came: it is the document");
}
