//! Files written by hand and by public tools.

use proptest::prelude::*;

use super::*;

const BINHEX: &str = concat!("(This file must be converted with BinHex 4.0)\r\n", ":", "#hX-", "\r\n");

#[test]
fn files_are_found_where_they_begin_and_end() {
    let text = b"Hello\r\nbegin 644 a b.txt\r\n#86)C\r\n`\r\nend\r\nbye\r\nbegin 600 x\r\n3MLAZ\r\nno data\r\n";
    let found: Vec<Written> = find(text).collect();
    assert!(found.len() == 2 && found[1].name == "x" && !found[1].sound);
    assert!(found[0].name == "a b.txt" && found[0].octets == b"abc" && found[0].sound);
    assert_eq!(found[0].place, 7..41);
    for (text, name, octets, form, sound) in [
        (&b"BEGIN 0644 A.EXE\n\n#86)C\nwords"[..], "A.EXE", &b"abc"[..], Form::Uuencode, false),
        (b"begin 644 x\n1HJcV\n+\nend", "x", b"MZ!", Form::Uuencode, true),
        (b"begin 644 s\n%86)C\nend", "s", b"abc\0\0", Form::Uuencode, true),
        (b"begin 644 x\n1MK7UPkMC\n+\nend", "x", b"", Form::Uuencode, false),
        (b"begin-base64 644 a\nYWJj\n====\n", "a", b"abc", Form::Base64, true),
        (
            b"=ybegin line=128 size=3 name=n m.bin\n\x8b\x8c\x8d\n=yend size=3 crc32=352441c2\n",
            "n m.bin",
            b"abc",
            Form::YEnc,
            true,
        ),
        (
            b"=ybegin line=128 size=3 name=n\n\x8b\x8c\x8d\n=yend size=3 crc32=352441c3\n",
            "n",
            b"abc",
            Form::YEnc,
            false,
        ),
        (b"=ybegin line=128 size=2 name=n\n=n=}\n=yend size=2\n", "n", b"\x04\x13", Form::YEnc, true),
        (b"=ybegin part=1 line=128 size=9 name=n\n=ypart begin=1 end=3\n\x8b\x8c\x8d", "n", b"abc", Form::YEnc, false),
    ] {
        let found: Vec<Written> = find(text).collect();
        let shown = String::from_utf8_lossy(text);
        let [written] = &found[..] else {
            assert!(octets.is_empty(), "{} found in {shown}", found.len());
            continue;
        };
        assert!(!octets.is_empty(), "found in {shown}: {:?}", written.octets);
        assert_eq!((written.name.as_str(), &written.octets[..]), (name, octets), "{shown}");
        assert!(written.form == form && written.sound == sound, "{shown}");
    }
}

/// At each line all empty lines behind it were passed over: hours for a text of a few megabytes of them.
#[test]
fn a_text_of_empty_lines_is_read_once() {
    let begun = std::time::Instant::now();
    for end in ["\n", "\r\n", " \n"] {
        assert_eq!(find(end.repeat(2_000_000).as_bytes()).count(), 0);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_dose_is_no_file() {
    for text in
        ["begin 500 mg twice daily\r\nThen 250 mg until Thursday.\r\n", "We begin 644 days ago\r\n#86)C", "begin\r\n=y"]
    {
        assert!(find(text.as_bytes()).next().is_none(), "{text}");
    }
    assert!(find(BINHEX.as_bytes()).next().is_none());
}

#[test]
fn both_forks_of_a_macintosh_file_are_found() {
    let mut octets = [&b"\0\x05\x16\0\0\x02\0\0"[..], &[0; 16], b"\0\x03"].concat();
    for (id, start, length) in [(1_u32, 62_u32, 3_u32), (3, 65, 5), (2, 70, 2)] {
        octets.extend([id, start, length].map(u32::to_be_bytes).concat());
    }
    octets.extend(b"abcn.exeRR");
    let file = apple::read(&octets).unwrap();
    assert_eq!(file.name.as_deref(), Some("n.exe"));
    assert_eq!(file.data.map(|place| &octets[place]), Some(&b"abc"[..]));
    assert_eq!(file.resources, Some(70..72));
    assert!(apple::read(b"\0\x05\x16\x08").is_none() && apple::read(b"").is_none());
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_grows(pieces in prop::collection::vec(prop::sample::select(vec![
        &b"begin 644 a\n"[..], b"#86)C\n", b"`\n", b"end\n", b"=ybegin line=1 size=3 name=x\n", b"=yend size=3\n", b"=", b"\xff",
        b"(This file must be converted with BinHex 4.0)\n:", b"!!!\"", b":", b"\n", b"begin-base64 644 x\n", b"YWJj\n"]), 0..30))
    {
        let text = pieces.concat();
        let found: Vec<Written> = find(&text).collect();
        prop_assert!(found.iter().map(|written| written.octets.len()).sum::<usize>() <= text.len() + 255 * found.len());
        prop_assert!(found.windows(2).all(|pair| pair[0].place.end <= pair[1].place.start));
        let _ = apple::read(&text);
    }

    #[test]
    fn apple_files_never_reach_beyond_their_end(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let octets = [&b"\0\x05\x16\x07"[..], &octets].concat();
        if let Some(file) = apple::read(&octets) {
            prop_assert!(file.data.iter().chain(&file.resources).all(|place| place.end <= octets.len()));
        }
    }
}
