//! Files in compound files: packaged objects ([MS-OLEDS], section 2.3.6) and attachments of Outlook messages ([MS-OXMSG]).

use super::file::{Compound, Node, Role};
use super::{kind, u32_at};
use crate::mime::inside::Fact;
use crate::mime::inside::octets::Unavailable;
use crate::mime::inside::walk::{Shown, Walk};

/// Looks at a node: for a file that it is, or that it holds.
pub(super) fn look(
    walk: &mut Walk<'_>,
    compound: &mut Compound<'_>,
    at: usize,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let node = compound.nodes()[at].clone();
    if node.name == "\u{1}Ole10Native" {
        shown.facts.insert(Fact::Embedded);
        return look_at_package(walk, compound, &node, path);
    }
    if node.role == Role::Storage && node.name.starts_with("__attach_version1.0_") {
        return look_at_attachment(walk, compound, at, path);
    }
    Ok(())
}

/// The octets of a stream, as far as there is room; whether that is all.
fn taken(walk: &mut Walk<'_>, compound: &mut Compound<'_>, node: &Node) -> Result<(Vec<u8>, bool), Unavailable> {
    let octets = compound.read(node, walk.room())?;
    walk.spend(octets.len());
    let whole = octets.len() as u64 >= node.size;
    Ok((octets, whole))
}

/// `OLENativeStream`: length, flags, label, file name, flags, path, length, the file.
fn look_at_package(
    walk: &mut Walk<'_>,
    compound: &mut Compound<'_>,
    node: &Node,
    path: &[String],
) -> Result<(), Unavailable> {
    let (octets, whole) = taken(walk, compound, node)?;
    let facts: &[Fact] = if whole { &[] } else { &[Fact::TooLarge] };
    let native = &octets[octets.len().min(4)..];
    let (names, file) = package(native).unwrap_or_else(|| (vec!["object".to_owned()], native));
    walk.find(path, names, Some(&mut &*file), facts)
}

/// The names and the octets of a packaged file; at least one name.
pub(in crate::mime::inside) fn package(native: &[u8]) -> Option<(Vec<String>, &[u8])> {
    let (label, rest) = text(native.get(2..)?)?;
    let (file_name, rest) = text(rest)?;
    let path_octets = u32_at(rest, 4) as usize;
    let (command, rest) = rest.get(8..)?.split_at_checked(path_octets)?;
    let length = u32_at(rest, 0) as usize;
    let file = rest.get(4..)?;
    let command = command.split(|octet| *octet == 0).next().unwrap_or_default();
    let file_name = Some(file_name).filter(|name| !holds_icons(name));
    let names = [Some(label), file_name, Some(String::from_utf8_lossy(command).into_owned())];
    let names: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then_some((names, &file[..length.min(file.len())]))
}

/// Whether a name is where an icon comes from: old packagers write that (`C:\WINNT\system32\SHELL32.DLL`) where new ones
/// write the file's name. A file that is a program shows it by its content.
fn holds_icons(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    ["dll", "exe", "ico"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Text up to a NUL, and what stands behind it.
fn text(octets: &[u8]) -> Option<(String, &[u8])> {
    let end = memchr::memchr(0, octets)?;
    let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&octets[..end]).0.into_owned();
    Some((text, &octets[end + 1..]))
}

/// An attachment storage ([MS-OXMSG], section 2.2.2): its names and octets stand in streams named by their properties.
fn look_at_attachment(
    walk: &mut Walk<'_>,
    compound: &mut Compound<'_>,
    storage: usize,
    path: &[String],
) -> Result<(), Unavailable> {
    const NAMES: [&str; 6] = ["3707001f", "3707001e", "3704001f", "3704001e", "3001001f", "3001001e"];
    let streams: Vec<Node> = compound.nodes().iter().filter(|node| node.parent == Some(storage)).cloned().collect();
    let stream = |property: &str| {
        let name = format!("__substg1.0_{property}");
        streams.iter().find(|node| node.name.eq_ignore_ascii_case(&name))
    };
    let mut names = Vec::new();
    for property in NAMES {
        let Some(node) = stream(property) else { continue };
        let octets = compound.read(node, 4096)?;
        let encoding = if property.ends_with('f') { encoding_rs::UTF_16LE } else { encoding_rs::WINDOWS_1252 };
        let name = encoding.decode_without_bom_handling(&octets).0.trim_end_matches('\0').to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names.push("attachment".to_owned());
    }
    let Some(data) = stream("37010102").cloned() else { return walk.find(path, names, None, &[]) };
    let (octets, whole) = taken(walk, compound, &data)?;
    let is_cut = !whole && !matches!(kind::by_start(&names[0], &octets), kind::Kind::Other);
    let facts: &[Fact] = if is_cut { &[Fact::TooLarge] } else { &[] };
    walk.find(path, names, Some(&mut octets.as_slice()), facts)
}
