//! Pictures in a text: one that policy knows as part of a signature stands in the mail, any other is a document.

use data_encoding::BASE64_MIME;
use mail_parser::{MessageParser, MimeHeaders};

use super::{Clinic, JANE};

const PAT: &str = "pat@home.example";
const PICTURE: &str = "[picture: see the documents]";

/// A picture of this many octets, different by its number.
fn png(number: u8, octets: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.resize(octets, number);
    png
}

/// A letter as Outlook writes it, its signature with this picture.
fn letter(from: &str, number: usize, name: &str, picture: &[u8]) -> String {
    format!(
        "From: {from}\nSubject: Number {number}\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=r\n\n\
         --r\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nDear Pat\n\
         --a\nContent-Type: text/html\n\n<p>Dear Pat</p><img width=120 height=40 src=\"cid:image001.png%4001DB.77\" alt=\"{name}\">\n--a--\n\
         --r\nContent-Type: image/png; name=\"{name}\"\nContent-ID: <image001.png@01DB.77>\nContent-Transfer-Encoding: base64\n\n{}--r--\n",
        BASE64_MIME.encode(picture).replace("\r\n", "\n")
    )
}

impl Clinic {
    /// Sends it to Pat: what leaves, and how many rights there are then.
    async fn sends(&self, from: &str, number: usize, name: &str, picture: &[u8]) -> (String, usize) {
        let number = number + 100 * picture.len();
        self.send(&[PAT], &letter(from, number, name, picture)).await.unwrap();
        let letters = self.letters().await;
        let subject = format!("Subject: Number {number}\r\n");
        let letter = letters.into_iter().rfind(|(_, letter)| letter.contains(&subject)).expect("a letter").1;
        (letter, self.gateway.stations().vault.grants(None, 100).await.unwrap().len())
    }
}

/// Whether a mail shows this picture where its HTML says; never by a name.
fn shows(letter: &str, picture: &[u8]) -> bool {
    let message = MessageParser::new().parse(letter.as_bytes()).unwrap();
    let html = message.body_html(0).unwrap();
    assert!(message.parts.iter().all(|part| part.attachment_name().is_none()));
    let Some(part) = message.attachments().next() else {
        assert!(html.contains(PICTURE) && !letter.contains("image/png"), "{html}");
        return false;
    };
    let cid = format!("<img src=\"cid:{}\" alt=\"\" width=\"120\" height=\"40\"", part.content_id().unwrap());
    assert!(html.contains(&cid) && !html.contains(PICTURE), "{html}");
    assert_eq!((part.contents(), message.attachment_count()), (picture, 1));
    true
}

#[tokio::test]
async fn a_logo_leaves_in_the_mail_after_three_messages_and_no_other_picture_does() {
    let mut clinic = Clinic::with(&[]).await;
    let (logo, result, large) = (png(1, 2_000), png(2, 2_000), png(3, 64 * 1024 + 1));
    for number in 0..3 {
        let (letter, rights) = clinic.sends(JANE, number, "image001.png", &logo).await;
        assert!(!shows(&letter, &logo) && rights == number + 1, "it is a document, {number}");
        clinic = clinic.restarted().await;
    }
    let (letter, rights) = clinic.sends(JANE, 3, "image001.png", &logo).await;
    assert!(shows(&letter, &logo));
    assert_eq!(rights, 3, "and there is nothing to open");

    // The same name, another picture; the same picture, another sender or name; and what is too large, however often.
    assert!(!shows(&clinic.sends(JANE, 4, "image001.png", &result).await.0, &result));
    assert!(!shows(&clinic.sends("reception@clinic.example", 5, "image001.png", &logo).await.0, &logo));
    for number in 6..11 {
        assert!(!shows(&clinic.sends(JANE, number, "image001.png", &large).await.0, &large));
    }
    let program = clinic.send(&[PAT], &letter_of_a_program(&logo)).await;
    assert!(program.is_err(), "its name is judged, known or not");
}

/// A result that was pasted and talked about for three replies, each of which repeats it, was taken for a signature.
#[tokio::test]
async fn what_replies_repeat_is_no_signature() {
    let clinic = Clinic::with(&[]).await;
    let result = png(4, 2_000);
    for number in 0..5 {
        let reply = format!("In-Reply-To: <first@clinic.example>\n{}", letter(JANE, number, "image001.png", &result));
        clinic.send(&[PAT], &reply).await.unwrap();
    }
    assert!(!shows(&clinic.sends(JANE, 6, "image001.png", &result).await.0, &result));
}

fn letter_of_a_program(picture: &[u8]) -> String {
    letter(JANE, 99, "image001.png.exe", picture)
}

#[tokio::test]
async fn a_practice_lists_its_pictures_by_digest_or_name_and_can_forbid_learning() {
    let shipped = include_str!("../../../policies/practices/example-clinic.toml");
    let logo = png(1, 2_000);
    let digest = data_encoding::HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &logo).as_ref());
    for (listed, name, leaves) in [
        (format!("signature = \"sha256:{digest}\""), "image001.png", true),
        (String::from("signature = [\"Clinic-Logo.png\"]"), "clinic-logo.PNG", true),
        (String::from("signature = [\"Clinic-Logo.png\"]"), "result.png", false),
    ] {
        let practice = format!("{shipped}\n{listed}\nlearn_signatures = false\n");
        let clinic = Clinic::with(&[("practices/example-clinic.toml", &practice)]).await;
        for number in 0..5 {
            assert_eq!(shows(&clinic.sends(JANE, number, name, &logo).await.0, &logo), leaves, "{listed} {number}");
        }
    }
}
