//! Zip archives (APPNOTE.TXT 6.3.10): what the central directory lists, what local headers say of the same entries, and
//! whether both agree.
//!
//! Most readers go by the central directory, streaming ones by local headers. An archive is sound only where both tell
//! the same names, sizes and methods, no two entries share octets, and nothing that looks like an entry stands between.

use super::inflate::{Wrapping, inflate};
use super::kind::START;
use super::octets::{Octets, Unavailable, Window};
use super::office::Parts;
use super::walk::{Shown, Walk};
use super::{Fact, kind, office};
use directory::{Directory, Listed};
use entry::{Entry, Local};

mod directory;
mod entry;

/// Whether the octets end as a zip archive does.
pub(super) fn ends_as_zip(octets: &mut dyn Octets) -> Result<bool, Unavailable> {
    Ok(directory::find_end(octets)?.is_some())
}

/// Looks at the archive and into its entries.
pub(super) fn look(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let directory = match directory::read(octets, walk.limits.directory, walk.limits.files)? {
        Listed::Directory(directory) => directory,
        Listed::TooLarge => {
            shown.facts.insert(Fact::TooLarge);
            return Ok(());
        }
        Listed::Damaged => {
            shown.facts.insert(Fact::Unseen);
            return list_local_headers(walk, octets, path, shown);
        }
    };
    if directory.ambiguous {
        shown.facts.insert(Fact::Ambiguous);
    }
    let mut parts = Parts::of(directory.entries.iter().map(Entry::name));
    let locals = read_locals(octets, &directory)?;
    if has_gaps(octets, &directory, &locals)? {
        shown.facts.insert(Fact::Ambiguous);
    }
    for (entry, local) in directory.entries.iter().zip(&locals) {
        if !walk.may_find(shown) {
            break;
        }
        let agrees = local.as_ref().is_some_and(|local| local.agrees_with(entry));
        if !agrees {
            shown.facts.insert(Fact::Ambiguous);
        }
        if entry.is_encrypted() || local.as_ref().is_some_and(|local| local.is_encrypted()) {
            shown.facts.insert(Fact::Encrypted);
        }
        look_at_entry(walk, octets, path, entry, local.as_ref(), &mut parts)?;
    }
    office::judge(&parts, shown);
    Ok(())
}

fn read_locals(octets: &mut dyn Octets, directory: &Directory) -> Result<Vec<Option<Local>>, Unavailable> {
    directory.entries.iter().map(|entry| Local::read(octets, entry.offset)).collect()
}

/// Looks at one entry: for its first octets, and, where they are of something that holds files, into all of it.
fn look_at_entry(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    entry: &Entry,
    local: Option<&Local>,
    parts: &mut Parts,
) -> Result<(), Unavailable> {
    let names = entry.names(local);
    let Some(local) = local else { return walk.find(path, names, None, &[Fact::Unseen]) };
    if entry.is_folder() {
        return Ok(());
    }
    if entry.is_encrypted() || local.is_encrypted() {
        return walk.find(path, names, None, &[Fact::Encrypted]);
    }
    let mut packed = Window::new(octets, local.data, entry.packed);
    match entry.method {
        0 => {
            parts.part(&names[0], &mut packed)?;
            let start = packed.take(0, START)?;
            if parts.is_picture(&names[0], &start) { Ok(()) } else { walk.find(path, names, Some(&mut packed), &[]) }
        }
        8 => look_at_packed(walk, &mut packed, path, names, parts),
        _ => walk.find(path, names, None, &[Fact::Unseen]),
    }
}

fn look_at_packed(
    walk: &mut Walk<'_>,
    packed: &mut Window<'_>,
    path: &[String],
    names: Vec<String>,
    parts: &mut Parts,
) -> Result<(), Unavailable> {
    let start = inflate(packed, 0, Wrapping::Raw, START.min(walk.room()))?;
    walk.spend(start.octets.len());
    if parts.is_picture(&names[0], &start.octets) {
        return Ok(());
    }
    let holds = parts.wants(&names[0])
        || !matches!(kind::by_start(&names[0], &start.octets), kind::Kind::Other | kind::Kind::Text);
    let mut unpacked = start;
    if !unpacked.whole && !unpacked.broken && holds {
        unpacked = inflate(packed, 0, Wrapping::Raw, walk.room())?;
        walk.spend(unpacked.octets.len());
    }
    let mut facts = Vec::new();
    if unpacked.broken {
        facts.push(Fact::Unseen);
    }
    if !unpacked.whole && !unpacked.broken && (holds || walk.room() == 0) {
        facts.push(Fact::TooLarge);
    }
    parts.part(&names[0], &mut unpacked.octets.as_slice())?;
    walk.find(path, names, Some(&mut unpacked.octets.as_slice()), &facts)
}

/// Whether entries share octets, or something that looks like an entry stands where none is listed.
fn has_gaps(octets: &mut dyn Octets, directory: &Directory, locals: &[Option<Local>]) -> Result<bool, Unavailable> {
    /// Octets between entries that are searched in all.
    const SEARCHED: u64 = 1024 * 1024;
    let pairs = directory.entries.iter().zip(locals);
    let mut spans: Vec<(u64, u64)> = pairs
        .filter_map(|(entry, local)| Some((entry.offset, local.as_ref()?.data.saturating_add(entry.packed))))
        .collect();
    spans.sort_unstable();
    spans.push((directory.start, directory.start));
    let (mut at, mut searched) = (0, 0);
    for (start, end) in spans {
        if start < at {
            return Ok(true);
        }
        let gap = start - at;
        searched += gap;
        if searched > SEARCHED {
            return Ok(at > 0);
        }
        let between = octets.take(at, usize::try_from(gap).unwrap_or(0))?;
        if memchr::memmem::find(&between, b"PK\x03\x04").is_some() {
            return Ok(true);
        }
        at = end;
    }
    Ok(false)
}

/// Names of an archive without a directory, as a reader that salvages would find them.
fn list_local_headers(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let mut at = 0;
    while walk.may_find(shown)
        && let Some(local) = Local::read(octets, at)?
    {
        let facts = if local.is_encrypted() { vec![Fact::Encrypted] } else { vec![Fact::Unseen] };
        walk.find(path, vec![local.name.clone()], None, &facts)?;
        if local.streams() {
            break;
        }
        at = local.data.saturating_add(local.packed);
    }
    Ok(())
}
