//! Hostile HTML as the portal shows it: `tests/shown/NAME.html` becomes `NAME.shown`, and nothing in it does anything.

use std::path::Path;

use postern::gateway::history::Happened;
use postern::pack::shown::sanitised;

use super::message;
use crate::gateway::Clinic;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shown");

#[test]
fn hostile_html_is_shown_as_its_golden() {
    let mut names: Vec<_> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect();
    names.sort();
    assert!(names.len() >= 12);
    for path in names {
        let html = std::fs::read_to_string(&path).unwrap();
        let shown = sanitised(&html, &["image001.png"]).expect("not tangled");
        does_nothing(&path, &shown);
        let golden = path.with_extension("shown");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &shown).unwrap();
        }
        assert_eq!(shown, std::fs::read_to_string(&golden).unwrap(), "{}", path.display());
    }
}

/// No element but text and its structure, no attribute that runs or loads.
fn does_nothing(path: &Path, shown: &str) {
    const NEVER: [&str; 22] = [
        "script", "svg", "math", "style", "iframe", "object", "embed", "form", "input", "button", "select", "textarea",
        "base", "link", "meta", "img", "video", "audio", "source", "template", "frame", "title",
    ];
    for tag in shown.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap().to_ascii_lowercase();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(!NEVER.contains(&name), "<{tag}> in {}", path.display());
        for bad in [
            " on",
            "javascript:",
            "vbscript:",
            "data:",
            "http:",
            "https:",
            "//",
            "url(",
            "expression",
            "src=",
            "@import",
        ] {
            assert!(!tag.contains(bad), "{bad} in <{tag}> of {}", path.display());
        }
    }
}

/// What leaves no clinic by mail is read here: text and subject of a private message, and of a marked one its parts.
#[tokio::test]
async fn a_private_message_is_read_in_the_portal() {
    let clinic = Clinic::with(&[]).await;
    let html = "<p>For the chart</p><p>[part]</p><p>Take <b>2</b> tablets.</p><p>[/part]</p>";
    for (html, shown) in [("<p>Hello Kim</p>", "<p>Hello Kim</p>"), (html, "<p>Take <b>2</b> tablets.</p>")] {
        let written = message("[body] Results [patient Kim Citizen 1980-03-04]", html, &[]);
        let (grant, visit) = clinic.give("kim@home.example", &written).await;
        let view = clinic.gateway.parcel(&visit, grant).await.unwrap();
        assert_eq!((view.row.subject.as_str(), view.documents.len()), ("Results", 0));
        assert_eq!(view.html.as_deref(), Some(shown));
        assert!(!view.text.unwrap().contains("chart"));
        assert!(clinic.what_happened(grant).await.contains(&Happened::Opened));
        let notice = clinic.letters().await.remove(0).1;
        assert!(
            !notice.contains("Results") && !notice.contains("Kim Citizen") && !notice.contains("tablets"),
            "{notice}"
        );
    }
}
