//! Attribute by attribute, a message comes together.

use encoding_rs::{Encoding, WINDOWS_1252};

use super::property::{Kind, Properties, Property, tag};
use super::stream::{Attribute, Level, id};
use super::{Attachment, Content, Doubt, Limits, Message, read_at_depth};
use crate::mime::decode::of_code_page;
use crate::mime::rtf;

/// `IID_IMessage`: an object that is a message, packed likewise ([MS-OXTNEF], section 2.1.3.4).
const MESSAGE_INTERFACE: [u8; 16] = [7, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];

/// What Outlook gives, as the octets of a file, to readers that do not know of messages within messages.
const PLACEHOLDER: &[u8] =
    b"This attachment is a MAPI 1.0 embedded message and is not supported by this mail system.\0";

/// How the names of one attachment rank; Outlook shows the first that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    LongFilename,
    Title,
    TransportName,
    Filename,
    DisplayName,
    Path,
}

/// An attachment that is being read. Its names stay octets until the end: their code page may stand behind them.
#[derive(Default)]
struct Started<'a> {
    names: Vec<(Rank, Property<'a>)>,
    media_type: Option<Property<'a>>,
    content_id: Option<Property<'a>>,
    contents: Vec<Content<'a>>,
}

/// A message that is being read.
pub(super) struct Assembly<'a, 'l> {
    limits: &'l Limits,
    depth: usize,
    message: Message<'a>,
    started: Vec<Started<'a>>,
    /// Whether more attachments began than the limit allows.
    overflows: bool,
    code_page: Option<u32>,
    internet_code_page: Option<u32>,
    class: Option<Property<'a>>,
    subject: Option<Property<'a>>,
    text: Option<Property<'a>>,
    html: Option<Property<'a>>,
}

impl<'a, 'l> Assembly<'a, 'l> {
    pub fn new(limits: &'l Limits, depth: usize) -> Self {
        Self {
            limits,
            depth,
            message: Message::default(),
            started: Vec::new(),
            overflows: false,
            code_page: None,
            internet_code_page: None,
            class: None,
            subject: None,
            text: None,
            html: None,
        }
    }

    pub fn doubt(&mut self, doubt: Doubt) {
        self.message.doubts.insert(doubt);
    }

    /// Takes the next attribute in.
    pub fn add(&mut self, attribute: &Attribute<'a>) {
        if attribute.cut {
            self.doubt(Doubt::Cut);
        } else if !attribute.sum_holds {
            self.doubt(Doubt::Checksum);
        }
        match attribute.level {
            Level::Message => self.add_to_message(attribute),
            Level::Attachment => self.add_to_attachment(attribute),
        }
    }

    fn add_to_message(&mut self, attribute: &Attribute<'a>) {
        let narrow = Property { tag: 0, kind: Kind::String8, value: attribute.data };
        match attribute.id {
            id::OEM_CODE_PAGE => {
                self.code_page = attribute.data.first_chunk().map(|octets| u32::from_le_bytes(*octets));
            }
            id::MESSAGE_CLASS => self.class = self.class.or(Some(narrow)),
            id::SUBJECT => self.subject = self.subject.or(Some(narrow)),
            id::BODY => self.text = self.text.or(Some(narrow)),
            id::MESSAGE_PROPERTIES => {
                let mut properties = Properties::of(attribute.data);
                properties.by_ref().for_each(|property| self.message_property(property));
                self.broken(properties.broken);
            }
            _ => {}
        }
    }

    fn message_property(&mut self, property: Property<'a>) {
        match property.tag {
            tag::MESSAGE_CLASS => self.class = Some(property),
            tag::SUBJECT => self.subject = Some(property),
            tag::BODY => self.text = Some(property),
            tag::BODY_HTML => self.html = Some(property),
            tag::RTF_COMPRESSED => match rtf::decompressed(property.value, self.limits.rtf) {
                Some(rtf) => self.message.body.rtf = Some(rtf),
                None => self.doubt(Doubt::Rtf),
            },
            tag::INTERNET_CODE_PAGE => self.internet_code_page = property.number(),
            tag::MESSAGE_CODE_PAGE => self.code_page = self.code_page.or(property.number()),
            _ => {}
        }
    }

    fn add_to_attachment(&mut self, attribute: &Attribute<'a>) {
        if attribute.id == id::ATTACH_REND_DATA {
            self.begin_attachment();
            return;
        }
        if self.started.is_empty() {
            self.doubt(Doubt::Stray);
            self.begin_attachment();
        }
        if self.overflows {
            return;
        }
        let named = |rank| (rank, Property { tag: 0, kind: Kind::String8, value: attribute.data });
        match attribute.id {
            id::ATTACH_DATA => self.content(Content::File(attribute.data)),
            id::ATTACH_TITLE => self.name(named(Rank::Title)),
            id::ATTACH_TRANSPORT_FILENAME => self.name(named(Rank::TransportName)),
            id::ATTACHMENT_PROPERTIES => {
                let mut properties = Properties::of(attribute.data);
                properties.by_ref().for_each(|property| self.attachment_property(property));
                self.broken(properties.broken);
            }
            _ => {}
        }
    }

    fn begin_attachment(&mut self) {
        self.overflows = self.started.len() >= self.limits.attachments;
        if self.overflows {
            self.doubt(Doubt::TooMany);
        } else {
            self.started.push(Started::default());
        }
    }

    fn attachment_property(&mut self, property: Property<'a>) {
        let rank = match property.tag {
            tag::ATTACH_LONG_FILENAME => Rank::LongFilename,
            tag::ATTACH_FILENAME => Rank::Filename,
            tag::DISPLAY_NAME => Rank::DisplayName,
            tag::ATTACH_TRANSPORT_NAME => Rank::TransportName,
            tag::ATTACH_PATHNAME | tag::ATTACH_LONG_PATHNAME => Rank::Path,
            tag::ATTACH_DATA => return self.content_property(property),
            other => {
                let Some(started) = self.started.last_mut() else { return };
                match other {
                    tag::ATTACH_MIME_TAG => started.media_type = Some(property),
                    tag::ATTACH_CONTENT_ID => started.content_id = Some(property),
                    _ => {}
                }
                return;
            }
        };
        self.name((rank, property));
    }

    fn content_property(&mut self, property: Property<'a>) {
        let object = property.value.split_at_checked(MESSAGE_INTERFACE.len());
        let content = match (property.kind, object) {
            (Kind::Object, Some((interface, octets))) if interface == MESSAGE_INTERFACE => self.enclosed(octets),
            (Kind::Object, Some((_, octets))) => Content::Object(octets),
            _ => Content::File(property.value),
        };
        self.content(content);
    }

    fn enclosed(&mut self, octets: &'a [u8]) -> Content<'a> {
        if self.depth >= self.limits.depth {
            self.doubt(Doubt::TooDeep);
            return Content::File(octets);
        }
        match read_at_depth(octets, self.limits, self.depth + 1) {
            Some(message) => {
                self.message.doubts.extend(&message.doubts);
                Content::Message(Box::new(message), octets)
            }
            None => Content::File(octets),
        }
    }

    /// A content of the attachment, unless it has the same already. One that says nothing gives way.
    fn content(&mut self, content: Content<'a>) {
        let Some(started) = self.started.last_mut() else { return };
        started.contents.retain(|earlier| !earlier.octets().is_empty() && earlier.octets() != PLACEHOLDER);
        if started.contents.iter().any(|earlier| earlier.octets() == content.octets()) {
            return;
        }
        if started.contents.is_empty() {
            started.contents.push(content);
        } else if !content.octets().is_empty() {
            started.contents.push(content);
            self.doubt(Doubt::Twofold);
        }
    }

    fn name(&mut self, name: (Rank, Property<'a>)) {
        if let Some(started) = self.started.last_mut() {
            started.names.push(name);
        }
    }

    fn broken(&mut self, broken: bool) {
        if broken {
            self.doubt(Doubt::Properties);
        }
    }

    /// The message, its texts decoded now that the code page is known.
    pub fn finish(self) -> Message<'a> {
        let narrow = self.code_page.map_or(WINDOWS_1252, of_code_page);
        let text = |property: Option<Property<'a>>| property.and_then(|property| property.text(narrow));
        let mut message = self.message;
        message.class = text(self.class).map(|class| class_of_today(&class));
        message.subject = text(self.subject);
        message.body.text = text(self.text);
        let internet = self.internet_code_page.map_or(narrow, of_code_page);
        message.body.html = self.html.and_then(|html| html.text(internet));
        message.attachments = self.started.into_iter().map(|started| started.finish(narrow)).collect();
        message
    }
}

impl<'a> Started<'a> {
    fn finish(mut self, narrow: &'static Encoding) -> Attachment<'a> {
        self.names.sort_by_key(|(rank, _)| *rank);
        let mut names: Vec<String> = Vec::new();
        for name in self.names.iter().filter_map(|(_, name)| name.text(narrow)) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let text = |property: Option<Property<'a>>| property.and_then(|p| p.text(narrow)).filter(|t| !t.is_empty());
        Attachment {
            names,
            media_type: text(self.media_type),
            content_id: text(self.content_id),
            contents: self.contents,
        }
    }
}

/// The class in today's words: old ones are mapped as [MS-OXTNEF], section 2.1.3.3.1 lists them.
fn class_of_today(class: &str) -> String {
    const OLD: [(&str, &str); 8] = [
        ("IPM.Microsoft Mail.Note", "IPM.Note"),
        ("IPM.Microsoft Mail.Read Receipt", "REPORT.IPM.Note.IPNRN"),
        ("IPM.Microsoft Mail.Non-Delivery", "REPORT.IPM.Note.NDR"),
        ("IPM.Microsoft Schedule.MtgReq", "IPM.Schedule.Meeting.Request"),
        ("IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"),
        ("IPM.Microsoft Schedule.MtgRespN", "IPM.Schedule.Meeting.Resp.Neg"),
        ("IPM.Microsoft Schedule.MtgRespA", "IPM.Schedule.Meeting.Resp.Tent"),
        ("IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"),
    ];
    let found = OLD.iter().find(|(old, _)| old.eq_ignore_ascii_case(class));
    found.map_or(class, |(_, today)| today).to_owned()
}
