//! What holds within a group of RTF, and ends with it.

use encoding_rs::Encoding;

/// What becomes of the text in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// It is shown.
    Shown,
    /// It is a piece of the HTML that the RTF was made of (`\*\htmltag`).
    Html,
    /// It names fonts and their character sets.
    Fonts,
    /// It is not text: a style sheet, a picture, an extension that is not known.
    Dropped,
}

/// The state of one group.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub destination: Destination,
    /// Between `\htmlrtf` and `\htmlrtf0`: for readers of RTF only, no part of the HTML.
    pub rtf_only: bool,
    /// Characters behind `\u` that stand for it (`\uc`).
    pub fallback: u32,
    /// The encoding of its octets; none is that of the document.
    pub encoding: Option<&'static Encoding>,
}

impl Default for Scope {
    fn default() -> Self {
        Self { destination: Destination::Shown, rtf_only: false, fallback: 1, encoding: None }
    }
}

/// Destinations without a star whose text is not shown (RTF 1.9.1, "Contents of an RTF File").
pub(super) fn is_dropped(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 14] = [
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"object",
        b"header",
        b"footer",
        b"headerl",
        b"headerr",
        b"headerf",
        b"footerl",
        b"footerr",
        b"footerf",
        b"filetbl",
    ];
    WORDS.contains(&word)
}

/// The Windows code page of `\fcharset`; none where it is that of the document.
pub(super) fn code_page_of(charset: i32) -> Option<u32> {
    Some(match charset {
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}
