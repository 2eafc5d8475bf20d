//! The text in RTF, or the HTML that it was made of.

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::scope::{Destination, Scope, code_page_of, is_dropped};
use super::tokens::{Token, Tokens};
use crate::mime::decode::of_code_page;

/// Groups within groups that are told apart; deeper ones are as the last.
const DEEPEST: usize = 500;

/// Fonts whose encoding is kept.
const FONTS: usize = 1000;

/// What was found.
#[derive(Clone, PartialEq, Eq)]
pub enum Text {
    /// The HTML that the RTF was made of (`\fromhtml1`).
    Html(String),
    /// Plain text, paragraphs ended by CRLF.
    Plain(String),
}

/// The text of a document; `None` where the octets are no RTF. Takes time and memory in proportion to them.
pub fn text_of(octets: &[u8]) -> Option<Text> {
    if !octets.trim_ascii_start().starts_with(b"{\\rtf") {
        return None;
    }
    let mut reader = Reader::default();
    for token in Tokens(octets) {
        reader.token(token);
    }
    reader.flush();
    Some(if reader.from_html { Text::Html(reader.out) } else { Text::Plain(reader.out) })
}

#[derive(Default)]
struct Reader {
    scope: Scope,
    outer: Vec<Scope>,
    /// Groups beyond [`DEEPEST`].
    deeper: usize,
    /// Whether a star was just read: the next word, if unknown, makes the group one to be dropped.
    starred: bool,
    from_html: bool,
    /// Characters still to be passed over behind `\u`.
    passing: u32,
    /// Half of a character beyond the Basic Multilingual Plane.
    surrogate: Option<u16>,
    /// Octets not yet decoded: a character may stand in two tokens.
    octets: Vec<u8>,
    encoding: Option<&'static Encoding>,
    fonts: HashMap<i32, &'static Encoding>,
    font: i32,
    out: String,
}

impl Reader {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Octet(octet) => return self.octet(octet),
            Token::Text(text) => return text.iter().for_each(|octet| self.octet(*octet)),
            _ => self.flush(),
        }
        let starred = std::mem::take(&mut self.starred);
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Word(word, number) => self.word(word, number, starred),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Octet(_) | Token::Text(_) => {}
        }
    }

    fn open(&mut self) {
        if self.outer.len() < DEEPEST {
            self.outer.push(self.scope);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        self.passing = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(outer) = self.outer.pop() {
            self.scope = outer;
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, starred: bool) {
        let letter = match word {
            b"par" | b"line" | b"row" | b"sect" | b"page" => "\r\n",
            b"tab" | b"cell" => "\t",
            b"lquote" => "\u{2018}",
            b"rquote" => "\u{2019}",
            b"ldblquote" => "\u{201c}",
            b"rdblquote" => "\u{201d}",
            b"bullet" => "\u{2022}",
            b"endash" => "\u{2013}",
            b"emdash" => "\u{2014}",
            _ => return self.control(word, number, starred),
        };
        self.show(letter);
    }

    fn control(&mut self, word: &[u8], number: Option<i32>, starred: bool) {
        match word {
            b"u" => self.unicode(number.unwrap_or(0)),
            b"uc" => self.scope.fallback = number.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).min(16),
            b"ansicpg" => self.encoding = number.and_then(|n| u32::try_from(n).ok()).map(of_code_page),
            b"fromhtml" => self.from_html = number != Some(0),
            b"htmltag" if starred => self.scope.destination = Destination::Html,
            b"htmlrtf" => self.scope.rtf_only = number != Some(0),
            b"fonttbl" => self.scope.destination = Destination::Fonts,
            b"f" => self.choose_font(number.unwrap_or(0)),
            b"fcharset" if self.scope.destination == Destination::Fonts => self.font_has(number.unwrap_or(0)),
            b"plain" => self.scope.encoding = None,
            _ if starred || is_dropped(word) => self.scope.destination = Destination::Dropped,
            _ => {}
        }
    }

    fn choose_font(&mut self, number: i32) {
        self.font = number;
        if self.scope.destination != Destination::Fonts {
            self.scope.encoding = self.fonts.get(&number).copied();
        }
    }

    fn font_has(&mut self, charset: i32) {
        if let Some(page) = code_page_of(charset)
            && self.fonts.len() < FONTS
        {
            self.fonts.insert(self.font, of_code_page(page));
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.starred = true,
            b'~' => self.show("\u{a0}"),
            b'_' => self.show("\u{2011}"),
            b'\r' | b'\n' => self.show("\r\n"),
            b'\\' | b'{' | b'}' => {
                self.octet(symbol);
                self.flush();
            }
            _ => {}
        }
    }

    fn octet(&mut self, octet: u8) {
        if self.passing > 0 {
            self.passing -= 1;
        } else if self.is_shown() {
            self.octets.push(octet);
        }
    }

    fn unicode(&mut self, number: i32) {
        self.passing = self.scope.fallback;
        let unit = number as u16;
        let units = [self.surrogate.take().unwrap_or(unit), unit];
        let units = if units[0] == unit { &units[1..] } else { &units[..] };
        let mut letters = char::decode_utf16(units.iter().copied());
        match letters.next() {
            Some(Ok(letter)) => self.show(letter.encode_utf8(&mut [0; 4])),
            _ if (0xD800..0xDC00).contains(&unit) => self.surrogate = Some(unit),
            _ => {}
        }
    }

    /// Whether text that stands here is part of what is made.
    fn is_shown(&self) -> bool {
        match self.scope.destination {
            Destination::Html => true,
            Destination::Shown => !(self.from_html && self.scope.rtf_only),
            Destination::Fonts | Destination::Dropped => false,
        }
    }

    fn show(&mut self, text: &str) {
        if !self.is_shown() {
            return;
        }
        if self.from_html && self.scope.destination == Destination::Shown {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            self.out.push_str(&escaped);
        } else {
            self.out.push_str(text);
        }
    }

    fn flush(&mut self) {
        if self.octets.is_empty() {
            return;
        }
        let octets = std::mem::take(&mut self.octets);
        let encoding = self.scope.encoding.or(self.encoding).unwrap_or(WINDOWS_1252);
        self.show(&encoding.decode_without_bom_handling(&octets).0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(rtf: &str) -> String {
        match text_of(rtf.as_bytes()) {
            Some(Text::Plain(text)) => text,
            _ => panic!("no plain text: {rtf}"),
        }
    }

    #[test]
    fn plain_text_is_read_in_its_code_pages() {
        for (rtf, text) in [
            ("{\\rtf1\\ansi hello\\par world}", "hello\r\nworld"),
            ("{\\rtf1\\ansi\\ansicpg1252 Gr\\'fc\\'dfe}", "Grüße"),
            ("{\\rtf1{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Arial;}}\\f1 \\'e4\\f0 \\'e4}", "дä"),
            ("{\\rtf1{\\fonttbl{\\f1\\fcharset128 MS;}}\\f1 \\'93\\'fa}", "日"),
            ("{\\rtf1 a\\u228\\'e4b\\uc0\\u-10179\\u-8704 c}", "aäb😀c"),
            ("{\\rtf1{\\*\\generator Word;}{\\info{\\author X}}{\\pict ffd8}x\\{\\~\\}}", "x{\u{a0}}"),
            ("{\\rtf1{\\*\\listtext\\'b7}1\\tab 2\\cell 3\\row}", "1\t2\t3\r\n"),
        ] {
            assert_eq!(plain(rtf), text, "{rtf}");
        }
    }

    #[test]
    fn html_comes_out_as_it_went_in() {
        let rtf = "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fswiss Arial;}}\r\n\
            {\\*\\htmltag18 <html>}{\\*\\htmltag50 <body>}\\htmlrtf \\lang7 x\\htmlrtf0 {\\htmlrtf a\\htmlrtf0 }\
            {\\*\\htmltag64}Gr\\'fc\\'dfe{\\*\\htmltag84 &nbsp;}\\htmlrtf \\'a0\\htmlrtf0{\\*\\mhtmltag84 no}\\par a < b}";
        match text_of(rtf.as_bytes()) {
            Some(Text::Html(html)) => assert_eq!(html, "<html><body>Grüße&nbsp;\r\na &lt; b"),
            _ => panic!("no HTML"),
        }
        assert!(text_of(b"Dear colleague").is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics_nor_grows(octets in prop::collection::vec(
            prop::sample::select(vec![&b"{"[..], b"}", b"\\", b"u-1234", b"'e4", b"*", b"htmltag", b"htmlrtf0 ", b"bin9", b"f1", b"\xff", b"a "]), 0..200)
        ) {
            let rtf = [b"{\\rtf1\\fromhtml1".as_slice(), &octets.concat()].concat();
            if let Some(Text::Html(text) | Text::Plain(text)) = text_of(&rtf) {
                prop_assert!(text.len() <= 5 * rtf.len());
            }
        }
    }
}
