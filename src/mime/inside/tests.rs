//! Documents built by hand: sound ones, and ones that lie.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::{Fact, Found, Inside, Limits, look};

/// An entry of an archive that a test builds, and how it lies.
#[derive(Clone, Default)]
struct Part {
    name: String,
    local_name: Option<String>,
    octets: Vec<u8>,
    packed: bool,
    flags: u16,
    unlisted: bool,
}

fn part(name: &str, octets: &[u8]) -> Part {
    Part { name: name.into(), octets: octets.into(), ..Part::default() }
}

fn packed(name: &str, octets: &[u8]) -> Part {
    Part { packed: true, ..part(name, octets) }
}

fn deflated(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// What local and central headers share, from the flags to the length of the extra field.
fn header(part: &Part, name: &str, data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(&part.octets);
    let method: u16 = if part.packed { 8 } else { 0 };
    let numbers = [crc.sum(), data.len() as u32, part.octets.len() as u32].map(u32::to_le_bytes).concat();
    let shorts = [part.flags, method, 0, 0].map(u16::to_le_bytes).concat();
    [shorts, numbers, (name.len() as u16).to_le_bytes().to_vec(), vec![0, 0]].concat()
}

fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut out, mut directory, mut listed) = (Vec::new(), Vec::new(), 0_u16);
    for part in parts {
        let at = out.len() as u32;
        let data = if part.packed { deflated(&part.octets) } else { part.octets.clone() };
        let local_name = part.local_name.as_deref().unwrap_or(&part.name);
        out.extend([b"PK\x03\x04\x14\0", &header(part, local_name, &data)[..], local_name.as_bytes(), &data].concat());
        if !part.unlisted {
            listed += 1;
            directory.extend([b"PK\x01\x02\x14\0\x14\0", &header(part, &part.name, &data)[..], &[0; 10]].concat());
            directory.extend([&at.to_le_bytes()[..], part.name.as_bytes()].concat());
        }
    }
    let (start, size) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0", &listed.to_le_bytes()[..], &listed.to_le_bytes()].concat());
    out.extend([&size.to_le_bytes()[..], &start.to_le_bytes(), &[0, 0]].concat());
    out
}

fn seen(name: &str, octets: &[u8]) -> Inside {
    look(name, &mut &*octets, &Limits::default()).unwrap()
}

/// Every file found, as `a/b: type [facts]`, the document's own facts first.
fn told(name: &str, octets: &[u8]) -> Vec<String> {
    let inside = seen(name, octets);
    let facts = |facts: &BTreeSet<Fact>| {
        let words: Vec<&str> =
            Fact::ALL.iter().filter(|(fact, _)| facts.contains(fact)).map(|(_, word)| *word).collect();
        words.join(",")
    };
    let file = |found: &Found| {
        let kind = found.media_type.as_deref().unwrap_or("-");
        format!("{}: {kind} [{}]", [&found.path[..], &found.other_names].concat().join(" > "), facts(&found.facts))
    };
    std::iter::once(format!("[{}]", facts(&inside.facts))).chain(inside.found.iter().map(file)).collect()
}

const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff";

#[test]
fn files_in_archives_are_named_and_known() {
    let inner = zip(&[packed("evil.exe", EXE), part("a.txt", b"words")]);
    let outer = zip(&[packed("in.zip", &inner), part("stored.zip", &inner), part("folder/", b"")]);
    let program = "application/vnd.microsoft.portable-executable";
    assert_eq!(
        told("x.zip", &outer),
        [
            "[]".to_owned(),
            "in.zip: application/zip []".to_owned(),
            format!("in.zip > evil.exe: {program} []"),
            "in.zip > a.txt: - []".to_owned(),
            "stored.zip: application/zip []".to_owned(),
            format!("stored.zip > evil.exe: {program} []"),
            "stored.zip > a.txt: - []".to_owned(),
        ]
    );
}

#[test]
fn archives_that_lie_are_told() {
    let renamed = Part { local_name: Some("b.exe".into()), ..part("a.pdf", b"x") };
    let hidden = Part { unlisted: true, ..part("hidden.exe", b"x") };
    let locked = Part { flags: 1, ..part("a.exe", b"x") };
    let mut twice = zip(&[part("a", b"x")]);
    twice.extend(zip(&[part("b", b"y")]));
    let broken = {
        let mut octets = zip(&[packed("a.pdf", &[7; 900])]);
        octets[35] = 7;
        octets
    };
    let headless = {
        let octets = zip(&[part("a.exe", b"x"), part("b", b"y")]);
        octets[..octets.len() - 60].to_vec()
    };
    for (octets, expected) in [
        (zip(&[renamed]), &["[ambiguous]", "a.pdf > b.exe: - []"][..]),
        (zip(&[hidden, part("a", b"y")]), &["[ambiguous]", "a: - []"]),
        (zip(&[locked]), &["[encrypted]", "a.exe: - [encrypted]"]),
        (broken, &["[]", "a.pdf: - [unseen]"]),
        (headless, &["[unseen]", "a.exe: - [unseen]", "b: - [unseen]"]),
        ([b"MZ prefix \x01".to_vec(), zip(&[part("a", b"x")])].concat(), &["[]", "a: - []"]),
        ([b"%PDF-1.4 ".to_vec(), zip(&[part("a.exe", b"x")])].concat(), &["[]", "a.exe: - []"]),
        ([zip(&[part("a", b"x")]), b" more".to_vec()].concat(), &["[ambiguous]", "a: - []"]),
    ] {
        assert_eq!(told("x.bin", &octets), expected);
    }
    assert_eq!(told("x.zip", &twice)[0], "[ambiguous]");
}

#[test]
fn entries_that_share_octets_are_ambiguous() {
    let mut octets = zip(&[part("a", b"xxxx"), part("b", b"yyyy")]);
    let end = octets.len() - 22;
    // The second entry's place in the directory becomes the first's.
    octets[end - 5..end - 1].fill(0);
    assert_eq!(told("x.zip", &octets)[0], "[ambiguous]");
}

#[test]
fn bombs_end_at_the_limits() {
    let limits = Limits { unpacked: 1024 * 1024, ..Limits::default() };
    let zeros = vec![0; 256 * 1024];
    let mut bomb = zip(&[packed("0.zip", &[b"PK\x03\x04".to_vec(), zeros].concat())]);
    for level in 0..8 {
        bomb = zip(&(0..3).map(|at| packed(&format!("{at}{level}.zip"), &bomb)).collect::<Vec<_>>());
    }
    let inside = look("bomb.zip", &mut &bomb[..], &limits).unwrap();
    let facts: BTreeSet<Fact> = inside.found.iter().flat_map(|found| found.facts.clone()).collect();
    assert!(facts.contains(&Fact::TooDeep) && facts.contains(&Fact::TooLarge), "{facts:?}");
    assert!(inside.found.len() <= limits.files);
    let many: Vec<Part> = (0..5001).map(|at| part(&at.to_string(), b"")).collect();
    assert!(seen("many.zip", &zip(&many)).facts.contains(&Fact::TooLarge));
}

#[test]
fn office_documents_tell_of_macros_and_of_what_they_fetch() {
    let types =
        |kind: &str| packed("[Content_Types].xml", format!("<Types><Override ContentType=\"{kind}\"/>").as_bytes());
    let word = "application/vnd.ms-word.document.macroEnabled.main+xml";
    let with_macros = zip(&[types(word), packed("word/document.xml", b"<x/>")]);
    assert!(seen("a.docx", &with_macros).media_types.contains(&word.to_ascii_lowercase()));
    let relation =
        b"<Relationship Type=\"http://x/attachedTemplate\" Target=\"http://evil/\" TargetMode=\"External\"/>";
    let link = b"<Relationship Type=\"http://x/hyperlink\" Target=\"http://fine/\" TargetMode=\"External\"/>";
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for (octets, facts) in [
        (with_macros.clone(), "[macros]"),
        (zip(&[types("x"), packed("word/vbaProject.bin", b"x")]), "[macros]"),
        (zip(&[types("x"), packed("word/_rels/settings.xml.rels", relation)]), "[external]"),
        (zip(&[types("x"), packed("word/_rels/document.xml.rels", link)]), "[]"),
        (
            zip(&[
                part("mimetype", b"application/vnd.oasis.opendocument.text"),
                part("META-INF/manifest.xml", b"<a/>"),
                part("Basic/x.xml", b""),
            ]),
            "[macros]",
        ),
        (zip(&[part("META-INF/manifest.xml", b"<manifest:encryption-data/>")]), "[locked]"),
    ] {
        assert_eq!(told("a.docx", &octets)[0], facts);
    }
    assert_eq!(told("a.docx", &zip(&[types("x"), packed("word/media/image1.tmp", picture)])).len(), 2);
}

fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, octets) in streams {
        let folder = std::path::Path::new(path).parent().unwrap();
        file.create_storage_all(folder).unwrap();
        file.create_stream(path).unwrap().write_all(octets).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[test]
fn compound_files_tell_of_macros_locks_and_attachments() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let native = [&[0; 4][..], b"\x02\0label.txt\0C:\\x\\evil.js\0\0\0\0\0\x04\0\0\0a.b\0\x03\0\0\0MZ!"].concat();
    let sheet = [&b"\x09\x08\x02\0\0\0"[..], b"\x85\0\x08\0\0\0\0\0\0\x01\x01\0", b"\x0a\0\0\0"].concat();
    let big = [EXE, &vec![7; 9000]].concat();
    for (octets, expected) in [
        (compound(&[("/WordDocument", &[0; 5000])]), &["[]"][..]),
        (compound(&[("/WordDocument", b"x"), ("/Macros/VBA/dir", b"x")]), &["[macros]"]),
        (compound(&[("/Workbook", &sheet)]), &["[macros]"]),
        (compound(&[("/EncryptedPackage", b"x"), ("/EncryptionInfo", b"x")]), &["[locked]"]),
        (
            compound(&[("/WordDocument", b"x"), ("/ObjectPool/_1/\u{1}Ole10Native", &native)]),
            &["[embedded]", "label.txt > C:\\x\\evil.js > a.b: - []"],
        ),
        (
            compound(&[
                ("/__properties_version1.0", b"x"),
                ("/__attach_version1.0_#00000000/__substg1.0_3707001F", &utf16("Befund.exe")),
                ("/__attach_version1.0_#00000000/__substg1.0_37010102", &big),
            ]),
            &["[]", "Befund.exe: application/vnd.microsoft.portable-executable []"],
        ),
    ] {
        assert_eq!(told("a.doc", &octets), expected);
    }
    assert_eq!(told("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 short"), ["[unseen]"]);
}

/// The price list of a public message was refused as a program: its packager had noted where the icon came from.
#[test]
fn where_an_icon_comes_from_is_no_name_of_the_file() {
    let native = b"\x02\0list.pdf\0C:\\WINNT\\system32\\SHELL32.DLL\0\0\0\0\0\x04\0\0\0a.b\0\x08\0\0\0%PDF-1.4";
    let stream = [&[0; 4][..], native].concat();
    let octets = compound(&[("/ObjectPool/_1/\u{1}Ole10Native", &stream)]);
    assert_eq!(told("a.doc", &octets), ["[embedded]", "list.pdf > a.b: application/pdf []"]);
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, octets) in files {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", octets.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend([&header[..], octets, &vec![0; octets.len().wrapping_neg() % 512]].concat());
    }
    out.extend([0; 1024]);
    out
}

#[test]
fn tapes_and_streams_are_looked_into() {
    let tape = tar(&[("a.txt", b"words"), ("x/evil.js", b"alert(1)")]);
    let mut gzip = flate2::GzBuilder::new().filename("t.tar").write(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(&tape).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(told("t.tar", &tape), ["[]", "a.txt: - []", "x/evil.js: - []"]);
    assert_eq!(
        told("t.tgz", &gzip),
        ["[]", "t.tar: application/x-tar []", "t.tar > a.txt: - []", "t.tar > x/evil.js: - []"]
    );
    assert_eq!(told("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04"), ["[unseen]"]);
    assert_eq!(told("a.rar", b"Rar!\x1a\x07\x01\0"), ["[unseen]"]);
}

#[test]
fn documents_tell_what_they_do() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    packed.write_all(b"<</S/JavaScript/JS(x)>>").unwrap();
    let objects = [b"%PDF-1.5\n1 0 obj<</Type/ObjStm/Length 9>>stream\r\n", &packed.finish().unwrap()[..]].concat();
    let object = "{\\rtf1{\\object\\objemb{\\*\\objdata 01050000 02000000 08000000 5061636b61676500 00000000 00000000 \
        1d000000 02 00 78 2e 65 78 65 00 79 00 0000 0000 00000000 03000000 4d5a21}}}";
    for (octets, expected) in [
        (&b"%PDF-1.4 <</S/JavaScript>>"[..], &["[active]"][..]),
        (b"%PDF-1.4 <</S/J#61vaScript>>", &["[active]"]),
        (b"%PDF-1.4 <</Type/EmbeddedFile/S/Launch>>", &["[embedded,active]"]),
        (b"%PDF-1.4 trailer<</Encrypt 3 0 R>>", &["[locked]"]),
        (b"%PDF-1.4 JavaScript /JSON /Launches", &["[]"]),
        (&objects, &["[active]"]),
        (object.as_bytes(), &["[embedded]", "x.exe > y: - []"]),
        (b"{\\rtf1 {\\*\\template http://evil/}}", &["[external]"]),
        (b"Hi\nbegin 644 a.exe\n#86)C\n`\nend\n", &["[]", "a.exe: - []"]),
    ] {
        assert_eq!(told("document", octets), expected);
    }
}

#[test]
fn messages_are_looked_into() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: application/octet-stream; \
        name=\"a.exe\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA//8=\n--b\nContent-Type: message/rfc822\n\n\
        Subject: x\nContent-Disposition: attachment; filename=b.js\n\nalert\n--b--\n";
    assert_eq!(
        told("message.eml", mail.as_bytes()),
        [
            "[]",
            "a.exe: application/vnd.microsoft.portable-executable []",
            "message.eml: - []",
            "message.eml > b.js: - []"
        ]
    );
}

proptest! {
    #[test]
    fn nothing_panics_on_what_is_broken(place in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>(),
        which in 0_usize..6)
    {
        let inner = zip(&[packed("a.exe", EXE), part("[Content_Types].xml", b"<x/>")]);
        let mut octets = match which {
            0 => zip(&[packed("in.zip", &inner), part("b", b"y")]),
            1 => compound(&[("/WordDocument", &[0; 5000]), ("/ObjectPool/_1/\u{1}Ole10Native", b"\0\0\0\0\x02\0a\0b\0")]),
            2 => tar(&[("a.zip", &inner)]),
            3 => b"%PDF-1.5\n1 0 obj<</Type/ObjStm/Length 9>>stream\r\nxx".to_vec(),
            4 => b"{\\rtf1{\\*\\objdata 0105000002000000080000005061636b616765000000}}".to_vec(),
            _ => b"\0\x05\x16\x07\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0\x26\0\0\0\x04name".to_vec(),
        };
        let at = place.index(octets.len());
        octets[at] = to;
        let _ = seen("a.bin", &octets);
        octets.truncate(cut.index(octets.len()));
        let _ = seen("a.bin", &octets);
    }

    #[test]
    fn noise_holds_nothing_that_panics(octets in prop::collection::vec(any::<u8>(), 0..600), sign in 0_usize..8) {
        let signs: [&[u8]; 8] = [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b\x08", b"\x78\x9f\x3e\x22",
            b"%PDF-", b"{\\rtf", b"\0\x05\x16\x07\0\x02\0\0"];
        let _ = seen("message.eml", &[signs[sign], &octets].concat());
        let _ = seen("x", &[signs[sign], &octets].concat());
    }
}
