use proptest::prelude::*;

use super::*;

fn decoded(mut decoder: Decoder, octets: &[u8], cut: usize) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::new();
    for piece in octets.chunks(cut) {
        decoder.feed(piece, &mut out).map_err(|defect| defect.word)?;
    }
    decoder.finish(&mut out).map_err(|defect| defect.word)?;
    Ok(out)
}

#[test]
fn base64_is_strict_but_for_white_space() {
    for (coded, plain) in [
        ("", Ok(&b""[..])),
        ("QUJD", Ok(b"ABC")),
        ("QU\r\n JD\t", Ok(b"ABC")),
        ("QUI=", Ok(b"AB")),
        ("QQ=\r\n=\r\n", Ok(b"A")),
        ("QUI", Ok(b"AB")),
        ("QQ", Ok(b"A")),
        ("Q", Err("base64-short")),
        ("QUJDQ", Err("base64-short")),
        ("QQ==QUJD", Err("base64-after-end")),
        ("QQ===", Err("base64-after-end")),
        ("=QQ", Err("base64-after-end")),
        ("QUJD=", Err("base64-after-end")),
        ("QU-D", Err("base64-alphabet")),
        ("QUJD\r\n--x", Err("base64-alphabet")),
        ("QU\0D", Err("base64-alphabet")),
    ] {
        for cut in [1, 2, 3, 5, 100] {
            let found = decoded(Decoder::new(TransferEncoding::Base64), coded.as_bytes(), cut);
            assert_eq!(found.as_deref(), plain.as_ref().map(|plain| *plain), "{coded:?} by {cut}");
        }
    }
}

#[test]
fn quoted_printable_is_strict_for_documents_and_lenient_for_text() {
    for (coded, strict, lenient) in [
        ("a=3Db", Ok("a=b"), "a=b"),
        ("a=3db", Ok("a=b"), "a=b"),
        ("a=\r\nb", Ok("ab"), "ab"),
        ("a= \t\r\nb", Ok("ab"), "ab"),
        ("a  \r\nb", Ok("a\r\nb"), "a\r\nb"),
        ("a =20\r\nb ", Ok("a  \r\nb"), "a  \r\nb"),
        ("a=", Ok("a"), "a"),
        ("a=b", Err("quoted-printable"), "a=b"),
        ("a=3", Err("quoted-printable"), "a=3"),
        ("1 = 2", Err("quoted-printable"), "1 = 2"),
        ("==3D", Err("quoted-printable"), "=="),
        ("=4=41", Err("quoted-printable"), "=4A"),
        ("a\rb", Ok("a\rb"), "a\rb"),
        ("a\r\r\nb", Ok("a\r\r\nb"), "a\r\r\nb"),
    ] {
        for cut in [1, 2, 3, 100] {
            let found = decoded(Decoder::new(TransferEncoding::QuotedPrintable), coded.as_bytes(), cut);
            assert_eq!(found, strict.map(|text| text.as_bytes().to_vec()), "{coded:?} by {cut}");
            let found = decoded(Decoder::of(TransferEncoding::QuotedPrintable, true), coded.as_bytes(), cut);
            assert_eq!(found, Ok(lenient.as_bytes().to_vec()), "{coded:?} by {cut}, lenient");
        }
    }
}

#[test]
fn charsets_are_read_as_browsers_read_them() {
    for (octets, charset, text) in [
        (&b"a"[..], None, "a"),
        ("ä".as_bytes(), None, "ä"),
        (b"\xe4\x80", None, "ä€"),
        (b"\xe4\x80", Some("us-ascii"), "ä€"),
        (b"\xe4\x80", Some("ISO-8859-1"), "ä€"),
        (b"\xef\xbb\xbfa", Some("utf-8"), "a"),
        (b"\x1b$BF|K\\\x1b(B", Some("iso-2022-jp"), "日本"),
        (b"\x93\xfa\x96\x7b", Some("cp932"), "日本"),
        (b"a\0b\0", Some("utf-16le"), "ab"),
        (b"plain", Some("x-no-such"), "plain"),
        (b"\xe4", Some("x-no-such"), "ä"),
        (b"\x84", Some("cp850"), "ä"),
        (b"+ADw-", Some("utf-7"), "<"),
        (b"a\xe4", Some("utf-8"), "a\u{fffd}"),
    ] {
        assert_eq!(to_utf8(octets, charset), text, "{octets:?} {charset:?}");
    }
}

proptest! {
    #[test]
    fn base64_comes_back(octets in prop::collection::vec(any::<u8>(), 0..400), cut in 1usize..90) {
        let coded = data_encoding::BASE64_MIME.encode(&octets);
        prop_assert_eq!(decoded(Decoder::new(TransferEncoding::Base64), coded.as_bytes(), cut), Ok(octets));
    }

    #[test]
    fn pieces_do_not_matter(octets in "[=0-9A-Fa-z \t\r\n]{0,60}", cut in 1usize..9) {
        for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable] {
            let whole = decoded(Decoder::of(encoding, true), octets.as_bytes(), 1000);
            prop_assert_eq!(decoded(Decoder::of(encoding, true), octets.as_bytes(), cut), whole);
            let whole = decoded(Decoder::new(encoding), octets.as_bytes(), 1000);
            prop_assert_eq!(decoded(Decoder::new(encoding), octets.as_bytes(), cut), whole);
        }
    }
}
