//! Office documents since 2007 (ECMA-376, part 2) and OpenDocument (ISO 26300, part 3) as zip archives of parts: macros,
//! passwords, and what is fetched from elsewhere.

use super::Fact;
use super::kind::media_type;
use super::octets::{Octets, Unavailable};
use super::walk::Shown;

/// Octets of a part that are read; what lists types and relations is far shorter.
const LONGEST: usize = 1024 * 1024;

/// The part that gives every part its type (ECMA-376, part 2, section 10.1.2.3), and OpenDocument's list of parts.
const TYPES: &str = "[content_types].xml";
const MANIFEST: &str = "meta-inf/manifest.xml";

/// Relations whose target is fetched when the document is opened; a hyperlink waits to be pressed.
const FETCHED: [&str; 6] = ["attachedtemplate", "oleobject", "/frame", "subdocument", "afchunk", "externallinkpath"];

/// What the parts told so far.
#[derive(Default)]
pub(super) struct Parts {
    is_package: bool,
    macros: bool,
    locked: bool,
    external: bool,
    embedded: bool,
    macro_type: Option<String>,
}

impl Parts {
    /// The parts of an archive, by the names of its entries.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut parts = Self::default();
        let mut open_document = false;
        for name in names.map(normal) {
            parts.is_package |= matches!(name.as_str(), TYPES | MANIFEST);
            open_document |= name == MANIFEST;
            parts.embedded |= name.contains("/embeddings/") || name.contains("/activex/");
            parts.macros |= name.ends_with("vbaproject.bin") || name.starts_with("xl/macrosheets/");
            parts.macros |= open_document && (name.starts_with("basic/") || name.starts_with("scripts/"));
        }
        parts
    }

    /// Whether this part is to be read whole.
    pub fn wants(&self, name: &str) -> bool {
        let name = normal(name);
        self.is_package && (name == TYPES || name == MANIFEST || name.ends_with(".rels"))
    }

    /// Whether an entry is a picture of the document: those have names by chance (`image1.tmp`).
    pub fn is_picture(&self, name: &str, start: &[u8]) -> bool {
        let picture = || media_type(start).is_some_and(|kind| kind.starts_with("image/"));
        self.is_package && normal(name).contains("media/") && picture()
    }

    /// Takes a part in, if it tells something.
    pub fn part(&mut self, name: &str, octets: &mut dyn Octets) -> Result<(), Unavailable> {
        if !self.wants(name) {
            return Ok(());
        }
        // XML may be in UTF-16; what is looked for is ASCII.
        let mut octets = octets.take(0, LONGEST)?;
        octets.retain(|octet| *octet != 0);
        let text = String::from_utf8_lossy(&octets).to_ascii_lowercase();
        match normal(name).as_str() {
            TYPES => {
                self.macro_type =
                    text.split(['"', '\'']).find(|value| value.contains("macroenabled")).map(str::to_owned);
                self.macros |= self.macro_type.is_some() || text.contains("vbaproject");
            }
            MANIFEST => self.locked |= text.contains("encryption-data"),
            _ => self.external |= text.split("<relationship").any(is_fetched),
        }
        Ok(())
    }
}

/// Tells what the parts came to.
pub(super) fn judge(parts: &Parts, shown: &mut Shown) {
    shown.media_types.extend(parts.macro_type.clone());
    for (holds, fact) in [
        (parts.macros, Fact::Macros),
        (parts.locked, Fact::Locked),
        (parts.external, Fact::External),
        (parts.embedded && parts.is_package, Fact::Embedded),
    ] {
        if holds {
            shown.facts.insert(fact);
        }
    }
}

fn is_fetched(relation: &str) -> bool {
    let tag = relation.split('>').next().unwrap_or_default();
    let external = tag.contains("targetmode=\"external\"") || tag.contains("targetmode='external'");
    external && FETCHED.iter().any(|kind| tag.contains(kind))
}

fn normal(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}
