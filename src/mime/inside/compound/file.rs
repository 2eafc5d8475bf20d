//! The file system in a compound file ([MS-CFB], section 2): sectors in chains, and a directory of storages and streams.

use std::collections::HashSet;

use super::{u16_at, u32_at};
use crate::mime::inside::octets::{Octets, Unavailable, u64_at};

/// Sector numbers from here on mean something else ([MS-CFB], section 2.1).
const FIRST_SPECIAL: u32 = 0xFFFF_FFFA;

/// Octets of a directory entry and of a mini sector.
const ENTRY: usize = 128;
const MINI_SECTOR: u64 = 64;

/// What a directory entry is ([MS-CFB], section 2.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Storage,
    Stream,
}

/// A storage or stream.
#[derive(Clone)]
pub(super) struct Node {
    pub name: String,
    pub role: Role,
    /// The storage that it is in, by its number; none for what no storage lists.
    pub parent: Option<usize>,
    pub class: [u8; 16],
    start: u32,
    pub size: u64,
    left: u32,
    right: u32,
    child: u32,
}

/// A compound file, its tables in memory.
pub(super) struct Compound<'o> {
    octets: &'o mut dyn Octets,
    sector: u64,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    /// The sectors in which mini sectors lie.
    mini_stream: Vec<u32>,
    mini_cutoff: u64,
    nodes: Vec<Node>,
    /// Whether the directory goes in circles, or is longer than it may be.
    pub circular: bool,
}

impl<'o> Compound<'o> {
    /// Reads the tables; `None` where the header is of no compound file. At most `limit` octets of directory are read.
    pub fn open(octets: &'o mut dyn Octets, limit: usize) -> Result<Option<Self>, Unavailable> {
        let header = octets.take(0, 512)?;
        let shift = u16_at(&header, 30);
        if header.len() < 512 || !matches!(shift, 9 | 12) {
            return Ok(None);
        }
        let mut compound = Self {
            octets,
            sector: 1 << shift,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini_stream: Vec::new(),
            mini_cutoff: u64::from(u32_at(&header, 56)),
            nodes: Vec::new(),
            circular: false,
        };
        compound.read_fat(&header)?;
        let mini_fat = compound.chain(u32_at(&header, 60));
        compound.mini_fat = compound.numbers(&mini_fat)?;
        let directory = compound.chain(u32_at(&header, 48));
        compound.read_directory(&directory, limit)?;
        compound.find_parents();
        if let Some(root) = compound.nodes.first() {
            compound.mini_stream = compound.chain(root.start);
        }
        Ok(Some(compound))
    }

    /// Storages and streams; the first is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Sectors that the file has room for: no chain is longer.
    fn sectors(&self) -> usize {
        usize::try_from(self.octets.len() / self.sector).unwrap_or(usize::MAX)
    }

    /// The header lists the first 109 sectors of the FAT, a chain of sectors the others ([MS-CFB], section 2.5).
    fn read_fat(&mut self, header: &[u8]) -> Result<(), Unavailable> {
        let mut places: Vec<u32> = (0..109).map(|at| u32_at(header, 76 + 4 * at)).collect();
        let mut next = u32_at(header, 68);
        let mut left = self.sectors();
        while next < FIRST_SPECIAL && left > 0 {
            let mut more = self.numbers(&[next])?;
            next = more.pop().unwrap_or(FIRST_SPECIAL);
            places.extend(more);
            left -= 1;
        }
        places.retain(|place| *place < FIRST_SPECIAL);
        places.truncate(self.sectors());
        self.fat = self.numbers(&places)?;
        self.fat.truncate(self.sectors());
        Ok(())
    }

    fn place(&self, sector: u32) -> u64 {
        (u64::from(sector) + 1) * self.sector
    }

    /// The numbers in these sectors.
    fn numbers(&mut self, sectors: &[u32]) -> Result<Vec<u32>, Unavailable> {
        let mut numbers = Vec::new();
        for sector in sectors {
            let octets = self.octets.take(self.place(*sector), self.sector as usize)?;
            numbers.extend((0..octets.len() / 4).map(|at| u32_at(&octets, 4 * at)));
        }
        Ok(numbers)
    }

    /// The chain of sectors from one on.
    fn chain(&self, start: u32) -> Vec<u32> {
        follow(&self.fat, start)
    }

    fn read_directory(&mut self, sectors: &[u32], limit: usize) -> Result<(), Unavailable> {
        let most = limit / self.sector as usize;
        self.circular |= sectors.len() > most;
        for sector in sectors.iter().take(most) {
            let octets = self.octets.take(self.place(*sector), self.sector as usize)?;
            self.nodes.extend(octets.chunks_exact(ENTRY).map(Node::parse));
        }
        Ok(())
    }

    /// Walks the trees of siblings ([MS-CFB], section 2.6.4), each entry once.
    fn find_parents(&mut self) {
        let mut seen = HashSet::from([0]);
        let mut pending: Vec<(u32, usize)> = self.nodes.first().map(|root| (root.child, 0)).into_iter().collect();
        while let Some((at, parent)) = pending.pop() {
            let at = at as usize;
            let Some(node) = self.nodes.get_mut(at) else { continue };
            if !seen.insert(at) {
                self.circular = true;
                continue;
            }
            node.parent = Some(parent);
            pending.extend([(node.left, parent), (node.right, parent)]);
            if node.role == Role::Storage {
                pending.push((node.child, at));
            }
        }
    }

    /// The first octets of a stream, at most so many.
    pub fn read(&mut self, node: &Node, limit: usize) -> Result<Vec<u8>, Unavailable> {
        let wanted = usize::try_from(node.size).unwrap_or(limit).min(limit);
        let mut stream = Vec::new();
        if node.size < self.mini_cutoff {
            let chain = follow(&self.mini_fat, node.start);
            let in_sector = self.sector / MINI_SECTOR;
            for mini in chain.into_iter().map(u64::from) {
                let Some(sector) = self.mini_stream.get((mini / in_sector) as usize) else { break };
                let place = self.place(*sector) + mini % in_sector * MINI_SECTOR;
                stream.extend(self.octets.take(place, MINI_SECTOR as usize)?);
                if stream.len() >= wanted {
                    break;
                }
            }
        } else {
            for sector in self.chain(node.start) {
                if stream.len() >= wanted {
                    break;
                }
                stream.extend(self.octets.take(self.place(sector), self.sector as usize)?);
            }
        }
        stream.truncate(wanted);
        Ok(stream)
    }
}

/// A chain in a table. Every number in it stands for a sector of its own, so one that goes in circles is none.
fn follow(table: &[u32], start: u32) -> Vec<u32> {
    let (mut chain, mut next) = (Vec::new(), start);
    while let Some(behind) = table.get(next as usize) {
        if chain.len() >= table.len() {
            return Vec::new();
        }
        chain.push(next);
        next = *behind;
    }
    chain
}

impl Node {
    fn parse(entry: &[u8]) -> Self {
        let units = usize::from(u16_at(entry, 64) / 2).saturating_sub(1).min(31);
        let units: Vec<u16> = (0..units).map(|at| u16_at(entry, 2 * at)).collect();
        let mut class = [0; 16];
        class.copy_from_slice(&entry[80..96]);
        Self {
            name: String::from_utf16_lossy(&units),
            role: match entry[66] {
                5 => Role::Root,
                1 => Role::Storage,
                _ => Role::Stream,
            },
            parent: None,
            class,
            start: u32_at(entry, 116),
            // Version 3 files may have garbage in the upper half ([MS-CFB], section 2.6.1).
            size: u64_at(entry, 120) & 0xFFFF_FFFF,
            left: u32_at(entry, 68),
            right: u32_at(entry, 72),
            child: u32_at(entry, 76),
        }
    }
}
