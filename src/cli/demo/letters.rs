//! The mails that Dr Lee writes, in the shape Outlook gives them: alternatives within related parts within mixed ones.

use data_encoding::BASE64_MIME;
use jiff::tz::TimeZone;

use super::people::{JANE, JANE_BORN, LEE, NOVAK, Person, THREE};
use crate::time::Timestamp;

const TEXT: &str = include_str!("assets/letter.txt");
const HTML: &str = include_str!("assets/letter.html");
const LOGO: &[u8] = include_bytes!("assets/logo.png");
const RESULTS: &[u8] = include_bytes!("assets/results.pdf");
const PLAN: &[u8] = include_bytes!("assets/plan.docx");
const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// How a program for Windows begins; nothing more of one is here, and it runs nowhere.
const PROGRAM: &[u8] =
    b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@\0\0\0not a program: made for the demo of Postern";

/// A file that is attached.
pub struct Attached {
    /// Its name.
    pub name: &'static str,
    media_type: &'static str,
    /// Its octets.
    pub octets: &'static [u8],
}

/// A mail as it is written.
pub struct Letter {
    /// Who gets it.
    pub to: Vec<Person>,
    /// The subject, tags and all; ASCII.
    pub subject: String,
    /// What is attached.
    pub attached: Vec<Attached>,
    /// The number of the letter: makes its Message-ID and its boundaries.
    number: u8,
    text: &'static str,
    html: Option<&'static str>,
}

/// Results for a new patient, a doctor elsewhere and a colleague.
pub fn results() -> Letter {
    Letter {
        to: THREE.to_vec(),
        subject: format!("[patient {} {JANE_BORN}] Your blood tests and what we do now", JANE.name),
        attached: vec![
            Attached { name: "Pathology results.pdf", media_type: "application/pdf", octets: RESULTS },
            Attached { name: "Management plan.docx", media_type: WORD, octets: PLAN },
        ],
        number: 1,
        text: TEXT,
        html: Some(HTML),
    }
}

/// Something that must not leave.
pub fn program() -> Letter {
    Letter {
        to: vec![JANE],
        subject: String::from("The viewer for your images"),
        attached: vec![Attached { name: "image-viewer.exe", media_type: "application/x-msdownload", octets: PROGRAM }],
        number: 2,
        text: "Dear Jane,\n\nwith this program you can look at your images.\n\nAmelia\n",
        html: None,
    }
}

/// To somebody of whom nobody has said who they are.
pub fn unknown() -> Letter {
    Letter {
        to: vec![NOVAK],
        subject: String::from("Referral: palpitations"),
        attached: vec![Attached { name: "Referral.docx", media_type: WORD, octets: PLAN }],
        number: 3,
        text: "Dear Petra,\n\nthank you for seeing this patient. The letter is attached.\n\nAmelia Lee\n",
        html: None,
    }
}

impl Letter {
    /// The recipients' addresses.
    pub fn recipients(&self) -> Vec<&'static str> {
        self.to.iter().map(|person| person.address).collect()
    }

    /// The message, CRLF line ends.
    pub fn octets(&self, now: Timestamp) -> Vec<u8> {
        let to: Vec<String> =
            self.to.iter().map(|person| format!("\"{}\" <{}>", person.name, person.address)).collect();
        let head = format!(
            "From: \"{}\" <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@clinic.example>\r\n\
             MIME-Version: 1.0\r\n",
            LEE.name,
            LEE.address,
            to.join(",\r\n\t"),
            folded(&self.subject),
            date(now),
            self.mark(now),
        );
        let tail = "X-Mailer: Microsoft Outlook 16.0\r\nThread-Index: AdxbKo8+TRA4nKq9T0K0b2Zs1e3Yxg==\r\nContent-Language: en-au\r\n";
        let (media_type, body) = self.body(now);
        format!(
            "{head}Content-Type: {media_type}\r\n{tail}\r\nThis is a multipart message in MIME format.\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// The outermost part: its media type, and what stands in it.
    fn body(&self, now: Timestamp) -> (String, String) {
        let mut parts = vec![match self.html {
            Some(html) => self.related(html, now),
            None => text_part("plain", self.text),
        }];
        parts.extend(self.attached.iter().map(attached_part));
        self.multipart("mixed", 0, now, &parts)
    }

    /// Text and HTML, and the signature's logo.
    fn related(&self, html: &str, now: Timestamp) -> String {
        let logo = format!("image001.png@{}", self.mark(now));
        let html = html.replace("LOGO", &logo);
        let (media_type, alternatives) =
            self.multipart("alternative", 2, now, &[text_part("plain", self.text), text_part("html", &html)]);
        let picture = format!(
            "Content-Type: image/png;\r\n\tname=\"image001.png\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-ID: <{logo}>\r\n\r\n{}",
            BASE64_MIME.encode(LOGO)
        );
        let alternatives = format!("Content-Type: {media_type}\r\n\r\n{alternatives}");
        let (media_type, related) = self.multipart("related", 1, now, &[alternatives, picture]);
        format!("Content-Type: {media_type}\r\n\r\n{related}")
    }

    fn multipart(&self, subtype: &str, level: u8, now: Timestamp, parts: &[String]) -> (String, String) {
        let boundary = format!("----=_NextPart_{level:03}_{:04}_{}", self.number, self.mark(now));
        let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
        (format!("multipart/{subtype};\r\n\tboundary=\"{boundary}\""), format!("{parts}--{boundary}--\r\n"))
    }

    /// What Outlook makes of the time of writing, for ids and boundaries.
    fn mark(&self, now: Timestamp) -> String {
        let octets = now.to_key();
        let word = |at: usize| u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
        format!("{:08X}.{:08X}", word(0).wrapping_add(u32::from(self.number)), word(4))
    }
}

/// A reply to a question or status mail, as Outlook writes it: the word, then the mail it answers.
pub fn word(word: &str, to: &str, subject: &str, message_id: &str, now: Timestamp) -> Vec<u8> {
    format!(
        "From: \"{}\" <{}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <answer-{}@clinic.example>\r\n\
         In-Reply-To: <{message_id}>\r\nReferences: <{message_id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=\"us-ascii\"\r\nX-Mailer: Microsoft Outlook 16.0\r\n\r\n{word}\r\n\r\n\
         -----Original Message-----\r\n",
        LEE.name,
        LEE.address,
        folded(&format!("RE: {subject}")),
        date(now),
        BASE64_MIME.encode(&now.to_key()).trim_end_matches(['=', '\r', '\n']).replace('/', "-"),
    )
    .into_bytes()
}

fn text_part(subtype: &str, text: &str) -> String {
    format!(
        "Content-Type: text/{subtype};\r\n\tcharset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
        quoted_printable(text)
    )
}

fn attached_part(attached: &Attached) -> String {
    let Attached { name, media_type, octets } = attached;
    format!(
        "Content-Type: {media_type};\r\n\tname=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n\tfilename=\"{name}\"\r\n\r\n{}",
        BASE64_MIME.encode(octets)
    )
}

/// RFC 2045, section 6.7: lines of at most 76 columns, CRLF.
fn quoted_printable(text: &str) -> String {
    const COLUMNS: usize = 75;
    let mut encoded = String::with_capacity(text.len() * 5 / 4);
    for line in text.lines() {
        let mut column = 0;
        for (at, octet) in line.bytes().enumerate() {
            let at_end = at + 1 == line.len();
            let plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (matches!(octet, b' ' | b'\t') && !at_end);
            let piece = if plain { char::from(octet).to_string() } else { format!("={octet:02X}") };
            if column + piece.len() > COLUMNS {
                encoded.push_str("=\r\n");
                column = 0;
            }
            column += piece.len();
            encoded.push_str(&piece);
        }
        encoded.push_str("\r\n");
    }
    encoded
}

/// A long subject on several lines.
fn folded(text: &str) -> String {
    let (mut folded, mut column) = (String::new(), 9);
    for (at, word) in text.split(' ').enumerate() {
        let fold = at > 0 && column + word.len() > 74;
        folded.push_str(if fold {
            "\r\n "
        } else if at > 0 {
            " "
        } else {
            ""
        });
        column = if fold { word.len() } else { column + word.len() } + 1;
        folded.push_str(word);
    }
    folded
}

/// RFC 5322, section 3.3, in the clinic's time.
fn date(now: Timestamp) -> String {
    let zone = TimeZone::get("Australia/Sydney").unwrap_or(TimeZone::UTC);
    now.to_jiff().to_zoned(zone).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

#[cfg(test)]
mod tests {
    use mail_parser::MimeHeaders;

    use super::*;

    /// 2026-11-22 03:00:00 UTC.
    fn now() -> Timestamp {
        Timestamp::from_secs(1_795_316_400)
    }

    #[test]
    fn the_letter_is_what_outlook_would_send() {
        let octets = results().octets(now());
        let message = mail_parser::MessageParser::default().parse(&octets).unwrap();
        assert_eq!(message.attachment_count(), 3, "the logo, the PDF and the Word file");
        assert!(message.body_html(0).unwrap().contains("MsoNormal"));
        let logo = message.attachments().find(|part| part.content_id().is_some()).unwrap();
        assert!(message.body_html(0).unwrap().contains(&format!("cid:{}", logo.content_id().unwrap())));
        assert_eq!(logo.contents(), LOGO);
        let files: Vec<_> = message.attachments().filter(|part| part.content_id().is_none()).collect();
        assert_eq!(files.iter().map(|part| part.contents()).collect::<Vec<_>>(), [RESULTS, PLAN]);
        assert!(octets.split(|octet| *octet == b'\n').all(|line| line.len() < 200));
    }

    #[test]
    fn long_lines_are_broken_and_come_back() {
        let text = "Grüße, a = b and a blank at the end \n".repeat(5);
        let encoded = quoted_printable(&text);
        assert!(encoded.lines().all(|line| line.len() <= 76));
        let message = format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
        );
        let message = mail_parser::MessageParser::default().parse(message.as_bytes()).unwrap();
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), text);
    }
}
