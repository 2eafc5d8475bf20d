//! Compound files ([MS-CFB]): Word, Excel and PowerPoint before 2007, Outlook messages, locked documents of today.

use super::octets::{Octets, Unavailable, u16_at, u32_at};
use super::walk::{Shown, Walk};
use super::{Fact, kind};
use file::{Compound, Node, Role};

mod file;
mod native;

pub(super) use native::package;

/// Octets of a Workbook stream that are read for its sheets.
const WORKBOOK: usize = 256 * 1024;

/// Programs that write compound files, by a stream of theirs, and Windows Installer by its class.
const TYPES: [(&str, &str); 6] = [
    ("worddocument", "application/msword"),
    ("workbook", "application/vnd.ms-excel"),
    ("book", "application/vnd.ms-excel"),
    ("powerpoint document", "application/vnd.ms-powerpoint"),
    ("visiodocument", "application/vnd.visio"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
];

/// `{000C1084-…-46}` and its siblings for patches and transforms: Windows Installer.
const INSTALLER: [u8; 14] = [0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];

/// Looks at the file and into what it embeds.
pub(super) fn look(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let Some(mut compound) = Compound::open(octets, walk.limits.directory)? else {
        shown.facts.insert(Fact::Unseen);
        return Ok(());
    };
    if compound.circular {
        shown.facts.insert(Fact::Ambiguous);
    }
    let nodes = compound.nodes().to_vec();
    if nodes.first().is_some_and(|root| root.class[2..] == INSTALLER) {
        shown.media_types.push("application/x-msi".to_owned());
    }
    for node in &nodes {
        let name = node.name.to_ascii_lowercase();
        let known = TYPES.iter().find(|(stream, _)| *stream == name && node.parent == Some(0));
        shown.media_types.extend(known.map(|(_, kind)| (*kind).to_owned()));
        shown.facts.extend(by_name(&name, node.role));
    }
    for (at, node) in nodes.iter().enumerate() {
        by_content(&mut compound, node, shown)?;
        if !walk.may_find(shown) {
            break;
        }
        native::look(walk, &mut compound, at, path, shown)?;
    }
    Ok(())
}

/// What the name of a storage or stream tells, wherever it stands ([MS-OVBA], section 2.2; [MS-OFFCRYPTO], 2.3).
fn by_name(name: &str, role: Role) -> Option<Fact> {
    match (role, name) {
        (Role::Storage, "vba" | "macros" | "_vba_project_cur") | (Role::Stream, "_vba_project") => Some(Fact::Macros),
        (Role::Stream, "encryptedpackage") => Some(Fact::Locked),
        (Role::Storage, "objectpool") => Some(Fact::Embedded),
        _ => None,
    }
}

/// What the main stream of a document tells.
fn by_content(compound: &mut Compound<'_>, node: &Node, shown: &mut Shown) -> Result<(), Unavailable> {
    match node.name.to_ascii_lowercase().as_str() {
        // [MS-DOC], section 2.5.2: FibBase.fEncrypted.
        "worddocument" => {
            let start = compound.read(node, 32)?;
            if u16_at(&start, 10) & 0x0100 != 0 {
                shown.facts.insert(Fact::Locked);
            }
        }
        "workbook" | "book" => shown.facts.extend(of_workbook(&compound.read(node, WORKBOOK)?)),
        // [MS-PPT], section 2.4.10: VbaInfoContainer.
        "powerpoint document" => {
            let stream = compound.read(node, 8 * 1024 * 1024)?;
            if memchr::memmem::find(&stream, b"\x0f\0\xff\x03").is_some() {
                shown.facts.insert(Fact::Macros);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Records of a workbook ([MS-XLS], sections 2.4.28 and 2.4.117): a sheet of Excel 4.0 macros, a password.
fn of_workbook(stream: &[u8]) -> Vec<Fact> {
    let (mut facts, mut at) = (Vec::new(), 0);
    while at + 4 <= stream.len() {
        match u16_at(stream, at) {
            0x0085 if stream.get(at + 9) == Some(&1) => facts.push(Fact::Macros),
            0x002F => facts.push(Fact::Locked),
            // The first sheet begins, or what follows is encrypted.
            0x000A => break,
            _ => {}
        }
        at += 4 + usize::from(u16_at(stream, at + 2));
    }
    facts
}
