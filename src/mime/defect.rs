//! The closed list of what makes a message not understood, each with its word and its words.

/// Why a message is not understood; the words are what the sender reads after `550 5.6.0`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Defect {
    /// A word for the log, from a closed list (`duplicate-field`, `base64-alphabet` …).
    pub word: &'static str,
    /// What is wrong, for a person; no octet of the message in it.
    pub words: String,
    /// Whether it is a limit (552 5.3.4) and not an ambiguity (550 5.6.0).
    pub limit: bool,
}

impl Defect {
    /// Whether readers may see different things in the message; else it is a limit, or something that its writer meant and
    /// wrote wrong (a tag, a mark, a field of ours), which is only for them to mend.
    pub fn is_ambiguity(&self) -> bool {
        !self.limit && !["tag-", "part-", "own-"].iter().any(|meant| self.word.starts_with(meant))
    }
}

/// One entry of the list. Field names in it are our own constants, never octets of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mime) enum Flaw {
    HeaderSectionLimit,
    HeaderLineLimit,
    HeaderFieldsLimit,
    EntitiesLimit,
    DepthLimit,
    ParametersLimit,
    BareLineFeed,
    NoColon,
    FieldName,
    LeadingFold,
    BlankFold,
    Duplicate(&'static str),
    ContentType,
    Comment(&'static str),
    EncodedWord(&'static str),
    Control(&'static str),
    DuplicateBoundary,
    NoBoundary,
    Boundary,
    BoundaryClash,
    BoundaryLine,
    BoundaryAfterClose,
    NoParts,
    Parameter,
    CharsetConflict,
    UnknownEncoding,
    EncodedComposite,
    MessagePartial,
    ExternalBody,
    Base64Alphabet,
    Base64AfterEnd,
    Base64Short,
    QuotedPrintable,
    Uuencode,
    YEnc,
    BinHex,
    /// More files in base64 in a text than a letter has.
    Base64,
    Address(&'static str),
    TagPatient,
    TagClock,
    PartMarks,
    PartFile,
    OwnField,
    SecondOpinion,
}

impl From<Flaw> for Defect {
    fn from(flaw: Flaw) -> Self {
        let limit = matches!(
            flaw,
            Flaw::HeaderSectionLimit
                | Flaw::HeaderLineLimit
                | Flaw::HeaderFieldsLimit
                | Flaw::EntitiesLimit
                | Flaw::DepthLimit
                | Flaw::ParametersLimit
        );
        let (word, words) = match flaw {
            Flaw::Duplicate(field) => {
                ("duplicate-field", format!("The field {field} stands more than once in one header."))
            }
            Flaw::Comment(field) => ("comment", format!("A comment in parentheses stands in the field {field}.")),
            Flaw::EncodedWord(field) => ("encoded-word", format!("An encoded word stands in the field {field}.")),
            Flaw::Control(field) => ("control-character", format!("A control character stands in the field {field}.")),
            Flaw::Address(field) => ("address", format!("The addresses of the field {field} cannot be understood.")),
            other => {
                let (word, words) =
                    plain(other).or_else(|| of_content(other)).unwrap_or(("defect", "The message is not understood."));
                (word, words.to_owned())
            }
        };
        Self { word, words, limit }
    }
}

/// Structure and header sections.
fn plain(flaw: Flaw) -> Option<(&'static str, &'static str)> {
    Some(match flaw {
        Flaw::HeaderSectionLimit => ("header-section-limit", "The header of the message or of a part is too long."),
        Flaw::HeaderLineLimit => ("header-line-limit", "A line of a header is too long."),
        Flaw::HeaderFieldsLimit => ("header-fields-limit", "A header has too many fields."),
        Flaw::EntitiesLimit => ("entities-limit", "The message has too many parts."),
        Flaw::DepthLimit => ("depth-limit", "The parts of the message are nested too deeply."),
        Flaw::ParametersLimit => ("parameters-limit", "A header field has too many parameters."),
        Flaw::BareLineFeed => {
            ("bare-line-feed", "A line of the message does not end in carriage return and line feed.")
        }
        Flaw::NoColon => ("no-colon", "A header has a line without a colon."),
        Flaw::FieldName => ("field-name", "A header field has a name that is not allowed."),
        Flaw::LeadingFold => ("leading-fold", "A header begins with a continued line."),
        Flaw::BlankFold => ("blank-fold", "A header is continued by a line of nothing but spaces."),
        Flaw::ContentType => ("content-type", "The Content-Type of the message or of a part cannot be understood."),
        Flaw::DuplicateBoundary => ("duplicate-boundary", "A multipart names its boundary more than once."),
        Flaw::NoBoundary => ("no-boundary", "A multipart does not name its boundary."),
        Flaw::Boundary => ("boundary", "A multipart has a boundary that is empty, too long or not allowed."),
        Flaw::BoundaryClash => {
            ("boundary-clash", "A multipart's boundary begins with, or is, that of the multipart around it.")
        }
        Flaw::BoundaryLine => {
            ("boundary-line", "A line begins with a boundary and goes on; it is not clear where a part ends.")
        }
        Flaw::BoundaryAfterClose => ("boundary-after-close", "A multipart goes on after its end."),
        Flaw::NoParts => ("no-parts", "The message says that it has parts, but its boundary is nowhere in it."),
        Flaw::Parameter => ("parameter", "A parameter of a Content-Type cannot be understood."),
        Flaw::CharsetConflict => ("charset-conflict", "A part names two different character sets."),
        Flaw::UnknownEncoding => (
            "unknown-encoding",
            "A Content-Transfer-Encoding is not one of 7bit, 8bit, binary, base64, quoted-printable.",
        ),
        Flaw::EncodedComposite => {
            ("encoded-composite", "A multipart or an enclosed message has a transfer encoding of its own.")
        }
        Flaw::MessagePartial => {
            ("message-partial", "The message is a fragment of a longer one; please send it in one piece.")
        }
        Flaw::ExternalBody => {
            ("external-body", "A part only points to content elsewhere; please attach the content itself.")
        }
        _ => return None,
    })
}

/// Content, text, tags.
fn of_content(flaw: Flaw) -> Option<(&'static str, &'static str)> {
    Some(match flaw {
        Flaw::Base64Alphabet => ("base64-alphabet", "A base64 part has characters that are not base64."),
        Flaw::Base64AfterEnd => ("base64-after-end", "A base64 part goes on after its end."),
        Flaw::Base64Short => ("base64-short", "A base64 part breaks off."),
        Flaw::QuotedPrintable => ("quoted-printable", "A quoted-printable attachment has a broken code in it."),
        Flaw::Uuencode => ("uuencode", "A file is written into the text (uuencode); please attach it instead."),
        Flaw::YEnc => ("yenc", "A file is written into the text (yEnc); please attach it instead."),
        Flaw::Base64 => ("base64", "Too many files are written into the text (base64); please attach them instead."),
        Flaw::BinHex => ("binhex", "A file is written into the text (BinHex); please attach it instead."),
        Flaw::TagPatient => {
            ("tag-patient", "The tag for a patient is written [patient 10423] or [patient Jane Citizen 1980-03-04].")
        }
        Flaw::TagClock => (
            "tag-clock",
            "A time in brackets in the subject, or in a field X-Postern-..., must be between one hour and 90 days, such as [14d], [2w] or [36h].",
        ),
        Flaw::PartMarks => (
            "part-marks",
            "The marks [part] and [/part] must each stand alone on a line, in turn, with text between them.",
        ),
        Flaw::PartFile => {
            ("part-file", "A file is written into a text that has marks [part]; please attach it instead.")
        }
        Flaw::OwnField => (
            "own-field",
            "A field X-Postern-... is none that is known here, or does not say what it must. docs/policy.md lists them.",
        ),
        Flaw::SecondOpinion => {
            ("second-opinion", "Two readers find different parts in the message; it is not clear what it holds.")
        }
        _ => return None,
    })
}
