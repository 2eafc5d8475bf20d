//! Hostile HTML as the portal shows it: `tests/shown/NAME.html` becomes `NAME.shown`, and nothing in it does anything.

use std::path::Path;

use postern::pack::shown::sanitised;

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
