//! Messages as staff write them, made by hand so that no builder of ours stands on both sides.

use data_encoding::BASE64_MIME;

/// The words of a message.
#[derive(Clone)]
pub struct Letter {
    /// The From field's value.
    pub from: String,
    /// The To field's value.
    pub to: String,
    /// Its subject, ASCII.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// Attachments: name, media type, octets.
    pub attachments: Vec<(String, String, Vec<u8>)>,
}

impl Letter {
    /// A letter without attachments.
    pub fn new(from: &str, to: &str, subject: &str, body: &str) -> Self {
        Self { from: from.into(), to: to.into(), subject: subject.into(), body: body.into(), attachments: Vec::new() }
    }

    /// The same with a PDF.
    pub fn with_pdf(mut self, name: &str, text: &str) -> Self {
        self.attachments.push((name.into(), "application/pdf".into(), pdf(text)));
        self
    }

    /// The same with any attachment.
    pub fn with(mut self, name: &str, media_type: &str, octets: Vec<u8>) -> Self {
        self.attachments.push((name.into(), media_type.into(), octets));
        self
    }

    /// The message, CRLF line ends.
    pub fn octets(&self) -> Vec<u8> {
        let head = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: Sat, 21 Nov 2026 10:00:00 +1100\r\n\
             Message-ID: <letter@clinic.example>\r\nMIME-Version: 1.0\r\n",
            self.from, self.to, self.subject
        );
        let body = self.body.replace('\n', "\r\n");
        let text =
            format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n");
        if self.attachments.is_empty() {
            return (head + &text).into_bytes();
        }
        let mut message = head + "Content-Type: multipart/mixed; boundary=\"=_letter_of_the_clinic\"\r\n\r\n";
        message += &format!("--=_letter_of_the_clinic\r\n{text}");
        for (name, media_type, octets) in &self.attachments {
            message += &format!(
                "--=_letter_of_the_clinic\r\nContent-Type: {media_type}; name=\"{name}\"\r\n\
                 Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n",
                BASE64_MIME.encode(octets).trim_end()
            );
        }
        message += "--=_letter_of_the_clinic--\r\n";
        message.into_bytes()
    }
}

/// A small PDF with this text in the clear.
pub fn pdf(text: &str) -> Vec<u8> {
    let stream = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj\n\
         4 0 obj<</Length {}>>stream\n{stream}\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        stream.len()
    )
    .into_bytes()
}
