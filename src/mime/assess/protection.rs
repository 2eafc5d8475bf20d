//! S/MIME (RFC 8551) and PGP (RFC 3156, RFC 9580): recognised, never opened.
//!
//! What is encrypted, or signed so that only a program for it can read it, is one document: the whole, which the recipient's
//! mail program opens. Of what is signed openly the text and the documents are taken like any; the signature alone would be worth
//! nothing, so beside it stands the whole as it was signed.

use crate::mime::assess::{Attachment, Given};
use crate::mime::inside::Inside;
use crate::mime::{Content, Entity, Outline, TransferEncoding};

/// How a message is protected by its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// S/MIME, signed: `multipart/signed`, or opaque.
    SmimeSigned,
    /// S/MIME, encrypted, or what only its recipient can tell.
    SmimeEncrypted,
    /// PGP, signed: PGP/MIME, or in the text.
    PgpSigned,
    /// PGP, encrypted: PGP/MIME, or in the text.
    PgpEncrypted,
}

impl Protection {
    /// Its name in policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmimeSigned => "smime-signed",
            Self::SmimeEncrypted => "smime-encrypted",
            Self::PgpSigned => "pgp-signed",
            Self::PgpEncrypted => "pgp-encrypted",
        }
    }

    /// That of a message, by its outermost type, else by its text.
    pub(super) fn of(root: &Entity, text: Option<&str>) -> Option<Self> {
        let kind = &root.media_type;
        let parameter = |name| kind.parameter(name).unwrap_or_default().to_ascii_lowercase();
        match (kind.kind.as_str(), kind.subtype.as_str()) {
            ("multipart", "signed") if parameter("protocol").contains("pgp") => Some(Self::PgpSigned),
            ("multipart", "signed") => Some(Self::SmimeSigned),
            ("multipart", "encrypted") => Some(Self::PgpEncrypted),
            ("application", "pkcs7-mime" | "x-pkcs7-mime") if parameter("smime-type") == "signed-data" => {
                Some(Self::SmimeSigned)
            }
            ("application", "pkcs7-mime" | "x-pkcs7-mime") => Some(Self::SmimeEncrypted),
            _ => text.and_then(|text| text.lines().find_map(armour)),
        }
    }
}

/// The line that begins a text protected by PGP (RFC 9580, sections 6.2.1 and 7).
fn armour(line: &str) -> Option<Protection> {
    match line.trim_end() {
        "-----BEGIN PGP SIGNED MESSAGE-----" => Some(Protection::PgpSigned),
        "-----BEGIN PGP MESSAGE-----" => Some(Protection::PgpEncrypted),
        _ => None,
    }
}

/// A protected message as a document.
pub(super) struct ProtectedWhole {
    pub document: Attachment,
    /// Whether it stands for everything in the message: nothing of that can be read alone.
    pub alone: bool,
}

/// The message as it was signed (RFC 1847, section 2.1; RFC 8551, section 3) or encrypted, without a field that is not about
/// the protected content.
pub(super) fn whole(outline: &Outline) -> Option<ProtectedWhole> {
    let root = &outline.root;
    let protection = Protection::of(root, None)?;
    let alone = !root.media_type.is("multipart", "signed");
    if root.media_type.kind == "multipart" && root.content == Content::Leaf {
        return None;
    }
    let mut front = b"MIME-Version: 1.0\r\n".to_vec();
    for name in ["Content-Type", "Content-Transfer-Encoding"] {
        let field = root.header.first(name);
        front.extend(field.map(|field| [name.as_bytes(), b":", &field.value, b"\r\n"].concat()).unwrap_or_default());
    }
    front.extend_from_slice(b"\r\n");
    let body = outline.header_end..outline.octets;
    let name = match protection {
        Protection::SmimeSigned | Protection::PgpSigned => "signed-message.eml",
        Protection::SmimeEncrypted | Protection::PgpEncrypted => "encrypted-message.eml",
    };
    let document = Attachment {
        encoding: TransferEncoding::Identity,
        within: None,
        name: name.to_owned(),
        names: vec![name.to_owned()],
        declared_type: "message/rfc822".to_owned(),
        content_type: None,
        octets: front.len() as u64 + (body.end - body.start),
        inline: false,
        // Each of its documents is one of the message's own.
        inside: Inside::default(),
        given: Given::AsDocument,
        content_id: None,
        front: front.into(),
        body,
    };
    Some(ProtectedWhole { document, alone })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::{Limits, assess_octets};

    fn of(message: &str) -> Option<Protection> {
        let octets = message.replace('\n', "\r\n");
        assess_octets(octets.as_bytes(), &Limits::default()).unwrap().1.protection
    }

    #[test]
    fn protection_is_recognised_by_type_or_armour() {
        let opaque = |kind: &str| format!("Content-Type: application/pkcs7-mime; smime-type={kind}\n\nx\n");
        let parts = "\n\n--b\n\nHello\n--b\nContent-Type: application/octet-stream\n\nx\n--b--\n";
        for (message, protection) in [
            (opaque("signed-data"), Some(Protection::SmimeSigned)),
            (opaque("enveloped-data"), Some(Protection::SmimeEncrypted)),
            (
                format!("Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"{parts}"),
                Some(Protection::PgpSigned),
            ),
            (format!("Content-Type: multipart/signed; boundary=b{parts}"), Some(Protection::SmimeSigned)),
            (format!("Content-Type: multipart/encrypted; boundary=b{parts}"), Some(Protection::PgpEncrypted)),
            (
                "\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n".into(),
                Some(Protection::PgpEncrypted),
            ),
            ("\n-----BEGIN PGP SIGNED MESSAGE-----\n".into(), Some(Protection::PgpSigned)),
            ("\nHello\n".into(), None),
        ] {
            assert_eq!(of(&message), protection, "{message}");
        }
    }

    /// A signature was given alone, which proves nothing without the octets that it signs.
    #[test]
    fn what_was_signed_is_given_whole() {
        let message = "Bcc: c@x.example\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nHello\n--b\n\
             Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx\n--b--\n"
            .replace('\n', "\r\n");
        let (outline, facts) = assess_octets(message.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(facts.text.as_deref(), Some("Hello\r\n"));
        let [signature, whole] = &facts.attachments[..] else { panic!("{:?}", facts.attachments) };
        assert_eq!(signature.name, "smime.p7s");
        assert_eq!(whole.name, "signed-message.eml");
        assert_eq!(&whole.front[..], b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n");
        assert_eq!(whole.body, outline.header_end..outline.octets);
    }
}
